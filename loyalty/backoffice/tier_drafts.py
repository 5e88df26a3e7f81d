"""From a draft of a program's tiers to what counts: publishing, asking a second person, sending
back, discarding."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.rule_publishing import NoteForm
from loyalty.models import Program, TierDraft, TierSet
from loyalty.selectors.member_tiers import unit_names
from loyalty.selectors.tier_drafts import drafted_tiers, tier_draft_of
from loyalty.selectors.tier_sets import tiers_of
from loyalty.services.tier_drafts import (
    ask_to_publish_tiers,
    discard_tier_draft,
    mark,
    may_not_publish_tiers,
    publish_tier_draft,
    send_tiers_back,
)
from loyalty.slow_figures import TIERS
from loyalty.tier_definitions import TierDefinition, TiersDefinition
from loyalty.tier_words import TierVoice, benefit_words
from loyalty.tiers.ladders import Ladder
from members.errors import DomainError
from members.formatting import format_number
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import asks_figures, figures_for, htmx_redirect

SETTINGS = (
    "metric", "window", "counts_from", "return_days", "refunds_count_on", "downgrade",
    "grace_days", "priced_by",
)  # fmt: skip
CHOICES = {
    "metric": TierSet.Metric, "window": TierSet.Window, "counts_from": TierSet.CountsFrom,
    "refunds_count_on": TierSet.RefundsCountOn, "downgrade": TierSet.Downgrade,
    "priced_by": TierSet.PricedBy,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChangedStep:
    """A tier on both sides, in words; nothing where a side does not have it."""

    name: str
    live: str
    draft: str
    live_benefits: list[str]
    draft_benefits: list[str]

    @property
    def changes(self) -> bool:
        return (self.live, self.live_benefits) != (self.draft, self.draft_benefits)


def draft_context(request: HttpRequest, program: Program, now: dt.datetime) -> dict[str, Any]:
    """What the page of the tiers shows of a draft."""
    draft = tier_draft_of(program)
    if draft is None:
        return {"draft": None}
    actor = acting(request)
    live, wanted = tiers_of(program, now), drafted_tiers(draft)
    return {
        "draft": draft,
        "draft_steps": _steps(program, live, wanted),
        "draft_settings": _settings(live, wanted),
        "asks": _asks(request, draft),
        "is_own_request": bool(actor.user and draft.asked_by_id == actor.user.pk),
        "may_try": is_allowed(request.user, "backtests.run"),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def tier_draft_publish(request: HttpRequest, code: str) -> HttpResponse:
    """Publish the draft, or ask a second person to, after seeing what it makes of the members,
    which is worked out once the question is there."""
    program, draft = _with_draft(code)
    now, asks = timezone.now(), _asks(request, draft)
    if request.method == "POST":
        act = ask_to_publish_tiers if asks else publish_tier_draft
        done = _("A second person now has to publish these tiers.") if asks else _(
            "The tiers are live: they count from now on."
        )  # fmt: skip
        return _act(request, program, partial(act, seen=request.POST.get("seen", "")), done)
    effect = None
    if asks_figures(request):
        effect = figures_for(request, TIERS, now, program=program.pk, tiers=draft.tiers)
    context = {
        "seen": mark(draft),
        "title": _("Ask for these tiers to be published?") if asks else _("Publish these tiers?"),
        "asks": asks,
        "figures": effect,
        "preview": effect and effect.value,
        "back": _page(program),
    }
    return render(request, "loyalty/backoffice/tier_draft_publish.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def tier_draft_send_back(request: HttpRequest, code: str) -> HttpResponse:
    """Do not publish what somebody asked for, and say why; or take back what one asked oneself."""
    program, draft = _with_draft(code)
    actor = acting(request)
    own = actor.user is not None and actor.user.pk == draft.asked_by_id
    form = NoteForm({"note": "-"} if own and request.method == "POST" else posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            send_tiers_back(
                program=program, actor=actor, now=timezone.now(), note=form.cleaned_data["note"]
            )
            messages.success(
                request,
                _("Nobody is asked any more; the draft stays.") if own else _("Sent back."),
            )
            return htmx_redirect(request, _page(program))
    context = {
        "title": _("Take it back?") if own else _("Send the draft of the tiers back?"),
        "form": form, "own": own, "back": _page(program),
    }  # fmt: skip
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/rule_send_back.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def tier_draft_discard(request: HttpRequest, code: str) -> HttpResponse:
    """Throw the draft away."""
    program, _draft = _with_draft(code)
    if request.method == "POST":
        return _act(request, program, discard_tier_draft, _("The draft of the tiers is gone."))
    context = {"title": _("Discard the draft of the tiers?"), "back": _page(program)}
    return render(request, "loyalty/backoffice/tier_draft_discard.html", context)


def _act(
    request: HttpRequest, program: Program, act: Callable[..., Any], done: str
) -> HttpResponse:
    try:
        act(program=program, actor=acting(request), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, done)
    return htmx_redirect(request, _page(program))


def _asks(request: HttpRequest, draft: TierDraft) -> bool:
    """Whether this reader can only ask for it to be published."""
    return draft.program.four_eyes and bool(may_not_publish_tiers(draft, acting(request)))


def _steps(
    program: Program, live: TiersDefinition | None, draft: TiersDefinition
) -> list[ChangedStep]:
    units = unit_names(program.pk)

    def words(tiers: TiersDefinition | None, tier: TierDefinition | None) -> tuple[str, list[str]]:
        if tiers is None or tier is None:
            return "", []
        said = [benefit_words(item, program.currency, units) for item in tier.benefits]
        if not tier.threshold:
            return _("everybody’s"), said
        voice = TierVoice(program.currency, program.zone, {}, units.get(tiers.wallet_type))
        return voice.amount(Ladder((), metric=tiers.metric), tier.threshold), said

    before = {tier.code: tier for tier in live.tiers} if live else {}
    after = {tier.code: tier for tier in draft.tiers}
    found = []
    for code in (*after, *(code for code in before if code not in after)):
        own, wanted = before.get(code), after.get(code)
        (now, now_benefits), (then, then_benefits) = words(live, own), words(draft, wanted)
        named = wanted or own
        assert named is not None
        found.append(ChangedStep(named.name, now, then, now_benefits, then_benefits))
    return found


def _settings(live: TiersDefinition | None, draft: TiersDefinition) -> list[tuple[str, str, str]]:
    """What else the draft says otherwise: what it is called, now, and then."""
    found = []
    for name in SETTINGS:
        now, then = (getattr(side, name) if side else None for side in (live, draft))
        if now != then:
            found.append((_label(name), _value(name, now), _value(name, then)))
    if live is not None and (live.wallet_type, live.score) != (draft.wallet_type, draft.score):
        found.append((_("What counts in detail"), _detail(live), _detail(draft)))
    return found


def _label(name: str) -> str:
    return {
        "metric": _("What counts"), "window": _("Over"), "counts_from": _("An order counts"),
        "return_days": _("Return window"), "refunds_count_on": _("What comes back later counts"),
        "downgrade": _("A tier that was not reached again falls"), "grace_days": _("Grace period"),
        "priced_by": _("An order is priced by"),
    }[name]  # fmt: skip


def _value(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name in CHOICES:
        return str(CHOICES[name](value).label)
    words: str = ngettext("%s day", "%s days", value)
    return words % format_number(value)


def _detail(tiers: TiersDefinition) -> str:
    scores = [f"{item.activity} {item.points.normalize():f}" for item in tiers.score]
    return ", ".join([tiers.wallet_type, *scores] if tiers.wallet_type else scores) or "–"


def _with_draft(code: str) -> tuple[Program, TierDraft]:
    program = get_object_or_404(Program, code=code)
    draft = tier_draft_of(program)
    if draft is None:
        raise Http404
    return program, draft


def _page(program: Program) -> str:
    return reverse("loyalty_backoffice:tier_set_page", args=[program.code])
