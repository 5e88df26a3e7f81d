"""The same change for several rewards: worked out first, then made for all of them or none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Program
from members.errors import DomainError, FieldError
from members.services.audit import Actor
from rewards.definitions import RewardDefinition
from rewards.models import Reward
from rewards.selectors.rewards import definition_of
from rewards.services.rewards import change_reward


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What becomes of all of them; None: it stays. `prices`: by so many percent, below zero for
    cheaper. `starts_at` and `ends_at` with `dated` only, where nothing means no end."""

    status: str | None = None
    dated: bool = False
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    prices: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        return self.status is None and not self.dated and not self.prices


@dataclass(frozen=True, slots=True)
class Planned:
    """A reward before and after."""

    reward: Reward
    before: RewardDefinition
    after: RewardDefinition

    @property
    def differs(self) -> bool:
        return self.before != self.after


def plan_changes(rewards: Sequence[Reward], change: BulkChange) -> list[Planned]:
    """What would become of these. Nothing is written. Raises DomainError where nothing is to be
    changed, or it would begin after its end."""
    if change.is_empty:
        raise DomainError(_("Say what is to be changed."))
    if change.starts_at and change.ends_at and change.ends_at <= change.starts_at:
        wrong = FieldError("ends_at", _("Later than it begins."))
        raise DomainError(_("It would end before it begins."), errors=[wrong])
    if change.starts_at and (bound := next((item for item in rewards if item.window), None)):
        words = _("“%s” begins with a sale. Take it out, or change the sale.") % bound.name
        raise DomainError(words, errors=[FieldError("starts_at", words)])
    return [
        Planned(item, before := definition_of(item), _after(before, change, item.wallet_type.scale))
        for item in rewards
    ]


@transaction.atomic
def change_rewards(
    *, program: Program, rewards: Sequence[Reward], change: BulkChange, actor: Actor
) -> int:
    """Make the change for all of them or, where one is refused, for none; how many differ now."""
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
    changed = 0
    for planned in plan_changes(rewards, change):
        if planned.differs:
            change_reward(reward=planned.reward, definition=planned.after, actor=actor)
            changed += 1
    return changed


def _after(before: RewardDefinition, change: BulkChange, scale: int) -> RewardDefinition:
    update: dict[str, Any] = {}
    if change.status is not None:
        update["status"] = change.status
    if change.dated:
        update |= {"starts_at": change.starts_at, "ends_at": change.ends_at}
    if change.prices:
        update["price"] = _priced(before.price, change.prices, scale)
        update["tier_prices"] = _all_priced(before.tier_prices, change.prices, scale)
    return before.model_copy(update=update)


def _all_priced(prices: Mapping[str, Decimal], percent: Decimal, scale: int) -> dict[str, Decimal]:
    return {tier: _priced(price, percent, scale) for tier, price in prices.items()}


def _priced(price: Decimal, percent: Decimal, scale: int) -> Decimal:
    """Rounded to what its units have, and at least the smallest of them; what costs nothing stays
    so."""
    if not price:
        return price
    smallest = Decimal(1).scaleb(-scale)
    raised = (price * (100 + percent) / 100).quantize(smallest, rounding=ROUND_HALF_UP)
    return max(raised, smallest)
