"""What comes in: checked, kept and answered at once; a worker takes it in a moment later.

A message is kept in the transaction in which the worker is told of it. It is worked on under its
row's lock, in the transaction that also says what it has become, so a worker that dies leaves it
waiting, and nothing of it twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from django.db import DataError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.connectors.kinds import Envelope, Headers, kind_of
from campaigns.connectors.mapping import split_csv, split_json
from campaigns.connectors.records import Part
from campaigns.models import Connection, InboundMessage
from campaigns.selectors.connections import reading_of
from campaigns.services.forgotten_messages import forget_gone
from campaigns.services.shop_records import record_all
from loyalty.models import Transfer
from members.errors import ConflictError, DomainError
from members.kept_secrets import revealed
from members.models import OutboxEvent
from members.outbox import register_consumer
from members.prepared import KeptQuery, update_row
from members.services.audit import Actor, record_audit
from members.services.outbox import record_event

State = InboundMessage.State
CAME = "connection.came"
# Refused ones of so long are one line of the log: whoever knows the address can send many.
COUNTED_TOGETHER = dt.timedelta(minutes=1)
KEPT_FOR = dt.timedelta(days=30)
# What went well is needed for looking things up only.
DONE_KEPT_FOR = dt.timedelta(days=7)
PRUNED_AT_ONCE = 2_000
MOST_ERRORS = 100
_KEPT: KeptQuery[InboundMessage] = KeptQuery(
    lambda connection, number: InboundMessage.objects.filter(
        connection=connection, delivery_id=number
    )
)
_WAITING: KeptQuery[InboundMessage] = KeptQuery(
    lambda pk, state: InboundMessage.objects.select_related("connection").filter(
        pk=pk, state=state
    ),
    ending=' FOR UPDATE OF "campaigns_inboundmessage"',
)


def register() -> None:
    """Called once, when the application is ready."""
    register_consumer(CAME, take_in, singly=True)


def receive(
    *, connection: Connection, body: bytes, headers: Headers, content_type: str, now: dt.datetime
) -> HTTPStatus:
    """Keep what came, if it is from whom it says; return the answer to the sender."""
    if not connection.enabled:
        return HTTPStatus.SERVICE_UNAVAILABLE
    kind = kind_of(connection)
    if kind.is_ping(body, headers):
        return HTTPStatus.OK
    if not kind.is_signed(revealed(connection.secret), body, headers):
        _count_refused(connection, kind.envelope(b"", headers), now)
        return HTTPStatus.UNAUTHORIZED
    try:
        content = body.decode()
    except UnicodeDecodeError:
        return HTTPStatus.BAD_REQUEST
    if "\x00" in content:
        return HTTPStatus.BAD_REQUEST
    keep_content(
        connection=connection, envelope=kind.envelope(body, headers), content=content,
        content_type=content_type, now=now,
    )  # fmt: skip
    return HTTPStatus.ACCEPTED


@transaction.atomic
def keep_content(
    *, connection: Connection, envelope: Envelope, content: str, content_type: str,
    now: dt.datetime,
) -> None:  # fmt: skip
    """A message; of a file, one for so many rows, which workers take in one by one."""
    parts = _parts(connection, content)
    envelope = _told_again(connection, envelope)
    for place, part in enumerate(parts):
        number = f"{envelope.delivery_id}/{place}" if place else envelope.delivery_id
        keep_message(
            connection=connection, envelope=replace(envelope, delivery_id=number), content=part,
            content_type=content_type, now=now,
        )  # fmt: skip


def _parts(connection: Connection, content: str) -> list[str]:
    if connection.kind != Connection.Kind.MAPPED:
        return [content]
    if content.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return split_json(content, connection.mapping.get("rows", ""))
    return split_csv(content)


def _told_again(connection: Connection, envelope: Envelope) -> Envelope:
    """Content that came before, after which something else was told: it is told anew, because what
    it tells of may have become again what it was. Where it says when it changed, what is older
    than what is known still changes nothing."""
    if not envelope.by_content:
        return envelope
    signed = InboundMessage.objects.filter(connection=connection).exclude(state=State.REFUSED)
    same = Q(delivery_id=envelope.delivery_id) | Q(delivery_id__startswith=_again(envelope, ""))
    same |= Q(delivery_id__startswith=f"{envelope.delivery_id}/")
    last = signed.filter(same).order_by("-pk").values_list("pk", flat=True).first()
    if last is None:
        return envelope
    newest = signed.filter(pk__gt=last, topic=envelope.topic).order_by("-pk")
    between = newest.values_list("pk", flat=True).first()
    if between is None:
        # Once more what was told last, whether for the first time or anew.
        known = InboundMessage.objects.values_list("delivery_id", flat=True).get(pk=last)
        return replace(envelope, delivery_id=known.partition("/")[0])
    return replace(envelope, delivery_id=_again(envelope, str(between)))


def _again(envelope: Envelope, after: str) -> str:
    return f"{envelope.delivery_id}+{after}"


@transaction.atomic
def keep_message(
    *, connection: Connection, envelope: Envelope, content: str, content_type: str,
    now: dt.datetime,
) -> InboundMessage:  # fmt: skip
    """The message with this number, kept now or known. One that is known only counts; if it failed
    and is still kept, it is tried again."""
    fresh = InboundMessage(
        connection=connection, delivery_id=envelope.delivery_id, topic=envelope.topic,
        content_type=content_type[:64], payload=content, received_at=now,
        happened_at=envelope.happened_at,
    )  # fmt: skip
    InboundMessage.objects.bulk_create([fresh], ignore_conflicts=True)
    kept = _KEPT.one(connection.pk, envelope.delivery_id)
    if kept.public_id != fresh.public_id:
        known = InboundMessage.objects.filter(pk=kept.pk)
        known.update(times=F("times") + 1)
        failed = known.filter(state=State.FAILED).exclude(payload="")
        if not failed.update(state=State.WAITING, finished_at=None):
            return kept
    record_event(CAME, {"message": kept.pk}, urgent=True)
    return kept


def take_in(events: Sequence[OutboxEvent]) -> None:
    """Work on messages that wait. What is wrong with one is kept with it, for whoever mends it."""
    for event in events:
        found = _WAITING.first(event.payload["message"], State.WAITING)
        if found is not None:
            _work(found, timezone.now())


@transaction.atomic
def replay(*, message: InboundMessage, actor: Actor) -> InboundMessage:
    """Have it worked on again, whatever became of it. What was taken in is not taken in twice."""
    row = InboundMessage.objects.select_for_update(of=("self",)).get(pk=message.pk)
    if row.state == State.REFUSED or not row.payload:
        raise ConflictError(_("Its content is not kept, so it cannot be taken in again."))
    row.state, row.finished_at = State.WAITING, None
    row.save(update_fields=["state", "finished_at"])
    record_audit(
        actor=actor, action="connection.replayed", target=row.connection,
        after={"message": str(row.public_id)},
    )  # fmt: skip
    record_event(CAME, {"message": row.pk}, urgent=True)
    return row


@transaction.atomic
def replay_failed(*, connection: Connection, actor: Actor) -> int:
    """All that failed and is still kept; return how many."""
    failed = InboundMessage.objects.filter(connection=connection, state=State.FAILED).exclude(
        payload=""
    )
    keys = list(failed.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    InboundMessage.objects.filter(pk__in=keys).update(state=State.WAITING, finished_at=None)
    for key in keys:
        record_event(CAME, {"message": key}, urgent=key == keys[-1])
    if keys:
        record_audit(
            actor=actor, action="connection.replayed", target=connection,
            after={"messages": len(keys)},
        )  # fmt: skip
    return len(keys)


def prune_messages(*, now: dt.datetime) -> int:
    """Forget the content of what went well after a week, and everything after a month; return how
    many messages went."""
    InboundMessage.objects.filter(
        received_at__lt=now - DONE_KEPT_FOR, state__in=[State.DONE, State.SKIPPED]
    ).exclude(payload="").update(payload="", people=[])
    old = InboundMessage.objects.filter(received_at__lt=now - KEPT_FOR).order_by("received_at")
    removed = 0
    while chunk := list(old.values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
        removed += InboundMessage.objects.filter(pk__in=chunk).delete()[0]
    return removed


def _work(message: InboundMessage, now: dt.datetime) -> None:
    connection = message.connection
    message.result, message.errors, message.note = [], [], ""
    try:
        about = reading_of(connection, message.received_at)
        parts = kind_of(connection).read(
            message.topic, message.payload, message.content_type, about
        )
        found = take_parts(connection, parts, now=now)
        message.result, message.errors = found.results, found.errors[:MOST_ERRORS]
        message.note = found.note[:300]
        message.people = [] if found.erased else sorted(found.people)
        message.happened_at = message.happened_at or found.happened_at
        message.state = State.FAILED if found.errors else found.state
    except DomainError as error:
        message.state, message.errors = State.FAILED, errors_of(error)
    message.finished_at = now
    changed = ["result", "errors", "note", "people", "happened_at", "state", "finished_at"]
    forget_gone(message)
    # Else not what it said: taking it in may have erased that.
    update_row(message, *changed, *(() if message.payload else ("payload",)))


@dataclass(slots=True)
class Taken:
    """What became of the parts of a message."""

    results: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, str]] = field(default_factory=list)
    people: set[str] = field(default_factory=set)
    note: str = ""
    happened_at: dt.datetime | None = None
    state: str = State.SKIPPED
    # It told to erase somebody, and is erased with them.
    erased: bool = False


def take_parts(
    connection: Connection, parts: Sequence[Part], *, now: dt.datetime,
    transfer_source: str = Transfer.Source.API,
) -> Taken:  # fmt: skip
    """Record each part; one that is refused keeps no other from being recorded."""
    taken = Taken()
    for part in parts:
        try:
            if part.error is not None:
                raise part.error
            assert part.records is not None
            taken.results += record_all(
                connection, part.records, now=now, transfer_source=transfer_source
            )
        except DomainError as error:
            taken.errors += errors_of(error, part.place)
        except DataError:
            # A number beyond all that can be kept; trying again would end no better.
            taken.errors.append({"field": part.place, "message": _("A value is too large.")})
        else:
            taken.people |= set(part.records.people)
            taken.note = taken.note or str(part.records.note)
            taken.happened_at = part.records.happened_at or taken.happened_at
            taken.erased |= bool(part.records.forgotten or part.records.forget_everything)
            if not part.records.is_empty:
                taken.state = State.DONE
    return taken


def errors_of(error: DomainError, place: str = "") -> list[dict[str, str]]:
    """What was wrong, as it is kept with a message."""
    found = [
        {"field": f"{place} {item.field}".strip(), "message": str(item.message)}
        for item in error.errors
    ]
    return found[:MOST_ERRORS] or [{"field": place, "message": str(error.message)}]


def _count_refused(connection: Connection, envelope: Envelope, now: dt.datetime) -> None:
    """Written down without its content: nobody knows who sent it."""
    recent = InboundMessage.objects.filter(
        connection=connection, state=State.REFUSED, received_at__gt=now - COUNTED_TOGETHER
    ).order_by("-pk").values_list("pk", flat=True)[:1]  # fmt: skip
    if not InboundMessage.objects.filter(pk__in=recent).update(times=F("times") + 1):
        topic = "".join(char for char in envelope.topic if char.isprintable())
        InboundMessage.objects.create(
            connection=connection, topic=topic, state=State.REFUSED, received_at=now,
            finished_at=now, note=_("It was not signed with the connection’s secret."),
        )  # fmt: skip
