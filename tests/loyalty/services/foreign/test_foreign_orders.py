"""Orders in another currency than the program's: by which rate they count, and that it stays."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.explanations import explain_transfer
from loyalty.models import (
    ExchangeRate,
    MissingRate,
    Order,
    OrderConversion,
    Transfer,
)
from loyalty.selectors.programs import definition_of
from loyalty.services.claims import claim_order, unclaim_order
from loyalty.services.exchange_rates import RateInput, delete_rate, put_rates
from loyalty.services.judgments import explain_order
from loyalty.services.kept_orders import judge_kept_orders
from loyalty.services.programs import apply_definition
from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    line,
    make_program,
    moves,
    order,
    record,
    refund,
    returned,
    spendable,
)
from tests.loyalty.services.foreign.rates import TODAY, rate, set_policy


def test_an_order_counts_at_the_rate_of_its_day(club):
    rate("0.90", days=-3)
    kept = rate("0.92", days=0)
    rate("0.95", days=1)
    record(order(total="120"))
    assert spendable() == 110
    row = OrderConversion.objects.get()
    assert (row.program, row.currency, row.rate) == (club, "EUR", Decimal("0.92"))
    assert (row.source, row.exchange_rate, row.dated, row.told_by) == ("table", kept, TODAY, "Bank")


def test_the_day_is_that_of_the_program(db):
    make_program("tokyo", currency="JPY", time_zone="Asia/Tokyo", at=day(-30))
    rate("149", given="USD", wanted="JPY")
    rate("150", given="USD", wanted="JPY", days=1)
    # Sixteen hours UTC is the next day in Tokyo.
    record(order(total="10", at=NOW.replace(hour=16)))
    assert OrderConversion.objects.get(currency="JPY").rate == 150


def test_a_rate_that_came_with_the_order_goes_before_the_table(club):
    rate("0.92")
    record(order(total="120", rates=(("EUR", Decimal("0.5")),)))
    assert spendable() == 60
    row = OrderConversion.objects.get()
    assert (row.source, row.exchange_rate, row.dated) == ("order", None, None)


def test_where_only_the_other_way_is_known_its_inverse_counts(club):
    rate("1.25", given="EUR", wanted="USD")
    record(order(total="100"))
    row = OrderConversion.objects.get()
    assert (spendable(), row.rate, row.inverse) == (80, Decimal("0.8"), True)


@pytest.mark.parametrize(("days", "taken"), [(-7, True), (-8, False), (1, False)])
def test_a_rate_counts_for_a_week(club, days, taken):
    rate("0.92", days=days)
    if taken:
        record(order(total="100"))
        assert spendable() == 92
        return
    with pytest.raises(DomainError) as refused:
        record(order(total="100"))
    (error,) = refused.value.errors
    assert (error.field, error.code) == ("currency", "no_rate")
    assert str(refused.value) == "There is no exchange rate from USD to EUR for Mar 15, 2024."
    assert "Settings → Exchange rates" in error.message
    assert not Order.objects.exists()
    rate("0.92")
    record(order(total="100"))
    assert spendable() == 92


def test_a_refund_goes_by_the_rate_of_its_order_whatever_the_table_says_later(club):
    rate("0.92")
    record(order(total="100"))
    rate("0.50")
    rate("2", days=1)
    give_back(refund("R1", "50", of="A1", at=day(1)))
    assert spendable(at=day(1)) == 46
    give_back(refund("R2", "50", of="A1", at=day(2)))
    assert spendable(at=day(2)) == 0
    assert moves() == [("accrual", 92), ("clawback", -46), ("clawback", -46)]


def test_lines_that_come_back_go_by_it_too(club):
    rate("0.333")
    record(order(total="100", lines=(line(1, "60", sku="S1"), line(2, "40", sku="S2"))))
    assert spendable() == 33
    rate("3")
    give_back(refund("R1", "60", of="A1", at=day(1), lines=(returned(1, "60", sku="S1"),)))
    assert spendable(at=day(1)) == 13


def test_a_return_that_stands_for_itself_goes_by_the_rate_of_its_order(db, club):
    definition = definition_of(club, NOW).model_copy(update={"linked_returns": "own_amount"})
    apply_definition(definition, actor=SYSTEM, now=day(-20))
    rate("0.92")
    record(order(total="100"))
    rate("2")
    give_back(refund("R1", "25", of="A1", at=day(1)))
    assert spendable(at=day(1)) == 92 - 23


def test_the_same_message_changes_nothing_and_another_amount_goes_by_the_first_rate(club):
    rate("0.92")
    assert record(order(total="100"))[0].outcome == "created"
    rate("0.50")
    again = order(total="100", rates=(("EUR", Decimal(3)),))
    assert record(again)[0].outcome == "unchanged"
    record(order(total="200"), now=day(1))
    assert spendable(at=day(1)) == 184
    assert OrderConversion.objects.get().rate == Decimal("0.92")


def test_a_canceled_order_is_nothing_and_back_again_as_it_was(club):
    rate("0.92")
    record(order(total="100"))
    rate("0.10")
    record(order(total="100", status="cancelled"), now=day(1))
    assert spendable(at=day(1)) == 0
    record(order(total="100"), now=day(2))
    assert spendable(at=day(2)) == 92


def test_the_reasons_tell_the_rate(club):
    rate("0.92", source="ECB")
    record(order(total="120"))
    explained = explain_transfer(Transfer.objects.get())
    texts = [f"{step.text}: {step.value}" for step in explained.why]
    assert "Order in USD: $120.00 × 0.92 = €110.40" in texts[0]
    assert any("Exchange rate: rate of Mar 15, 2024, ECB" in text for text in texts[:2])


def test_a_guest_order_keeps_the_rate_that_came_with_it(club):
    record(order(total="100", buyer=None, rates=(("EUR", Decimal("0.5")),)))
    customer = Customer.objects.create(external_id="c1")
    claim_order(
        order=Order.objects.get(), customer=customer, actor=SYSTEM, source="backoffice", now=day(1)
    )
    assert spendable(at=day(1)) == 50


def test_a_claimed_order_that_is_unclaimed_may_be_claimed_again(club):
    rate("0.92")
    record(order(total="100", buyer=None))
    ann, ben = (Customer.objects.create(external_id=number) for number in ("ann", "ben"))
    claim(ann, day(1))
    kept = Order.objects.get()
    unclaim_order(order=kept, actor=SYSTEM, source="backoffice", now=day(2))
    assert not OrderConversion.objects.exists()
    claim(ben, day(3))
    assert (spendable("ann", day(3)), spendable("ben", day(3))) == (0, 92)
    assert OrderConversion.objects.get().rate == Decimal("0.92")


def claim(customer, at):
    claim_order(order=Order.objects.get(), customer=customer, actor=SYSTEM, source="backoffice",
                now=at)  # fmt: skip


def test_an_order_from_before_the_program_converts_goes_on_counting_for_nothing(club):
    make_program("home", name="Home", currency="USD", at=day(-30))
    set_policy(club, "refuse")
    rate("0.92")
    record(order(total="100"))
    set_policy(club, "convert")
    record(order(total="100", status="fulfilled"), now=day(1))
    give_back(refund("R1", "50", of="A1", at=day(2)))
    assert moves() == [("accrual", 100), ("clawback", -50)]
    record(order("A2", total="10", at=day(3)))
    assert sorted(moves())[:2] == [("accrual", 9), ("accrual", 10)]


def test_an_order_that_counts_nothing_says_which_of_the_two_reasons_it_was(club):
    make_program("home", name="Home", currency="USD", at=day(-30))
    record(order("A1", total="100"))
    set_policy(club, "refuse")
    record(order("A2", total="100", rates=(("EUR", Decimal("0.9")),)))
    set_policy(club, "convert")
    found = {}
    for kept in Order.objects.all():
        for judgment in explain_order(kept):
            if judgment.name == "Club":
                found[kept.external_id] = judgment.reason
    assert found == {
        "A1": "There was no exchange rate from USD to EUR for its day when it came.",
        "A2": "When it came the program counted orders in EUR only.",
    }


def test_a_claimed_order_without_a_rate_says_so(club):
    record(order(total="100", buyer=None))
    claim(Customer.objects.create(external_id="ann"), day(1))
    [judgment] = explain_order(Order.objects.get())
    assert "no exchange rate from USD to EUR" in judgment.reason
    unclaim_order(order=Order.objects.get(), actor=SYSTEM, source="backoffice", now=day(2))
    assert not MissingRate.objects.exists()


def test_a_rate_that_comes_late_moves_no_order_that_had_none(club):
    make_program("home", name="Home", currency="USD", at=day(-30))
    record(order(total="100"))
    rate("0.92")
    again = order(total="100", status="fulfilled", rates=(("EUR", Decimal(2)),))
    record(again, now=day(1))
    give_back(refund("R1", "50", of="A1", at=day(2)))
    assert moves() == [("accrual", 100), ("clawback", -50)]


def test_an_order_that_is_imported_into_a_program_counts_whoever_judged_it_before(club):
    make_program("home", name="Home", currency="USD", at=day(-30))
    record(order(total="100"))
    rate("0.92")
    [kept] = Order.objects.values_list("pk", flat=True)
    judged = judge_kept_orders([kept], program=club, now=day(1), transfer_source="import")
    assert judged == {kept}
    assert moves() == [("accrual", 100), ("accrual", 92)]


def test_a_rate_that_comes_with_the_same_message_again_is_kept(club):
    record(order(total="100", buyer=None, rates=(("EUR", Decimal("0.5")),)))
    again = order(total="100", buyer=None, rates=(("EUR", Decimal("0.6")),))
    assert record(again, now=day(0.1))[0].outcome == "unchanged"
    claim(Customer.objects.create(external_id="c1"), day(1))
    assert spendable(at=day(1)) == 60


def test_rates_of_an_outdated_message_are_not_kept(club):
    record(order(total="100", buyer=None, sequence=2, rates=(("EUR", Decimal("0.5")),)))
    old = order(total="90", buyer=None, sequence=1, rates=(("EUR", Decimal("0.6")),))
    assert record(old, now=day(0.1))[0].outcome == "outdated"
    claim(Customer.objects.create(external_id="c1"), day(1))
    assert spendable(at=day(1)) == 50


def test_a_program_that_refuses_does_not_convert(club):
    rate("0.92")
    set_policy(club, "refuse")
    with pytest.raises(DomainError) as refused:
        record(order(total="100"))
    assert refused.value.errors[0].code == "currency_mismatch"


def test_what_was_converted_stays_so_when_the_program_refuses_later(club):
    rate("0.92")
    record(order(total="100"))
    set_policy(club, "refuse")
    give_back(refund("R1", "50", of="A1", at=day(1)))
    assert spendable(at=day(1)) == 46


def test_each_program_counts_in_its_own_currency(club):
    make_program("home", name="Home", currency="USD", at=day(-30))
    home = make_program("shy", name="Shy", currency="GBP", foreign_orders="refuse", at=day(-30))
    rate("0.92")
    record(order(total="100"))
    assert sorted(moves()) == [("accrual", 92), ("accrual", 100)]
    assert not home.memberships.get().evaluations.exists()


def test_without_a_rate_an_order_still_counts_in_programs_of_its_currency(club):
    make_program("home", name="Home", currency="USD", at=day(-30))
    record(order(total="100"))
    assert moves() == [("accrual", 100)]


def test_a_rate_that_was_used_stays(club):
    used, unused = rate("0.92"), rate("0.93", days=1)
    record(order(total="100"))
    with pytest.raises(ConflictError):
        delete_rate(rate=used, actor=SYSTEM)
    delete_rate(rate=unused, actor=SYSTEM)
    assert list(ExchangeRate.objects.all()) == [used]


def test_a_rate_that_was_used_is_told_from_others_by_one_look(club):
    used = rate("0.92")
    record(*(order(f"A{number}", "100") for number in range(3)))
    with CaptureQueriesContext(connection) as asked, pytest.raises(ConflictError):
        delete_rate(rate=used, actor=SYSTEM)
    looks = [query["sql"] for query in asked if "loyalty_orderconversion" in query["sql"]]
    assert [sql.endswith("LIMIT 1") for sql in looks] == [True]


def test_trying_rates_locks_none_of_them(club):
    rate("0.92")
    with CaptureQueriesContext(connection) as asked:
        said = [RateInput("USD", "EUR", TODAY, Decimal("0.93"))]
        assert put_rates(said, actor=SYSTEM, now=NOW, trying=True) == ["changed"]
    assert not [query for query in asked if " FOR " in query["sql"]]


def test_new_rates_are_written_together(club):
    rate("0.92")
    days = [TODAY + dt.timedelta(days=number) for number in range(5)]
    said = [RateInput("USD", "EUR", on, Decimal("0.93")) for on in days]
    with CaptureQueriesContext(connection) as asked:
        assert put_rates(said, actor=SYSTEM, now=NOW) == ["changed", *["created"] * 4]
    inserts = [query for query in asked if 'INSERT INTO "loyalty_exchangerate"' in query["sql"]]
    assert (len(inserts), ExchangeRate.objects.count()) == (1, 5)
    assert AuditEntry.objects.filter(action="exchange_rate.created").count() == 5


def test_orders_in_the_programs_currency_ask_for_no_rate(club):
    record(order("A0", currency="EUR"))
    with CaptureQueriesContext(connection) as asked:
        record(order("A1", currency="EUR"), order("A2", currency="EUR"))
    assert not [query for query in asked if "exchangerate" in query["sql"]]
    assert not [query for query in asked if "conversion" in query["sql"].lower()
                and "countedorder" not in query["sql"]]  # fmt: skip


def test_a_batch_asks_for_its_rates_once(club):
    rate("0.92", days=-1)
    rate("0.0061", given="JPY")
    record(order("A0", "10"))
    with CaptureQueriesContext(connection) as asked:
        record(*(order(f"A{n}", "10", at=day(n / 100), currency=("USD", "JPY")[n % 2])
                 for n in range(1, 20)))  # fmt: skip
    assert len([query for query in asked if 'FROM "loyalty_exchangerate"' in query["sql"]]) == 1
