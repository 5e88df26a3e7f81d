"""Who holds stored value without being a member: the bearers of gift cards. What they are is of a
higher application, which registers it here for files of balances."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from loyalty.models import Program
from loyalty.services.balance_rows import BalanceRow
from members.errors import DomainError
from members.models import Customer


@dataclass(frozen=True, slots=True)
class Holder:
    """Where units go: a wallet, and its account."""

    wallet_id: int
    account_id: int


Buyers = Mapping[int, Customer | DomainError]


class CardsOfFile(Protocol):
    """The gift cards of one piece of a file."""

    def find(self, row: BalanceRow) -> int | DomainError:
        """The account of the row's card, which is made where there is none; or why not."""

    def conclude(self, booked: Mapping[int, Sequence[int]]) -> list[int]:
        """By account the movements that were booked: cards that were made can be used from now
        on; those that got nothing are canceled. Returns the keys of the cards."""


@dataclass(frozen=True, slots=True)
class Bearers:
    """`open`: the cards of a piece, of a program and a source, with who bought them by row, or why
    that is nobody;
    `describe`: by account what a file says of its card; `here`: those of these public ids that are
    cards of the program; `take_back`: cancel a card that an import made, unless it was used since;
    says whether it is canceled; `there`: of how many of these something is there still."""

    open: Callable[[Program, str, Buyers, dt.datetime], CardsOfFile]
    describe: Callable[[Collection[int]], Mapping[int, Mapping[str, str]]]
    here: Callable[[Program, Collection[str]], set[str]]
    take_back: Callable[[int, dt.datetime], bool]
    there: Callable[[Collection[int]], int]


_registered: list[Bearers] = []


def register_bearers(bearers: Bearers) -> None:
    """Called once, when the application is ready."""
    _registered[:] = [bearers]


def bearers() -> Bearers:
    return _registered[0]
