"""What other tiers would make of the members there are, before they are saved."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace

from loyalty.models import Membership, Program
from loyalty.selectors.member_tiers import standings
from loyalty.selectors.rulebooks import ProgramTerms, terms_of
from loyalty.selectors.tier_sets import TierTerms
from loyalty.tier_definitions import TiersDefinition
from loyalty.tiers.ladders import Ladder, Level

PIECE = 500
# More are not looked at while somebody waits.
MOST = 5_000


@dataclass(frozen=True, slots=True)
class Step:
    """A tier of the draft: how many have it now, by its code, and how many would; and how many of
    those have not reached it by what counts now."""

    code: str
    name: str
    now: int
    then: int
    below: int


@dataclass(frozen=True, slots=True)
class TierPreview:
    """`looked_at` of `members`: the others are not worked out."""

    steps: tuple[Step, ...]
    up: int
    down: int
    looked_at: int
    members: int


def preview_tiers(program: Program, tiers: TiersDefinition, now: dt.datetime) -> TierPreview:
    """Where members would stand if these were the tiers from now on."""
    live = terms_of(program)
    draft = with_draft(live, tiers, now)
    rows = Membership.objects.filter(program=program).exclude(status=Membership.Status.MERGED)
    members, after, looked_at = rows.count(), 0, 0
    has, would, below = Counter[str](), Counter[str](), Counter[str]()
    up = down = 0
    ranks = {tier.code: rank for rank, tier in enumerate(tiers.tiers)}
    while looked_at < MOST and (piece := list(rows.filter(pk__gt=after).order_by("pk")[:PIECE])):
        before, later = standings(live, piece, at=now), standings(draft, piece, at=now)
        for membership in piece:
            then = later[membership.pk]
            would[then.tier] += 1
            if then.ladder.rank_of(then.total) < ranks[then.earned]:
                below[then.tier] += 1
            if membership.pk in before:
                tier = before[membership.pk].tier
                has[tier] += 1
                if tier in ranks:
                    up += ranks[then.tier] > ranks[tier]
                    down += ranks[then.tier] < ranks[tier]
        after, looked_at = piece[-1].pk, looked_at + len(piece)
    steps = tuple(
        Step(tier.code, tier.name, has[tier.code], would[tier.code], below[tier.code])
        for tier in tiers.tiers
    )
    return TierPreview(steps, up, down, looked_at, members)


def with_draft(live: ProgramTerms, tiers: TiersDefinition, now: dt.datetime) -> ProgramTerms:
    """A program with the draft's tiers from `now` on, instead of those that it has then."""
    known = live.tiers.ladders if live.tiers and live.tiers.at(now) else ()
    before = tuple(item for item in known if item.starts_at is None or item.starts_at < now)
    drafted = draft_ladder(tiers, now if before else None)
    units = {terms.code: terms.scale for terms in live.units.values()}
    return replace(live, tiers=TierTerms((*before, drafted), None, {}, {}, units))


def draft_ladder(tiers: TiersDefinition, starts_at: dt.datetime | None) -> Ladder:
    """As the rules of tiers read a definition that is not stored."""
    return Ladder(
        levels=tuple(Level(tier.code, tier.threshold) for tier in tiers.tiers),
        metric=tiers.metric,
        unit=tiers.wallet_type,
        score={item.activity: item.points for item in tiers.score},
        window=tiers.window,
        counts_from=tiers.counts_from,
        refunds_count_on=tiers.refunds_count_on,
        return_days=tiers.return_days,
        downgrade=tiers.downgrade,
        grace_days=tiers.grace_days,
        priced_by=tiers.priced_by,
        starts_at=starts_at,
    )
