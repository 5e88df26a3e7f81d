"""What is coming up, for somebody who buys every day and for somebody who bought once."""

import datetime as dt
import zoneinfo

import pytest
from django.utils import timezone, translation

from loyalty.account.wallets import plural_count, summarize_wallets
from loyalty.models import Wallet
from loyalty.rules.calendar import add_months
from loyalty.selectors.balances import get_balances
from loyalty.selectors.forecasts import upcoming_changes
from members.formatting import format_days
from tests.loyalty.account.conftest import Shop, define_program

pytestmark = pytest.mark.usefixtures("maya_for_all")
ZONE = zoneinfo.ZoneInfo("America/New_York")


def test_what_lapses_in_one_month_is_told_together(shop: Shop) -> None:
    customer = shop.add_customer("daily@example.com")
    membership = shop.enroll(customer)
    # A year and more than a month ago minus some days: all lapse in the middle of one month.
    now = timezone.now().astimezone(ZONE)
    start = now.replace(day=10) - dt.timedelta(days=62)
    for number in range(3):
        bought = start + dt.timedelta(days=number)
        shop.sell(customer, f"D{number}", "10.00", days_ago=(now - bought) / dt.timedelta(days=1))

    summary = summarize_wallets(membership, timezone.now())[0]

    assert [item.text.replace("\xa0", " ") for item in summary.upcoming] == [
        "Last days to use 60 Beans"
    ]
    assert (summary.expiring, summary.pending, summary.owed) == ("", "", "")


def test_several_that_expire_soon_are_summed_and_the_first_is_named(shop: Shop) -> None:
    customer = shop.add_customer("soon@example.com")
    membership = shop.enroll(customer)
    shop.sell(customer, "S1", "10.00", days_ago=360)
    shop.sell(customer, "S2", "15.00", days_ago=350)

    summary = summarize_wallets(membership, timezone.now())[0]

    assert summary.expiring.replace("\xa0", " ") == "50 Beans expire soon"
    assert summary.expiring_first.replace("\xa0", " ").startswith("The first 20 Beans can be used")


def test_units_that_are_not_there_yet_have_a_day_to_come_and_one_to_go(shop: Shop) -> None:
    customer = shop.add_customer("new@example.com")
    membership = shop.enroll(customer)
    shop.sell(customer, "P1", "10.00", days_ago=1)
    wallets = list(
        Wallet.objects.filter(account=membership.account_id).values_list("pk", flat=True)
    )

    changes = upcoming_changes(wallets, zone=ZONE, now=timezone.now())

    assert [(change.kind, change.units) for change in changes] == [("matures", 20), ("lapses", 20)]
    bought = (timezone.now() - dt.timedelta(days=1)).astimezone(ZONE).date()
    assert changes[0].day == bought + dt.timedelta(days=14)
    assert changes[1].day == add_months(bought, 12)


def test_units_that_wait_for_a_day_nobody_knows_are_on_the_way_without_one(shop: Shop) -> None:
    unit = {"singular": "Bean", "plural": "Beans", "pending_from": "fulfilled"}
    define_program(wallet_types=[unit])
    customer = shop.add_customer("waits@example.com")
    membership = shop.enroll(customer)
    shop.sell(customer, "W1", "10.00", days_ago=1, status="paid")

    summary = summarize_wallets(membership, timezone.now())[0]

    assert summary.pending.replace("\xa0", " ") == "20 Beans on the way"
    assert summary.upcoming == []


def test_units_that_last_as_long_as_something_happens_have_a_last_day_too(shop: Shop) -> None:
    unit = {"singular": "Bean", "plural": "Beans", "expiry": {"kind": "inactivity", "length": 6}}
    define_program(wallet_types=[unit])
    customer = shop.add_customer("idle@example.com")
    membership = shop.enroll(customer)
    shop.sell(customer, "I1", "10.00", days_ago=1)

    summary = summarize_wallets(membership, timezone.now())[0]

    assert [item.text.replace("\xa0", " ") for item in summary.upcoming] == [
        "Last day to use 20 Beans"
    ]


@pytest.mark.parametrize(
    ("policy", "blocks", "words"),
    [
        ("carry", False, "What you earn next settles this first; there is nothing to pay."),
        ("refuse_redemption_only", True, "Until this is settled nothing can be redeemed"),
    ],
)
def test_what_is_still_to_settle_is_told_as_it_is_treated(
    shop: Shop, policy: str, blocks: bool, words: str
) -> None:
    unit = {"singular": "Bean", "plural": "Beans"}
    define_program(wallet_types=[unit], debt_policy=policy)
    customer = shop.add_customer("owes@example.com")
    membership = shop.enroll(customer)
    shop.sell(customer, "O1", "10.00", days_ago=2)
    shop.adjust(membership, -15, "correction")
    shop.refund("R1", "O1", "10.00", days_ago=1)

    summary = summarize_wallets(membership, timezone.now())[0]

    assert summary.owed.replace("\xa0", " ") == "15 Beans still to settle"
    assert words in summary.owed_why
    assert get_balances(membership, timezone.now())[0].blocked is blocks


@pytest.mark.parametrize(
    ("units", "scale", "count"), [(1, 0, 1), (2, 0, 2), (100, 2, 1), (150, 2, 2), (0, 0, 0)]
)
def test_plural_rules_are_asked_about_whole_units(units: int, scale: int, count: int) -> None:
    assert plural_count(units, scale) == count


@pytest.mark.parametrize(
    ("language", "first", "last", "text"),
    [
        ("en", dt.date(2026, 11, 21), dt.date(2026, 11, 21), "Nov 21, 2026"),
        ("en", dt.date(2026, 11, 21), dt.date(2026, 11, 30), "Nov 21\u2009–\u200930, 2026"),
        ("zh-hans", dt.date(2026, 11, 21), dt.date(2026, 11, 30), "2026年11月21日至30日"),
    ],
)
def test_days_are_written_as_a_range(
    language: str, first: dt.date, last: dt.date, text: str
) -> None:
    with translation.override(language):
        assert format_days(first, last) == text
