"""Tiers in the life of orders: what prices them, what follows, and the row that says it."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty.models import (
    EarningRule,
    Membership,
    MemberTier,
    Order,
    OrderEvaluation,
    Program,
    Tier,
    TierSet,
    Transfer,
)
from loyalty.selectors.member_tiers import standing_of
from loyalty.selectors.programs import definition_of
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services.claims import claim_order, unclaim_order
from loyalty.services.manual_tiers import give_tier
from loyalty.services.member_tiers import rebuild_tiers, refresh_tiers
from loyalty.services.occasions import give_occasions
from loyalty.services.programs import apply_definition
from loyalty.services.tier_sets import change_tiers
from loyalty.tier_definitions import TiersDefinition
from members.errors import DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
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

pytestmark = pytest.mark.django_db

LADDER = [
    {"code": "base", "name": "Member"},
    {"code": "silver", "name": "Silver", "threshold": 500},
    {"code": "gold", "name": "Gold", "threshold": 1500,
     "benefits": [{"kind": "multiplier", "factor": 2}]},
]  # fmt: skip


def tiers(**changes: Any) -> dict[str, Any]:
    return {"tiers": LADDER} | changes


def tiered(**changes: Any) -> Program:
    return make_program(at=day(-800), tiers=tiers(**changes))


def held_by(number: str = "c1") -> MemberTier:
    """As it is written down."""
    return MemberTier.objects.select_related("tier").get(membership__customer__external_id=number)


def stands(at: dt.datetime, number: str = "c1") -> Any:
    [terms] = fresh_terms().programs
    return standing_of(terms, Membership.objects.get(customer__external_id=number), at)


def assert_rows_are_exact(at: dt.datetime) -> None:
    """What is written down is what follows from what happened."""
    before = list(MemberTier.objects.order_by("pk").values())
    rebuild_tiers(now=at, all_of_them=True)
    assert list(MemberTier.objects.order_by("pk").values()) == before


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


def test_a_correction_years_later_is_priced_by_the_tier_of_then() -> None:
    tiered()
    record(order("A", "1500", at=day(0)))
    record(order("B", "100", at=day(1)))
    give_back(refund("R1", "40", of="B", at=day(1000)))
    assert moves()[3:] == [("clawback", -40), ("clawback", -40)]


def test_a_multiplier_s_movement_says_which_tier_it_is_for() -> None:
    tiered()
    record(order("A", "1500", at=day(0)))
    record(order("B", "100", at=day(1)))
    more = Transfer.objects.latest("pk")
    assert more.explanation["rule"] == "Gold: 2 ×"
    assert more.explanation["steps"] == [["multiplied", "2", "base", "100"]]


def test_a_refund_within_the_return_window_revokes_the_upgrade_at_once() -> None:
    tiered()
    record(order("A", "1500", at=day(0)))
    give_back(refund("R1", "1", of="A", at=day(5)))
    assert (held_by().tier.code, held_by().since) == ("silver", day(5))
    record(order("B", "100", at=day(6)))
    assert moves()[-1] == ("accrual", 100)
    assert [(span.tier, span.since) for span in stands(day(9)).history] == [
        ("gold", day(0)), ("silver", day(5)), ("gold", day(6)),
    ]  # fmt: skip


def test_a_later_refund_waits_for_the_review() -> None:
    tiered()
    record(order("A", "1500", at=day(0)))
    give_back(refund("R1", "1", of="A", at=day(45)))
    row = held_by()
    assert (row.tier.code, row.total) == ("gold", 1499)
    assert row.lost_at == dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    assert row.falls_to is not None
    assert row.falls_to.code == "silver"


def test_a_canceled_order_never_counted() -> None:
    tiered()
    record(order("A", "1500", at=day(0)))
    record(order("A", "1500", at=day(0), status="cancelled"))
    assert held_by().tier.code == "base"


def test_an_order_that_comes_late_counts_when_it_was_placed() -> None:
    tiered()
    record(order("B", "1000", at=day(10)))
    record(order("C", "100", at=day(20)))
    record(order("A", "600", at=day(5)), now=day(21))
    assert [(span.tier, span.since) for span in stands(day(21)).history] == [
        ("silver", day(5)), ("gold", day(10)),
    ]  # fmt: skip
    # What came before is not priced anew.
    assert spendable() == 1700


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


def test_returns_without_an_order_count() -> None:
    tiered()
    record(order("A", "600", at=day(0)))
    give_back(refund("R1", "150", at=day(1), buyer="c1"))
    assert (held_by().tier.code, held_by().total) == ("silver", 450)


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


def test_a_file_says_the_tiers_back() -> None:
    program = tiered(window="rolling_12_months", downgrade="soft_landing", grace_days=14)
    said = definition_of(program, NOW)
    assert said.tiers is not None
    assert [tier.code for tier in said.tiers.tiers] == ["base", "silver", "gold"]
    assert apply_definition(said, actor=SYSTEM, now=NOW).changes == []
    assert [rule.code for rule in said.earning_rules] == ["base"]


def test_a_change_applies_from_its_date_and_the_past_stays() -> None:
    program = tiered()
    record(order("A", "600", at=day(0)))
    higher = [LADDER[0], LADDER[1] | {"threshold": 400}, LADDER[2] | {"threshold": 550}]
    changed = define(tiers=tiers(tiers=higher))
    apply_definition(changed, actor=SYSTEM, now=day(10))
    assert [(span.tier, span.since) for span in stands(day(20)).history] == [
        ("silver", day(0)), ("gold", day(10)),
    ]  # fmt: skip
    assert TierSet.objects.filter(program=program).count() == 2
    rebuild_tiers(now=day(20))
    assert held_by().tier.tier_set.number == 2
    # Told late, an order from before is judged by the ladder of then.
    record(order("B", "10", at=day(5)), now=day(21))
    assert spendable() == 610


def test_tiers_that_come_to_a_live_program_look_at_what_members_have_spent() -> None:
    make_program(at=day(-800))
    record(order("A", "600", at=day(0)))
    assert not MemberTier.objects.exists()
    apply_definition(define(tiers=tiers()), actor=SYSTEM, now=day(10))
    assert [(span.tier, span.since, span.why.kind) for span in stands(day(11)).history] == [
        ("silver", day(10), "changed")
    ]
    rebuild_tiers(now=day(11))
    assert held_by().tier.code == "silver"


def test_tiers_may_end() -> None:
    tiered()
    record(order("A", "1500", at=day(0)))
    apply_definition(define(), actor=SYSTEM, now=day(10))
    assert stands(day(11)) is None
    rebuild_tiers(now=day(11))
    assert not MemberTier.objects.exists()
    record(order("B", "100", at=day(12)))
    assert moves() == [("accrual", 1500), ("accrual", 100)]


def test_the_rules_of_benefits_follow_from_the_tiers_alone() -> None:
    program = tiered()
    assert EarningRule.objects.get(source="tiers").code == "tier-gold-x"
    with pytest.raises(ValueError, match="begin with tier-"):
        define(earning_rules=[{"code": "tier-gold-x"}])
    without = [LADDER[0], LADDER[1], LADDER[2] | {"benefits": []}]
    apply_definition(define(tiers=tiers(tiers=without)), actor=SYSTEM, now=day(10))
    record(order("A", "1500", at=day(9)))
    record(order("B", "100", at=day(9.5)), order("C", "100", at=day(11)))
    assert spendable() == 1500 + 200 + 100
    assert program.earning_rules.count() == 2


def test_activities_that_do_not_exist_are_refused() -> None:
    with pytest.raises(Exception, match="no type of activity dance"):
        tiered(metric="score", score=[{"activity": "dance", "points": 1}])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"tiers": [LADDER[0]]}, "at least 2"),
        ({"tiers": [LADDER[1], LADDER[2]]}, "everybody"),
        ({"tiers": [LADDER[0], LADDER[2], LADDER[1]]}, "more than the one before"),
        ({"tiers": [LADDER[0], LADDER[0] | {"threshold": 5}]}, "twice"),
        ({"metric": "units"}, "wallet_type"),
        ({"metric": "score"}, "score"),
        ({"wallet_type": "points"}, "wallet_type"),
        ({"metric": "units", "wallet_type": "miles"}, "miles, which is missing"),
        ({"metric": "orders", "tiers": [LADDER[0], LADDER[1] | {"threshold": "2.5"}]}, "whole"),
        ({"tiers": [LADDER[0], LADDER[1] | {"benefits": [{"kind": "multiplier"}]}]}, "factor"),
        ({"tiers": [LADDER[0], LADDER[1] | {"benefits": [{"kind": "gift", "hours": 3}]}]}, "hours"),
    ],
)  # fmt: skip
def test_what_a_file_may_not_say(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        define(tiers=tiers(**wrong))


def test_the_database_holds_that_a_ladder_rises_and_stays() -> None:
    tiered()
    gold = Tier.objects.get(code="gold")
    for wrong in (
        {"position": 3, "threshold": 700, "code": "x"},
        {"position": 3, "threshold": 1500, "code": "x"},
        {"position": 3, "threshold": 2000, "code": "gold"},
        {"position": 6, "threshold": 2000, "code": "x"},
        {"position": 3, "threshold": 0, "code": "x"},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            Tier.objects.create(tier_set=gold.tier_set, name="X", **wrong)
    with pytest.raises(DatabaseError), transaction.atomic():
        Tier.objects.filter(pk=gold.pk).update(threshold=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        TierSet.objects.update(return_days=3)
    with pytest.raises(DatabaseError), transaction.atomic():
        TierSet.objects.all().delete()


def test_refreshing_twice_changes_nothing() -> None:
    tiered()
    record(order("A", "600", at=day(0)))
    [terms] = fresh_terms().programs
    before = MemberTier.objects.values().get()
    refresh_tiers(terms, list(Membership.objects.all()), now=day(1))
    assert MemberTier.objects.values().get() == before


def test_when_customers_are_merged_everything_counts_for_who_is_kept_and_is_parted_again() -> None:
    tiered(window="lifetime")
    record(order("A", "300", at=day(0)), order("B", "300", at=day(1), buyer="c2"))
    kept, merged = (Customer.objects.get(external_id=number) for number in ("c1", "c2"))
    merge, _again = merge_customers(
        kept=kept, merged=merged, actor=SYSTEM, source="backoffice", now=day(2)
    )
    assert MemberTier.objects.count() == 1
    assert (held_by().tier.code, held_by().since) == ("silver", day(1))
    undo_merge(merge=merge, actor=SYSTEM, source="backoffice", now=day(3))
    assert [held_by(number).tier.code for number in ("c1", "c2")] == ["base", "base"]
    assert_rows_are_exact(day(3))


def test_a_guest_order_counts_once_it_is_claimed_and_no_more_when_it_is_not() -> None:
    tiered()
    make_wallet(Program.objects.get(), "c1", at=day(-1))
    record(order("A", "600", at=day(0), buyer=None))
    claim_order(
        order=Order.objects.get(), customer=Customer.objects.get(), actor=SYSTEM, now=day(1),
        source="backoffice",
    )  # fmt: skip
    assert (held_by().tier.code, held_by().since) == ("silver", day(0))
    unclaim_order(order=Order.objects.get(), actor=SYSTEM, now=day(2), source="backoffice")
    assert held_by().tier.code == "base"


def test_a_tier_by_hand_that_the_ladder_lost_counts_no_more():
    program = tiered()
    record(order("A", "10"))
    member = Membership.objects.get()
    give_tier(membership=member, tier="gold", reason="VIP", until=None, actor=SYSTEM, now=day(1))
    changed = TiersDefinition.model_validate(tiers() | {"tiers": LADDER[:2]})
    change_tiers(program=program, tiers=changed, actor=SYSTEM, now=day(2))
    assert stands(day(3)).tier == "base"
    record(order("B", "10", at=day(4)), now=day(4))
    assert held_by().tier.code == "base"


def test_a_tier_keeps_its_name_when_another_is_put_below_it():
    program = tiered()
    record(order("A", "600"))
    member = Membership.objects.get()
    bronze = {"code": "bronze", "name": "Bronze", "threshold": 100}
    changed = TiersDefinition.model_validate({"tiers": [LADDER[0], bronze, *LADDER[1:]]})
    change_tiers(program=program, tiers=changed, actor=SYSTEM, now=day(1))
    give_tier(membership=member, tier="gold", reason="VIP", until=day(3), actor=SYSTEM, now=day(2))
    assert stands(day(4)).tier == stands(day(4)).earned == "silver"


def test_a_refund_that_waits_for_its_order_takes_nothing_back_yet():
    tiered(downgrade="immediate", return_days=0)
    record(order("A", "600"))
    give_back(refund("R", "200", of="LATER", at=day(1), buyer="c1"))
    assert (stands(day(2)).total, stands(day(2)).tier) == (600, "silver")
    record(order("LATER", "300"), now=day(3))
    assert (stands(day(4)).total, stands(day(4)).tier) == (700, "silver")


def test_a_refund_without_lines_takes_back_no_more_than_its_order_counted():
    tiered()
    bought = (line(1, "50"), line(2, "100", stored_value=True))
    record(order("A", "150", lines=bought), order("B", "480"))
    give_back(refund("R", "150", of="A", at=day(1)))
    assert stands(day(2)).total == 480


def test_an_order_that_came_back_before_it_was_confirmed_never_counted():
    tiered(counts_from="confirmed", return_days=30)
    record(order("A", "600", status="paid"), now=NOW)
    give_back(refund("R", "600", of="A", at=day(35)))
    record(order("A", "600", status="completed", completed_at=day(40)), now=day(40))
    assert (stands(day(41)).total, stands(day(41)).tier) == (0, "base")
