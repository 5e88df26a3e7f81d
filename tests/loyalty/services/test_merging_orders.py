"""What is bought and given back before a merge, in between and after it: one person bought it."""

import datetime as dt

import pytest

from loyalty.models import (
    CapCounter,
    Lot,
    Order,
    Refund,
    Transfer,
)
from loyalty.selectors.pools import pool_balances
from loyalty.services.expiry import write_down_expired
from loyalty.services.lots import extend_lot
from loyalty.services.merged_caps import part_caps
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.policy_changes import apply_policy_change
from loyalty.services.pools import PoolTerms, create_pool
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    spendable,
)
from tests.loyalty.services.merging import (
    MONTH,
    YEAR,
    buy,
    customer,
    holds,
    membership,
    merge,
    part,
    wallet,
)


@pytest.fixture
def both(program):
    """Two records of one person: 100 units and 40."""
    buy("A1", "100", "c1")
    buy("B1", "40", "c2")


def test_a_refund_of_the_merged_customers_order_takes_its_own_units_first(db):
    make_program(unit={"expiry": YEAR})
    buy("A1", "100", "c1", at=-60)
    buy("B1", "40", "c2", at=-10)
    buy("B2", "20", "c2", at=-5)
    merge()
    give_back(refund("R1", "15", of="B1", at=day(1)))
    left = Lot.objects.filter(wallet=wallet("c1")).order_by("origin")
    assert [lot.remaining for lot in left] == [100, 25, 20]
    taken = Transfer.objects.get(kind="clawback")
    assert (taken.amount, taken.wallet, taken.corrects.wallet) == (15, wallet("c1"), wallet("c2"))


def test_a_refund_takes_exactly_what_the_net_basket_no_longer_earns(db):
    make_program(earning_rules=[{"per": "10"}])
    record(order("B1", "99", buyer="c2"), order("A1", "50", buyer="c1"))
    merge()
    give_back(refund("R1", "8", of="B1"))
    assert spendable("c1") == 14
    give_back(refund("R2", "2", of="B1"))
    assert spendable("c1") == 13


def test_what_expired_before_the_merge_is_no_debt_after_it(db):
    make_program(unit={"expiry": MONTH})
    buy("B1", "40", "c2", at=-60)
    buy("B2", "30", "c2", at=-20)
    buy("A1", "10", "c1")
    write_down_expired(NOW)
    merge()
    assert holds("c1") == (40, 0, 0)
    give_back(refund("R1", "40", of="B1", at=day(1)))
    assert (holds("c1", day(1)), holds("c2", day(1))) == ((40, 0, 0), (0, 0, 0))
    give_back(refund("R2", "30", of="B2", at=day(2)))
    assert holds("c1", day(2)) == (10, 0, 0)


def test_what_expired_while_they_were_merged_is_no_debt_once_they_part(db):
    make_program(unit={"expiry": MONTH})
    buy("B1", "40", "c2", at=-20)
    buy("A1", "10", "c1", at=-1)
    done = merge()
    write_down_expired(day(20))
    part(done, now=day(20))
    give_back(refund("R1", "40", of="B1", at=day(21)))
    assert (holds("c1", day(21)), holds("c2", day(21))) == ((10, 0, 0), (0, 0, 0))


def test_a_refund_partly_of_expired_units_takes_the_rest_from_what_is_there(db):
    make_program(unit={"expiry": MONTH})
    buy("B1", "40", "c2", at=-40)
    adjust(wallet("c2"), -25, "spent", now=day(-35))
    buy("A1", "100", "c1", at=-1)
    merge()
    give_back(refund("R1", "40", of="B1", at=day(1)))
    assert (holds("c1", day(1)), holds("c2", day(1))) == ((75, 0, 0), (0, 0, 0))
    give_back(refund("R1", "40", of="B1", at=day(1)))
    assert holds("c1", day(1)) == (75, 0, 0)


def test_orders_and_refunds_under_the_old_number_go_to_who_is_kept(both):
    merge()
    buy("B2", "10", "c2", at=1)
    give_back(refund("R1", "4", buyer="c2", at=day(2)))
    give_back(refund("R2", "5", of="B1", at=day(2)))
    record(order("B3", "1", customer=CustomerRef(key=customer("c2").pk), at=day(2)))
    assert spendable("c1", day(2)) == 142
    assert not Order.objects.filter(customer=customer("c2")).exists()
    assert not Refund.objects.filter(customer=customer("c2")).exists()


def test_orders_that_came_go_back_and_later_ones_stay(both):
    give_back(refund("R0", "10", of="B1"))
    done = merge()
    buy("B2", "10", "c2", at=1)
    part(done, now=day(2))
    owners = dict(Order.objects.values_list("external_id", "customer__external_id"))
    assert owners == {"A1": "c1", "B1": "c2", "B2": "c1"}
    assert Refund.objects.get().customer == customer("c2")
    assert (spendable("c1", day(2)), spendable("c2", day(2))) == (110, 30)
    # What was bought in between may go on being named after either.
    record(order("B2", "8", buyer="c2", at=day(1)), now=day(3))
    give_back(refund("R2", "3", of="B2", at=day(3), buyer="c2"))
    assert (spendable("c1", day(3)), spendable("c2", day(3))) == (105, 30)


def test_an_order_stays_known_under_a_number_whose_customer_was_somebody_who_is_somebody_else(
    program,
):
    for number in ("c0", "c1", "c2"):
        make_wallet(program, number)
    first = merge("c2", "c0")
    buy("Later", "30", "c0", at=1)
    part(first, now=day(2))
    merge("c1", "c2", now=day(3))
    # Bought by c0 while they were c2, who is c1 now.
    [found] = record(order("Later", "20", buyer="c0", at=day(1)), now=day(4))
    assert (found.outcome, holds("c1", day(4)), holds("c0", day(4))) == (
        "updated", (20, 0, 0), (0, 0, 0)
    )  # fmt: skip
    give_back(refund("R1", "5", of="Later", buyer="c0", at=day(5)))
    assert holds("c1", day(5)) == (15, 0, 0)


def test_what_came_and_was_spent_is_spent(both):
    done = merge()
    adjust(wallet("c1"), -120, "spent")
    part(done)
    assert (spendable("c1"), spendable("c2")) == (0, 20)


def test_what_their_orders_earned_meanwhile_goes_back_too(both):
    done = merge()
    record(order("B1", "55", buyer="c2"), now=day(1))
    assert spendable("c1", day(1)) == 155
    part(done, now=day(2))
    assert (spendable("c1", day(2)), spendable("c2", day(2))) == (100, 55)
    give_back(refund("R1", "55", of="B1", at=day(3)))
    assert (holds("c1", day(3)), holds("c2", day(3))) == ((100, 0, 0), (0, 0, 0))


def test_a_held_order_that_is_called_off_takes_its_pending_units(db):
    make_program(unit={"pending_days": 30})
    buy("B1", "40", "c2")
    buy("A1", "10", "c1")
    merge()
    record(order("B1", "40", buyer="c2", status="cancelled"), now=day(1))
    assert holds("c1", day(1)) == (0, 10, 0)


# --- What counts over several orders ----------------------------------------------------------


def test_what_a_person_may_earn_at_most_is_counted_over_both(db):
    make_program(earning_rules=[{"caps": {"per_member": 100, "period": "month"}}])
    buy("A1", "80", "c1")
    buy("B1", "70", "c2")
    done = merge()
    buy("B2", "50", "c2", at=1)
    assert spendable("c1", day(1)) == 150
    # An order keeps what it was given, though both together earned more than one may.
    record(order("A1", "79", buyer="c1"), now=day(1))
    give_back(refund("R1", "30", of="B1", at=day(1)))
    assert spendable("c1", day(1)) == 119
    part(done, now=day(2))
    used = dict(CapCounter.objects.values_list("membership__customer__external_id", "used"))
    assert used == {"c1": 79, "c2": 40}


def test_what_a_person_may_earn_in_several_periods_is_counted_apart(db):
    make_program(earning_rules=[{"caps": {"per_member": {"day": 60, "lifetime": 100}}}])
    buy("A1", "50", "c1")
    buy("B1", "30", "c2")
    done = merge()
    buy("B2", "50", "c2")
    buy("B3", "90", "c2", at=1)
    assert spendable("c1", day(1)) == 100
    part(done, now=day(2))
    used = CapCounter.objects.values_list("membership__customer__external_id", "period", "used")
    # What came since stays with who is left.
    assert set(used) == {
        ("c1", "day", 50), ("c1", "day", 20), ("c1", "lifetime", 70), ("c2", "day", 30),
        ("c2", "lifetime", 30),
    }  # fmt: skip


def test_a_merge_of_before_there_were_several_periods_is_parted_in_the_one_it_was_of(db):
    program = make_program(earning_rules=[{"caps": {"per_member": {"week": 60, "month": 100}}}])
    buy("A1", "50", "c1")
    buy("B1", "30", "c2")
    rule, began = program.earning_rules.get(), dt.date(2026, 6, 1)
    buy("C1", "10", "c3")
    taker, giver, other = map(membership, ("c1", "c2", "c3"))
    CapCounter.objects.all().delete()
    for who, period, used in ((other, "week", 5), (giver, "month", 30), (taker, "month", 80)):
        CapCounter.objects.create(
            rule=rule, membership=who, period=period, period_start=began, used=used
        )
    noted = [[rule.pk, began.isoformat(), 30]]
    part_caps(giver, taker, noted, orders=[], activities=[], after=0)
    counted = CapCounter.objects.values_list("membership", "period", "used")
    assert set(counted) == {
        (other.pk, "week", 5), (giver.pk, "month", 30), (taker.pk, "month", 50),
    }  # fmt: skip


SPEND_100 = {"kind": "threshold_bonus", "reach": 100, "units": 10, "window": "month"}


def test_a_bonus_that_one_person_gets_once_is_kept_once(db):
    make_program(earning_rules=[SPEND_100])
    buy("A1", "120", "c1")
    buy("B1", "150", "c2")
    buy("B2", "10", "c2", at=1)
    assert (spendable("c1"), spendable("c2")) == (10, 10)
    done = merge(now=day(1))
    assert holds("c1", day(1)) == (10, 0, 0)
    # Either order alone carries it: both have to come back.
    give_back(refund("R1", "120", of="A1", at=day(2)))
    assert holds("c1", day(2)) == (10, 0, 0)
    give_back(refund("R2", "100", of="B1", at=day(3)))
    assert holds("c1", day(3)) == (0, 0, 0)
    part(done, now=day(4))
    assert (holds("c1", day(4)), holds("c2", day(4))) == ((0, 0, 0), (0, 0, 0))


def test_what_both_spent_counts_together_until_they_part(db):
    make_program(earning_rules=[SPEND_100])
    buy("A1", "60", "c1")
    buy("B1", "50", "c2")
    done = merge()
    assert holds("c1") == (10, 0, 0)
    buy("B2", "60", "c2", at=1)
    part(done, now=day(2))
    # What was bought meanwhile stays: 60 + 60 of one, 50 of the other.
    assert (holds("c1", day(2)), holds("c2", day(2))) == ((10, 0, 0), (0, 0, 0))
    buy("B3", "50", "c2", at=3)
    assert holds("c2", day(3)) == (10, 0, 0)
    again = merge(now=day(4))
    assert holds("c1", day(4)) == (10, 0, 0)
    part(again, now=day(5))
    assert (holds("c1", day(5)), holds("c2", day(5))) == ((10, 0, 0), (10, 0, 0))


def test_an_order_that_came_to_something_only_while_they_were_merged_counts_alone_again(db):
    make_program(earning_rules=[SPEND_100])
    record(order("B1", "120", buyer="c2", status="cancelled"))
    buy("A1", "30", "c1")
    done = merge()
    record(order("B1", "120", buyer="c2"), now=day(1))
    assert holds("c1", day(1)) == (10, 0, 0)
    part(done, now=day(2))
    assert (holds("c1", day(2)), holds("c2", day(2))) == ((0, 0, 0), (10, 0, 0))
    give_back(refund("R1", "30", of="B1", at=day(3)))
    buy("A2", "60", "c1", at=3)
    assert (holds("c1", day(3)), holds("c2", day(3))) == ((0, 0, 0), (0, 0, 0))


# --- When the units of an order mature ------------------------------------------------------------

WAITING = {"pending_from": "fulfilled", "pending_days": 0}


def waiting(length: int) -> dict[str, object]:
    return WAITING | {"expiry": {"kind": "days", "length": length, "counted_from": "maturity"}}


def test_terms_that_were_applied_to_waiting_units_go_along(db):
    make_wallet(make_program(unit=waiting(20)), "c1")
    record(order("B1", "40", buyer="c2", status="placed"))
    program = make_program(unit=waiting(100), at=day(1))
    apply_policy_change(program.wallet_types.get(), after=0, actor_id=None, note="", now=day(1))
    merge(now=day(2))
    record(order("B1", "40", buyer="c2", status="fulfilled", fulfilled_at=day(3)), now=day(3))
    assert (holds("c1", day(102)), holds("c1", day(105))) == ((40, 0, 0), (0, 0, 0))


def test_more_time_that_waiting_units_were_given_goes_along(db):
    make_wallet(make_program(unit=waiting(20)), "c1")
    arrives = {"buyer": "c2", "status": "fulfilled"}
    record(order("B1", "40", **arrives, fulfilled_at=day(20)), now=day(2))
    extend_lot(lot=Lot.objects.get(), until=day(100), actor=SYSTEM, note="", now=day(3))
    merge(now=day(4))
    record(order("B1", "40", **arrives, fulfilled_at=day(21)), now=day(5))
    assert (holds("c1", day(99)), holds("c1", day(100))) == ((40, 0, 0), (0, 0, 0))


def test_time_that_was_given_after_some_units_had_gone_is_not_theirs(db):
    make_program(unit=waiting(20))
    arrives = {"buyer": "c1", "status": "fulfilled"}
    record(order("A1", "40", **arrives, fulfilled_at=day(20)), now=day(2))
    pool = create_pool(
        owner=membership("c1"), terms=PoolTerms("Home", contribution="share", share=50), bring=True,
        actor=SYSTEM, source="backoffice", now=day(3),
    )  # fmt: skip
    extend_lot(lot=Lot.objects.get(parent=None), until=day(100), actor=SYSTEM, note="", now=day(4))
    record(order("A1", "40", **arrives, fulfilled_at=day(21)), now=day(5))
    [at_first, later] = [pool_balances(pool, at)[0] for at in (day(40), day(45))]
    assert (at_first.balance, later.balance, holds("c1", day(45))) == (20, 0, (20, 0, 0))
