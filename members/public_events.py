"""The catalog of what can be told outside: each application names its events, and says what they
are from what the outbox has. Who follows them is registered too; today these are webhooks.

An event is told as a type, a key by which the same thing told again is the same, and data that
name things by their public ids. Data have neither names nor addresses: whoever is told reads
those by the API, with a key that may.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from django.utils.functional import Promise
from pydantic import BaseModel, ConfigDict, Field

from members.models import Customer, OutboxEvent
from members.models.telling import ToldRow, rows_told
from members.outbox import register_consumer

Text = str | Promise


class EventData(BaseModel):
    """What an event tells: the base of all payloads, from which their schemas are made."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_serialization_defaults_required=True
    )


class CustomerRef(EventData):
    id: str = Field(
        description="The customer's id in the API.", json_schema_extra={"format": "uuid"}
    )
    external_id: str | None = Field(description="Under which the shop knows them; null: unknown.")

    @classmethod
    def of(cls, customer: Customer) -> CustomerRef:
        return cls(id=str(customer.public_id), external_id=customer.external_id)


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of public event; `sample` is an example of its data."""

    name: str
    sentence: Text
    data: type[EventData]
    sample: EventData

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of its data."""
        return _schema(self.data)

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """Something that has happened, ready to be told. `program` is a code; empty: of none."""

    type: str
    key: str
    at: dt.datetime
    program: str
    data: EventData


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A row that a trigger has told of, and the type of event that this is."""

    event: OutboxEvent
    row: ToldRow
    name: str

    def told(self, program: str, data: EventData) -> PublicEvent:
        key = f"{self.event.pk}:{self.row.id}:{self.name}"
        return PublicEvent(self.name, key, self.event.created_at, program, data)


def named_rows(
    events: Iterable[OutboxEvent], names: Callable[[ToldRow], Iterable[str]]
) -> list[NamedRow]:
    """The rows in these events that are something to tell, in the order they were written in."""
    return [
        NamedRow(event, row, name)
        for event in events
        for row in rows_told(event.payload)
        for name in names(row)
    ]


# Turns what the outbox has into events; it is asked only while somebody follows one of its types.
Teller = Callable[[Sequence[OutboxEvent]], Iterable[PublicEvent]]


class Follower(Protocol):
    """Somebody who is told. Called in the transaction that marks the outbox events as delivered."""

    def wanted(self) -> frozenset[str]:
        """The types that are followed now."""

    def receive(self, events: Sequence[PublicEvent]) -> None:
        """Take what has happened; only types that are wanted come."""


@dataclass(frozen=True, slots=True)
class _Source:
    kind: str
    teller: Teller
    types: frozenset[str]


_types: dict[str, EventType] = {}
_sources: list[_Source] = []
_followers: list[Follower] = []


@dataclass(frozen=True, slots=True)
class _Telling:
    """The outbox consumer of a kind that something is told from."""

    kind: str

    def __call__(self, events: Sequence[OutboxEvent]) -> None:
        for follower in _followers:
            wanted = follower.wanted()
            for source in _sources:
                if source.kind == self.kind and source.types & wanted:
                    told = [event for event in source.teller(events) if event.type in wanted]
                    if told:
                        follower.receive(told)


def register_event_source(kind: str, teller: Teller, types: Iterable[EventType]) -> None:
    """Name the public events that come from an outbox event of this kind; several sources may come
    from one kind. Registering twice changes nothing."""
    types = list(types)
    source = _Source(kind, teller, frozenset(item.name for item in types))
    if source not in _sources:
        _sources.append(source)
    for item in types:
        _types[item.name] = item
    register_consumer(kind, _Telling(kind))


def register_follower(follower: Follower) -> None:
    """Have somebody told; the same again changes nothing."""
    if follower not in _followers:
        _followers.append(follower)


def event_types() -> list[EventType]:
    """The catalog, by name."""
    return [_types[name] for name in sorted(_types)]


def event_type(name: str) -> EventType | None:
    return _types.get(name)


def kinds_of(types: Iterable[str]) -> set[str]:
    """The outbox events that these types come from."""
    names = set(types)
    return {source.kind for source in _sources if source.types & names}


@cache
def _schema(model: type[EventData]) -> dict[str, Any]:
    schema = model.model_json_schema(mode="serialization")
    parts = schema.pop("$defs", {})
    schema["description"] = " ".join((model.__doc__ or "").split())
    whole: dict[str, Any] = _in_place(schema, parts)
    return whole


def _in_place(schema: Any, parts: dict[str, Any]) -> Any:
    """With its parts where they are referred to, so that it can be part of another schema; without
    titles that repeat the names."""
    if isinstance(schema, list):
        return [_in_place(item, parts) for item in schema]
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name:
        schema = parts[name] | {key: part for key, part in schema.items() if key != "$ref"}
    return {
        key: _in_place(part, parts)
        for key, part in schema.items()
        if not (key == "title" and isinstance(part, str))
    }
