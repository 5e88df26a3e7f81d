"""What higher applications have waiting for a second person, on the page of approvals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise

from members.models import User


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """`item` bears `asked_by` and `asked_at`."""

    item: Any
    name: str
    program: str
    url: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class WaitingForOthers:
    """Who may decide it, and the keys of what waits for a reader, who asked for none of it."""

    permission: str
    rows: Callable[[int], QuerySet[Any, Any]]


@dataclass(frozen=True, slots=True)
class WaitingList:
    """`rows`: everybody's for those who may decide, else one's own."""

    key: str
    title: Promise
    icon: str
    rows: Callable[[User], Sequence[WaitingRow]]
    others: WaitingForOthers


_lists: dict[str, WaitingList] = {}


def register_waiting_list(found: WaitingList) -> None:
    """Called once, in AppConfig.ready."""
    _lists[found.key] = found


def waiting_lists() -> list[WaitingList]:
    return list(_lists.values())
