"""What is chosen for a cart, looked at together before anything is kept: in the order in which each
takes its part off, and why it could not be had like this."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.models import Membership
from loyalty.rules.facts import ZERO, Occasion
from members.errors import DomainError
from rewards.models import Reward, Voucher
from rewards.services.checkout_totals import Priced, without
from rewards.services.eligibility import Offer, Refusal
from rewards.services.stacking import Part, parts_in_turn, refuse_together
from rewards.services.vouchers import check_voucher, refuse_of_another
from rewards.voucher_terms import Taken, taken_off, turn_of

# A checkout that there is none of: whatever is held elsewhere is held elsewhere.
NOWHERE = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One of them, in its turn. `amount`: what it takes off what those before it left."""

    part: Part
    amount: Decimal
    refusals: tuple[Refusal, ...]

    @property
    def turn(self) -> int:
        return turn_of(self.part.terms)


@dataclass(frozen=True, slots=True)
class Together:
    """`conflict`: why they do not go together; `total`: what the cart comes to after them."""

    steps: tuple[Step, ...]
    conflict: Refusal | None
    total: Decimal


def look_together(
    found: Priced, membership: Membership, *, vouchers: Sequence[Voucher],
    rewards: Sequence[Reward], offers: Mapping[int, Offer], now: dt.datetime,
) -> Together:  # fmt: skip
    """What is refused takes nothing off. `offers`: of the rewards, by their keys."""
    parts = parts_in_turn(vouchers, rewards)
    occasion, steps = found.occasion, []
    for part in parts:
        try:
            taken = _taken(part, occasion, found.coin, membership, now)
        except DomainError as error:
            steps.append(Step(part, ZERO, (Refusal(error.code, str(error.message)),)))
            continue
        refusals = _refusals(part, taken, offers)
        steps.append(Step(part, ZERO if refusals else taken.amount, refusals))
        if not refusals and part.terms.get("discount"):
            occasion = without(occasion, taken)
    return Together(tuple(steps), _conflict(parts), occasion.basket.total)


def _taken(
    part: Part, occasion: Occasion, coin: Decimal, membership: Membership, now: dt.datetime
) -> Taken:
    if part.voucher is None:
        return taken_off(part.terms, occasion, coin)
    refuse_of_another(part.voucher, membership)
    return check_voucher(part.voucher, occasion, checkout=NOWHERE, now=now, member=membership)


def _refusals(part: Part, taken: Taken, offers: Mapping[int, Offer]) -> tuple[Refusal, ...]:
    if part.reward is None:
        return ()
    found = offers[part.reward.pk].refusals
    if part.reward.takes_off and not taken.amount:
        words = _("It takes nothing off this cart.")
        return (*found, Refusal("reward_not_applicable", words))
    return found


def _conflict(parts: Sequence[Part]) -> Refusal | None:
    try:
        refuse_together([part.terms for part in parts])
    except DomainError as error:
        return Refusal(error.code, str(error.message))
    return None
