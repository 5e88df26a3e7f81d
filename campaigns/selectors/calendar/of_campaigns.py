"""Promotions, challenges, games, surveys, journeys and referrals, as the calendar shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from campaigns.calendar_entries import Entry, Span
from campaigns.campaign_rules import template_of
from campaigns.campaign_templates import CHALLENGE
from campaigns.models import (
    Broadcast,
    Campaign,
    Experiment,
    Game,
    Journey,
    Post,
    ReferralProgram,
    Survey,
)
from campaigns.recurring import recurring_words, weekdays_of
from campaigns.selectors.campaigns import status_at
from loyalty.models import Program
from members.formatting import format_list

MOVABLE = (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED)
TOLD = {
    "teaser": _l("Told beforehand: %s"),
    "begun": _l("Told that it has begun: %s"),
    "last_day": _l("Told that it ends: %s"),
}


def of_campaigns(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """Promotions and challenges, and the messages that tell of them."""
    begins = Q(starts_at__lt=span.until) & Q(ends_at__gt=span.since)
    told = Q(teased_at__gte=span.since, teased_at__lt=span.until)
    rows = Campaign.objects.filter(begins | told, program__in=programs).select_related("program")
    for row in rows:
        if row.starts_at is None:
            continue
        kind = "challenge" if row.template == CHALLENGE else "promotion"
        space = "challenges" if kind == "challenge" else "campaigns"
        url = reverse(f"{space}_backoffice:{kind if kind == 'challenge' else 'campaign'}",
                      args=[row.public_id])  # fmt: skip
        state = status_at(row, now)
        ends_at = row.ended_at or row.ends_at
        yield Entry(
            kind, str(row.public_id), row.program, row.name, row.starts_at, ends_at, state, url,
            movable=state in MOVABLE, weekdays=weekdays_of(row),
            note=format_list(filter(None, (str(template_of(row).label), recurring_words(row)))),
            facts={"campaign": row.pk, "audience": row.audience, "rules": row.source},
        )  # fmt: skip
        if state != "ended":
            yield from _messages(row, state, url)


def _messages(row: Campaign, state: str, url: str) -> Iterator[Entry]:
    """When members are written to because of it."""
    assert row.starts_at is not None
    days = {
        "teaser": row.teased_at, "begun": row.starts_at,
        "last_day": row.ends_at - dt.timedelta(days=1) if row.ends_at else None,
    }  # fmt: skip
    for telling in row.tells:
        at = days.get(telling)
        if at is None:
            continue
        yield Entry(
            "message", f"{row.public_id}-{telling}", row.program, str(TOLD[telling]) % row.name, at,
            None, state, url, is_moment=True, facts={"audience": row.audience},
        )  # fmt: skip


def of_games(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    rows = Game.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=span.since), program__in=programs,
        starts_at__lt=span.until,
    ).select_related("program")  # fmt: skip
    for row in rows:
        assert row.starts_at is not None
        ends_at, state = row.ended_at or row.ends_at, row.status
        if state in ("scheduled", "live", "paused") and ends_at and ends_at <= now:
            state = Game.Status.ENDED
        elif state == "scheduled" and row.starts_at <= now:
            state = Game.Status.LIVE
        yield Entry(
            "game", str(row.public_id), row.program, row.name, row.starts_at, ends_at, state,
            reverse("games_backoffice:game", args=[row.public_id]),
            movable=state == "draft" and ends_at is not None, note=row.get_kind_display(),
            facts={"game": row.pk},
        )  # fmt: skip


def of_surveys(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """Those that are asked from a moment on: from being live at the latest."""
    rows = Survey.objects.filter(program__in=programs).select_related("program")
    rows = rows.filter(Q(closes_at=None) | Q(closes_at__gt=span.since))
    for row in rows.filter(Q(opens_at__lt=span.until) | Q(live_at__lt=span.until)):
        starts_at = row.opens_at or row.live_at
        assert starts_at is not None
        ends_at = row.ended_at or row.closes_at
        state = "ended" if ends_at and ends_at <= now else str(row.state)
        yield Entry(
            "survey", str(row.public_id), row.program, row.title, starts_at, ends_at, state,
            reverse("surveys_backoffice:survey", args=[row.public_id]),
            movable=state == "draft" and row.closes_at is not None,
            facts={"audience": row.when, "writes": row.by_message},
        )  # fmt: skip
        if row.by_message and state != "ended":
            yield Entry(
                "message", f"{row.public_id}-survey", row.program, _("Asked: %s") % row.title,
                starts_at, None, state,
                reverse("surveys_backoffice:survey", args=[row.public_id]), is_moment=True,
                facts={"audience": row.when},
            )  # fmt: skip


def of_broadcasts(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """When each is sent. One for customers of all programs stands with the first of them."""
    times = Q(send_at__gte=span.since, send_at__lt=span.until)
    mine = Q(program__in=programs) | Q(program=None) if programs else Q(program__in=programs)
    for row in Broadcast.objects.filter(times, mine).select_related("program"):
        assert row.send_at is not None
        yield Entry(
            "broadcast", str(row.public_id), row.program or programs[0], row.name, row.send_at,
            None, str(row.status), reverse("messages_backoffice:broadcast", args=[row.public_id]),
            movable=row.status == Broadcast.Status.SCHEDULED, is_moment=True,
            facts={"audience": row.audience},
        )  # fmt: skip


def of_posts(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """When each appears, or has appeared. Whom a message tells of one reads it then."""
    at = Coalesce("published_at", "publish_at")
    rows = Post.objects.filter(program__in=programs).exclude(state=Post.State.ARCHIVED)
    found = rows.annotate(at=at).filter(at__gte=span.since, at__lt=span.until)
    for row in found.select_related("program"):
        url = reverse("community_backoffice:post", args=[row.public_id])
        starts_at, state = row.published_at or row.publish_at, str(row.state)
        assert starts_at is not None
        yield Entry(
            "post", str(row.public_id), row.program, row.title, starts_at, None, state, url,
            is_moment=True,
        )  # fmt: skip
        if row.by_message and state == Post.State.SCHEDULED:
            yield Entry(
                "message", f"{row.public_id}-post", row.program, _("Told: %s") % row.title,
                starts_at, None, state, url, is_moment=True, facts={"audience": row.when},
            )  # fmt: skip


def of_experiments(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """Those that run, or ran: a draft has no days."""
    rows = Experiment.objects.filter(program__in=programs, started_at__lt=span.until)
    for row in rows.filter(ends_at__gt=span.since).select_related("program"):
        assert row.started_at is not None
        ends_at = row.ended_at or row.ends_at
        yield Entry(
            "experiment", str(row.public_id), row.program, row.name, row.started_at, ends_at,
            str(row.status),
            reverse("experiments_backoffice:experiment", args=[row.public_id]),
            note=row.get_compares_display(),
        )  # fmt: skip


def of_journeys(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """Those that go on; they have no days of their own."""
    rows = Journey.objects.filter(program__in=programs, since__lt=span.until)
    rows = rows.filter(Q(ended_at=None) | Q(ended_at__gt=span.since))
    for row in rows.select_related("program"):
        assert row.since is not None
        yield Entry(
            "journey", str(row.public_id), row.program, row.name, row.since, row.ended_at,
            str(row.status), reverse("messages_backoffice:journey", args=[row.public_id]),
        )  # fmt: skip


def of_referrals(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """Friends are brought all the time."""
    rows = ReferralProgram.objects.filter(program__in=programs).exclude(status="draft")
    for row in rows.filter(created_at__lt=span.until).select_related("program"):
        yield Entry(
            "referral", row.program.code, row.program, _("Bring a friend"), row.created_at, None,
            str(row.status), reverse("referrals_backoffice:referral_program",
                                     args=[row.program.code]),
        )  # fmt: skip
