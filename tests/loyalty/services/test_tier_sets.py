"""Tiers of a program: what a file says, what changes when, and what the database holds."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from loyalty.models import (
    EarningRule,
    Membership,
    MemberTier,
    Tier,
    TierSet,
)
from loyalty.selectors.programs import definition_of
from loyalty.services.manual_tiers import give_tier
from loyalty.services.member_tiers import rebuild_tiers
from loyalty.services.programs import apply_definition
from loyalty.services.tier_sets import change_tiers
from loyalty.tier_definitions import TiersDefinition
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    define,
    make_program,
    moves,
    order,
    record,
    spendable,
)
from tests.loyalty.ladders import LADDER, held_by, stands, tiered, tiers

pytestmark = pytest.mark.django_db


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
