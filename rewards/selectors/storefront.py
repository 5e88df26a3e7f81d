"""What the shop's pages show: the settings, and what they come to for a visitor or a member."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.models import Membership, Program, Tier, WalletType
from loyalty.selectors.launches import founding_offer
from loyalty.selectors.member_tiers import tiers_now
from loyalty.selectors.memberships import memberships
from loyalty.selectors.program_terms import terms_of
from loyalty.selectors.program_times import program_state
from members.formatting import format_units
from members.models import Customer
from members.program_scope import of_all_programs
from rewards.models import Storefront

# So many reasons to join are read; more are a page.
MOST_VALUES = 3


@of_all_programs()
def get_storefront() -> Storefront:
    """The one row, which is kept for everybody, whoever asks; made with defaults on first use."""
    programs = Storefront.objects.select_related("program")
    found = programs.filter(pk=1).first()
    if found is None:
        Storefront.objects.get_or_create(pk=1)
        found = programs.get(pk=1)
    return found


def shown_program(storefront: Storefront, now: dt.datetime) -> Program | None:
    """The program that the script speaks of, while it runs."""
    program = storefront.program
    if program is None or program.status != Program.Status.LIVE:
        return None
    return None if program_state(program, now).is_over else program


def values_of(program: Program, now: dt.datetime) -> list[str]:
    """What somebody gets who joins: sentence by sentence, what is given for joining first."""
    offer = founding_offer(program)
    found = []
    if offer is not None and offer.is_open(now):
        gift = format_units(offer.bonus.units, offer.bonus.wallet_type)
        found.append(_("%s for joining now.") % gift)
    terms = terms_of(program, now)
    own = [rule for rule in (*terms.rules, *terms.discounts) if not rule.of_tier]
    found += [rule.sentences[0] for rule in own if rule.sentences]
    return found[:MOST_VALUES]


@dataclass(frozen=True, slots=True)
class Earned:
    """So many units of a kind."""

    wallet_type: WalletType
    units: int

    @property
    def words(self) -> str:
        return format_units(self.units, self.wallet_type)


def summed(program: Program, amounts: Iterable[tuple[int, int]]) -> list[Earned]:
    """Of (wallet type, units) the sums that are more than nothing, in the program's order."""
    sums: defaultdict[int, int] = defaultdict(int)
    for wallet_type_id, units in amounts:
        sums[wallet_type_id] += units
    kinds = program.wallet_types.order_by("pk")
    return [Earned(kind, sums[kind.pk]) for kind in kinds if sums[kind.pk] > 0]


def tiers_of(
    people: Sequence[uuid.UUID], program: Program, now: dt.datetime
) -> dict[uuid.UUID, Tier]:
    """The tier of each of these customers in the program, by the id that was asked for; who is no
    member, or was merged away, is found as who they are now."""
    asked = Customer.objects.filter(public_id__in=people)
    now_are = {one.public_id: one.merged_into_id or one.pk for one in asked}
    members: dict[int, Membership] = {
        member.customer_id: member
        for member in memberships().filter(
            program=program, customer__in=set(now_are.values()), status=Membership.Status.ACTIVE
        )
    }
    found = tiers_now(list(members.values()), now)
    return {
        public_id: found[members[key].pk]
        for public_id, key in now_are.items()
        if key in members and members[key].pk in found
    }
