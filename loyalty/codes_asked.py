"""Codes that come with an order or a basket: whether the promotions that they belong to count for
it. Who knows them registers here; the codes of nobody are a shop's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Why a code does not count: stable names, and what people read.
REASONS: Mapping[str, Promise] = {
    "unknown": _("No promotion has this code."),
    "not_yet": _("It is not on yet."),
    "over": _("It is over."),
    "not_on": _("It is not on."),
    "needs_member": _("It is for members: say who buys."),
    "not_for_you": _("It is for others."),
    "used_by_member": _("It was used as often as one member may."),
    "together": _("Another code of this promotion counts already."),
    "used_up": _("It was used as often as it may be."),
}


@dataclass(frozen=True, slots=True)
class CodesAsked:
    """The codes of one order or basket, asked of one program. `membership_id` 0: whoever buys it is
    no member yet; `rules`: codes of the rules that are in force then; `holder`: what the order or
    the cart is known by, empty where nothing is to be kept."""

    program_id: int
    membership_id: int
    customer_id: int
    codes: tuple[str, ...]
    at: dt.datetime
    rules: frozenset[str]
    holder: str = ""


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """Of one code, as it was told. `promotion`: what conditions know its promotion by; `reason`:
    why it does not count, empty where it does."""

    code: str
    promotion: str = ""
    name: str = ""
    reason: str = ""

    @property
    def counts(self) -> bool:
        return not self.reason

    @property
    def words(self) -> str:
        return str(REASONS[self.reason]) if self.reason else ""


Answers = tuple[CodeAnswer, ...]


class CodeKeeper(Protocol):
    """Who knows codes, and how often they were used. What was asked is answered in its order."""

    def look(self, asked: Sequence[CodesAsked]) -> list[Answers]:
        """Nothing is kept."""
        ...

    def claim(self, asked: Sequence[CodesAsked], now: dt.datetime) -> list[Answers]:
        """Of orders that are recorded: what counts is used by it. Again, it is answered the same.
        The buyers' wallets are locked."""
        ...

    def claim_again(self, asked: Sequence[CodesAsked], now: dt.datetime) -> list[Answers]:
        """Of orders that were called off and are good again: what counted for them before is used
        by them once more, whoever it is for by now, unless it was used up meanwhile."""
        ...

    def hold(self, asked: CodesAsked, until: dt.datetime, now: dt.datetime) -> Answers:
        """Of a cart: what counts is kept for it."""
        ...

    def pass_on(self, holder: str, order: str, now: dt.datetime) -> None:
        """A cart became this order."""
        ...

    def let_go(self, holders: Sequence[str], now: dt.datetime) -> None:
        """What these carts or orders keep or have used may be used again."""
        ...


_keepers: list[CodeKeeper] = []


def register_code_keeper(keeper: CodeKeeper) -> None:
    """Called once, in AppConfig.ready."""
    _keepers[:] = [keeper]


def code_keeper() -> CodeKeeper | None:
    return _keepers[0] if _keepers else None


def order_holder(source: str, external_id: str) -> str:
    return f"order:{source}/{external_id}"


def cart_holder(name: str) -> str:
    return f"cart:{name}"


def counting(answers: Iterable[CodeAnswer]) -> frozenset[str]:
    """The promotions whose codes count."""
    return frozenset(answer.promotion for answer in answers if answer.counts)


def answers_as_json(answers: Iterable[CodeAnswer]) -> dict[str, Any]:
    """What an evaluation keeps of them: those that a promotion has."""
    kept = [
        [answer.code, answer.promotion, answer.name, answer.reason]
        for answer in answers
        if answer.promotion
    ]
    return {"codes": kept} if kept else {}


def answers_from_json(kept: Mapping[str, Any]) -> Answers:
    return tuple(CodeAnswer(*row) for row in kept.get("codes", ()))
