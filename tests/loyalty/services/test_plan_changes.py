"""Another plan: at once with what is left taken off, or when the present one renews."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from loyalty.models import (
    Membership,
    Plan,
    PlanCharge,
    PlanCredit,
    Program,
    Subscription,
)
from loyalty.plan_words import change_words
from loyalty.selectors.plan_changes import preview_change
from loyalty.selectors.subscriptions import running_of
from loyalty.services.plan_changes import change_as_offered
from loyalty.services.plan_charges import note_paid
from loyalty.services.plan_refunds import cancel_now, preview_refund, refund_charge
from loyalty.services.subscriptions import cancel_at_period_end
from members.errors import ConflictError
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW, adjust, day, moves, spendable, wallet_of
from tests.loyalty.planning import charges, join, make_club, member, money, pass_time, pay, plan
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db


def make_plus() -> Subscription:
    """Plus for 9 a month, which is paid, Pro for 30 a month at once, Lite for 3."""
    club = make_club(
        plan(price="9"),
        plan("pro", price="30", upgrade="at_once", credits={"units": 100}),
        plan("lite", price="3", upgrade="at_once"),
        plan("slow", price="50"),
        plan("max", price="60", upgrade="at_once"),
    )
    found = join(member(club))
    pay(found, NOW)
    found.refresh_from_db()
    return found


_made_once, plus = of_each_test(make_plus)


@pytest.fixture
def ann(plus: Subscription) -> Membership:
    return plus.membership


@pytest.fixture
def club(ann: Membership) -> Program:
    return ann.program


def named(club: Program, code: str) -> Plan:
    return Plan.objects.get(program=club, code=code)


def change(held: Subscription, to: str, at: int = 10, **how: Any) -> Subscription:
    wanted = named(held.plan.program, to)
    return change_as_offered(subscription=held, plan=wanted, actor=SYSTEM, now=day(at), **how)


def test_an_upgrade_counts_at_once_and_costs_its_price_less_what_is_left(
    club: Program, ann: Membership, plus: Subscription
) -> None:
    told = preview_change(plus, named(club, "pro"), now=day(10))
    # From 15 March to 15 April: the 25th is used, twenty of 31 days are left.
    assert (told.at_once, told.taken_off, told.pays_now) == (True, money("5.81"), money("24.19"))
    assert not PlanCharge.objects.filter(amount=told.pays_now).exists()
    pro = change(plus, "pro", pays_now=told.pays_now)
    plus.refresh_from_db()
    assert (plus.state, plus.ended_why, plus.ended_at) == ("canceled", "changed", day(10))
    assert running_of(ann) == pro
    assert (pro.state, pro.benefits_from, pro.follows) == ("active", day(10), plus)
    assert charges(pro) == [("open", "24.19")]
    assert pro.charges.get().taken_off == money("5.81")
    assert plus.in_force(day(9))
    assert not plus.in_force(day(10))
    assert pro.in_force(day(10))


def test_what_costs_less_or_is_not_sold_at_once_waits_for_the_renewal(
    club: Program, ann: Membership, plus: Subscription
) -> None:
    for code in ("lite", "slow"):
        told = preview_change(plus, named(club, code), now=day(10))
        assert (told.at_once, told.pays_now, told.begins) == (False, 0, plus.period_end)
        change(plus, code, pays_now=Decimal(0))
        plus.refresh_from_db()
        assert (plus.state, plus.next_plan) == ("active", named(club, code))
    change(plus, "plus")
    plus.refresh_from_db()
    assert plus.next_plan is None
    change(plus, "lite")
    pass_time(day(40))
    running = running_of(ann)
    assert running is not None
    assert (running.plan.code, running.charges.get().amount) == ("lite", 3)


def test_the_next_renewal_costs_the_whole_price(ann: Membership, plus: Subscription) -> None:
    pro = change(plus, "pro")
    pay(pro, day(10))
    pass_time(day(45))
    assert charges(pro) == [("paid", "24.19"), ("open", "30.00")]


def test_on_trial_or_before_the_invoice_is_paid_it_waits(club: Program) -> None:
    ben = member(club, "c2")
    unpaid = join(ben)
    with pytest.raises(ConflictError) as error:
        change(unpaid, "pro", 1)
    assert error.value.code == "no_renewal"
    pay(unpaid, NOW)
    pass_time(day(32))
    unpaid.refresh_from_db()
    assert charges(unpaid)[-1][0] == "open"
    assert not preview_change(unpaid, named(club, "pro"), now=day(33)).at_once


def test_a_trial_goes_on_and_the_other_plan_follows_it(club: Program) -> None:
    free = make_club(
        plan(price="9", trial_days=14), plan("pro", price="30", upgrade="at_once"), code="free"
    )
    cleo = join(member(free, "c3"))
    told = preview_change(cleo, named(free, "pro"), now=day(2))
    assert (told.at_once, told.begins) == (False, cleo.trial_ends_at)


def test_what_was_agreed_to_is_what_is_paid(plus: Subscription) -> None:
    with pytest.raises(ConflictError) as error:
        change(plus, "pro", 12, pays_now=money("24.19"))
    assert error.value.code == "price_changed"
    plus.refresh_from_db()
    assert plus.running
    assert Subscription.objects.count() == 1


def test_one_that_is_canceled_or_another_programs_plan_is_not_changed_to(
    club: Program, plus: Subscription
) -> None:
    other = make_club(code="other")
    with pytest.raises(ConflictError) as error:
        change_as_offered(subscription=plus, plan=named(other, "plus"), actor=SYSTEM, now=day(3))
    assert error.value.code == "plan_not_offered"
    cancel_at_period_end(subscription=plus, actor=SYSTEM, now=day(3))
    with pytest.raises(ConflictError) as error:
        change(plus, "pro")
    assert error.value.code == "no_renewal"


def test_what_was_taken_off_is_not_given_back_as_well(plus: Subscription) -> None:
    first = plus.charges.get()
    pro = change(plus, "pro")
    pay(pro, day(10))
    first.refresh_from_db()
    assert preview_refund(first, now=day(10)).whole == money("3.19")
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanCharge.objects.filter(pk=first.pk).update(
            state="refunded", refunded=9, refunded_at=day(11)
        )
    refund_charge(charge=first, how="whole", actor=SYSTEM, source="backoffice", now=day(11))
    first.refresh_from_db()
    assert (first.refunded, first.carried) == (money("3.19"), money("5.81"))
    second = pro.charges.get()
    assert preview_refund(second, now=day(10)).pro_rata <= second.amount
    refund_charge(charge=second, how="whole", actor=SYSTEM, source="backoffice", now=day(11))
    second.refresh_from_db()
    assert second.refunded == money("24.19")


def test_another_upgrade_takes_off_what_the_days_that_are_left_cost(
    club: Program, plus: Subscription
) -> None:
    pro = change(plus, "pro")
    pay(pro, day(10))
    pro.refresh_from_db()
    told = preview_change(pro, named(club, "max"), now=day(20))
    # From 25 March to 25 April at 30.00: twenty of 31 days.
    assert (told.taken_off, told.pays_now) == (money("19.35"), money("40.65"))
    # On the same day: 30 of 31 days at 30.00 are 29.03. It was paid for with 24.19 and with 5.81
    # that was left of Plus, so all of it is there to be taken off, and not only the 24.19.
    told = preview_change(pro, named(club, "max"), now=day(10))
    assert (told.taken_off, told.pays_now) == (money("29.03"), money("30.97"))
    change(pro, "max", 10)
    # Of its 30.00 the day that was used is left: 30.00 - 29.03.
    second = pro.charges.get()
    assert (second.carried, second.refundable) == (money("29.03"), money("0.97"))
    assert preview_refund(second, now=day(10)).pro_rata == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanCharge.objects.filter(pk=second.pk).update(carried=money("30.01"))


def test_each_of_two_upgrades_takes_off_what_the_one_before_was_worth() -> None:
    yearly = {"period": "year", "upgrade": "at_once"}
    club = make_club(
        plan("a", price="120", **yearly), plan("b", price="240", **yearly),
        plan("c", price="480", **yearly), code="yearly",
    )  # fmt: skip
    first = join(member(club, "y1"), "a")
    pay(first, NOW)
    second = change(first, "b", 1)
    # 363 of 365 days at 120.00 are left on the second day.
    assert charges(second) == [("open", str(240 - money("119.34")))]
    pay(second, day(1))
    # 363 of 365 days at 240.00.
    told = preview_change(second, named(club, "c"), now=day(2))
    assert (told.taken_off, told.pays_now) == (money("238.68"), money("241.32"))
    third = change(second, "c", 2)
    pay(third, day(2))
    paid = PlanCharge.objects.filter(program=club).order_by("pk")
    assert [(row.taken_off, row.carried, row.refundable) for row in paid] == [
        (0, money("119.34"), money("0.66")),
        (money("119.34"), money("238.68"), money("1.32")),
        (money("238.68"), 0, money("241.32")),
    ]


def test_days_that_were_carried_on_are_not_given_back_pro_rata(plus: Subscription) -> None:
    first = plus.charges.get()
    change(plus, "pro")
    first.refresh_from_db()
    # Twenty days were left and carried on, so nothing of the rest is for days to come.
    assert preview_refund(first, now=day(10)).pro_rata == 0
    assert preview_refund(first, now=day(12)).pro_rata == 0


def test_what_was_left_is_there_again_when_the_invoice_for_the_other_plan_becomes_void(
    ann: Membership, plus: Subscription
) -> None:
    first, pro = plus.charges.get(), change(plus, "pro")
    pass_time(day(60))
    pro.refresh_from_db()
    assert (pro.state, charges(pro)) == ("lapsed", [("void", "24.19")])
    first.refresh_from_db()
    assert (first.carried, first.refundable) == (0, 9)


def void_of(pro: Subscription) -> PlanCharge:
    cancel_now(subscription=pro, refund="none", actor=SYSTEM, source="backoffice", now=day(11))
    return pro.charges.get()


def paid_late(charge: PlanCharge) -> PlanCharge:
    assert note_paid(charge, at=day(12), now=day(12), actor=SYSTEM)
    return PlanCharge.objects.get(pk=charge.pk)


def test_a_void_invoice_that_is_paid_late_takes_off_what_was_left_again(
    plus: Subscription,
) -> None:
    late = paid_late(void_of(change(plus, "pro")))
    assert (late.state, late.taken_off) == ("paid", money("5.81"))
    assert plus.charges.get().carried == money("5.81")


def test_what_was_given_back_meanwhile_is_not_taken_off_by_a_late_payment(
    plus: Subscription,
) -> None:
    void = void_of(change(plus, "pro"))
    first = plus.charges.get()
    refund_charge(charge=first, how="whole", actor=SYSTEM, source="backoffice", now=day(11))
    late = paid_late(void)
    assert (late.state, late.taken_off, late.refundable) == ("paid", 0, money("24.19"))
    first.refresh_from_db()
    assert (first.refunded, first.carried) == (9, 0)


def test_the_same_try_has_the_same_charge(plus: Subscription) -> None:
    """Whoever is killed while the money is asked for asks again under the same key."""
    keys = []
    for _number in range(2):
        with transaction.atomic():
            pro = change(plus, "pro")
            keys.append(pro.charges.get().public_id)
            transaction.set_rollback(True)
    assert keys[0] == keys[1]


def with_units() -> Subscription:
    """Uma has Plus with 50 units, 20 of which she has spent by the fourth day."""
    club = make_club(
        plan(price="9", credits={"units": 50}),
        plan("pro", price="30", upgrade="at_once", credits={"units": 100}),
        plan("lite", price="3"),
        code="units",
    )
    found = join(member(club, "uma"))
    pay(found, NOW)
    adjust(wallet_of(found.membership.account_id), -20, "spent", now=day(4))
    found.refresh_from_db()
    return found


def test_what_is_left_of_the_units_goes_once_the_other_plan_is_paid() -> None:
    plus = with_units()
    told = preview_change(plus, named(plus.plan.program, "pro"), now=day(10))
    assert [(item.wallet_type.code, item.units) for item in told.unused] == [("points", 30)]
    words = list(change_words(plus, told, "USD", plus.plan.program.zone))
    assert words[-1] == "Units of Plus that are still there go once that is paid: 30\xa0points."
    pro = change(plus, "pro")
    assert spendable("uma", day(10)) == 30
    pay(pro, day(12))
    assert moves("uma") == [
        ("accrual", 50), ("adjustment", -20), ("clawback", -30), ("accrual", 100),
    ]  # fmt: skip
    # Again takes nothing more, and those that come later are the other plan's.
    pass_time(day(45))
    assert spendable("uma", day(45)) == 100
    assert PlanCredit.objects.filter(withdrawn__gt=0).count() == 1


def test_units_stay_where_the_other_plan_is_never_paid_or_begins_at_the_renewal() -> None:
    plus = with_units()
    change(plus, "pro")
    pass_time(day(60))
    assert spendable("uma", day(60)) == 30
    ben = join(member(plus.plan.program, "c2"))
    pay(ben, NOW)
    ben.refresh_from_db()
    assert not preview_change(ben, named(plus.plan.program, "lite"), now=day(10)).unused
    change(ben, "lite")
    pass_time(day(40))
    assert moves("c2") == [("accrual", 50)]
