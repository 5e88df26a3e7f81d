"""One calendar of everything, what is moved on it, and the address for people's own calendars."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.calendar_grid import (
    VIEWS,
    beside,
    lanes_of,
    shown_entries,
    span_of,
    title_of,
    weeks_of,
)
from campaigns.models import CalendarFeed
from campaigns.selectors.calendar import KINDS, Entry, conflicts_in, entries
from campaigns.selectors.outlooks import outlooks_of
from campaigns.services.calendar_feeds import close_feed, open_feed
from campaigns.services.calendar_moves import (
    Preview,
    Times,
    find_entry,
    move_entry,
    moved_by,
    preview_move,
    times_of,
)
from campaigns.services.sale_openings import draft_promotions
from loyalty.models import Program
from members.errors import DomainError
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, require, staff_view
from members.responses import dialog_done, is_htmx
from rewards.backoffice.event_forms import MomentField, said_moment, shown_moment
from rewards.models import AccessWindow

NAMESPACE = "calendar_backoffice"
SHOWN_ONCE = "calendar_feed"
# What may be moved by whom, beside drafting rules; what is planned is published again by it.
NEEDS = {
    "promotion": "rules.publish", "challenge": "rules.publish", "game": "rules.draft",
    "survey": "surveys.edit", "event": "programs.edit", "opening": "programs.edit",
    "season": "programs.edit", "broadcast": "broadcasts.edit",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the calendar is looked at."""

    view: str
    day: dt.date
    program: str
    kinds: tuple[str, ...]

    def address(self, **changes: Any) -> str:
        said: dict[str, Any] = {"view": self.view, "day": self.day.isoformat()}
        said |= {"program": self.program} if self.program else {}
        said |= changes
        pairs = [*said.items(), *(("kind", kind) for kind in self.kinds)]
        return f"{reverse(f'{NAMESPACE}:calendar')}?{urlencode(pairs)}"


@require_safe
@staff_view("programs.view")
def calendar(request: HttpRequest) -> HttpResponse:
    """A month, a quarter or a year of everything, or of what is asked for."""
    now = timezone.now()
    everywhere = list(Program.objects.order_by("name"))
    today = now.astimezone(everywhere[0].zone).date() if everywhere else now.date()
    asked = _asked(request, today)
    span = span_of(asked.view, asked.day)
    programs = [item for item in everywhere if asked.program in ("", item.code)]
    found = entries(programs, span, now, asked.kinds)
    conflicts = conflicts_in(programs, found, now)
    shown = shown_entries(found, conflicts, _movable(request), outlooks_of(found, now))
    listed = [item for item in shown if not item.entry.endless]
    context = {
        "title": _("Calendar"), "asked": asked,
        "may_draft": is_allowed(request.user, "rules.draft"),
        "name": title_of(asked.view, span), "span": span,
        "programs": everywhere, "kinds": KINDS.items(), "shown": listed,
        "always": [item for item in shown if item.entry.endless],
        "conflicts": conflicts, "conflict_words": [item.message for item in conflicts],
        "today": today,
        "views": [(view, label, asked.address(view=view)) for view, label in _views()],
        "before": asked.address(day=beside(asked.view, asked.day, -1).isoformat()),
        "after": asked.address(day=beside(asked.view, asked.day, 1).isoformat()),
        "now_url": asked.address(day=today.isoformat()),
        **_drawn(asked.view, listed, span, today),
    }  # fmt: skip
    return render(request, "calendar/backoffice/calendar.html", context)


def _drawn(view: str, shown: list[Any], span: Any, today: dt.date) -> dict[str, Any]:
    if view == "month":
        weeks = weeks_of(shown, span, today)
        return {"weeks": weeks, "weekdays": [cell.day for cell in weeks[0]]}
    return {"lanes": lanes_of(shown, span, 7 if view == "year" else 1, today)}


def _views() -> list[tuple[str, str]]:
    return [("month", _("Month")), ("quarter", _("Quarter")), ("year", _("Year"))]


def _asked(request: HttpRequest, today: dt.date) -> Asked:
    said = request.GET
    view = said.get("view", "") if said.get("view", "") in VIEWS else "month"
    kinds = tuple(kind for kind in KINDS if kind in said.getlist("kind"))
    return Asked(view, _day(said.get("day", "")) or today, said.get("program", "")[:64], kinds)


def _day(text: str) -> dt.date | None:
    """Of a year that calendars have on either side."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and 1990 <= day.year <= 2200 else None


def _movable(request: HttpRequest) -> frozenset[str]:
    if not is_allowed(request.user, "rules.draft"):
        return frozenset()
    return frozenset(kind for kind, need in NEEDS.items() if is_allowed(request.user, need))


class MoveForm(forms.Form):
    starts_at = MomentField(label=_l("From"))
    ends_at = MomentField(label=_l("Until"))

    def only_moment(self) -> None:
        """It happens at once."""
        self.fields["starts_at"].label = _("At")
        del self.fields["ends_at"]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def move(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Other times, with what that would meet; with `preview` nothing is written."""
    now, back = timezone.now(), reverse(f"{NAMESPACE}:calendar")
    try:
        entry = _entry(request, kind, key, now)
        times = _wished(request, entry)
    except DomainError as error:
        return dialog_done(request, url=back, changed="calendar", message=str(error.message))
    form = MoveForm(posted(request), initial={
        "starts_at": shown_moment(times.starts_at, entry.program),
        "ends_at": shown_moment(times.ends_at, entry.program),
    })  # fmt: skip
    if entry.is_moment:
        form.only_moment()
    if form.is_valid():
        times = _said(form, entry)
        if not request.POST.get("preview"):
            with errors_on(form):
                move_entry(entry=entry, times=times, actor=acting(request), now=now)
                return dialog_done(
                    request, url=back, changed="calendar",
                    message=_("%s was moved.") % entry.title,
                    undo_url=_undo_url(entry, _looked_at(request)),
                )  # fmt: skip
    context = {
        "title": _("Move %s") % entry.title, "form": form, "entry": entry, "back": back,
        "preview": _previewed(form, entry, times, now),
        "breadcrumbs": [(_("Calendar"), back)],
    }  # fmt: skip
    if request.POST.get("preview"):
        return render(request, "calendar/backoffice/preview.html", context)
    status = 422 if form.errors else 200
    return render(request, "calendar/backoffice/move.html", context, status=status)


@require_POST
@staff_view("rules.draft")
def move_undo(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Back to when it was before, by the same way."""
    now = timezone.now()
    back = f"{reverse(f'{NAMESPACE}:calendar')}?{request.GET.get('back', '')}"
    try:
        entry = _entry(request, kind, key, now)
        starts_at = parse_datetime(request.GET.get("from", "").replace(" ", "+"))
        ends_at = parse_datetime(request.GET.get("until", "").replace(" ", "+"))
        if not starts_at or not ends_at or timezone.is_naive(starts_at):
            raise DomainError(_("It is not known when it was before."))
        if timezone.is_naive(ends_at):
            raise DomainError(_("It is not known when it was before."))
        move_entry(entry=entry, times=Times(starts_at, ends_at), actor=acting(request), now=now)
    except (DomainError, ValueError) as error:
        message = str(error.message) if isinstance(error, DomainError) else _("That was no time.")
        messages.error(request, message)
        return redirect(back)
    messages.success(request, _("%s is where it was.") % entry.title)
    return redirect(back)


def _entry(request: HttpRequest, kind: str, key: str, now: dt.datetime) -> Entry:
    entry = find_entry(kind, key, now)
    if kind not in _movable(request):
        raise DomainError(_("You may not move this."), code="not_allowed")
    times_of(entry)
    return entry


def _wished(request: HttpRequest, entry: Entry) -> Times:
    """As it was dropped, or as it is."""
    day = _day(request.GET.get("day", ""))
    return moved_by(entry, day) if day else times_of(entry)


def _said(form: MoveForm, entry: Entry) -> Times:
    data = form.cleaned_data
    starts_at = said_moment(data["starts_at"], entry.program)
    ends_at = said_moment(data.get("ends_at") or data["starts_at"], entry.program)
    assert starts_at is not None
    assert ends_at is not None
    return Times(starts_at, ends_at)


def _previewed(form: MoveForm, entry: Entry, times: Times, now: dt.datetime) -> Preview | None:
    """None where the times are not right; the form says why."""
    if form.errors:
        return None
    try:
        return preview_move(entry, times, now)
    except DomainError as error:
        for wrong in error.errors or ():
            if wrong.field in form.fields and form.is_bound:
                form.add_error(wrong.field, str(wrong.message))
        return None


def _looked_at(request: HttpRequest) -> str:
    """What of the calendar is behind the dialog, as the query of its address."""
    here = request.htmx.current_url_abs_path if is_htmx(request) else None  # type: ignore[attr-defined]
    return urlsplit(here or "").query


def _undo_url(entry: Entry, looked_at: str) -> str:
    times = times_of(entry)
    said = {
        "from": times.starts_at.isoformat(), "until": times.ends_at.isoformat(), "back": looked_at,
    }  # fmt: skip
    url = reverse(f"{NAMESPACE}:move_undo", args=[entry.kind, entry.key])
    return f"{url}?{urlencode(said)}"


@require_POST
@staff_view("rules.draft")
def opening_promotions(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Drafts of the promotions of a sale that opens for some earlier."""
    rows = AccessWindow.objects.filter(archived_at=None).select_related("program")
    window = get_object_or_404(rows, public_id=public_id)
    try:
        made = draft_promotions(window=window, actor=acting(request), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(f"{NAMESPACE}:calendar")
    words = ngettext("%s draft was made.", "%s drafts were made.", len(made)) % len(made)
    messages.success(request, words)
    return redirect("campaigns_backoffice:campaign_list")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def feed(request: HttpRequest) -> HttpResponse:
    """The person's own address: made, made anew, taken back. It is shown once."""
    user, actor, now = acting(request).user, acting(request), timezone.now()
    assert user is not None
    here = reverse(f"{NAMESPACE}:feed")
    if request.method == "POST":
        require(request.user, "calendar.subscribe")
        if request.POST.get("do") == "close":
            close_feed(user=user, actor=actor, now=now)
            messages.success(request, _("The address shows nothing any more."))
        else:
            token = open_feed(user=user, actor=actor, now=now)
            address = reverse("calendars:calendar_file", args=[token])
            request.session[SHOWN_ONCE] = request.build_absolute_uri(address)
        return redirect(here)
    context = {
        "title": _("In your own calendar"), "address": request.session.pop(SHOWN_ONCE, ""),
        "feed": CalendarFeed.objects.filter(user=user, revoked_at=None).first(),
        "breadcrumbs": [(_("Calendar"), reverse(f"{NAMESPACE}:calendar"))],
    }  # fmt: skip
    return render(request, "calendar/backoffice/feed.html", context)
