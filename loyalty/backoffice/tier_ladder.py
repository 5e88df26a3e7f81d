"""The merchant's own members over the thresholds of a ladder that is being written: a picture to
drag thresholds in, the share of each tier beside what one would like, and what benefits cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from loyalty.models import Program
from loyalty.selectors.member_tiers import unit_names
from loyalty.selectors.tier_spread import tier_spread
from loyalty.tier_definitions import TierDefinition, TiersDefinition
from loyalty.tier_words import TierVoice
from loyalty.tiers.ladders import Ladder
from loyalty.tiers.spread import TARGETS, Spread, next_nice

BARS = 60
WIDTH, HEIGHT = 600, 150
# Most members have little and few have much: the scale gives the little ones room.
POWER = 3
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Bar:
    """Members between two amounts: where it stands and how high it is in the picture."""

    x: float
    width: float
    y: float
    height: float
    color: str
    members: int
    words: str


@dataclass(frozen=True, slots=True)
class LadderStep:
    """A tier over the members there are. `cost`: of what it gives by itself in a year, in the
    program's currency; None: it gives nothing that can be counted."""

    number: int
    tier: TierDefinition
    words: str
    members: int
    share: Decimal
    target: Decimal
    x: float
    cost: Decimal | None

    @property
    def slide(self) -> int:
        """Where the slider stands, of 1 000."""
        return round(self.x / WIDTH * 1000)


@dataclass(frozen=True, slots=True)
class ShownLadder:
    """The picture and the table. `top`: the amount at its right end."""

    bars: tuple[Bar, ...]
    steps: tuple[LadderStep, ...]
    members: int
    top: Decimal
    top_words: str
    lifetime: bool
    cost: Decimal

    @property
    def counts(self) -> list[int]:
        """Members of each bar, for the script."""
        return [bar.members for bar in self.bars]


def shown_ladder(program: Program, tiers: TiersDefinition, now: dt.datetime) -> ShownLadder:
    """Two queries, however many members there are."""
    spread = tier_spread(program, tiers, now)
    unit = program.wallet_types.order_by("pk")[0]
    return ladder_over(
        spread, tiers, _voice(program, tiers), main=unit.code, unit_value=unit.unit_value
    )


def ladder_over(
    spread: Spread, tiers: TiersDefinition, voice: TierVoice, *, main: str, unit_value: Decimal
) -> ShownLadder:
    """`main`: code of the units that the spread counts, worth so much each."""
    ladder = Ladder((), metric=tiers.metric, unit=tiers.wallet_type)
    thresholds = [tier.threshold for tier in tiers.tiers]
    top = next_nice(max(spread.highest, thresholds[-1]))

    def words(amount: Decimal) -> str:
        return voice.amount(ladder, amount)

    steps = tuple(_steps(tiers, spread, top, words, main, unit_value))
    return ShownLadder(
        bars=tuple(_bars(spread, tiers.tiers, top, words)),
        steps=steps,
        members=spread.members,
        top=top,
        top_words=words(top),
        lifetime=tiers.window == "lifetime",
        cost=sum((step.cost for step in steps if step.cost is not None), Decimal(0)),
    )


def suggested_thresholds(
    program: Program, tiers: TiersDefinition, now: dt.datetime
) -> list[Decimal]:
    """For the shares that one would like, from the members there are."""
    return tier_spread(program, tiers, now).suggested(TARGETS[len(tiers.tiers)])


def _voice(program: Program, tiers: TiersDefinition) -> TierVoice:
    unit = unit_names(program.pk).get(tiers.wallet_type)
    return TierVoice(program.currency, program.zone, {}, unit)


def _steps(
    tiers: TiersDefinition,
    spread: Spread,
    top: Decimal,
    words: Callable[[Decimal], str],
    main: str,
    unit_value: Decimal,
) -> Iterator[LadderStep]:
    found = spread.over([tier.threshold for tier in tiers.tiers])
    targets = TARGETS[len(tiers.tiers)]
    for number, (tier, (members, units)) in enumerate(zip(tiers.tiers, found, strict=True)):
        yield LadderStep(
            number=number,
            tier=tier,
            words=words(tier.threshold),
            members=members,
            share=Decimal(members) / spread.members if spread.members else Decimal(0),
            target=Decimal(targets[number]) / 100,
            x=_place(tier.threshold, top),
            cost=_cost(tier, members, units, main, unit_value),
        )


def _cost(
    tier: TierDefinition, members: int, units: Decimal, main: str, unit_value: Decimal
) -> Decimal | None:
    """Of a multiplier what it adds to what its members earned, and of birthdays one each."""
    found = None
    for benefit in tier.benefits:
        if benefit.wallet_type not in ("", main):
            continue
        if benefit.factor is not None:
            found = (found or Decimal(0)) + (benefit.factor - ONE) * units * unit_value
        if benefit.units is not None:
            found = (found or Decimal(0)) + benefit.units * members * unit_value
    return found


def _bars(
    spread: Spread,
    tiers: Sequence[TierDefinition],
    top: Decimal,
    words: Callable[[Decimal], str],
) -> Iterator[Bar]:
    edges = [top * (Decimal(number) / BARS) ** POWER for number in range(BARS + 1)]
    reaching = [spread.reaching(edge)[0] for edge in edges]
    reaching[0] = spread.members
    members = [low - high for low, high in pairwise(reaching)]
    members[-1] += reaching[-1]
    most, width = max(members, default=0) or 1, WIDTH / BARS
    for number, count in enumerate(members):
        # Few are still to be seen beside many.
        height = HEIGHT * (count / most) ** 0.5 if count else 0.0
        yield Bar(
            x=round(number * width, 2),
            width=round(width - 1, 2),
            y=round(HEIGHT - height, 2),
            height=round(height, 2),
            color=_color(tiers, edges[number]),
            members=count,
            words=words(edges[number].quantize(ONE)),
        )


def _color(tiers: Sequence[TierDefinition], amount: Decimal) -> str:
    return [tier.color for tier in tiers if tier.threshold <= amount or not tier.threshold][-1]


def _place(threshold: Decimal, top: Decimal) -> float:
    share: float = float(threshold / top) ** (1 / POWER)
    return round(share * WIDTH, 2)
