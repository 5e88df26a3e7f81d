"""Tiers in the life of orders: what prices them, what follows, and the row that says it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import (
    Membership,
    MemberTier,
    OrderEvaluation,
    Program,
    Transfer,
)
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services.member_tiers import rebuild_tiers, refresh_tiers
from loyalty.services.occasions import give_occasions
from loyalty.services.programs import apply_definition
from members.errors import DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    define,
    give_back,
    line,
    make_program,
    make_type,
    make_wallet,
    moves,
    order,
    record,
    refund,
    returned,
    reward,
    spendable,
    tell,
    tender,
    told,
)
from tests.loyalty.ladders import LADDER, assert_rows_are_exact, held_by, stands, tiered, tiers

pytestmark = pytest.mark.django_db


def test_an_order_is_priced_by_the_tier_before_it() -> None:
    tiered()
    record(order("A", "1500", at=day(0)))
    record(order("B", "100", at=day(1)))
    assert moves() == [("accrual", 1500), ("accrual", 100), ("accrual", 100)]
    contexts = OrderEvaluation.objects.order_by("order__placed_at").values_list(
        "context", flat=True
    )
    assert [context["tier"] for context in contexts] == ["base", "gold"]
    assert held_by().tier.code == "gold"
    assert held_by().since == day(0)


def test_a_program_may_price_an_order_by_the_tier_it_leads_to() -> None:
    tiered(priced_by="after")
    record(order("A", "1500", at=day(0)))
    assert moves() == [("accrual", 1500), ("accrual", 1500)]


def test_of_a_batch_each_order_has_the_tier_that_those_before_it_led_to() -> None:
    tiered()
    record(
        order("C", "10", at=day(2)), order("A", "1500", at=day(0)), order("B", "100", at=day(1)),
        order("D", "10", at=day(1), buyer="c2"),
    )  # fmt: skip
    assert spendable() == 1500 + 200 + 20
    assert spendable("c2") == 10


def test_a_multiplier_s_movement_says_which_tier_it_is_for() -> None:
    tiered()
    record(order("A", "1500", at=day(0)))
    record(order("B", "100", at=day(1)))
    more = Transfer.objects.latest("pk")
    assert more.explanation["rule"] == "Gold: 2 ×"
    assert more.explanation["steps"] == [["multiplied", "2", "Base rate", "100"]]


def test_gift_cards_do_not_count_and_what_is_paid_with_them_does() -> None:
    tiered()
    record(
        order("A", "1600", at=day(0), lines=(
            line(1, "1500", stored_value=True, sku="CARD"), line(2, "100"),
        )),
        order("B", "400", at=day(1), tenders=(tender("stored_value", "400"),)),
    )  # fmt: skip
    assert held_by().total == 500
    give_back(
        refund("R1", "1500", of="A", at=day(2), lines=(returned(1, "1500", sku="CARD"),)),
    )
    assert held_by().total == 500


def test_time_alone_changes_what_is_read_and_a_job_writes_it_down() -> None:
    tiered()
    record(order("A", "600", at=day(0)))
    later = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert stands(later).tier == "base"
    assert held_by().tier.code == "silver"
    assert rebuild_tiers(now=later) == 1
    assert (held_by().tier.code, held_by().since) == ("base", later)
    assert_rows_are_exact(later)


def test_orders_are_counted_without_those_that_came_back_whole() -> None:
    ladder = [LADDER[0], LADDER[1] | {"threshold": 2}]
    tiered(metric="orders", tiers=ladder)
    record(order("A", "10", at=day(0)), order("B", "10", at=day(1)))
    assert held_by().tier.code == "silver"
    give_back(refund("R1", "4", of="B", at=day(2)))
    assert held_by().tier.code == "silver"
    give_back(refund("R2", "6", of="B", at=day(3)))
    assert (held_by().tier.code, held_by().total) == ("base", 1)


def test_units_of_a_kind_count_as_they_are_earned_whatever_is_spent() -> None:
    ladder = [LADDER[0], LADDER[1] | {"threshold": 15}]
    make_program(
        at=day(-800), wallet_types=[{}, {"code": "status", "decimals": 1}],
        earning_rules=[
            {}, {"code": "status", "wallet_type": "status", "per": 10},
        ],
        tiers=tiers(metric="units", wallet_type="status", tiers=ladder),
    )  # fmt: skip
    record(order("A", "149", at=day(0)))
    assert (held_by().tier.code, held_by().total) == ("base", Decimal("14.9"))
    record(order("B", "1", at=day(1)))
    assert held_by().tier.code == "silver"
    give_back(refund("R1", "1", of="B", at=day(2)))
    assert held_by().tier.code == "base"


def test_where_units_count_each_order_of_a_batch_has_the_tier_of_those_before_it() -> None:
    make_program(at=day(-800), tiers=tiers(metric="units", wallet_type="points"))
    results = record(
        order("C", "10", at=day(2)), order("A", "1500", at=day(0)), order("B", "100", at=day(1)),
        order("D", "10", at=day(1), buyer="c2"),
    )  # fmt: skip
    assert [result.external_id for result in results] == ["C", "A", "B", "D"]
    assert spendable() == 1500 + 200 + 20
    assert spendable("c2") == 10
    with pytest.raises(DomainError) as refused:
        record(order("E", "10", at=day(3)), order("F", "1", at=day(4), currency="EUR"))
    assert refused.value.index == 1


def test_a_batch_right_after_a_program_got_its_tiers_knows_of_them() -> None:
    make_program(at=day(-800))
    record(order("X", "1", buyer="c9"))
    apply_definition(
        define(tiers=tiers(metric="units", wallet_type="points")), actor=SYSTEM, now=day(1)
    )
    record(order("A", "1500", at=day(2)), order("B", "100", at=day(3)), now=day(4))
    assert spendable(at=day(5)) == 1500 + 200


def test_an_activity_score_counts_activities() -> None:
    make_type("review")
    ladder = [LADDER[0], LADDER[1] | {"threshold": 10}]
    make_program(
        at=day(-800), earning_rules=[reward("review", 5)],
        tiers=tiers(metric="score", score=[{"activity": "review", "points": 5}], tiers=ladder),
    )  # fmt: skip
    make_wallet(Program.objects.get(), at=day(-1))
    tell(told("V1", at=day(0)))
    assert held_by().tier.code == "base"
    tell(told("V2", at=day(1)))
    assert (held_by().tier.code, held_by().since) == ("silver", day(1))


def test_orders_may_count_once_they_are_completed() -> None:
    tiered(counts_from="confirmed")
    record(order("A", "600", at=day(0), status="placed"))
    assert held_by().tier.code == "base"
    record(order("A", "600", at=day(0), status="completed", changed_at=day(4)), now=day(5))
    assert (held_by().tier.code, held_by().since) == ("silver", day(4))


def test_a_birthday_bonus_is_given_to_who_has_the_tier_on_the_day() -> None:
    ladder = [
        LADDER[0], LADDER[1] | {"benefits": [{"kind": "birthday_bonus", "units": 50}]},
    ]  # fmt: skip
    tiered(tiers=ladder)
    record(order("A", "600", at=day(-3)), order("B", "10", at=day(-3), buyer="c2"))
    Customer.objects.update(birthday=dt.date(1990, NOW.month, NOW.day))
    assert give_occasions(NOW) == 1
    assert moves() == [("accrual", 600), ("accrual", 50)]
    assert moves("c2") == [("accrual", 10)]


def test_programs_without_tiers_pay_nothing() -> None:
    make_program("plain")
    record(order("A", "10"))
    with CaptureQueriesContext(connection) as plain:
        record(order("B", "10"))
    assert not [query for query in plain.captured_queries if "tier" in query["sql"]]


def test_a_repeated_order_changes_nothing() -> None:
    tiered()
    record(order("A", "600", at=day(0)))
    before = MemberTier.objects.values().get()
    record(order("A", "600", at=day(0)), now=day(300))
    assert MemberTier.objects.values().get() == before


def test_a_new_member_has_the_first_tier() -> None:
    tiered()
    make_wallet(Program.objects.get(), "c7", at=day(0))
    assert held_by("c7").tier.code == "base"


def test_refreshing_twice_changes_nothing() -> None:
    tiered()
    record(order("A", "600", at=day(0)))
    [terms] = fresh_terms().programs
    before = MemberTier.objects.values().get()
    refresh_tiers(terms, list(Membership.objects.all()), now=day(1))
    assert MemberTier.objects.values().get() == before
