"""The tiers of programs: as their file says them, and as the rules of tiers read them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import zip_longest
from typing import Any, cast

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from loyalty.models import Program, Tier, TierChange, TierSet
from loyalty.tier_definitions import (
    BenefitDefinition,
    ScoreDefinition,
    TierDefinition,
    TiersDefinition,
)
from loyalty.tiers.ladders import Ladder, Level, in_force
from members.prepared import KeptQuery, read_along
from members.read_once import read_once


@dataclass(frozen=True)
class TierTerms:
    """A program's tier sets, oldest first, ready to work out who has which tier. `ids`: keys of
    tiers by tier set and code; `units`: scales of the wallet types that count, by code."""

    ladders: tuple[Ladder, ...]
    ends_at: dt.datetime | None
    ids: Mapping[tuple[int, str], int]
    names: Mapping[tuple[int, str], str]
    units: Mapping[str, int] = field(default_factory=dict)

    def at(self, at: dt.datetime) -> Ladder | None:
        """The wording that applies; None: there are no tiers."""
        if self.ends_at is not None and self.ends_at <= at:
            return None
        place = in_force(self.ladders, at)
        return None if place is None else self.ladders[place]

    def next_wording(self, at: dt.datetime) -> dt.datetime | None:
        """When the next one begins, or the tiers end."""
        coming = [ladder.starts_at for ladder in self.ladders if ladder.starts_at is not None]
        ends = [] if self.ends_at is None else [self.ends_at]
        return min((found for found in (*coming, *ends) if found > at), default=None)


def tier_terms(program_ids: Sequence[int]) -> dict[int, TierTerms]:
    """By program; those without tiers are not in it. Two queries."""
    found: defaultdict[int, list[TierSet]] = defaultdict(list)
    for tier_set in _with_tiers(list(program_ids)):
        found[tier_set.program_id].append(tier_set)
    return {pk: _terms(items) for pk, items in found.items()}


_all_sets: KeptQuery[TierSet] = KeptQuery(
    lambda programs: (
        TierSet.objects.filter(program__among=programs)
        .select_related("wallet_type")
        .order_by("program", "number")
    )
)
_tiers: KeptQuery[Tier] = KeptQuery(lambda sets: Tier.objects.filter(tier_set__among=sets))


def _with_tiers(program_ids: list[int]) -> list[TierSet]:
    sets = _all_sets.rows(program_ids)
    read_along(sets, "tiers", _tiers)
    return sets


def _terms(sets: Sequence[TierSet]) -> TierTerms:
    """What came after tiers had ended for a while begins anew."""
    gaps = [number for number, item in enumerate(sets[:-1]) if item.ends_at is not None]
    sets = sorted(sets[gaps[-1] + 1 if gaps else 0 :], key=_begins)
    return TierTerms(
        ladders=tuple(ladder_of(item) for item in sets),
        ends_at=sets[-1].ends_at,
        ids={(item.pk, tier.code): tier.pk for item in sets for tier in item.tiers.all()},
        names={(item.pk, tier.code): tier.name for item in sets for tier in item.tiers.all()},
        units={item.wallet_type.code: item.wallet_type.scale for item in sets if item.wallet_type},
    )


def _begins(tier_set: TierSet) -> tuple[bool, dt.datetime | None]:
    return tier_set.starts_at is not None, tier_set.starts_at


def ladder_of(tier_set: TierSet) -> Ladder:
    tiers = sorted(tier_set.tiers.all(), key=lambda tier: tier.position)
    return Ladder(
        levels=tuple(Level(tier.code, tier.threshold) for tier in tiers),
        metric=cast(Any, tier_set.metric),
        unit=tier_set.wallet_type.code if tier_set.wallet_type else "",
        score={code: Decimal(points) for code, points in tier_set.score.items()},
        window=cast(Any, tier_set.window),
        counts_from=cast(Any, tier_set.counts_from),
        refunds_count_on=cast(Any, tier_set.refunds_count_on),
        return_days=tier_set.return_days,
        downgrade=cast(Any, tier_set.downgrade),
        grace_days=tier_set.grace_days,
        priced_by=cast(Any, tier_set.priced_by),
        starts_at=tier_set.starts_at,
        id=tier_set.pk,
    )


def tier_set_at(program: Program, at: dt.datetime) -> TierSet | None:
    """The tier set in force; of a program that was never live the only one. None: no tiers."""
    return _in_force(_sets(program), at)


def ranks_at(program: Program, moments: Iterable[dt.datetime]) -> dict[dt.datetime, dict[str, int]]:
    """The places of the tiers that there were then, by code, from the lowest on. Two queries."""
    sets = _sets(program)
    found = {at: _in_force(sets, at) for at in moments}
    return {
        at: {tier.code: place for place, tier in enumerate(tier_set.tiers.all())}
        if tier_set
        else {}
        for at, tier_set in found.items()
    }


def _in_force(sets: Sequence[TierSet], at: dt.datetime) -> TierSet | None:
    found = None
    for item in sets:
        if item.starts_at is None or item.starts_at <= at:
            found = item
    return None if found is None or (found.ends_at is not None and found.ends_at <= at) else found


def _sets(program: Program) -> list[TierSet]:
    return read_once(("tier sets", program.pk), lambda: _with_tiers([program.pk]))


def former_tier_sets(program: Program, at: dt.datetime) -> list[tuple[TierSet, dt.datetime]]:
    """Those that are in force no more, the newest first, and until when each was. Two queries."""
    sets = _sets(program)
    found = []
    for item, following in zip_longest(sets, sets[1:]):
        ends = (item.ends_at, following.starts_at if following else None)
        ended = min((end for end in ends if end is not None), default=None)
        if ended is not None and ended <= at:
            found.append((item, ended))
    return found[::-1]


def tiers_of(program: Program, at: dt.datetime) -> TiersDefinition | None:
    """The program's tiers as its file says them."""
    found = tier_set_at(program, at)
    return None if found is None else definition_of_set(found)


def definition_of_set(tier_set: TierSet) -> TiersDefinition:
    return TiersDefinition(
        metric=tier_set.metric,
        wallet_type=tier_set.wallet_type.code if tier_set.wallet_type else "",
        score=tuple(
            ScoreDefinition(activity=code, points=Decimal(points))
            for code, points in tier_set.score.items()
        ),
        window=tier_set.window,
        counts_from=tier_set.counts_from,
        refunds_count_on=tier_set.refunds_count_on,
        return_days=tier_set.return_days,
        downgrade=tier_set.downgrade,
        grace_days=tier_set.grace_days,
        priced_by=tier_set.priced_by,
        tiers=tuple(_tier(tier) for tier in tier_set.tiers.all()),
    )


def _tier(tier: Tier) -> TierDefinition:
    return TierDefinition(
        code=tier.code,
        name=tier.name,
        color=tier.color,
        icon=tier.icon,
        threshold=tier.threshold,
        benefits=benefits_of(tier),
    )


def benefits_of(tier: Tier) -> tuple[BenefitDefinition, ...]:
    return tuple(BenefitDefinition.model_validate(said) for said in tier.benefits)


def known_tiers() -> list[tuple[str, str]]:
    """Codes and names of the tiers of all programs, as they were last said."""
    rows = Tier.objects.order_by("position", "tier_set__number").values_list("code", "name")
    return read_once("known tiers", lambda: list(dict(rows).items()))


def with_names(changes: QuerySet[TierChange]) -> QuerySet[TierChange]:
    """With `was_name` and `became_name`: what the tiers were last called."""
    named = Tier.objects.filter(tier_set__program=OuterRef("membership__program"))
    named = named.order_by("-tier_set__number")
    return changes.annotate(
        was_name=Coalesce(Subquery(named.filter(code=OuterRef("was")).values("name")[:1]), "was"),
        became_name=Coalesce(
            Subquery(named.filter(code=OuterRef("became")).values("name")[:1]), "became"
        ),
    )
