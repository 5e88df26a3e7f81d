"""What a challenge will likely bring and cost: by how often it would have been done in past
stretches of its length."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import median_low
from typing import Any

from campaigns.campaign_rules import budget_in_units, unit_of
from campaigns.models import Challenge, ChallengeForecast
from loyalty.models import WalletType
from members.errors import DomainError

ZERO = Decimal(0)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PastStretch:
    """One that was counted. `units`: given within the budget; `cost`: what these are worth and what
    the rewards that are left cost; `used_up`: how many days after its first one the budget is."""

    first: dt.date
    last: dt.date
    buyers: int
    members: int
    wins: int
    units: Decimal
    cost: Decimal
    used_up: int | None


@dataclass(frozen=True, slots=True)
class ChallengeOutlook:
    """`state`: none, running, failed, done; `stretches`: those in which anybody bought, the latest
    first."""

    challenge: Challenge
    state: str
    forecast: ChallengeForecast | None = None
    stretches: tuple[PastStretch, ...] = ()
    unit: WalletType | None = None

    @property
    def likely(self) -> PastStretch | None:
        """The one in the middle, by what it cost and how often it was done."""
        ordered = sorted(self.stretches, key=lambda item: (item.cost, item.wins))
        return ordered[(len(ordered) - 1) // 2] if ordered else None

    @property
    def wins(self) -> tuple[int, int]:
        """The fewest and the most."""
        found = [item.wins for item in self.stretches]
        return min(found), max(found)

    @property
    def costs(self) -> tuple[Decimal, Decimal]:
        found = [item.cost for item in self.stretches]
        return min(found), max(found)

    @property
    def used_up_on(self) -> dt.date | None:
        """The day in the middle of those on which its budget is used up, if it is in most."""
        campaign = self.challenge.campaign
        found = [item.used_up for item in self.stretches if item.used_up is not None]
        if campaign.starts_at is None or 2 * len(found) <= len(self.stretches):
            return None
        return campaign.starts_at.astimezone(campaign.program.zone).date() + median_low(found) * DAY


def challenge_outlook(challenge: Challenge) -> ChallengeOutlook:
    """What its last forecast says, at what it brings now; no orders are read."""
    rows = ChallengeForecast.objects.select_related("job").filter(challenge=challenge)
    forecast = rows.first()
    if forecast is None:
        return ChallengeOutlook(challenge, "none")
    if forecast.result is None:
        failed = forecast.job is None or forecast.job.state in ("failed", "canceled")
        return ChallengeOutlook(challenge, "failed" if failed else "running", forecast)
    unit = unit_of(challenge.campaign) if challenge.units is not None else None
    zone, most = challenge.campaign.program.zone, _most_units(challenge, unit)
    found = []
    for (start, end), kept in zip(forecast.stretches, forecast.result, strict=True):
        if kept["buyers"]:
            first = dt.datetime.fromisoformat(start).astimezone(zone).date()
            until = dt.datetime.fromisoformat(end).astimezone(zone) - dt.timedelta(microseconds=1)
            found.append(_stretch(challenge, unit, most, (first, until.date()), kept))
    return ChallengeOutlook(challenge, "done", forecast, tuple(found), unit)


def may_be_forecast(challenge: Challenge) -> bool:
    """Who would do it with whom is not known."""
    return challenge.team_size is None


def _stretch(
    challenge: Challenge, unit: WalletType | None, most: Decimal | None,
    days: tuple[dt.date, dt.date], kept: Mapping[str, Any],
) -> PastStretch:  # fmt: skip
    wins = sum(kept["wins"].values())
    units, used_up = _units(challenge, most, days[0], kept["wins"])
    cost = units * (unit.unit_value or ZERO) if unit is not None else ZERO
    reward = challenge.reward
    if reward is not None:
        cost += reward.cost * (wins if reward.left is None else min(wins, max(reward.left, 0)))
    return PastStretch(*days, kept["buyers"], kept["members"], wins, units, cost, used_up)


def _units(
    challenge: Challenge, most: Decimal | None, first: dt.date, wins: Mapping[str, int]
) -> tuple[Decimal, int | None]:
    """What all of them are given, the last one what is left of the budget; and on which day that
    is."""
    given = ZERO
    for day in sorted(wins):
        given += wins[day] * (challenge.units or ZERO)
        if most is not None and given >= most:
            return most, (dt.date.fromisoformat(day) - first).days
    return given, None


def _most_units(challenge: Challenge, unit: WalletType | None) -> Decimal | None:
    if unit is None:
        return None
    try:
        return budget_in_units(challenge.campaign, unit)
    except DomainError:
        # Money, of units that are worth none: it cannot be published so.
        return None
