"""What a game has brought: plays, prizes, what they cost, and what was paid for plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, Sum

from campaigns.game_trials import Stake, Trial, expected_cost, try_out
from campaigns.models import Game, GameDraw, GamePlay, GamePrize
from loyalty.selectors.balances import worth_of


@dataclass(frozen=True, slots=True)
class PrizeResult:
    """`won`: how often it was given; `drawn`: how often it came out; `instead`: how often something
    else was given."""

    prize: GamePrize
    won: int
    drawn: int
    cost: Decimal

    @property
    def instead(self) -> int:
        return self.drawn - self.won if not self.prize.catches else 0


@dataclass(frozen=True, slots=True)
class GameResult:
    """`paid`: what bought plays are worth, less what was given back."""

    granted: int
    plays: int
    players: int
    units: Decimal
    cost: Decimal
    paid: Decimal
    prizes: Sequence[PrizeResult]


def result_of(game: Game) -> GameResult:
    draws = GameDraw.objects.filter(game=game)
    sums = draws.aggregate(
        plays=Count("pk"), players=Count("membership", distinct=True), units=Sum("units"),
        cost=Sum("cost"),
    )  # fmt: skip
    won = {pk: (count, cost) for pk, count, cost in
           draws.values_list("prize").annotate(Count("pk"), Sum("cost"))}  # fmt: skip
    drawn = dict(draws.values_list("drawn").annotate(Count("pk")))
    return GameResult(
        granted=GamePlay.objects.filter(game=game).count(), plays=sums["plays"],
        players=sums["players"], units=sums["units"] or Decimal(0),
        cost=sums["cost"] or Decimal(0), paid=_paid(game),
        prizes=[
            PrizeResult(prize, *_of(won.get(prize.pk), drawn.get(prize.pk, 0)))
            for prize in game.prizes.all()
        ],
    )  # fmt: skip


def stakes_of(game: Game) -> list[Stake]:
    return [
        Stake(prize.code, prize.weight, prize.cost, prize.stock, prize.catches)
        for prize in game.prizes.all()
    ]


def cost_of_a_play(game: Game) -> Decimal:
    """As its weights say, in money."""
    return expected_cost(stakes_of(game))


def trial_of(game: Game, seed: str = "") -> Trial:
    return try_out(stakes_of(game), budget=game.budget_money, seed=seed)


def _of(won: tuple[int, Decimal] | None, drawn: int) -> tuple[int, int, Decimal]:
    count, cost = won or (0, Decimal(0))
    return count, drawn, cost


def _paid(game: Game) -> Decimal:
    kept = GamePlay.objects.filter(Q(returned=None), game=game, spent__isnull=False)
    rows = kept.values_list("spent__wallet_type").annotate(Sum("spent__amount"))
    units = {unit.pk: unit for unit in game.program.wallet_types.all()}
    return sum((worth_of(int(amount), units[pk]) for pk, amount in rows), Decimal(0))
