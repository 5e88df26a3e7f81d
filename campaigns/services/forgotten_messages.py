"""Forgetting what a shop's messages said of somebody who is erased."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import orjson
from django.db.models import Q
from django.utils.translation import gettext as _

from campaigns.connectors.kinds import kind_of
from campaigns.connectors.records import Part, Reading
from campaigns.models import Connection, InboundMessage, KnownVersion
from campaigns.selectors.connections import reading_of
from members.errors import DomainError

State = InboundMessage.State


def forget_messages(*, connection: Connection, number: str, now: dt.datetime) -> None:
    """What messages said of the person, by their number. What waits and tells of them alone is
    passed over; what tells of others, too, is taken in first (`forget_gone`)."""
    about_them: list[int] = []
    of_others: list[int] = []
    # Who is told of is known once it was read; until then whoever the content names.
    there = number.removeprefix(connection.customer_prefix)
    unread = InboundMessage.objects.select_related("connection").filter(
        connection=connection, state__in=[State.WAITING, State.FAILED], payload__contains=there
    )
    for message in unread.order_by("pk").iterator(chunk_size=200):
        named = names_in(message, reading_of(connection, message.received_at), number)
        if number in named:
            (about_them if named == {number} else of_others).append(message.pk)
    messages = InboundMessage.objects.filter(connection=connection)
    messages.filter(pk__in=about_them, state=State.WAITING).update(
        payload="", people=[], state=State.SKIPPED, finished_at=now,
        note=_("The person it tells of was erased before it was taken in."),
    )  # fmt: skip
    failed = Q(state=State.FAILED, pk__in=about_them + of_others)
    messages.filter(Q(people__contains=[number]) | failed).exclude(state=State.WAITING).update(
        payload="", people=[]
    )


def forget_gone(message: InboundMessage) -> None:
    """What has just been taken in of several people, one of whom was erased before."""
    if len(message.people) > 1 and KnownVersion.objects.filter(
        connection=message.connection, subject=KnownVersion.Subject.CUSTOMER, gone=True,
        number__in=message.people,
    ).exists():  # fmt: skip
        message.payload, message.people = "", []


def names_in(message: InboundMessage, about: Reading, number: str) -> set[str]:
    """The numbers of all customers whom it tells of. Of what cannot be read: this one, where it
    stands there by itself."""
    try:
        parts = kind_of(message.connection).read(
            message.topic, message.payload, message.content_type, about
        )
    except DomainError:
        parts = [Part("", error=DomainError(""))]
    named = {one for part in parts if part.records is not None for one in part.records.people}
    named |= {one for part in parts if part.records is not None for one in part.records.verified}
    there = number.removeprefix(about.customer_prefix)
    if any(part.error is not None for part in parts) and _stands_in(message.payload, there):
        named.add(number)
    return named


def _stands_in(content: str, wanted: str) -> bool:
    """As a whole value of a document, or as a whole word where it is none."""
    try:
        return wanted in map(str, _values(orjson.loads(content)))
    except orjson.JSONDecodeError:
        return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", content) is not None


def _values(found: Any) -> Iterator[Any]:
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        for item in found:
            yield from _values(item)
    else:
        yield found
