"""Broadcasts: written, scheduled, paused, stopped, copied. What they send is in
`campaigns.services.broadcast_sending`."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.broadcast_definitions import (
    FIELDS,
    BroadcastDefinition,
    definition_of_broadcast,
)
from campaigns.models import Broadcast, MessageTemplate, TemplateVersion
from campaigns.selectors.broadcasts import broadcasts, ways_of_broadcast, words_in_use, zone_of
from campaigns.selectors.ways import usable_channels
from campaigns.services.broadcast_occasion import occasion_of
from campaigns.services.templates import Words, archive_template, save_words
from loyalty.models import Program
from loyalty.rules.calendar import localize
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit
from members.services.waking import wake_worker

Status = Broadcast.Status
# Where a day begins first, so that nobody's own clock shows a time before.
EARLIEST = ZoneInfo("Etc/GMT-14")
wake_broadcasts = partial(wake_worker, "members.tasks.run_scheduled", "broadcasts")


@transaction.atomic
def create_broadcast(
    *, program: Program | None, definition: BroadcastDefinition, actor: Actor, now: dt.datetime
) -> Broadcast:
    """A draft without words."""
    row = Broadcast(
        program=program, author=actor.user, created_at=now, **definition.model_dump()
    )  # fmt: skip
    row.save()
    _audit("broadcast.created", row, actor)
    return row


@transaction.atomic
def change_broadcast(
    *, broadcast: Broadcast, definition: BroadcastDefinition, actor: Actor
) -> Broadcast:
    """Bring a draft to what is said. Raises ConflictError `broadcast_state` for any other: what is
    scheduled is taken back first."""
    row = _locked(broadcast)
    _refuse_unless(row, Status.DRAFT)
    before = definition_of_broadcast(row)
    changed = [name for name in FIELDS if getattr(before, name) != getattr(definition, name)]
    if not changed:
        return row
    for name in changed:
        setattr(row, name, getattr(definition, name))
    row.save(update_fields=changed)
    _audit("broadcast.changed", row, actor, changes=changed)
    return row


@transaction.atomic
def write_words(
    *, broadcast: Broadcast, channel: str, locale: str, words: Words, actor: Actor,
    now: dt.datetime,
) -> TemplateVersion:  # fmt: skip
    """What it says by a way, in a language. Raises DomainError, ConflictError once it is sent."""
    row = _locked(broadcast)
    _refuse_unless(row, Status.DRAFT, Status.SCHEDULED)
    way = next((found for found in ways_of_broadcast(row) if found.key == channel), None)
    if way is None:
        message = _("It is not told by this way.")
        raise DomainError(message, errors=[FieldError("channel", message, "not_found")])
    return save_words(
        occasion=occasion_of(row), channel=way, locale=locale, words=words, actor=actor, now=now
    )


@transaction.atomic
def put_words_away(
    *, broadcast: Broadcast, template: MessageTemplate, actor: Actor, now: dt.datetime
) -> None:
    """It does not say this any more. A way keeps its last words once it is scheduled."""
    row = _locked(broadcast)
    _refuse_unless(row, Status.DRAFT, Status.SCHEDULED)
    archive_template(template=template, actor=actor, now=now)
    if row.status == Status.SCHEDULED:
        _check_words(row)


@transaction.atomic
def schedule_broadcast(
    *, broadcast: Broadcast, send_at: dt.datetime | None, by_member_clock: bool = False,
    actor: Actor, now: dt.datetime,
) -> Broadcast:  # fmt: skip
    """Send it then; `send_at` None: now. `by_member_clock`: to each when their own clock shows what
    the program's shows then. The same again changes nothing. Raises DomainError where it cannot be
    sent."""
    row = _locked(broadcast)
    at = send_at or now
    if row.status == Status.SCHEDULED and (row.send_at, row.by_member_clock) == (
        at, by_member_clock,
    ):  # fmt: skip
        return row
    _refuse_unless(row, Status.DRAFT, Status.SCHEDULED)
    if at < now:
        message = _("Choose a time that is to come.")
        raise DomainError(message, errors=[FieldError("send_at", message)])
    if by_member_clock and send_at is None:
        message = _("Say at what time by their clocks.")
        raise DomainError(message, errors=[FieldError("send_at", message, "required")])
    _check_words(row)
    row.status, row.send_at, row.by_member_clock = Status.SCHEDULED, at, by_member_clock
    row.begins_at = localize(told_clock(row), EARLIEST) if by_member_clock else at
    row.save(update_fields=["status", "send_at", "by_member_clock", "begins_at"])
    _audit(
        "broadcast.scheduled", row, actor, send_at=at.isoformat(), by_member_clock=by_member_clock
    )
    if row.begins_at <= now:
        transaction.on_commit(wake_broadcasts)
    return row


@transaction.atomic
def withdraw_broadcast(*, broadcast: Broadcast, actor: Actor) -> Broadcast:
    """A draft again: nobody is told. Again changes nothing. Raises ConflictError once it began."""
    row = _locked(broadcast)
    if row.status == Status.DRAFT:
        return row
    _refuse_unless(row, Status.SCHEDULED)
    row.status, row.send_at, row.begins_at, row.by_member_clock = Status.DRAFT, None, None, False
    row.save(update_fields=["status", "send_at", "begins_at", "by_member_clock"])
    _audit("broadcast.withdrawn", row, actor)
    return row


@transaction.atomic
def pause_broadcast(*, broadcast: Broadcast, actor: Actor) -> Broadcast:
    """Nothing more goes out for now, also of what was written already. Again changes nothing."""
    row = _locked(broadcast)
    if row.status == Status.PAUSED:
        return row
    _refuse_unless(row, Status.SENDING)
    row.status = Status.PAUSED
    row.save(update_fields=["status"])
    _audit("broadcast.paused", row, actor)
    transaction.on_commit(wake_broadcasts)
    return row


@transaction.atomic
def resume_broadcast(*, broadcast: Broadcast, actor: Actor) -> Broadcast:
    """It goes on where it was; the job lets go what was set aside. Again changes nothing."""
    row = _locked(broadcast)
    if row.status == Status.SENDING:
        return row
    _refuse_unless(row, Status.PAUSED)
    row.status = Status.SENDING
    row.save(update_fields=["status"])
    _audit("broadcast.resumed", row, actor)
    transaction.on_commit(wake_broadcasts)
    return row


@transaction.atomic
def stop_broadcast(*, broadcast: Broadcast, actor: Actor, now: dt.datetime) -> Broadcast:
    """Nobody else is told, for good; what is just being handed over arrives. Senders drop what
    waits, and so does the job. Again changes nothing."""
    row = _locked(broadcast)
    if row.status == Status.STOPPED:
        return row
    _refuse_unless(row, Status.SENDING, Status.PAUSED)
    row.status, row.ended_at = Status.STOPPED, now
    row.save(update_fields=["status", "ended_at"])
    _audit("broadcast.stopped", row, actor)
    transaction.on_commit(wake_broadcasts)
    return row


@transaction.atomic
def copy_broadcast(*, broadcast: Broadcast, actor: Actor, now: dt.datetime) -> Broadcast:
    """A draft for the same people, with the same words."""
    said = definition_of_broadcast(broadcast)
    name = _("Copy of %s") % said.name
    fresh = create_broadcast(
        program=broadcast.program, definition=said.model_copy(update={"name": name[:120]}),
        actor=actor, now=now,
    )  # fmt: skip
    ways = {way.key: way for way in ways_of_broadcast(fresh)}
    for version in words_in_use(broadcast):
        if way := ways.get(version.template.channel):
            save_words(
                occasion=occasion_of(fresh), channel=way, locale=version.template.locale,
                words=Words.of(version), actor=actor, now=now,
            )  # fmt: skip
    return fresh


@transaction.atomic
def delete_broadcast(*, broadcast: Broadcast, actor: Actor, now: dt.datetime) -> None:
    """Throw a draft away. Raises ConflictError for any other."""
    row = _locked(broadcast)
    _refuse_unless(row, Status.DRAFT)
    _audit("broadcast.deleted", row, actor)
    MessageTemplate.objects.filter(occasion=row.occasion).update(archived_at=now)
    row.delete()


def told_clock(broadcast: Broadcast) -> dt.datetime:
    """What the sender's clock shows when it is sent, without its zone."""
    assert broadcast.send_at is not None
    return broadcast.send_at.astimezone(zone_of(broadcast)).replace(tzinfo=None)


def _check_words(broadcast: Broadcast) -> None:
    """Raises DomainError where a way is not set up, or nothing is said by it."""
    usable = {way.key for way in usable_channels()}
    said = {version.template.channel for version in words_in_use(broadcast)}
    for way in ways_of_broadcast(broadcast):
        if way.key not in usable:
            message = _("%s is not set up.") % way.label
            raise DomainError(message, errors=[FieldError("channels", message)])
        if way.key not in said:
            message = _("Write what is told by this way first: %s.") % way.label
            raise DomainError(message, errors=[FieldError("words", message, "required")])


def _locked(broadcast: Broadcast) -> Broadcast:
    rows: Any = broadcasts().select_for_update(of=("self",))
    found: Broadcast = rows.get(pk=broadcast.pk)
    return found


def _refuse_unless(broadcast: Broadcast, *states: str) -> None:
    if broadcast.status not in states:
        raise ConflictError(
            _("That is not possible now: it is “%s”.") % broadcast.get_status_display(),
            code="broadcast_state",
        )  # fmt: skip


def _audit(action: str, broadcast: Broadcast, actor: Actor, **after: Any) -> None:
    record_audit(
        actor=actor, action=action, target=broadcast, after={"name": broadcast.name, **after}
    )
