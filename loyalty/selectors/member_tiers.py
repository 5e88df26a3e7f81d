"""Where members stand in a program's tiers, worked out from what happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from django.db.models import QuerySet

from loyalty.models import Membership, MemberTier, Program, Tier, WalletType
from loyalty.selectors.rulebooks import ProgramTerms, fresh_terms
from loyalty.selectors.tier_checkpoints import NOTHING, Known, basis_of, known_facts
from loyalty.selectors.tier_facts import manual_tiers, tier_facts
from loyalty.selectors.tier_sets import TierTerms, benefits_of
from loyalty.tier_definitions import BenefitDefinition
from loyalty.tier_words import TierVoice, benefit_words
from loyalty.tiers.progress import Standing, standing
from members.formatting import NamesOfUnit, UnitNames
from members.program_scope import of_all_programs
from members.read_once import read_once

# Members worked out at a time.
PIECE = 500


def standings(
    program: ProgramTerms,
    memberships: Sequence[Membership],
    *,
    at: dt.datetime,
    from_the_first: bool = False,
) -> dict[int, Standing]:
    """By membership; nobody in a program that has no tiers then. A constant number of queries.
    `from_the_first`: without looking at what earlier facts were found to come to."""
    if program.tiers is None or program.tiers.at(at) is None or not memberships:
        return {}

    def find() -> dict[int, Standing]:
        return _standings(program, memberships, at=at, from_the_first=from_the_first)

    if not all(ladder.id for ladder in program.tiers.ladders):
        return find()  # of a draft, which is worded otherwise the next time
    joined = tuple((membership.pk, membership.enrolled_at) for membership in memberships)
    return read_once(("standings", basis_of(program), joined, at, from_the_first), find)


def _standings(
    program: ProgramTerms, memberships: Sequence[Membership], *, at: dt.datetime,
    from_the_first: bool,
) -> dict[int, Standing]:  # fmt: skip
    assert program.tiers is not None
    ids = [membership.pk for membership in memberships]
    if from_the_first:
        known = {pk: Known(facts) for pk, facts in tier_facts(program, ids).items()}
    else:
        known = known_facts(program, memberships, at=dict.fromkeys(ids, at))
    by_hand = manual_tiers(ids)
    found: dict[int, Standing] = {}
    for membership in memberships:
        own = known.get(membership.pk, NOTHING)
        stands = standing(
            program.tiers.ladders,
            own.facts,
            by_hand.get(membership.pk, ()),
            joined_at=membership.enrolled_at,
            at=at,
            zone=program.zone,
            after=own.after,
        )
        if stands is not None:
            found[membership.pk] = stands
    return found


def standing_of(program: ProgramTerms, membership: Membership, at: dt.datetime) -> Standing | None:
    return standings(program, [membership], at=at).get(membership.pk)


def tiered_program(program_id: int) -> ProgramTerms | None:
    """A program that has tiers, as it is now."""
    for program in fresh_terms().programs:
        if program.id == program_id and program.tiers is not None:
            return program
    return None


@dataclass(frozen=True, slots=True)
class MemberStanding:
    """Where a member stands, with the rows of the ladder that applies and how to speak of it."""

    membership: Membership
    stands: Standing
    tiers: tuple[Tier, ...]
    voice: TierVoice
    units: Mapping[str, UnitNames]

    @property
    def tier(self) -> Tier:
        return self.row(self.stands.tier)

    @property
    def sentences(self) -> list[str]:
        return self.voice.sentences(self.stands)

    def row(self, code: str) -> Tier:
        return next(tier for tier in self.tiers if tier.code == code)

    @property
    def benefits(self) -> list[tuple[BenefitDefinition, str]]:
        """What the tier brings, with its words."""
        return self._of(self.tier)

    @property
    def next_tier(self) -> Tier | None:
        return self.row(self.stands.next.tier) if self.stands.next else None

    @property
    def next_benefits(self) -> list[tuple[BenefitDefinition, str]]:
        """What the tier above brings."""
        return self._of(self.next_tier) if self.next_tier else []

    def _of(self, tier: Tier) -> list[tuple[BenefitDefinition, str]]:
        return [
            (benefit, benefit_words(benefit, self.voice.currency, self.units))
            for benefit in benefits_of(tier)
        ]

    @property
    def share(self) -> int | None:
        """Percent of the way from the earned tier's threshold to the next one's."""
        if self.stands.next is None:
            return None
        floor, goal = self.row(self.stands.earned), self.row(self.stands.next.tier)
        way = goal.threshold - floor.threshold
        gone = max(self.stands.total - floor.threshold, Decimal(0))
        return int(100 * gone / way)


def member_standings(
    memberships: Sequence[Membership], at: dt.datetime
) -> dict[int, MemberStanding]:
    """By membership, of any programs; who is in none with tiers is not in it."""
    found: dict[int, MemberStanding] = {}
    memberships = [membership for membership in memberships if _may_have_tier(membership)]
    for program in fresh_terms().programs if memberships else ():
        own = [
            membership
            for membership in memberships
            if membership.program_id == program.id and membership.status != Membership.Status.MERGED
        ]
        if not own or program.tiers is None:
            continue
        units = unit_names(program.id)
        for membership_id, stands in standings(program, own, at=at).items():
            member = next(item for item in own if item.pk == membership_id)
            rows, voice = ladder_rows(stands.ladder.id), tier_voice(program, stands, units)
            found[membership_id] = MemberStanding(member, stands, rows, voice, units)
    return found


def tiers_now(memberships: Sequence[Membership], at: dt.datetime) -> dict[int, Tier]:
    """The tier of each, from the rows that were read along; one that has changed meanwhile is
    worked out."""
    rows: dict[int, MemberTier] = {
        membership.pk: membership.tier for membership in memberships if hasattr(membership, "tier")
    }
    late = [
        membership
        for membership in memberships
        if membership.pk in rows and not _holds(rows[membership.pk], at)
    ]
    anew = member_standings(late, at)
    return {
        pk: anew[pk].tier if pk in anew else row.tier
        for pk, row in rows.items()
        if _holds(row, at) or pk in anew
    }


def _holds(row: MemberTier, at: dt.datetime) -> bool:
    return row.changes_at is None or at < row.changes_at


def _may_have_tier(membership: Membership) -> bool:
    """Every member of a program with tiers has a row; where it was read along there is no need to
    ask."""
    row = Membership._meta.get_field("tier")
    return not row.is_cached(membership) or row.get_cached_value(membership) is not None


def member_standing(membership: Membership, at: dt.datetime) -> MemberStanding | None:
    return member_standings([membership], at).get(membership.pk)


def tier_voice(
    program: ProgramTerms, stands: Standing, units: Mapping[str, UnitNames] | None = None
) -> TierVoice:
    """How to speak of where somebody stands."""
    assert program.tiers is not None
    unit = None
    if stands.ladder.unit:
        unit = (units or unit_names(program.id)).get(stands.ladder.unit)
    return TierVoice(program.currency, program.zone, _names(program.tiers), unit)


def _names(terms: TierTerms) -> dict[str, str]:
    """By code, as the latest wording has them."""
    return {code: name for (_tier_set, code), name in sorted(terms.names.items())}


@lru_cache(maxsize=256)  # a tier never changes
def ladder_rows(tier_set_id: int) -> tuple[Tier, ...]:
    # Kept for everybody, whoever asks first.
    with of_all_programs():
        return tuple(Tier.objects.filter(tier_set=tier_set_id).order_by("position"))


def unit_names(program_id: int) -> dict[str, UnitNames]:
    """By the wallet type's code; the program's first comes first."""
    rows = WalletType.objects.filter(program=program_id).order_by("pk")
    return read_once(
        ("unit names", program_id), lambda: {item.code: NamesOfUnit.of(item) for item in rows}
    )


def about_to_fall(
    program: Program, *, now: dt.datetime, until: dt.datetime
) -> QuerySet[MemberTier]:
    """Members who lose their tier by then unless something happens, soonest first; as it was last
    written down."""
    return (
        MemberTier.objects.filter(
            membership__program=program, lost_at__gt=now, lost_at__lte=until,
            membership__status=Membership.Status.ACTIVE,
        )
        .select_related("tier", "falls_to", "membership__customer", "membership__program")
        .order_by("lost_at", "membership_id")
    )  # fmt: skip


def standings_of_all(program: ProgramTerms, at: dt.datetime) -> Iterator[tuple[int, Standing]]:
    """Every member's, by membership, piece by piece."""
    rows = Membership.objects.filter(program=program.id).exclude(status=Membership.Status.MERGED)
    after = 0
    while piece := list(rows.filter(pk__gt=after).order_by("pk")[:PIECE]):
        yield from sorted(standings(program, piece, at=at).items())
        after = piece[-1].pk
