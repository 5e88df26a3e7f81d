"""Another plan now, whatever its terms say: what is paid, what goes back, and that it adds up."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.models import Membership, Plan, PlanCharge, PlanCredit, Subscription
from loyalty.plan_times import unused_part
from loyalty.selectors.plan_changes import preview_change
from loyalty.selectors.subscriptions import running_of
from loyalty.services.plan_changes import change_as_offered
from loyalty.services.plan_payments import mark_paid
from loyalty.services.plan_refunds import refund_charge
from loyalty.services.plan_renewals import renew_plans
from loyalty.services.subscriptions import cancel_at_period_end
from members.errors import ConflictError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem, key_with  # noqa: F401
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import NOW, day, moves
from tests.loyalty.payments.banks import Bank, Killed, paid_by_card
from tests.loyalty.payments.conftest import bank  # noqa: F401
from tests.loyalty.planning import charges, join, make_club, member, money, pass_time, pay, plan
from tests.sharing import of_each_test, rolled_back

PLANS = (
    plan(price="9", credits={"units": 50}), plan("pro", price="30", credits={"units": 100}),
    plan("lite", price="3"),
)  # fmt: skip


def make_ann() -> Membership:
    return member(make_club(*PLANS, plan("year", price="100", period="year")))


_made_once, ann = of_each_test(make_ann)


def paid(ann: Membership, code: str) -> Subscription:
    found = join(ann, code)
    pay(found, NOW)
    found.refresh_from_db()
    return found


def change(found: Subscription, code: str, at: dt.datetime, **agreed: Decimal) -> Subscription:
    wanted = Plan.objects.get(program=found.plan.program, code=code)
    return change_as_offered(
        subscription=found, plan=wanted, actor=SYSTEM, now=at, when="now", **agreed
    )


def test_what_costs_more_is_paid_less_what_is_left_though_it_is_sold_for_the_renewal(
    ann: Membership,
) -> None:
    plus = paid(ann, "plus")
    pro = change(plus, "pro", day(10))
    assert (pro.state, charges(pro)) == ("active", [("open", "24.19")])
    plus.refresh_from_db()
    assert (plus.ended_why, plus.ended_at) == ("changed", day(10))
    # The units of the other plan come with its payment, once; those of the one before go then.
    assert moves() == [("accrual", 50)]
    pay(pro, day(11))
    pass_time(day(20))
    assert moves() == [("accrual", 50), ("clawback", -50), ("accrual", 100)]
    assert PlanCredit.objects.count() == 2


def test_what_costs_less_is_paid_by_what_is_left_and_the_rest_goes_back(ann: Membership) -> None:
    pro = paid(ann, "pro")
    preview = preview_change(pro, Plan.objects.get(code="lite"), now=day(10), when="now")
    # Twenty of 31 days are left: 19.35.
    assert (preview.pays_now, preview.taken_off, preview.gives_back) == (
        0, money("3"), money("16.35"),
    )  # fmt: skip
    assert [item.units for item in preview.unused] == [100]
    lite = change(pro, "lite", day(10), pays_now=money("0"), gives_back=money("16.35"))
    assert (lite.state, charges(lite)) == ("active", [("paid", "0.00")])
    assert charges(pro) == [("refunded", "30.00")]
    assert PlanCharge.objects.get(amount=30).refunded == money("16.35")
    assert moves() == [("accrual", 100), ("clawback", -100)]
    # Again changes nothing; the next period costs the whole price.
    assert change(pro, "lite", day(11)) == lite
    pass_time(day(50))
    assert charges(lite)[-1] == ("open", "3.00")
    assert AuditEntry.objects.filter(action="plan.refunded").count() == 1


def test_what_was_agreed_to_is_what_is_done(ann: Membership) -> None:
    pro = paid(ann, "pro")
    with pytest.raises(ConflictError) as error:
        change(pro, "lite", day(11), pays_now=money("0"), gives_back=money("16.35"))
    assert error.value.code == "price_changed"
    assert running_of(ann) == pro


def test_on_trial_unpaid_leaving_or_the_same_it_is_refused(ann: Membership) -> None:
    plus = join(ann, "plus")
    for at, code in ((NOW, "pro"), (day(1), "plus")):
        with pytest.raises(ConflictError):
            preview_change(plus, Plan.objects.get(code=code), now=at, when="now")
    pay(plus, NOW)
    plus.refresh_from_db()
    with pytest.raises(ConflictError) as error:
        preview_change(plus, plus.plan, now=day(1), when="now")
    assert error.value.code == "same_plan"
    cancel_at_period_end(subscription=plus, actor=SYSTEM, now=day(2))
    with pytest.raises(ConflictError):
        change(plus, "pro", day(3))


def test_more_than_was_paid_for_it_is_not_given_back(ann: Membership) -> None:
    pro = paid(ann, "pro")
    plus = change(pro, "plus", day(1))
    assert charges(plus) == [("paid", "0.00")]
    with pytest.raises(ConflictError) as error:
        change(plus, "lite", day(2))
    assert error.value.code == "not_refundable"
    [free] = plus.charges.all()
    with pytest.raises(ConflictError):
        refund_charge(charge=free, how="whole", actor=SYSTEM, source="job", now=day(2))


@pytest.mark.usefixtures("undone_when_refused")
def test_by_card_the_rest_goes_back_to_it_once_whoever_dies(
    bank: Bank,  # noqa: F811
    ann: Membership,
) -> None:
    by_card = paid_by_card(ann.program, "pro")
    taken = dict(bank.taken)
    bank.kills = True
    with pytest.raises(Killed):
        change(by_card, "lite", day(10))
    bank.kills = False
    assert list(bank.given.values()) == [money("16.35")]
    renew_plans(day(10) + dt.timedelta(minutes=5))
    assert PlanCharge.objects.get(amount=30).refunded == money("16.35")
    found = running_of(by_card.membership)
    assert found is not None
    assert (found.plan.code, charges(found)) == ("lite", [("paid", "0.00")])
    assert change(by_card, "lite", day(11)) == found
    assert list(bank.given.values()) == [money("16.35")]
    assert bank.taken == taken
    assert moves() == [("accrual", 100), ("clawback", -100)]


@pytest.mark.usefixtures("undone_when_refused")
def test_by_card_the_difference_is_charged_or_nothing_happens(
    bank: Bank,  # noqa: F811
    ann: Membership,
) -> None:
    plus = paid_by_card(ann.program)
    bank.refuses = True
    with pytest.raises(ConflictError):
        change(plus, "pro", day(10))
    assert running_of(plus.membership) == plus
    bank.refuses = False
    pro = change(plus, "pro", day(10))
    assert charges(pro) == [("paid", "24.19")]
    assert sorted(bank.taken.values()) == [money("9"), money("24.19")]


def test_over_the_api_it_is_looked_at_first(
    db: None,
    key_with: Any,  # noqa: F811
) -> None:
    def ago(days: float) -> dt.datetime:
        return timezone.now() - dt.timedelta(days=days)

    shop: ApiClient = key_with("memberships:read", "memberships:write")
    club = make_club(*PLANS, code="today", at=ago(30))
    pro = join(member(club, at=ago(20)), "pro", at=ago(5))
    pay(pro, ago(5))
    path = f"/subscriptions/{pro.public_id}/change"
    seen = shop.get(f"{path}?plan=lite&at=now").json()
    assert (seen["at_once"], seen["pays_now"], seen["taken_off"]) == (True, "0", "3")
    assert Decimal(seen["gives_back"]) > 0
    wrong = {"plan": "lite", "at": "now", "gives_back": "30"}
    assert_problem(shop.post(path, wrong, Idempotency_Key="c-1"), 409, "price_changed")
    agreed = {"plan": "lite", "at": "now", "pays_now": "0", "gives_back": seen["gives_back"]}
    answer = shop.post(path, agreed, Idempotency_Key="c-2")
    assert answer.status_code == 200, answer.content
    assert answer.json()["plan"] == "lite"
    assert shop.post(path, agreed, Idempotency_Key="c-2").json()["id"] == answer.json()["id"]
    assert shop.get(f"{path}?plan=nothing").status_code in {404, 422}
    assert Client().get(f"/api/v1{path}?plan=lite").status_code == 401


changes = st.lists(
    st.tuples(st.sampled_from(["plus", "pro", "lite", "year"]), st.integers(0, 12)),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=12)
@given(changes)
def test_what_is_paid_is_what_the_days_cost(ann, wanted):
    """All that was paid, less what went back, is the price of the present period and of each
    day that was had before, the day of a change with both plans; to a coin for each change."""
    with rolled_back():
        _change_each(ann, wanted)


def _change_each(ann: Membership, wanted: list[tuple[str, int]]) -> None:
    now, due, number = NOW, Decimal(0), 0
    found = paid(ann, "plus")
    for code, days in wanted:
        now += dt.timedelta(days=days)
        running = running_of(ann)
        assert running is not None
        charge = running.charges.order_by("-period_number")[0]
        try:
            found = change(running, code, now)
        except ConflictError:
            continue
        if found == running:
            continue
        number += 1
        left = unused_part(
            charge.version.price, "EUR", start=charge.period_start, end=charge.period_end,
            at=now, zone=ann.program.zone,
        )  # fmt: skip
        due += charge.version.price - left
        for invoice in found.charges.filter(state="open"):
            mark_paid(charge=invoice, actor=SYSTEM, now=now)
    due += found.version.price
    kept = sum(
        (row.amount - row.refunded for row in PlanCharge.objects.filter(paid_at__isnull=False)),
        Decimal(0),
    )
    assert abs(kept - due) <= Decimal("0.01") * number
    for row in PlanCharge.objects.all():
        assert row.remaining >= 0
    assert Subscription.objects.filter(ended_at=None).count() == 1
    assert_ledger_coherent(now)
