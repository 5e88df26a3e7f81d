"""Windows before a sale: which there are, for whom they open when, and the form that says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.models import Program
from loyalty.selectors.plans import current_versions
from loyalty.selectors.tier_sets import tier_set_at
from members.forms import errors_on, posted
from members.free_codes import first_free
from members.models import Segment
from members.policy import acting, is_allowed, staff_view
from rewards.backoffice.event_forms import MomentField, said_moment, shown_moment
from rewards.backoffice.links import NAMESPACE
from rewards.models import AccessOpening, AccessWindow
from rewards.selectors.access_windows import access_windows
from rewards.services.access_windows import (
    WindowTerms,
    archive_window,
    plans_by_hours,
    save_window,
    tiers_by_hours,
)


class WindowForm(forms.Form):
    """When something opens, for every member, for tiers, for plans and for a segment."""

    name = forms.CharField(
        label=_l("What members call it"), max_length=80, help_text=_l("As “Summer sale”.")
    )
    teaser = forms.CharField(label=_l("Teaser"), max_length=300, required=False)
    link = forms.URLField(
        label=_l("Link"), max_length=500, required=False, assume_scheme="https",
        help_text=_l("Members are led there once it is open for them."),
    )  # fmt: skip
    skus = forms.CharField(
        label=_l("Products"), required=False, max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_l("SKUs that nobody buys before it opens for them, one in each line."),
    )  # fmt: skip
    categories = forms.CharField(
        label=_l("Categories"), required=False, max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}), help_text=_l("One in each line."),
    )  # fmt: skip
    opens_at = MomentField(
        label=_l("Opens for every member"), required=False,
        help_text=_l("Empty: only for those below."),
    )  # fmt: skip
    closes_at = MomentField(label=_l("Closes"))
    by_hours = forms.BooleanField(
        label=_l("Tiers and plans come by their hours of early access"), required=False,
        help_text=_l("Those that have the benefit, unless another time is said below."),
    )  # fmt: skip
    segment = forms.ModelChoiceField(
        Segment.objects.none(), label=_l("Segment that comes earlier"), required=False,
        empty_label=_l("None"),
    )  # fmt: skip
    segment_opens_at = MomentField(label=_l("Opens for this segment"), required=False)

    def __init__(
        self, data: Any = None, *, program: Program, window: AccessWindow | None, now: dt.datetime
    ) -> None:
        self.program = program
        tier_set = tier_set_at(program, now)
        self.tiers = list(tier_set.tiers.all()) if tier_set else []
        self.plans = current_versions(program)
        super().__init__(data, initial=_initial(window) if window else {})
        choice = self.fields["segment"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = Segment.objects.filter(archived_at=None).order_by("name")
        for tier in self.tiers:
            self.fields[f"tier_{tier.code}"] = MomentField(
                label=_("Opens for %s") % tier.name, required=False
            )
        for version in self.plans:
            self.fields[f"plan_{version.plan.code}"] = MomentField(
                label=_("Opens for %s") % version.name, required=False
            )

    @property
    def tier_fields(self) -> list[forms.BoundField]:
        return [self[f"tier_{tier.code}"] for tier in self.tiers]

    @property
    def plan_fields(self) -> list[forms.BoundField]:
        return [self[f"plan_{version.plan.code}"] for version in self.plans]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("segment") and not data.get("segment_opens_at"):
            self.add_error("segment_opens_at", _("Say when it opens for them."))
        if data.get("by_hours") and not data.get("opens_at"):
            self.add_error("opens_at", _("Say when it opens for every member."))
        for name, longest in (("skus", 64), ("categories", 80)):
            if any(len(item) > longest for item in _lines(data.get(name, ""))):
                self.add_error(name, _("Each has %s signs at most.") % longest)
        return data

    def terms(self) -> WindowTerms:
        data = self.cleaned_data
        tiers = self._said("tier", [tier.code for tier in self.tiers])
        plans = self._said("plan", [version.plan.code for version in self.plans])
        opens_at = said_moment(data["opens_at"], self.program)
        if data["by_hours"] and opens_at:
            tiers = tiers_by_hours(self.program, opens_at) | tiers
            plans = plans_by_hours(self.program, opens_at) | plans
        segment, early = data["segment"], said_moment(data["segment_opens_at"], self.program)
        closes = said_moment(data["closes_at"], self.program)
        assert closes is not None
        return WindowTerms(
            name=data["name"], teaser=data["teaser"], link=data["link"],
            opens_at=opens_at, closes_at=closes, tiers=tiers, plans=plans,
            skus=_lines(data["skus"]), categories=_lines(data["categories"]),
            segments={segment.code: early} if segment and early else {},
        )  # fmt: skip

    def _said(self, kind: str, codes: Sequence[str]) -> dict[str, dt.datetime]:
        """From when on those of each tier, or plan, may come, where a time is said."""
        return {
            code: at
            for code in codes
            if (at := said_moment(self.cleaned_data.get(f"{kind}_{code}"), self.program))
        }


def _lines(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _initial(window: AccessWindow) -> dict[str, Any]:
    program = window.program
    found: dict[str, Any] = {
        "name": window.name, "teaser": window.teaser, "link": window.link,
        "opens_at": shown_moment(window.opens_at, program),
        "closes_at": shown_moment(window.closes_at, program),
        "skus": "\n".join(window.skus), "categories": "\n".join(window.categories),
    }  # fmt: skip
    for item in window.openings.all():
        at = shown_moment(item.opens_at, program)
        if item.tier:
            found[f"tier_{item.tier}"] = at
        elif item.plan:
            found[f"plan_{item.plan}"] = at
        else:
            found |= {"segment": item.segment_id, "segment_opens_at": at}
    return found


@require_safe
@staff_view("programs.view")
def window_list(request: HttpRequest, code: str) -> HttpResponse:
    """What opens when, for whom."""
    program = get_object_or_404(Program, code=code)
    tier_set = tier_set_at(program, timezone.now())
    names = {("tier", tier.code): tier.name for tier in tier_set.tiers.all()} if tier_set else {}
    names |= {("plan", item.plan.code): item.name for item in current_versions(program)}
    found = access_windows(program).prefetch_related("rewards", "content")
    context = {
        "program": program,
        "title": _("Early access"),
        "breadcrumbs": program_crumbs(program),
        "rows": [(item, _openings(item, names), _comes_with(item)) for item in found],
        "now": timezone.now(),
        "may_edit": is_allowed(request.user, "programs.edit"),
    }
    return render(request, "rewards/access/window_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def window_create(request: HttpRequest, code: str) -> HttpResponse:
    """A further window."""
    program = get_object_or_404(Program, code=code)
    return _form_page(request, program, None, _("New window"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def window_edit(request: HttpRequest, code: str, window_code: str) -> HttpResponse:
    """Other times, from now on."""
    window = _window(code, window_code)
    return _form_page(request, window.program, window, _("Change %s") % window.name)


@require_POST
@staff_view("programs.edit")
def window_archive(request: HttpRequest, code: str, window_code: str) -> HttpResponse:
    """Put it away."""
    window = _window(code, window_code)
    archive_window(window=window, actor=acting(request), now=timezone.now())
    messages.success(request, _("%s was put away.") % window.name)
    return HttpResponseRedirect(_list_url(window.program))


def _form_page(
    request: HttpRequest, program: Program, window: AccessWindow | None, title: str
) -> HttpResponse:
    form = WindowForm(posted(request), program=program, window=window, now=timezone.now())
    if form.is_valid():
        with errors_on(form):
            taken = set(program.access_windows.values_list("code", flat=True))
            fresh = first_free(slugify(form.cleaned_data["name"])[:56] or "window", taken)
            save_window(
                program=program, code=window.code if window else fresh, terms=form.terms(),
                actor=acting(request),
            )  # fmt: skip
            messages.success(request, _("The window was saved."))
            return redirect(_list_url(program))
    crumbs: Crumbs = [*program_crumbs(program), (_("Early access"), _list_url(program))]
    context = {
        "title": title, "program": program, "form": form, "breadcrumbs": crumbs,
        "back": _list_url(program),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "rewards/access/window_form.html", context, status=status)


def _openings(
    window: AccessWindow, names: Mapping[tuple[str, str], str]
) -> list[tuple[str, dt.datetime]]:
    """For whom it opens, soonest first. `names`: of tiers and plans, by their codes."""
    found = [(_who(item, names), item.opens_at) for item in window.openings.all()]
    if window.opens_at:
        found.append((_("Every member"), window.opens_at))
    return sorted(found, key=lambda item: item[1])


def _who(opening: AccessOpening, names: Mapping[tuple[str, str], str]) -> str:
    if opening.segment:
        return opening.segment.name
    kind, code = ("tier", opening.tier) if opening.tier else ("plan", opening.plan)
    return names.get((kind, code), code)


def _comes_with(window: AccessWindow) -> list[str]:
    """Rewards and items of the library that wait for it, by name."""
    rewards = [item.name for item in window.rewards.all() if item.status != "archived"]
    return rewards + [item.title for item in window.content.all() if item.status != "archived"]


def _window(code: str, window_code: str) -> AccessWindow:
    program = get_object_or_404(Program, code=code)
    return get_object_or_404(access_windows(program), code=window_code)


def _list_url(program: Program) -> str:
    return reverse(f"{NAMESPACE}:window_list", args=[program.code])
