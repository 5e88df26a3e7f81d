"""A program's tiers: what they are, and the form that changes them, its effect first."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from pydantic import ValidationError

from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.backoffice.tier_drafts import draft_context
from loyalty.backoffice.tier_ladder import shown_ladder, suggested_thresholds
from loyalty.backoffice.tier_set_forms import (
    TierSettingsForm,
    TierSteps,
    settings_initial,
    steps_initial,
)
from loyalty.models import Program
from loyalty.selectors.member_tiers import unit_names
from loyalty.selectors.tier_drafts import drafted_tiers, tier_draft_of
from loyalty.selectors.tier_previews import preview_tiers
from loyalty.selectors.tier_sets import benefits_of, tier_set_at, tiers_of
from loyalty.services.tier_drafts import ask_to_publish_tiers, mark, save_tier_draft
from loyalty.services.tier_sets import change_tiers
from loyalty.tier_definitions import TierDefinition, TiersDefinition
from loyalty.tier_words import benefit_words, tier_amount
from members.forms import errors_on
from members.policy import acting, is_allowed, staff_view

MOST = 6
LEAST = 2


@require_safe
@staff_view("programs.view")
def tier_set_page(request: HttpRequest, code: str) -> HttpResponse:
    """The program's tiers as they are now, with what each brings, and a draft beside them."""
    program = get_object_or_404(Program, code=code)
    now = timezone.now()
    found = tier_set_at(program, now)
    units = unit_names(program.pk)
    context = {
        "program": program,
        "title": _("Tiers"),
        "breadcrumbs": program_crumbs(program),
        "tier_set": found,
        "steps": [
            (
                tier,
                tier_amount(found, tier.threshold, program.currency, units),
                [benefit_words(item, program.currency, units) for item in benefits_of(tier)],
            )
            for tier in (found.tiers.all() if found else ())
        ],
        "may_edit": is_allowed(request.user, "programs.edit"),
        **draft_context(request, program, now),
    }
    return render(request, "loyalty/backoffice/tier_set_page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def tier_set_edit(request: HttpRequest, code: str) -> HttpResponse:
    """Change the tiers: the form, then what it makes of the members, then it is saved. A draft is
    gone on with. The members over it are looked at once the form is there."""
    program = get_object_or_404(Program, code=code)
    base = _base(program)
    data = _steps_changed(request, program)
    shown = base or _proposal()
    settings = TierSettingsForm(data, program=program, initial=settings_initial(shown))
    steps = TierSteps(data, initial=steps_initial(shown), prefix="tier")
    # No name that a form has itself: a button called “remove” would hide form.remove().
    asks = {"add", "without", "edit", "suggest", "refresh"} & set(request.POST)
    if data is not None and not asks and settings.is_valid() and steps.is_valid():
        answer = _save(request, program, base, settings, steps)
        if answer is not None:
            return answer
    context = {
        "program": program,
        "title": _("Edit the tiers"),
        "breadcrumbs": _crumbs(program),
        # The draft that the writer began with, while it is written and its effect is read.
        "seen": request.POST.get("seen", mark(tier_draft_of(program))),
        "settings": settings,
        "steps": steps,
        "quiet": bool(asks),
        "may_add": steps.total_form_count() < MOST,
        "may_remove": steps.total_form_count() > LEAST,
        "back": _page(program),
        "edit_url": request.path,
        **_ladder_if_asked(request, program, base, settings, steps),
    }
    return render(request, "loyalty/backoffice/tier_set_form.html", context)


@require_POST
@staff_view("programs.edit")
def tier_ladder(request: HttpRequest, code: str) -> HttpResponse:
    """The members over the thresholds in the form, as it stands. Saves nothing."""
    program = get_object_or_404(Program, code=code)
    settings = TierSettingsForm(request.POST, program=program)
    steps = TierSteps(request.POST, prefix="tier")
    context = {
        "program": program,
        "edit_url": reverse("loyalty_backoffice:tier_set_edit", args=[program.code]),
        **_ladder(program, _base(program), settings, steps),
    }
    return render(request, "loyalty/backoffice/tier_ladder.html", context)


def _ladder_if_asked(
    request: HttpRequest, program: Program, base: TiersDefinition | None,
    settings: TierSettingsForm, steps: Any,
) -> dict[str, Any]:  # fmt: skip
    """The page asks for it by itself; a button does where it cannot."""
    if "refresh" in request.POST:
        return _ladder(program, base, settings, steps)
    return {"ladder_later": program.wallet_types.exists()}


def _ladder(
    program: Program, base: TiersDefinition | None, settings: TierSettingsForm, steps: Any
) -> dict[str, Any]:
    tiers = None
    if settings.is_valid() and steps.is_valid():
        tiers = _definition(base, settings, steps)
    if tiers is None or not program.wallet_types.exists():
        return {"ladder": None}
    shown = shown_ladder(program, tiers, timezone.now())
    return {"ladder": shown, "counts": json.dumps(shown.counts)}


def _save(
    request: HttpRequest, program: Program, base: TiersDefinition | None,
    settings: TierSettingsForm, steps: Any,
) -> HttpResponse | None:  # fmt: skip
    """Show what it makes of the members, or save it; None when the form now says what is wrong."""
    tiers = _definition(base, settings, steps)
    if tiers is None:
        return None
    if tiers == base:
        messages.info(request, _("Nothing was different, so nothing was changed."))
        return redirect(_page(program))
    now = timezone.now()
    if "confirmed" not in request.POST:
        context = {
            "program": program,
            "title": _("Save these tiers?"),
            "breadcrumbs": _crumbs(program),
            "preview": preview_tiers(program, tiers, now),
            "draft": program.live_since is None,
            "four_eyes": program.four_eyes,
            "sent": [
                (name, value)
                for name, values in request.POST.lists()
                for value in values
                if name != "csrfmiddlewaretoken"
            ],
        }
        return render(request, "loyalty/backoffice/tier_set_confirm.html", context)
    with errors_on(settings):
        messages.success(request, _write(request, program, tiers, now))
    if settings.errors:
        return None
    return redirect(_page(program))


def _write(request: HttpRequest, program: Program, tiers: TiersDefinition, now: dt.datetime) -> str:
    """Keep them as a draft, ask a second person for them, or let them count. What was done."""
    actor, wish = acting(request), request.POST["confirmed"]
    if wish in ("draft", "ask"):
        draft = save_tier_draft(
            program=program, tiers=tiers, actor=actor, now=now, seen=request.POST.get("seen", "")
        )
        if wish == "draft":
            return _("The draft of the tiers was saved. It counts for nothing yet.")
        ask_to_publish_tiers(program=program, actor=actor, now=now, seen=mark(draft))
        return _("A second person now has to publish these tiers.")
    change_tiers(program=program, tiers=tiers, actor=actor, now=now)
    return _("The tiers were saved.")


def _base(program: Program) -> TiersDefinition | None:
    """What the form begins with: the draft, else the tiers that count."""
    draft = tier_draft_of(program)
    return drafted_tiers(draft) if draft else tiers_of(program, timezone.now())


def _definition(
    base: TiersDefinition | None, settings: TierSettingsForm, steps: Any
) -> TiersDefinition | None:
    kept: dict[str, TierDefinition] = {tier.code: tier for tier in base.tiers} if base else {}
    said = settings.said() | {
        "tiers": [form.said(kept.get(form.cleaned_data["code"])) for form in steps]
    }
    try:
        return TiersDefinition.model_validate(said)
    except ValidationError as wrong:
        for error in wrong.errors():
            _refuse(error, settings, steps)
        return None


def _refuse(error: Any, settings: TierSettingsForm, steps: Any) -> None:
    """Where the form has it: at a step, at a setting, or at the top."""
    place, message = error["loc"], error["msg"].removeprefix("Value error, ")
    if place[:1] == ("tiers",) and len(place) > 1 and isinstance(place[1], int):
        form = steps[place[1]]
        name = place[-1] if place[-1] in form.fields else None
        form.add_error(name if len(place) == 3 else _benefit_field(place), message)
    else:
        name = place[0] if place and place[0] in settings.fields else None
        settings.add_error(name, message)


def _benefit_field(place: tuple[Any, ...]) -> str | None:
    return {"factor": "factor", "units": "birthday", "hours": "early_access"}.get(place[-1], "more")


def _steps_changed(request: HttpRequest, program: Program) -> QueryDict | None:
    """What was sent, with a step more or less, or with other thresholds, where that was asked."""
    if request.method != "POST":
        return None
    data = request.POST.copy()
    total = data.get("tier-TOTAL_FORMS", "")
    count = int(total) if total.isdecimal() and len(total) < 3 else 0
    if "add" in data and count < MOST:
        data["tier-TOTAL_FORMS"] = str(count + 1)
        data.update({f"tier-{count}-color": "secondary", f"tier-{count}-icon": "award"})
    if "suggest" in data and LEAST <= count <= MOST:
        _suggest(data, program, count)
    gone = data.get("without", "")
    if gone.isdecimal() and len(gone) < 3 and int(gone) < count and count > LEAST:
        _take_out(data, int(gone), count)
    return data


def _suggest(data: QueryDict, program: Program, count: int) -> None:
    """Thresholds for the shares that one would like; nothing while the settings are incomplete."""
    settings = TierSettingsForm(data, program=program)
    if not settings.is_valid():
        return
    steps = [
        {"code": f"tier-{number}", "name": str(number), "threshold": number}
        for number in range(count)
    ]
    try:
        tiers = TiersDefinition.model_validate(settings.said() | {"tiers": steps})
    except ValidationError:
        return
    for number, threshold in enumerate(suggested_thresholds(program, tiers, timezone.now())):
        data[f"tier-{number}-threshold"] = str(threshold)


def _take_out(data: QueryDict, gone: int, count: int) -> None:
    """Those after it move up by one."""
    names = TierSteps.form.base_fields
    for number in range(gone, count):
        for name in names:
            data.pop(f"tier-{number}-{name}", None)
            following = f"tier-{number + 1}-{name}"
            if following in data:
                data[f"tier-{number}-{name}"] = data.get(following, "")
    data["tier-TOTAL_FORMS"] = str(count - 1)


def _proposal() -> TiersDefinition:
    """What the form begins with where there are no tiers."""
    return TiersDefinition.model_validate(
        {
            "downgrade": "soft_landing",
            "tiers": [
                {"code": "member", "name": _("Member"), "icon": "heart"},
                {"code": "silver", "name": _("Silver"), "threshold": 500, "color": "azure",
                 "icon": "star"},
                {"code": "gold", "name": _("Gold"), "threshold": 1500, "color": "yellow",
                 "icon": "crown"},
            ],
        }
    )  # fmt: skip


def _page(program: Program) -> str:
    return reverse("loyalty_backoffice:tier_set_page", args=[program.code])


def _crumbs(program: Program) -> Crumbs:
    return [*program_crumbs(program), (_("Tiers"), _page(program))]
