"""What is planned comes at another time: each kind by its own service, all of them in one way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.campaign_definitions import definition_of_campaign
from campaigns.campaign_templates import CHALLENGE
from campaigns.challenge_definitions import definition_of_challenge
from campaigns.game_definitions import definition_of_game
from campaigns.models import Campaign, Season
from campaigns.selectors.broadcasts import broadcasts
from campaigns.selectors.calendar import Conflict, Entry, Span, conflicts_in, entries
from campaigns.selectors.challenges import challenges
from campaigns.selectors.games import games
from campaigns.selectors.surveys import surveys
from campaigns.services.broadcasts import schedule_broadcast
from campaigns.services.campaigns import change_campaign, publish_campaign, withdraw_campaign
from campaigns.services.challenges import change_challenge
from campaigns.services.games import change_game
from campaigns.services.seasons import write_dates
from campaigns.services.surveys import change_survey
from campaigns.survey_definitions import definition_of_survey
from loyalty.models import Program
from loyalty.rules.calendar import add_days
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor
from rewards.models import AccessWindow
from rewards.selectors.events import event_definition, get_event
from rewards.services.access_windows import save_window, terms_of
from rewards.services.events import change_event

Status = Campaign.Status


@dataclass(frozen=True, slots=True)
class Times:
    """From when to when; both the same: a moment."""

    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Preview:
    """What it would be like: conflicts that come, and those that go, in words."""

    entry: Entry
    times: Times
    comes: list[str] = field(default_factory=list)
    goes: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)


def find_entry(kind: str, key: str, now: dt.datetime) -> Entry:
    """What is to be moved, as the calendar has it. Raises DomainError."""
    programs = list(Program.objects.all())
    long = Span(now.date() - dt.timedelta(days=800), now.date() + dt.timedelta(days=1200))
    if kind in MOVES:
        for entry in entries(programs, long, now, {kind}):
            if entry.key == key:
                return entry
    raise DomainError(_("It is not on the calendar any more."), code="unknown")


def times_of(entry: Entry) -> Times:
    if entry.is_moment:
        return Times(entry.starts_at, entry.starts_at)
    if entry.ends_at is None:
        raise ConflictError(_("It has no end that could be moved."), code="no_end")
    return Times(entry.starts_at, entry.ends_at)


def moved_by(entry: Entry, day: dt.date) -> Times:
    """As long, at the same time of day, from another day on."""
    known, shift = times_of(entry), (day - entry.first).days
    zone = entry.program.zone
    return Times(add_days(known.starts_at, shift, zone), add_days(known.ends_at, shift, zone))


def preview_move(entry: Entry, times: Times, now: dt.datetime) -> Preview:
    """What it would meet there, and meets no more. Nothing is written."""
    check_times(entry, times, now)
    ends_at = None if entry.is_moment else times.ends_at
    moved = replace(entry, starts_at=times.starts_at, ends_at=ends_at)
    around = Span(
        min(entry.first, moved.first) - dt.timedelta(days=14),
        max(entry.last, moved.last) + dt.timedelta(days=14),
    )
    program, beside = [entry.program], entries([entry.program], around, now)
    before = _words(conflicts_in(program, beside, now), entry)
    then = [_as_moved(item, entry, moved) for item in beside]
    after = _words(conflicts_in(program, then, now), entry)
    return Preview(
        entry, times, comes=[item for item in after if item not in before],
        goes=[item for item in before if item not in after],
        stays=[item for item in after if item in before],
    )  # fmt: skip


@transaction.atomic
def move_entry(*, entry: Entry, times: Times, actor: Actor, now: dt.datetime) -> None:
    """It comes then. Raises DomainError where its kind, its state or its program does not let it;
    again changes nothing."""
    check_times(entry, times, now)
    MOVES[entry.kind](entry, times, actor, now)


def check_times(entry: Entry, times: Times, now: dt.datetime) -> None:
    """Raises DomainError naming the field."""
    if not entry.movable:
        raise ConflictError(_("It has begun, or is settled: it cannot be moved."), code="settled")
    if times.ends_at <= times.starts_at and not entry.is_moment:
        raise _wrong("ends_at", _("Later than it begins."))
    if entry.kind != "season" and times.starts_at < now:
        raise _wrong("starts_at", _("That has passed already."))


def _as_moved(item: Entry, entry: Entry, moved: Entry) -> Entry:
    """The entry itself at its other time, and with it the messages that tell of it."""
    if item.kind == entry.kind and item.key == entry.key:
        return moved
    if item.kind == "message" and item.key.startswith(f"{entry.key}-"):
        return replace(item, starts_at=item.starts_at + (moved.starts_at - entry.starts_at))
    return item


def _words(found: Sequence[Conflict], entry: Entry) -> list[str]:
    """Those that the entry, or a message of it, is part of."""
    return [
        item.message
        for item in found
        if any(key == entry.key or key.startswith(f"{entry.key}-") for key in item.keys)
    ]


def _move_promotion(entry: Entry, times: Times, actor: Actor, now: dt.datetime) -> None:
    row = Campaign.objects.select_related("program").get(public_id=entry.key)
    planned = row.status == Status.SCHEDULED
    if planned:
        row = withdraw_campaign(campaign=row, actor=actor, now=now)
    if row.template == CHALLENGE:
        found = challenges().get(campaign=row)
        said = definition_of_challenge(found).model_copy(update=_changes(row, times))
        change_challenge(challenge=found, definition=said, actor=actor, now=now)
        row = challenges().get(campaign=row).campaign
    else:
        fresh = definition_of_campaign(row).model_copy(update=_changes(row, times))
        row = change_campaign(campaign=row, definition=fresh, actor=actor, now=now)
    if planned:
        publish_campaign(campaign=row, actor=actor, now=now)


def _changes(row: Campaign, times: Times) -> dict[str, dt.datetime | None]:
    """Its teaser comes as long before it as it did."""
    teased_at = row.teased_at
    if teased_at is not None and row.starts_at is not None:
        teased_at += times.starts_at - row.starts_at
    return {"starts_at": times.starts_at, "ends_at": times.ends_at, "teased_at": teased_at}


def _move_game(entry: Entry, times: Times, actor: Actor, now: dt.datetime) -> None:
    game = games().get(public_id=entry.key)
    changes = {"starts_at": times.starts_at, "ends_at": times.ends_at}
    fresh = definition_of_game(game).model_copy(update=changes)
    change_game(game=game, definition=fresh, actor=actor, now=now)


def _move_survey(entry: Entry, times: Times, actor: Actor, now: dt.datetime) -> None:
    survey = surveys().get(public_id=entry.key)
    changes = {"opens_at": times.starts_at, "closes_at": times.ends_at}
    fresh = definition_of_survey(survey).model_copy(update=changes)
    change_survey(survey=survey, definition=fresh, actor=actor)


def _move_broadcast(entry: Entry, times: Times, actor: Actor, now: dt.datetime) -> None:
    row = broadcasts().get(public_id=entry.key)
    schedule_broadcast(
        broadcast=row, send_at=times.starts_at, by_member_clock=row.by_member_clock, actor=actor,
        now=now,
    )  # fmt: skip


def _move_event(entry: Entry, times: Times, actor: Actor, now: dt.datetime) -> None:
    """Whoever has booked keeps their seat."""
    event = get_event(entry.key)
    said = event_definition(event)
    opens_at = said.opens_at
    if opens_at is not None and opens_at > now:
        opens_at += times.starts_at - event.starts_at
    changes = {"starts_at": times.starts_at, "ends_at": times.ends_at, "opens_at": opens_at}
    change_event(event=event, definition=said.model_copy(update=changes), actor=actor, now=now)


def _move_opening(entry: Entry, times: Times, actor: Actor, now: dt.datetime) -> None:
    """For all it opens so much later, or earlier."""
    row = AccessWindow.objects.select_related("program").get(public_id=entry.key)
    known = terms_of(row)
    shift = times.starts_at - entry.starts_at
    fresh = replace(
        known, closes_at=times.ends_at, opens_at=known.opens_at and known.opens_at + shift,
        tiers={code: at + shift for code, at in known.tiers.items()},
        segments={code: at + shift for code, at in known.segments.items()},
    )  # fmt: skip
    save_window(program=row.program, code=row.code, terms=fresh, actor=actor)


def _move_season(entry: Entry, times: Times, actor: Actor, now: dt.datetime) -> None:
    """In its year alone: its rule stays."""
    zone = entry.program.zone
    public_id, year = entry.key.rsplit("-", 1)
    season = Season.objects.select_related("program").get(public_id=public_id)
    before_end = times.ends_at - dt.timedelta(microseconds=1)
    write_dates(
        season=season, year=int(year), starts_on=times.starts_at.astimezone(zone).date(),
        ends_on=before_end.astimezone(zone).date(), actor=actor,
    )  # fmt: skip


def _wrong(name: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(name, message)])


Move = Callable[[Entry, Times, Actor, dt.datetime], None]
MOVES: Mapping[str, Move] = {
    "promotion": _move_promotion,
    "challenge": _move_promotion,
    "game": _move_game,
    "survey": _move_survey,
    "broadcast": _move_broadcast,
    "event": _move_event,
    "opening": _move_opening,
    "season": _move_season,
}
