"""A ladder and facts for tests, written short."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal
from typing import Any

from loyalty.tiers.facts import Fact, Manual
from loyalty.tiers.history import history
from loyalty.tiers.ladders import Ladder, Level
from loyalty.tiers.progress import Standing, standing

ATHENS = zoneinfo.ZoneInfo("Europe/Athens")
LEVELS = (
    Level("base", Decimal(0)),
    Level("silver", Decimal(500)),
    Level("gold", Decimal(1500)),
    Level("platinum", Decimal(5000)),
)


def at(day: str, time: str = "12:00") -> dt.datetime:
    return dt.datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ATHENS)


def ladder(**changes: Any) -> Ladder:
    return Ladder(**{"levels": LEVELS} | changes)


def bought(key: str, day: str, amount: str | int | Decimal, **changes: Any) -> Fact:
    values: dict[str, Any] = {
        "key": f"order:{key}", "measure": "spend", "at": at(day), "amount": Decimal(amount),
        "of_order": True,
    }  # fmt: skip
    return Fact(**values | changes)


def back(key: str, day: str, amount: str | int, *, of: str = "", **changes: Any) -> Fact:
    values: dict[str, Any] = {
        "key": f"refund:{key}", "measure": "spend", "at": at(day), "amount": -Decimal(amount),
        "of": f"order:{of}" if of else "",
    }  # fmt: skip
    return Fact(**values | changes)


def story(
    wording: Ladder | tuple[Ladder, ...],
    facts: list[Fact],
    until: str,
    *,
    joined: str = "2025-01-01",
    manual: tuple[Manual, ...] = (),
) -> list[tuple[str, str, str]]:
    """The tiers with the local day on which each began and why, up to the end of a day."""
    ladders = wording if isinstance(wording, tuple) else (wording,)
    found = history(
        ladders, facts, manual, joined_at=at(joined, "00:00"), until=at(until, "23:59"), zone=ATHENS
    )
    return [
        (span.since.astimezone(ATHENS).date().isoformat(), span.tier, span.why.kind)
        for span in found
    ]


def now(
    wording: Ladder, facts: list[Fact], day: str, *, joined: str = "2025-01-01",
    manual: tuple[Manual, ...] = (),
) -> Standing:  # fmt: skip
    found = standing(
        (wording,), facts, manual, joined_at=at(joined, "00:00"), at=at(day), zone=ATHENS
    )
    assert found is not None
    return found
