"""What adds up orders adds up what they come to in the program's currency."""

import datetime as dt
from decimal import Decimal

import pytest

from loyalty.models import (
    Membership,
)
from loyalty.rules.events import Person, Sale, in_order
from loyalty.rules.events import Program as RulesProgram
from loyalty.rules.history import History
from loyalty.selectors.behavior import spent_between
from loyalty.selectors.goal_metrics import measure
from loyalty.selectors.replayed_orders import Stretch, customer_ranges, replayed_customers
from loyalty.services.quotes import quote_order
from loyalty.services.totals import rebuild_days
from members.models import Customer
from tests.loyalty.factories import (
    day,
    give_back,
    make_program,
    order,
    record,
    refund,
)
from tests.loyalty.services.foreign.rates import TODAY, rate, spendable_of, tier_of


def test_a_threshold_over_several_orders_adds_up_what_they_come_to(db):
    make_program("goal", currency="EUR", at=day(-30), earning_rules=[
        {"kind": "threshold_bonus", "reach": "100", "window": "month", "units": 50}])  # fmt: skip
    rate("0.5")
    record(order("A1", "150"))
    assert spendable_of("goal") == 0
    record(order("A2", "25", currency="EUR"))
    assert spendable_of("goal") == 50


def test_tiers_count_what_orders_come_to(db, club):
    ladder = {"tiers": [{"code": "base", "name": "Base"},
                        {"code": "silver", "name": "Silver", "threshold": 100}]}  # fmt: skip
    tiered = make_program("tiered", name="Tiered", currency="EUR", tiers=ladder, at=day(-30))
    rate("0.5")
    record(order("A1", "199"))
    assert tier_of(tiered) == "base"
    record(order("A2", "1"), now=day(1))
    assert tier_of(tiered, day(1)) == "silver"
    rate("9")
    give_back(refund("R1", "1", of="A2", at=day(2)))
    assert tier_of(tiered, day(2)) == "base"


def test_a_quote_says_what_it_would_earn_here(club):
    assert quote_order(order(total="100")) == []
    rate("0.92")
    [quote] = quote_order(order(total="100"))
    assert [quoted.award.units for quoted in quote.awards] == [92]
    assert quote.discounted.basket.total == 92
    [told] = quote_order(order(total="100", rates=(("EUR", Decimal("0.5")),)))
    assert [quoted.award.units for quoted in told.awards] == [50]


def test_a_backtest_replays_orders_at_the_rate_they_were_converted_by(club):
    rate("0.92")
    record(order("A1", "100"), order("A2", "100"))
    rate("0.10")
    give_back(refund("R1", "50", of="A2", at=day(1)))
    stretch = Stretch(club, day(-1), day(2))
    [(first, last, _orders)] = customer_ranges(day(-1), day(2))
    [replayed] = replayed_customers(stretch, first, last)
    sales = [event for event in replayed.events if isinstance(event, Sale)]
    assert [(sale.judged, sale.occasion.basket.total) for sale in sales] == [(True, 92)] * 2
    assert [sale.occasion.as_told.total for sale in sales] == [100, 100]


SPENT_100 = {"name": "More", "kind": "fixed", "units": 7,
             "when": {"field": "behavior.spend", "op": "at_least", "value": 100}}  # fmt: skip


@pytest.mark.parametrize("together", [True, False])
def test_what_a_buyer_spent_before_is_as_told_also_in_the_same_batch(db, together):
    make_program("more", currency="EUR", at=day(-30), earning_rules=[SPENT_100])
    rate("0.5")
    orders = [order("A1", "100"), order("A2", "10", at=day(0.1))]
    for batch in [orders] if together else [[one] for one in orders]:
        record(*batch)
    assert spendable_of("more", day(1)) == 7


def test_a_backtest_adds_up_what_a_buyer_did_as_it_was_told(club):
    rate("0.5")
    record(order("A1", "100"))
    give_back(refund("R1", "40", of="A1", at=day(1)))
    [(first, last, _orders)] = customer_ranges(day(-1), day(2))
    [replayed] = replayed_customers(Stretch(club, day(-1), day(2)), first, last)
    history = History(
        RulesProgram(dt.UTC, "EUR"), Person(), with_behavior=True, with_spent=True,
        with_joined=False,
    )  # fmt: skip
    for event in in_order(replayed.events):
        history.note(event)
    history.reach(day(2))
    assert (history.behavior.spend, history.spent_before(day(2))) == (60, 30)


def test_key_figures_add_up_what_orders_come_to(club):
    rate("0.5")
    record(order("A1", "100"), order("A2", "30", currency="EUR"))
    rate("9")
    give_back(refund("R1", "20", of="A1", at=day(0.1)))
    today = TODAY + dt.timedelta(days=1)
    assert measure(club, "member_revenue", today, day(2)) == 70
    assert measure(club, "average_order", today, day(2)) == 35
    assert measure(club, "purchases_per_member", today, day(2)) == 2


def test_shares_of_all_buyers_are_of_orders_in_the_own_currency_alone(db):
    worth = make_program("worth", currency="EUR", unit={"unit_value": "0.01"}, at=day(-30))
    rate("0.5")
    record(order("A0", "30", buyer="c2", currency="EUR"))
    Membership.objects.filter(customer__external_id="c2").update(status="left")
    record(order("A1", "100"))
    record(order("G1", "100", buyer=None), order("G2", "70", buyer=None, currency="EUR"))
    give_back(
        refund("R1", "20", of="A1", at=day(0.1)),
        refund("R2", "20", of="G2", at=day(0.1), currency="EUR"),
    )
    rebuild_days({worth.wallet_types.get().pk: [TODAY]})
    # Whoever bought in dollars alone is on neither side; 80 € were bought and kept.
    assert measure(worth, "enrollment_share", TODAY, day(2)) == 0
    assert measure(worth, "liability_share", TODAY, day(2)) == Decimal("0.875")


def test_what_was_spent_before_in_a_year_adds_up_converted_orders(club):
    shy = make_program("shy", name="Shy", currency="EUR", foreign_orders="refuse", at=day(-30))
    rate("0.5")
    record(order("A1", "100"), order("A2", "30", currency="EUR"))
    give_back(refund("R1", "20", of="A1", at=day(0.1)))
    who = Customer.objects.get().pk
    wanted = [(who, day(-1), day(1), program.pk) for program in (club, shy)]
    assert spent_between(wanted, currency="EUR") == [70, 30]
