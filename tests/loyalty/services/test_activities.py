"""What people do besides buying: recorded once, limited, rewarded, decided on and taken back."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from loyalty.models import Activity, ActivityAward, CapCounter, Membership
from loyalty.services.activity_decisions import (
    approve_activity,
    reject_activity,
    reverse_activity,
)
from loyalty.services.redemptions import redeem_units
from members.errors import ConflictError, DomainError
from members.models import Customer, Merchant
from members.selectors.merchants import get_merchant
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    day,
    held,
    make_program,
    make_type,
    make_wallet,
    moves,
    order,
    record,
    reward,
    spendable,
    tell,
    told,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")


def club(*rules: dict, unit: dict | None = None, **kinds: object):
    """A program with these rules for activities; `kinds` change the type review."""
    make_type(**kinds)
    return make_program(earning_rules=[{}, *(rules or (reward(),))], unit=unit)


def decided(what, activity: Activity, at: dt.datetime = NOW, **how):
    if what is not approve_activity:
        how["note"] = how.get("note", "Spam")
    if what is not reject_activity:
        how["source"] = "backoffice"
    return what(activity=activity, actor=SYSTEM, now=at, **how)


def states() -> list[str]:
    return list(Activity.objects.order_by("pk").values_list("state", flat=True))


# --- Recording ------------------------------------------------------------------------------------


def test_an_activity_brings_units_and_says_why(db):
    club(told="Review of {subject}")
    [result] = tell(told(subject="MUG", subject_name="Blue Mug"))
    assert (result.outcome, spendable()) == ("created", 50)
    award = ActivityAward.objects.get()
    assert award.transfer.explanation["activity"] == "Review of Blue Mug"
    assert (award.units, award.steps) == (50, [["activity", "50"]])
    assert Membership.objects.get().customer.external_id == "c1"


def test_told_again_it_is_the_same(db):
    club(once_per_subject=True)
    given = told(subject="MUG", data={"stars": 5, "photo": True})
    again = told(subject="MUG", data={"photo": True, "stars": 5})
    tell(given)
    [result] = tell(again, now=day(1))
    assert (result.outcome, moves()) == ("unchanged", [("accrual", 50)])


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "CUP"}, {"data": {"stars": 1}}, {"buyer": "c2"}, {"proof": "https://x.example"},
        {"at": day(-1)}, {"type": "survey"},
    ],
)  # fmt: skip
def test_other_content_under_a_known_number_is_a_conflict(db, change):
    club(proof="optional")
    make_type("survey")
    tell(told())
    with pytest.raises(ConflictError) as refused:
        tell(told(**change))
    assert refused.value.code == "activity_conflict"
    assert moves() == [("accrual", 50)]


SCHEMA = {
    "type": "object", "required": ["stars"], "additionalProperties": False,
    "properties": {"stars": {"type": "integer", "minimum": 1, "maximum": 5}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("kinds", "given", "field"),
    [
        ({}, {"type": "dance"}, "type"),
        ({"active": False}, {}, "type"),
        ({"data_schema": SCHEMA}, {}, "data"),
        ({"data_schema": SCHEMA}, {"data": {"stars": 6}}, "data.stars"),
        ({"data_schema": SCHEMA}, {"data": {"stars": 5, "more": 1}}, "data"),
        ({}, {"data": {"text": "x" * 10_001}}, "data"),
        ({"proof": "required"}, {"proof": " "}, "proof"),
        ({}, {"proof": "https://x.example"}, "proof"),
        ({"once_per_subject": True}, {}, "subject"),
        ({}, {"at": day(1)}, "occurred_at"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_the_field(db, kinds, given, field):
    club(**kinds)
    with pytest.raises(DomainError) as refused:
        tell(told(**given), now=NOW)
    assert [error.field for error in refused.value.errors] == [field]
    assert not Activity.objects.exists()


def test_a_batch_is_taken_as_a_whole_and_names_the_one_that_is_wrong(db):
    club()
    with pytest.raises(DomainError) as refused:
        tell(told("V1"), told("V2", "dance"))
    assert (refused.value.index, Activity.objects.count()) == (1, 0)
    with pytest.raises(DomainError, match="twice"):
        tell(told("V1"), told("V1"))


# --- Limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "times", "counted"),
    [
        ({"most": 1, "period": "ever"}, [0, 400], 1),
        ({"most": 2, "period": "day"}, [0, 0.1, 0.2, 1], 3),
        ({"most": 1, "period": "week"}, [-4, 0, 3], 2),  # NOW is a Friday
        ({"most": 1, "period": "month"}, [-15, -14, 16, 17], 3),
        ({}, [0, 0.1, 0.2], 3),
    ],
)
def test_limits_of_a_type(db, limit, times, counted):
    club(**limit)
    results = [
        tell(told(f"V{number}", at=day(at)), now=day(500))[0] for number, at in enumerate(times)
    ]
    assert [result.outcome for result in results].count("created") == counted
    assert all(result.reason for result in results if result.outcome == "over_limit")
    assert Activity.objects.count() == counted


def test_days_begin_in_the_merchants_time_zone(db):
    get_merchant()
    Merchant.objects.update(time_zone="Asia/Tokyo")
    club(most=1, period="day")
    first = dt.datetime(2024, 3, 15, 14, 59, tzinfo=dt.UTC)  # a minute before midnight there
    tell(told("V1", at=first))
    assert tell(told("V2", at=first - dt.timedelta(hours=10)), now=day(9))[0].reason
    assert tell(told("V3", at=first + dt.timedelta(minutes=1)))[0].outcome == "created"


def test_one_for_each_subject_of_each_person(db):
    club(once_per_subject=True)
    outcomes = [
        tell(told("V1", subject="MUG")), tell(told("V2", subject="MUG")),
        tell(told("V3", subject="CUP")), tell(told("V4", subject="MUG", buyer="c2")),
    ]  # fmt: skip
    assert [result.outcome for [result] in outcomes] == [
        "created", "over_limit", "created", "created",
    ]  # fmt: skip


def test_within_one_batch_limits_hold_too(db):
    club(most=2, period="day")
    results = tell(*(told(f"V{number}") for number in range(4)))
    assert [result.outcome for result in results] == ["created"] * 2 + ["over_limit"] * 2
    assert spendable() == 100


def test_what_was_rejected_or_taken_back_uses_up_no_limit(db):
    club(approval=True, most=1)
    [first] = tell(told("V1"))
    assert tell(told("V2"))[0].outcome == "over_limit"  # the first one waits
    decided(reject_activity, first.activity)
    [second] = tell(told("V3"))
    decided(approve_activity, second.activity)
    assert tell(told("V4"))[0].outcome == "over_limit"
    decided(reverse_activity, second.activity)
    assert tell(told("V5"))[0].outcome == "created"


@pytest.mark.django_db(transaction=True)
def test_at_once_neither_limits_nor_caps_are_exceeded(db):
    club(reward(caps={"per_member": 120, "period": "lifetime", "budget": 300}), most=4)

    def do(number: int) -> str:
        try:
            return tell(told(f"V{number}", buyer=f"c{number % 4}"))[0].outcome
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(do, range(32)))
    assert outcomes.count("created") == 16
    people = [f"c{number}" for number in range(4)]
    assert sum(spendable(buyer) for buyer in people) == 300
    assert max(spendable(buyer) for buyer in people) <= 120
    assert_ledger_coherent()


@pytest.mark.django_db(transaction=True)
def test_the_same_activity_at_once_is_recorded_once(db):
    club()

    def do(_number: int) -> str:
        try:
            return tell(told())[0].outcome
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(do, range(12)))
    assert (outcomes.count("created"), outcomes.count("unchanged")) == (1, 11)
    assert moves() == [("accrual", 50)]


# --- Rules ----------------------------------------------------------------------------------------


def test_the_wording_in_force_when_it_occurred_counts(db):
    club()
    make_program(earning_rules=[{}, reward(units=80)], at=day(10))
    tell(told("V1", at=day(5)), now=day(20))
    tell(told("V2", at=day(15)), now=day(20))
    assert [units for _kind, units in moves()] == [50, 80]


def test_a_rule_may_ask_about_whoever_did_it(db):
    make_type()
    asked = {"field": "behavior.orders", "op": "at_least", "value": 1}
    make_program(earning_rules=[{}, reward(when=asked)])
    tell(told("V1"))
    record(order("A", "10", at=day(1)))
    tell(told("V2", at=day(2)))
    assert moves() == [("accrual", 10), ("accrual", 50)]
    assert [award.steps[0][0] for award in ActivityAward.objects.order_by("pk")] == [
        "not_met", "activity",
    ]  # fmt: skip


def test_an_orders_rule_may_ask_for_activities_of_before(db):
    make_type(approval=True)
    asked = {"field": "behavior.activities.review", "op": "at_least", "value": 1}
    make_program(earning_rules=[{"when": asked}])
    [waiting] = tell(told(at=day(0)))
    record(order("A", "10", at=day(1)))
    assert moves() == []  # it waits, so it does not count
    decided(approve_activity, waiting.activity, day(2))
    record(order("B", "10", at=day(3)))
    record(order("C", "10", at=day(-1)), now=day(4))  # from before it
    assert moves() == [("accrual", 10)]


def test_units_mature_and_expire_by_the_rules_own_terms(db):
    pending = {"pending_from": "placed", "pending_days": 3}
    club(reward(pending=pending, expiry={"kind": "days", "length": 5}))
    tell(told())
    assert [held(at=day(at)).spendable for at in (0, 2.9, 3, 5, 6)] == [0, 0, 50, 50, 0]


def test_nobody_earns_in_a_program_that_is_not_live_or_as_no_active_member(db):
    make_type()
    make_program("draft", status="draft", earning_rules=[reward()])
    program = make_program(earning_rules=[reward()])
    make_wallet(program)
    Membership.objects.update(status="suspended")
    [result] = tell(told())
    assert (result.outcome, moves()) == ("created", [])


def test_a_rule_for_a_type_that_is_not_there_is_refused(db):
    with pytest.raises(DomainError) as refused:
        make_program(earning_rules=[reward("dance")])
    assert refused.value.errors[0].field == "earning_rules[0].activity"


# --- Decisions ------------------------------------------------------------------------------------


def test_what_waits_brings_nothing_until_it_is_approved(db):
    club(approval=True)
    [result] = tell(told())
    assert (states(), moves()) == (["pending"], [])
    decided(approve_activity, result.activity, day(2))
    decided(approve_activity, result.activity, day(3))
    assert (states(), moves()) == (["approved"], [("accrual", 50)])
    assert ActivityAward.objects.get().transfer.occurred_at == day(2)


def test_what_was_rejected_brings_nothing(db):
    club(approval=True)
    [result] = tell(told())
    decided(reject_activity, result.activity)
    decided(reject_activity, result.activity)
    with pytest.raises(ConflictError) as refused:
        decided(approve_activity, result.activity)
    assert (refused.value.code, states(), moves()) == ("already_decided", ["rejected"], [])


def test_taking_back_takes_what_it_brought_once(db):
    club(reward(caps={"per_member": 60, "budget": 60}))
    [result] = tell(told("V1"))
    decided(reverse_activity, result.activity, day(1))
    decided(reverse_activity, result.activity, day(1))
    assert (states(), moves()) == (["reversed"], [("accrual", 50), ("clawback", -50)])
    # The caps have room again.
    assert set(CapCounter.objects.values_list("used", flat=True)) == {0}
    tell(told("V2", at=day(2)))
    assert spendable(at=day(2)) == 50


def test_what_was_spent_meanwhile_is_owed(db):
    program = club()
    [result] = tell(told())
    wallet = make_wallet(program)
    redeem_units(wallet=wallet, units=30, key="k", source="api", actor=SYSTEM, now=day(1))
    decided(reverse_activity, result.activity, day(2))
    found = held(at=day(2))
    assert (found.spendable, found.owed) == (0, 30)


def test_only_what_was_approved_can_be_taken_back(db):
    club(approval=True)
    [result] = tell(told())
    with pytest.raises(ConflictError):
        decided(reverse_activity, result.activity)


@pytest.mark.django_db(transaction=True)
def test_deciding_at_once_decides_once(db):
    club(approval=True)
    [result] = tell(told())

    def decide(number: int) -> str:
        try:
            decided(approve_activity if number % 2 else reject_activity, result.activity)
            return "done"
        except ConflictError as error:
            return error.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(decide, range(12)))
    approved = states() == ["approved"]
    assert spendable() == (50 if approved else 0)
    assert ActivityAward.objects.count() == (1 if approved else 0)


# --- Merges ---------------------------------------------------------------------------------------


def customer(number: str) -> Customer:
    return Customer.objects.get(external_id=number)


def merge(now: dt.datetime = NOW):
    return merge_customers(
        kept=customer("c1"), merged=customer("c2"), actor=SYSTEM, source="api", now=now
    )[0]


def test_activities_follow_a_merge_and_are_taken_back_from_whoever_has_the_units(db):
    program = club()
    make_wallet(program)
    [result] = tell(told(buyer="c2"))
    merge()
    again = tell(told(buyer="c2"))[0]
    assert (again.outcome, again.activity.customer.external_id) == ("unchanged", "c1")
    decided(reverse_activity, result.activity, day(1))
    assert (spendable("c1", day(1)), states()) == (0, ["reversed"])


def test_parting_gives_back_activities_with_what_they_brought_meanwhile(db):
    club(reward(caps={"per_member": 500, "period": "lifetime"}), approval=True)
    make_wallet_of("c1")
    [first] = tell(told("V1", buyer="c2"))
    [second] = tell(told("V2", buyer="c2"))
    decided(approve_activity, first.activity)
    done = merge(day(1))
    decided(approve_activity, second.activity, day(2))
    assert spendable("c1", day(2)) == 100
    undo_merge(merge=done, actor=SYSTEM, source="api", now=day(3))
    assert (spendable("c1", day(3)), spendable("c2", day(3))) == (0, 100)
    assert set(Activity.objects.values_list("customer__external_id", flat=True)) == {"c2"}
    used = dict(CapCounter.objects.values_list("membership__customer__external_id", "used"))
    assert (used["c1"], used["c2"]) == (0, 100)
    decided(reverse_activity, second.activity, day(4))
    assert spendable("c2", day(4)) == 50


def make_wallet_of(number: str):
    from loyalty.models import Program

    return make_wallet(Program.objects.get(), number)
