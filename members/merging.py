"""What becomes of each application's data when two customers turn out to be one person.

Every application registers a handler for its rows that point to a customer, in AppConfig.ready; a
test walks all foreign keys to Customer and finds the handler of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.apps import apps
from django.db.models import ForeignKey

from members.models import Customer, CustomerMerge
from members.services.audit import Actor

# What a handler changed, as JSON holds it.
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Merging:
    """A merge while it is done or undone: both customers' rows are locked. `source`: "api" or
    "backoffice"; `now`: business time."""

    merge: CustomerMerge
    kept: Customer
    merged: Customer
    actor: Actor
    source: str
    now: datetime


@dataclass(frozen=True, slots=True)
class MergeRow:
    """A line of the preview: what each of the two has, what there will be, and what is special."""

    label: str
    kept: str
    merged: str
    after: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class MergeSection:
    """What one application says before the merge, or before it is undone."""

    title: str
    icon: str
    rows: Sequence[MergeRow]


class CoversCustomers(Protocol):
    """A handler says which foreign keys to Customer it looks after: "loyalty.order.customer"."""

    @property
    def fields(self) -> Sequence[str]: ...


def nothing_to_lock(customer_ids: Sequence[int]) -> None:
    """For a handler whose rows are only written under the customers' own locks."""


def nothing_to_say(kept: Customer, merged: Customer, now: datetime) -> Sequence[MergeSection]:
    """For a handler whose merge takes nothing away that staff should know of before."""
    return ()


def nothing_to_undo(merge: CustomerMerge, record: Record, now: datetime) -> Sequence[MergeSection]:
    """For a handler of which undoing brings back everything."""
    return ()


@dataclass(frozen=True, slots=True)
class MergeHandler:
    """One application's part.

    `lock` takes what must be locked before the customers are. `merge` answers with its record,
    which `undo` gets back. The previews change nothing.
    """

    fields: Sequence[str]
    merge: Callable[[Merging], Record]
    undo: Callable[[Merging, Record], None]
    preview: Callable[[Customer, Customer, datetime], Sequence[MergeSection]] = nothing_to_say
    preview_undo: Callable[[CustomerMerge, Record, datetime], Sequence[MergeSection]] = (
        nothing_to_undo
    )
    lock: Callable[[Sequence[int]], None] = nothing_to_lock


_handlers: dict[str, tuple[int, MergeHandler]] = {}


def register_merge_handler(key: str, handler: MergeHandler, order: int = 100) -> None:
    """Have an application's data follow a merge; the same key again replaces it."""
    _handlers[key] = order, handler


def merge_handlers() -> dict[str, MergeHandler]:
    """By key, in their order; what is undone goes the other way."""
    ordered = sorted(_handlers.items(), key=lambda item: item[1][0])
    return {key: handler for key, (_order, handler) in ordered}


def uncovered_fields(handlers: Iterable[CoversCustomers]) -> set[str]:
    """The foreign keys to Customer that none of these handlers looks after."""
    covered = {name for handler in handlers for name in handler.fields}
    return {
        f"{model._meta.label_lower}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model is Customer
    } - covered
