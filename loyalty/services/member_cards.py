"""The cards that a member carries: stamp cards that fill up, and discount cards with what they give
now. Read as a quote reads them, without a basket."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from loyalty.models import Membership, WalletType
from loyalty.rules.bodies import Bracket, CashbackBody, StampsBody
from loyalty.rules.bonus import standing
from loyalty.rules.discount_bodies import DiscountBracket
from loyalty.rules.discount_prices import bracket_reached
from loyalty.rules.discounts import DiscountVersion
from loyalty.rules.engine import RuleVersion
from loyalty.rules.facts import ZERO, Basket, Occasion
from loyalty.selectors.rulebooks import ProgramTerms, terms_as_read
from loyalty.selectors.wallet_types import wallet_types_of
from loyalty.selectors.window_parts import Wanted, window_parts
from loyalty.services.contexts import Wish, with_contexts
from members.conditions.moments import Moment
from members.conditions.predicate import Condition
from members.conditions.tree import questions_of

BY_SPENDING = ("spent_year", "spent_lifetime")


@dataclass(frozen=True, slots=True)
class StampCard:
    """How full a member's card is. A card that is full has become units: the next is empty."""

    version: RuleVersion
    body: StampsBody
    wallet_type: WalletType
    stamps: Decimal

    @property
    def missing(self) -> Decimal:
        return self.body.goal - self.stamps


@dataclass(frozen=True, slots=True)
class DiscountCard:
    """What a discount rule gives a member now. Where it goes by what was spent: `spent` so far,
    the bracket reached (None: none yet) and the one above it (None: the highest)."""

    version: DiscountVersion
    spent: Decimal | None = None
    bracket: DiscountBracket | None = None
    above: DiscountBracket | None = None

    @property
    def missing(self) -> Decimal | None:
        """More than this has to be spent for the bracket above."""
        return None if self.above is None or self.spent is None else self.above.above - self.spent


@dataclass(frozen=True, slots=True)
class CashbackCard:
    """What a rule of cashback by spending gives for what comes next: `spent` in the year so far,
    the bracket that this is in (None: none yet), and the one above it (None: the highest)."""

    version: RuleVersion
    spent: Decimal
    bracket: Bracket | None
    above: Bracket | None

    @property
    def missing(self) -> Decimal | None:
        """After so much more the bracket above begins."""
        return None if self.above is None else self.above.above - self.spent


@dataclass(frozen=True, slots=True)
class Cards:
    """All cards of a membership. `collected`: keys of the wallet types that any rule has ever
    given; of others there is nothing to tell."""

    program: ProgramTerms | None
    stamps: tuple[StampCard, ...] = ()
    discounts: tuple[DiscountCard, ...] = ()
    cashback: tuple[CashbackCard, ...] = ()
    collected: frozenset[int] = frozenset()

    def hides(self, wallet_type: WalletType) -> bool:
        """A program of discounts alone has a wallet type that nobody collects."""
        book = self.program.rulebook if self.program else None
        return bool(book and book.discounts) and wallet_type.pk not in self.collected


def cards_of(membership: Membership, now: dt.datetime) -> Cards:
    """One member's."""
    return cards_of_all([membership], now)[membership.pk]


def cards_of_all(memberships: Sequence[Membership], now: dt.datetime) -> dict[int, Cards]:
    """By membership key; a constant number of queries."""
    terms = terms_as_read(item.program for item in memberships)
    programs = {item.id: item for item in terms.programs}
    own = [(item, programs[item.program_id]) for item in memberships if item.program_id in programs]
    stamps = [
        (Wanted(item.pk, version, program.zone), version.body)
        for item, program in own
        for version in program.rulebook.in_force(now)
        if isinstance(version.body, StampsBody)
    ]
    units = wallet_types_of(terms) if stamps else {}
    parts = window_parts((wanted for wanted, _body in stamps), now)
    spending = _by_spending(own, now)
    found = {item.pk: Cards(None) for item in memberships}
    for item, program in own:
        book = program.rulebook
        cards = tuple(
            StampCard(
                wanted.version, body, units[wanted.version.wallet_type_id],
                standing(body, parts.get((item.pk, wanted.version.id), [])) % body.goal,
            )
            for wanted, body in stamps
            if wanted.membership_id == item.pk
        )  # fmt: skip
        collected = {version.wallet_type_id for version in (*book.versions, *book.others)}
        found[item.pk] = Cards(
            program, cards, *spending.get(item.pk, ((), ())), frozenset(collected)
        )
    return found


Spending = tuple[tuple[DiscountCard, ...], tuple[CashbackCard, ...]]


def _by_spending(
    own: Sequence[tuple[Membership, ProgramTerms]], now: dt.datetime
) -> dict[int, Spending]:
    """Discounts, and cashback by brackets, by membership: of those who may have any now."""
    wishes = [
        Wish(
            program,
            [version for version in program.rulebook.in_force(now) if _has_brackets(version)],
            item.pk, item.customer_id,
            Occasion(Basket(()), Moment(now, program.zone), currency=program.currency),
            discounts=program.rulebook.discounts_in_force(now),
        )
        for item, program in own
        if program.live and item.status == Membership.Status.ACTIVE
    ]  # fmt: skip
    known = with_contexts([wish for wish in wishes if wish.discounts or wish.versions])
    return {
        wish.membership_id: (
            tuple(
                _discount_card(version, wish.context.spent.get(version.id, ZERO))
                for version in wish.discounts
                if _is_for(version, wish)
            ),
            tuple(
                _cashback_card(version, wish.context.spent.get(version.id, ZERO))
                for version in wish.versions
                if _is_for(version, wish)
            ),
        )
        for wish in known
    }


def _is_for(version: DiscountVersion | RuleVersion, wish: Wish) -> bool:
    """Whether the buyer may have it. What a condition asks of the order is still open."""
    when = version.when
    if not isinstance(when, Condition) or len(when.outer) < len(list(questions_of(when.root))):
        return True
    return when.holds(wish.occasion, wish.context.answers.get(version.id, ""))


def _has_brackets(version: RuleVersion) -> bool:
    return isinstance(version.body, CashbackBody) and bool(version.body.brackets)


def _cashback_card(version: RuleVersion, spent: Decimal) -> CashbackCard:
    body = version.body
    assert isinstance(body, CashbackBody)
    reached = [item for item in body.brackets if spent >= item.above]
    higher = [item for item in body.brackets if spent < item.above]
    return CashbackCard(
        version, spent, reached[-1] if reached else None, higher[0] if higher else None
    )


def _discount_card(version: DiscountVersion, spent: Decimal) -> DiscountCard:
    body = version.body
    if body.brackets_by not in BY_SPENDING or not body.brackets:
        return DiscountCard(version)
    reached = bracket_reached(body.brackets, Fraction(spent))
    higher = [item for item in body.brackets if reached is None or item.above > reached.above]
    return DiscountCard(version, spent, reached, higher[0] if higher else None)
