"""What so many plays of a game would come to: expected by its weights, and tried with a seed that
is thrown away. Pure; nothing is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from campaigns.fair_draws import Place, Ticket, draw, hash_of, new_seed, written_odds

PLAYS = 10_000


@dataclass(frozen=True, slots=True)
class Stake:
    """A prize, as far as it matters for what a game costs."""

    code: str
    weight: int
    cost: Decimal
    stock: int | None = None
    catches: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """`won`: how often which prize was given, by its code."""

    plays: int
    won: Counter[str]
    cost: Decimal


def expected_cost(stakes: Sequence[Stake]) -> Decimal:
    """Of one play, as long as nothing has run out; not rounded."""
    total = sum(stake.weight for stake in stakes)
    whole = sum((stake.weight * stake.cost for stake in stakes), Decimal(0))
    return whole / total if total else Decimal(0)


def try_out(
    stakes: Sequence[Stake], *, plays: int = PLAYS, budget: Decimal | None = None, seed: str = ""
) -> Trial:
    """Draw so often, with stocks and the budget in money. Daily limits are left out: how many
    play in a day is not known."""
    places = [Place(stake.code, stake.weight) for stake in stakes]
    named = {stake.code: stake for stake in stakes}
    catching = next((stake for stake in stakes if stake.catches), None)
    odds, seed = hash_of(written_odds(places)), seed or new_seed()
    won: Counter[str] = Counter()
    cost = Decimal(0)
    for turn in range(1, plays + 1):
        stake = named[draw(seed, Ticket(odds, "trial", turn), places).code]
        gone = stake.stock is not None and won[stake.code] >= stake.stock
        if catching and (gone or (budget is not None and cost + stake.cost > budget)):
            stake = catching
        won[stake.code] += 1
        cost += stake.cost
    return Trial(plays, won, cost)
