"""From when and until when, in words. No database."""

import datetime as dt
import zoneinfo

import pytest

from loyalty.lot_words import expires_words, matures_words
from loyalty.models import NEVER, Lot, LotPolicy, Wallet

ZONE = zoneinfo.ZoneInfo("America/New_York")
# Midnight in New York at the end of the fourth of March.
GONE = dt.datetime(2026, 3, 5, 5, tzinfo=dt.UTC)


def make(**values: object) -> Lot:
    policy = LotPolicy(kind="months", length=1, pending_from="fulfilled", pending_days=2)
    known = {"policy": policy, "spendable_at": GONE, "expires_at": None}
    return Lot(**(known | values))


@pytest.mark.parametrize(
    ("spendable_at", "days", "held", "words"),
    [
        (GONE, 2, False, "Mar 5, 2026"),
        (GONE, 2, True, "Mar 5, 2026"),
        (NEVER, 2, False, "2 days after the order was fulfilled"),
        (NEVER, 1, False, "1 day after the order was fulfilled"),
        (NEVER, 0, False, "as soon as the order was fulfilled"),
        (NEVER, 0, True, "when the order has been checked"),
    ],
)
def test_from_when(spendable_at: dt.datetime, days: int, held: bool, words: str) -> None:
    lot = make(spendable_at=spendable_at)
    lot.policy.pending_days = days
    assert matures_words(lot, held=held, zone=ZONE) == words


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ""),
        ({"expires_at": GONE}, "Mar 4, 2026"),
        ({"planned_expires_at": GONE}, "Mar 4, 2026 or later, after a warning"),
        ({"expires_at": GONE, "planned_expires_at": GONE}, "Mar 4, 2026"),
        ({"renewable": True}, "Mar 4, 2026, later with every activity"),
        ({"renewable": True, "expires_at": GONE}, "Mar 4, 2026"),
        ({"spendable_at": NEVER}, "counted from when they can be spent"),
    ],
)
def test_until_when(values: dict[str, object], words: str) -> None:
    wallet = Wallet(active_until=GONE)
    assert expires_words(make(**values), wallet, ZONE) == words


def test_what_never_expires_has_no_last_day() -> None:
    lot = make(spendable_at=NEVER)
    lot.policy.kind = "never"
    assert expires_words(lot, Wallet(), ZONE) == ""
