"""The tier that an order, or an activity, is judged by: what its buyer had before it.

Worked out under the locks of the buyers' wallets, for a batch in a constant number of queries, and
from what earlier facts came to, so that a long history costs no more than a short one.
Programs without tiers cost nothing here.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loyalty.models import Membership
from loyalty.rules.facts import Basket
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.selectors.tier_checkpoints import NOTHING, Known, known_facts
from loyalty.selectors.tier_facts import manual_tiers
from loyalty.tiers.facts import Fact, Manual, TierHeld
from loyalty.tiers.ladders import Ladder
from loyalty.tiers.progress import Standing, standing, tier_at
from members.prepared import KeptQuery

if TYPE_CHECKING:
    from loyalty.services.contexts import Wish

_MEMBERS: KeptQuery[Membership] = KeptQuery(lambda ids: Membership.objects.filter(pk__among=ids))


def has_tiers(wish: Wish) -> bool:
    return wish.program.tiers is not None and wish.program.tiers.at(wish.at) is not None


def tiers_before(wishes: Sequence[Wish]) -> dict[int, TierHeld]:
    """By `id` of the wish. The orders among them count for those that the same person placed
    later."""
    by_program: defaultdict[int, list[Wish]] = defaultdict(list)
    for wish in wishes:
        if has_tiers(wish):
            by_program[wish.program.id].append(wish)
    found: dict[int, TierHeld] = {}
    for own in by_program.values():
        people = _People.load(own)
        for wish in own:
            after = people.ladder(wish).priced_by == "after" and not wish.came_back
            found[id(wish)] = people.tier(wish, own, with_itself=after)
    return found


def tier_to_pay_in(wish: Wish, batch: Sequence[Wish]) -> tuple[int, str]:
    """The ladder and the code of the tier that its buyer had before an order, by which their units
    pay for it, whatever tier it leads to. `batch`: new orders, that may come before it."""
    if not has_tiers(wish):
        return 0, ""
    people = _People.load([wish])
    own = [other for other in batch if other.program.id == wish.program.id]
    return people.ladder(wish).id, people.tier(wish, own, with_itself=False)


def standings_around(wish: Wish, units: Mapping[str, Decimal]) -> tuple[Standing, Standing] | None:
    """Where its buyer stands before an order, and with it and the units that it earns, by wallet
    type. None: there are no tiers."""
    if not has_tiers(wish):
        return None
    people = replace(_People.load([wish]), earned=units)
    return (
        people.standing(wish, with_itself=False), people.standing(wish, with_itself=True)
    )  # fmt: skip


@dataclass(frozen=True)
class _People:
    """Everything that is known of a batch's buyers in one program."""

    program: ProgramTerms
    members: Mapping[int, Membership]
    known: Mapping[int, Known]
    by_hand: Mapping[int, Sequence[Manual]]
    # What an order that is only looked at earns.
    earned: Mapping[str, Decimal] = field(default_factory=dict)

    @classmethod
    def load(cls, wishes: Sequence[Wish]) -> _People:
        program = wishes[0].program
        ids = sorted({wish.membership_id for wish in wishes} - {0})
        if not ids:
            return cls(program, {}, {}, {})
        members = {member.pk: member for member in _MEMBERS.rows(ids)}
        # The first of each buyer's orders decides which facts are asked for.
        first: dict[int, dt.datetime] = {}
        for wish in wishes:
            first[wish.membership_id] = min(first.get(wish.membership_id, wish.at), wish.at)
        known = known_facts(program, list(members.values()), at=first)
        return cls(program, members, known, manual_tiers(ids))

    def ladder(self, wish: Wish) -> Ladder:
        assert self.program.tiers is not None
        ladder = self.program.tiers.at(wish.at)
        assert ladder is not None
        return ladder

    def tier(self, wish: Wish, batch: Sequence[Wish], *, with_itself: bool) -> TierHeld:
        """At the moment of an order. What is dated like it comes after it."""
        facts = self._known(wish, batch, with_itself=with_itself)
        found = tier_at(self._ladders, facts, **self._asked(wish))
        assert found is not None
        return TierHeld.on(*found)

    def standing(self, wish: Wish, *, with_itself: bool) -> Standing:
        facts = self._known(wish, (), with_itself=with_itself)
        found = standing(self._ladders, facts, **self._asked(wish))
        assert found is not None
        return found

    @property
    def _ladders(self) -> Sequence[Ladder]:
        assert self.program.tiers is not None
        return self.program.tiers.ladders

    def _asked(self, wish: Wish) -> dict[str, Any]:
        member = self.members.get(wish.membership_id)
        return {
            "after": self.known.get(wish.membership_id, NOTHING).after,
            "manual": self.by_hand.get(wish.membership_id, ()),
            # Who comes with this order, or has told of it late, is a member by then.
            "joined_at": min(member.enrolled_at, wish.at) if member else wish.at,
            "at": wish.at,
            "zone": self.program.zone,
        }

    def _known(self, wish: Wish, batch: Sequence[Wish], *, with_itself: bool) -> list[Fact]:
        known = self.known.get(wish.membership_id, NOTHING)
        facts = [fact for fact in known.facts if fact.at < wish.at]
        for number, other in enumerate(batch):
            if other.customer_id == wish.customer_id and other.at < wish.at:
                facts += self._facts_of(other, f"order:new-{number}")
        if with_itself:
            facts += self._facts_of(wish, "order:new")
        return facts

    def _facts_of(self, wish: Wish, key: str) -> Iterator[Fact]:
        """What an order that is not stored yet counts."""
        basket = wish.occasion.basket
        if not basket.lines:
            return
        counted = [("spend", _spent(basket)), ("orders", Decimal(1))]
        counted += [(f"units:{code}", units) for code, units in self.earned.items()]
        for measure, amount in counted:
            yield Fact(key, measure, wish.at, amount, of_order=True, confirmed_at=wish.confirmed_at)


def _spent(basket: Basket) -> Decimal:
    """All of it but gift cards, which are money."""
    cards = sum((line.total for line in basket.lines if line.stored_value), Decimal(0))
    return basket.total - cards
