"""What members look at is kept of those who agreed, once, for a while, and counted by days."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import BrowsingDay, BrowsingEvent, CartLine, Consent
from campaigns.selectors.consents import all_choices_of
from campaigns.services.browsing import Told, record_browsing
from campaigns.services.browsing_sums import rebuild_sums
from campaigns.services.forgotten_browsing import KIND
from members.models import Customer, OutboxEvent
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.job_runs import run_scheduled
from members.services.merging import merge_customers, undo_merge
from tests.campaigns.browsing import agree, keep, looked, put
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def ana(db: None) -> Customer:
    keep()
    customer: Customer = CustomerFactory(external_id="ana")
    agree(customer, now=NOW)
    return customer


def sums() -> list[tuple[Any, ...]]:
    rows = BrowsingDay.objects.order_by("customer", "what", "subject", "day")
    return list(rows.values_list("what", "subject", "day", "times", "last_at"))


def cart() -> dict[str, int]:
    return dict(CartLine.objects.order_by("sku").values_list("sku", "quantity"))


def test_a_batch_is_kept_once_and_counted_by_days(ana: Customer) -> None:
    for day, at in ((9, NOW - DAY), (10, NOW - HOUR), (10, NOW)):
        assert looked(ana, "MUG", at, category="Mugs", number=f"{at}", now=NOW) == "recorded"
        assert looked(ana, "MUG", at, category="Mugs", number=f"{at}", now=NOW) == "unchanged"
        assert BrowsingDay.objects.filter(day=dt.date(2026, 3, day)).exists()
    assert sums() == [
        ("category", "Mugs", dt.date(2026, 3, 9), 1, NOW - DAY),
        ("category", "Mugs", dt.date(2026, 3, 10), 2, NOW),
        ("product", "MUG", dt.date(2026, 3, 9), 1, NOW - DAY),
        ("product", "MUG", dt.date(2026, 3, 10), 2, NOW),
    ]


def test_the_same_twice_in_a_batch_is_kept_once(ana: Customer) -> None:
    told = [Told(ana.pk, "one", "searched", text, NOW) for text in ("Café blue", "other")]
    outcomes = record_browsing(told, now=NOW)
    assert [item.outcome for item in outcomes] == ["recorded", "unchanged"]
    assert [row[1] for row in sums()] == ["blue", "cafe"]


def test_of_a_cart_the_last_change_holds_whenever_it_is_told(ana: Customer) -> None:
    put(ana, "MUG", 2, NOW)
    put(ana, "TEA", 1, NOW)
    put(ana, "MUG", 0, NOW + HOUR)
    assert cart() == {"MUG": 0, "TEA": 1}
    told = Told(ana.pk, "late", "cart_updated", "MUG", NOW + HOUR / 2, quantity=5)
    assert record_browsing([told], now=NOW + DAY)[0].outcome == "recorded"
    assert cart() == {"MUG": 0, "TEA": 1}


def test_what_is_said_to_be_still_to_come_has_just_happened(ana: Customer) -> None:
    looked(ana, "MUG", NOW + 5 * DAY, now=NOW)
    assert BrowsingEvent.objects.get().occurred_at == NOW


def test_nothing_is_kept_without_a_yes_and_it_is_said_why(ana: Customer) -> None:
    ben = CustomerFactory()
    told = [
        Told(ben.pk, "a", "searched", "mug", NOW), Told(None, "b", "searched", "mug", NOW),
        Told(ana.pk, "c", "searched", "mug", NOW - 91 * DAY),
        Told(ana.pk, "d", "searched", "mug", NOW),
    ]  # fmt: skip
    assert [item.reason for item in record_browsing(told, now=NOW)] == [
        "no_consent", "unknown_customer", "too_old", "",
    ]  # fmt: skip
    assert BrowsingEvent.objects.get().external_id == "d"


def test_nothing_is_kept_nor_asked_where_the_merchant_does_not_want_it() -> None:
    ana = CustomerFactory()
    agree(ana, now=NOW)
    [outcome] = record_browsing([Told(ana.pk, "a", "searched", "mug", NOW)], now=NOW)
    assert (outcome.outcome, outcome.reason) == ("dropped", "off")
    assert "browsing" not in {choice.topic.code for choice in all_choices_of(ana)}
    keep()
    [choice] = [choice for choice in all_choices_of(ana) if choice.topic.code == "browsing"]
    assert choice.wanted


def test_who_takes_their_yes_back_is_forgotten_at_once(ana: Customer) -> None:
    ben = CustomerFactory()
    agree(ben, now=NOW)
    for one in (ana, ben):
        looked(one, "MUG", NOW)
        put(one, "MUG", 1, NOW)
    agree(ana, yes=False, now=NOW)
    for table in (BrowsingEvent, BrowsingDay, CartLine):
        assert set(table.objects.values_list("customer", flat=True)) == {ben.pk}
    assert looked(ana, "MUG", NOW) == "dropped"


def test_who_is_erased_is_forgotten_and_nothing_more_is_kept(ana: Customer) -> None:
    looked(ana, "MUG", NOW)
    put(ana, "MUG", 1, NOW)
    erase_customer_details(customer=ana, actor=SYSTEM)
    tables = (BrowsingEvent, BrowsingDay, CartLine)
    assert not any(table.objects.exists() for table in tables)
    assert Consent.objects.get(customer=ana, topic="browsing").state == "denied"
    assert looked(ana, "MUG", NOW) == "dropped"


def test_writing_asks_as_many_queries_whatever_is_told(ana: Customer) -> None:
    people = [ana, *CustomerFactory.create_batch(9)]
    agree(*people[1:], now=NOW)

    def queries(number: int) -> int:
        told = [
            Told(people[n % 10].pk, f"{number}-{n}", "product_viewed", f"S{n}", NOW, category="C")
            for n in range(number)
        ]
        with CaptureQueriesContext(connection) as found:
            record_browsing(told, now=NOW)
        return len(found)

    queries(2)  # the merchant is there from then on
    assert {queries(number) for number in (1, 20, 100)} == {9}


def test_what_was_kept_long_enough_is_forgotten_piece_by_piece(
    ana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.services.forgotten_browsing.PIECE", 2)
    keep(days=30)
    for days in range(5):
        looked(ana, f"S{days}", NOW - days * DAY, now=NOW)
    put(ana, "OLD", 1, NOW - 3 * DAY)
    later = NOW + 28 * DAY
    job = run_scheduled(kind=KIND, now=later)
    assert job is not None
    # Two looks and a cart, a day of each, and what lies in it.
    assert job.result == {"forgotten": 7}
    assert sorted(BrowsingEvent.objects.values_list("subject", flat=True)) == ["S0", "S1", "S2"]
    assert {row[1] for row in sums()} == {"S0", "S1", "S2"}
    assert cart() == {}
    assert run_scheduled(kind=KIND, now=later) is None


def test_sums_are_what_was_told_event_by_event(ana: Customer) -> None:
    for number in range(30):
        at = NOW - number * 7 * HOUR
        looked(ana, f"S{number % 4}", at, category=f"C{number % 3}", now=NOW)
        looked(ana, "blue mug", at, kind="searched", now=NOW)
        put(ana, f"S{number % 5}", number % 3, at)
    before, lines = sums(), cart()
    rebuild_sums([ana.pk], now=NOW)
    assert (sums(), cart()) == (before, lines)


def test_merged_customers_are_one_and_parted_ones_two(ana: Customer) -> None:
    ben = CustomerFactory()
    agree(ben, now=NOW)
    looked(ana, "MUG", NOW, number="same")
    looked(ben, "MUG", NOW, number="same")
    looked(ben, "MUG", NOW)
    put(ben, "TEA", 1, NOW)
    before = list(BrowsingDay.objects.filter(customer=ben).values_list("what", "subject", "times"))
    merge, _new = merge_customers(
        kept=ana, merged=ben, actor=SYSTEM, source="backoffice", now=timezone.now()
    )
    assert not BrowsingEvent.objects.filter(customer=ben).exists()
    assert BrowsingDay.objects.get(customer=ana, what="product").times == 2
    assert CartLine.objects.get(customer=ana).sku == "TEA"
    undo_merge(merge=merge, actor=SYSTEM, source="backoffice", now=timezone.now())
    assert BrowsingDay.objects.get(customer=ana).times == 1
    after = BrowsingDay.objects.filter(customer=ben).values_list("what", "subject", "times")
    assert [row[:2] for row in after] == [row[:2] for row in before]
    assert CartLine.objects.get(customer=ben).sku == "TEA"


def test_what_was_kept_by_the_yes_of_the_other_goes_with_it(ana: Customer) -> None:
    kept = CustomerFactory()
    looked(ana, "MUG", NOW)
    merge, _new = merge_customers(
        kept=kept, merged=ana, actor=SYSTEM, source="backoffice", now=timezone.now()
    )
    looked(kept, "TEA", NOW)
    undo_merge(merge=merge, actor=SYSTEM, source="backoffice", now=timezone.now())
    seen = BrowsingEvent.objects.values_list("customer", "subject")
    assert list(seen) == [(ana.pk, "MUG")]
    assert not BrowsingDay.objects.filter(customer=kept).exists()


def test_a_no_of_either_forgets_what_both_looked_at(ana: Customer) -> None:
    ben = CustomerFactory()
    agree(ben, yes=False, now=NOW)
    looked(ana, "MUG", NOW)
    merge_customers(kept=ana, merged=ben, actor=SYSTEM, source="backoffice", now=timezone.now())
    assert not BrowsingEvent.objects.exists()
    assert not BrowsingDay.objects.exists()


def test_a_batch_says_once_whose_facts_are_others(ana: Customer) -> None:
    OutboxEvent.objects.all().delete()
    told = [Told(ana.pk, f"{n}", "searched", "mug", NOW) for n in range(5)]
    for _again in range(2):
        record_browsing(told, now=NOW)
    event = OutboxEvent.objects.get()
    assert (event.kind, event.payload) == ("browsing.heard", {"customers": [ana.pk]})
