"""From a draft to what counts: publishing, scheduling, asking a second person, retiring, and
undoing what is still to come."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from loyalty.backoffice.rule_links import rule_or_404, rule_url, rules_url
from loyalty.models import EarningRule
from loyalty.rules.calendar import localize
from loyalty.selectors.rule_sentences import version_sentences
from loyalty.selectors.rules import RuleRow, multipliers_naming, row_of, rule_rows
from loyalty.services.rule_approvals import ask_to_publish, send_back
from loyalty.services.rule_versions import mark
from loyalty.services.rules import (
    discard_draft,
    findings,
    keep_going,
    may_not_publish,
    publish_draft,
    retire_rule,
    withdraw_scheduled,
)
from members.errors import DomainError
from members.formatting import format_moment
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import htmx_redirect


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


def _time(label: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label, required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )


class EndForm(forms.Form):
    """When something ends. A day without a time is the last whole one."""

    ends_at = _day(gettext_lazy("Last day"))
    end_time = _time(gettext_lazy("until"))

    def __init__(self, data: Any = None, *, zone: zoneinfo.ZoneInfo, **options: Any) -> None:
        super().__init__(data, **options)
        self.zone = zone

    def clean(self) -> dict[str, Any]:
        super().clean()
        for day, time in (("starts_at", "start_time"), ("ends_at", "end_time")):
            if self.cleaned_data.get(time) and not self.cleaned_data.get(day):
                self.add_error(day, _("Say on which day."))
        return self.cleaned_data

    def end(self) -> dt.datetime | None:
        return self._at("ends_at", "end_time", 1)

    def _at(self, day: str, time: str, whole_days: int) -> dt.datetime | None:
        chosen: dt.date | None = self.cleaned_data.get(day)
        at: dt.time | None = self.cleaned_data.get(time)
        if chosen is None:
            return None
        if at is None:
            chosen, at = chosen + dt.timedelta(days=whole_days), dt.time()
        return localize(dt.datetime.combine(chosen, at), self.zone)


class TimesForm(EndForm):
    """From when to when. A day without a time begins at midnight."""

    starts_at = _day(gettext_lazy("From"))
    start_time = _time(gettext_lazy("at"))

    def start(self) -> dt.datetime | None:
        return self._at("starts_at", "start_time", 0)


def _times_initial(
    zone: zoneinfo.ZoneInfo, start: dt.datetime | None, end: dt.datetime | None
) -> dict[str, Any]:
    """What somebody asked for, as the form's fields have it."""
    initial: dict[str, Any] = {}
    for name, time, at in (("starts_at", "start_time", start), ("ends_at", "end_time", end)):
        if at is not None:
            local = at.astimezone(zone)
            initial |= {name: local.date(), time: local.time()}
    return initial


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def rule_publish(request: HttpRequest, code: str, rule: str) -> HttpResponse:
    """Publish the draft now or at a time, or ask a second person to, after reading what speaks
    against it."""
    # Before the draft is read: of two that come between, the mark must be the older one.
    seen = mark(rule_or_404(code, rule))
    found, row = _with_draft(code, rule)
    program, draft = found.program, row.draft
    assert draft is not None
    actor, now = acting(request), timezone.now()
    asks = not is_allowed(request.user, "rules.publish") or (
        program.four_eyes and bool(may_not_publish(draft, actor))
    )
    initial = _times_initial(program.zone, draft.asked_start, draft.asked_end)
    form = TimesForm(posted(request), zone=program.zone, initial=initial)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            if asks:
                ask_to_publish(rule=found, actor=actor, now=now, **_said(request, form))
                messages.success(request, _("A second person now has to publish “%s”.") % found)
            else:
                version = publish_draft(rule=found, actor=actor, now=now, **_said(request, form))
                assert version.starts_at is not None
                messages.success(request, _published(found, version.starts_at, now))
            return htmx_redirect(request, rule_url(found))
    start = form.start() if form.is_bound and form.is_valid() else draft.asked_start
    context = {
        "title": _("Ask for “%s” to be published?") % found.name
        if asks
        else _("Publish “%s”?") % found.name,
        "rule": found,
        "row": row,
        "form": form,
        "seen": seen,
        "asks": asks,
        "findings": findings(found, draft, now=now, starts_at=_future(start, now)),
        "sentences": version_sentences(draft, found.wallet_type, program.currency),
        "zone": program.time_zone,
        "back": rule_url(found),
    }
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/rule_publish.html", context, status=status)


def _said(request: HttpRequest, form: TimesForm) -> dict[str, Any]:
    """From when to when, and which wording was read."""
    seen = request.POST.get("seen", "")
    return {"starts_at": form.start(), "ends_at": form.end(), "seen": seen}


def _future(at: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    return at if at is not None and at > now else None


def _published(rule: EarningRule, starts_at: dt.datetime, now: dt.datetime) -> str:
    if starts_at > now:
        words = {"rule": rule.name, "moment": format_moment(starts_at, rule.program.zone)}
        return _("“%(rule)s” is scheduled: it counts for orders from %(moment)s on.") % words
    return _("“%s” is live: it counts for orders placed from now on.") % rule.name


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def rule_discard(request: HttpRequest, code: str, rule: str) -> HttpResponse:
    """Throw the draft away, after saying what stays."""
    found, row = _with_draft(code, rule)
    if request.method == "POST":
        try:
            gone = discard_draft(rule=found, actor=acting(request), now=timezone.now())
        except DomainError as error:
            messages.error(request, str(error.message))
            return htmx_redirect(request, rules_url(found.program))
        messages.success(request, _("The draft of “%s” is gone.") % found.name)
        return htmx_redirect(request, rules_url(found.program) if gone else rule_url(found))
    context = {
        "title": _("Discard the draft of “%s”?") % found.name,
        "rule": found,
        "only": len(row.versions) == 1,
        "back": rule_url(found),
    }
    return render(request, "loyalty/backoffice/rule_discard.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.publish")
def rule_retire(request: HttpRequest, code: str, rule: str) -> HttpResponse:
    """End a rule now or at a time, after saying what that means."""
    found = rule_or_404(code, rule)
    now = timezone.now()
    row = row_of(found, now)
    if row.live is None or row.unborn:
        raise Http404
    form = EndForm(posted(request), zone=found.program.zone)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            retire_rule(rule=found, actor=acting(request), now=now, at=form.end())
            messages.success(request, _("“%s” retires.") % found.name)
            return htmx_redirect(request, rule_url(found))
    context = {
        "title": _("Retire “%s”?") % found.name,
        "rule": found,
        "row": row,
        "form": form,
        "multipliers": multipliers_naming(found.code, rule_rows(found.program, now), now),
        "zone": found.program.time_zone,
        "back": rule_url(found),
    }
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/rule_retire.html", context, status=status)


@require_POST
@staff_view("rules.publish")
def rule_keep(request: HttpRequest, code: str, rule: str) -> HttpResponse:
    """Call off an end that is still to come."""
    found = rule_or_404(code, rule)
    try:
        keep_going(rule=found, actor=acting(request), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("“%s” goes on.") % found.name)
    return redirect(rule_url(found))


@require_POST
@staff_view("rules.publish")
def rule_undo(request: HttpRequest, code: str, rule: str, number: int) -> HttpResponse:
    """Take a scheduled wording back: it is a draft again."""
    found = rule_or_404(code, rule)
    version = get_object_or_404(found.versions.select_related("rule__program"), number=number)
    try:
        withdraw_scheduled(version=version, actor=acting(request), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("It is a draft again. What is live goes on."))
    return redirect(rule_url(found))


class NoteForm(forms.Form):
    """Why not."""

    note = forms.CharField(
        label=gettext_lazy("Why not"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "data-focus": True}),
        help_text=gettext_lazy("Whoever asked reads it beside the draft."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.publish")
def rule_send_back(request: HttpRequest, code: str, rule: str) -> HttpResponse:
    """Do not publish what somebody asked for, and say why; or take back what one asked oneself."""
    found, row = _with_draft(code, rule)
    assert row.draft is not None
    actor, now = acting(request), timezone.now()
    own = actor.user is not None and actor.user.pk == row.draft.asked_by_id
    form = NoteForm({"note": "-"} if own and request.method == "POST" else posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            send_back(rule=found, actor=actor, now=now, note=form.cleaned_data["note"])
            messages.success(
                request,
                _("Nobody is asked any more; the draft stays.") if own else _("Sent back."),
            )
            return htmx_redirect(request, rule_url(found))
    context = {
        "title": _("Take it back?") if own else _("Send “%s” back?") % found.name,
        "rule": found, "form": form, "own": own, "draft": row.draft, "back": rule_url(found),
    }  # fmt: skip
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/rule_send_back.html", context, status=status)


def _with_draft(code: str, rule: str) -> tuple[EarningRule, RuleRow]:
    found = rule_or_404(code, rule)
    row = row_of(found, timezone.now())
    if row.draft is None:
        raise Http404
    return found, row
