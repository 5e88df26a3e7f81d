"""Events, openings of sales and rewards of a time, as the calendar shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.calendar_entries import Entry, Span
from loyalty.models import Program
from rewards.models import AccessWindow, Event, Reward


def of_events(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """With how many of their seats are taken."""
    rows = Event.objects.filter(
        reward__program__in=programs, starts_at__lt=span.until, ends_at__gt=span.since,
        status=Event.Status.PLANNED,
    ).select_related("reward__program")  # fmt: skip
    for row in rows:
        reward = row.reward
        taken = {"taken": reward.taken, "seats": reward.stock or 0}
        yield Entry(
            "event", str(row.public_id), reward.program, reward.name, row.starts_at, row.ends_at,
            "draft" if reward.status == "draft" else _state(row.starts_at, row.ends_at, now),
            reverse("rewards_backoffice:event_page", args=[reward.program.code, reward.code]),
            movable=row.starts_at > now,
            note=_("%(taken)s of %(seats)s seats are taken") % taken,
            facts={"reward": reward.pk, **taken},
        )  # fmt: skip


def of_openings(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """From the first who may come on."""
    rows = AccessWindow.objects.filter(
        program__in=programs, archived_at=None, closes_at__gt=span.since
    ).select_related("program").prefetch_related("openings").annotate(
        waiting=Count("rewards", filter=Q(rewards__status=Reward.Status.LIVE))
    )  # fmt: skip
    for row in rows:
        opens = [item.opens_at for item in row.openings.all()]
        opens += [row.opens_at] if row.opens_at else []
        if not opens or min(opens) >= span.until:
            continue
        first = min(opens)
        yield Entry(
            "opening", str(row.public_id), row.program, row.name, first, row.closes_at,
            _state(first, row.closes_at, now),
            reverse("rewards_backoffice:window_list", args=[row.program.code]),
            movable=first > now, note=_with_it(row.waiting),
        )  # fmt: skip


def _with_it(count: int) -> str:
    if not count:
        return ""
    return ngettext("%s reward comes with it", "%s rewards come with it", count) % count


def of_rewards(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """Those that can be taken for a time only; seats are the business of their events."""
    rows = Reward.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=span.since),
        Q(starts_at=None) | Q(starts_at__lt=span.until),
        program__in=programs, status=Reward.Status.LIVE,
    ).exclude(starts_at=None, ends_at=None)  # fmt: skip
    for row in rows.exclude(kind=Reward.Kind.EVENT_SEAT).select_related("program"):
        starts_at = row.starts_at or row.created_at
        note = ""
        if row.stock is not None:
            note = _("%s are left") % max(row.stock - row.taken - row.kept, 0)
        yield Entry(
            "reward", str(row.public_id), row.program, row.name, starts_at, row.ends_at,
            _state(starts_at, row.ends_at, now),
            reverse("rewards_backoffice:reward_page", args=[row.program.code, row.code]), note=note,
        )  # fmt: skip


def _state(starts_at: dt.datetime, ends_at: dt.datetime | None, now: dt.datetime) -> str:
    if ends_at is not None and ends_at <= now:
        return "ended"
    return "scheduled" if starts_at > now else "live"
