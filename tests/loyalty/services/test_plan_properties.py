"""Whatever happens to paid plans, in any order: each period is charged once, and no more units are
withdrawn than came."""

import datetime as dt

from django.db.models import Count, Sum
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Plan, PlanCharge, PlanCredit, Subscription, Transfer
from loyalty.plan_times import credit_time, period_end, unused_part
from loyalty.rules.calendar import add_months
from loyalty.selectors.subscriptions import running_of
from loyalty.services.plan_payments import mark_paid
from loyalty.services.plan_refunds import cancel_now, refund_charge
from loyalty.services.plan_renewals import renew_plans
from loyalty.services.subscriptions import cancel_at_period_end, change_plan, resume
from members.errors import ConflictError
from members.services.audit import SYSTEM
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import NOW, adjust, wallet_of
from tests.loyalty.histories import LONG
from tests.loyalty.planning import join, make_club, member, plan
from tests.sharing import forget_rows

ACTS = ("join", "pay", "pay", "time", "time", "spend", "cancel", "resume", "refund", "stop", "pro")
days = st.integers(min_value=0, max_value=45)
acts = st.lists(st.tuples(st.sampled_from(ACTS), days), max_size=25 if LONG else 16)


class Life:
    """A member who does things, day by day."""

    def __init__(self) -> None:
        self.member = Membership.objects.select_related("program", "customer").get()
        self.now, self.number = NOW, 0

    def live(self, act: str, days: int) -> None:
        self.now += dt.timedelta(days=days / 3)
        self.number += 1
        try:
            getattr(self, act)()
        except ConflictError:
            return

    def running(self) -> Subscription:
        found = running_of(self.member)
        if found is None:
            raise ConflictError("none")
        return found

    def join(self) -> None:
        join(self.member, at=self.now)

    def pay(self) -> None:
        charge = self.running().charges.filter(state__in=PlanCharge.UNPAID).order_by("pk").first()
        if charge is not None:
            mark_paid(charge=charge, actor=SYSTEM, now=self.now)

    def time(self) -> None:
        renew_plans(self.now)
        assert renew_plans(self.now) == 0

    def spend(self) -> None:
        wallet = wallet_of(self.member.account_id)
        held = holdings([wallet], self.now)[wallet.pk].spendable
        if held:
            adjust(wallet, -((held + 1) // 2), f"spend-{self.number}", now=self.now)

    def cancel(self) -> None:
        cancel_at_period_end(subscription=self.running(), actor=SYSTEM, now=self.now)

    def resume(self) -> None:
        resume(subscription=self.running(), actor=SYSTEM, now=self.now)

    def pro(self) -> None:
        other = Plan.objects.get(code="pro")
        change_plan(subscription=self.running(), plan=other, actor=SYSTEM, now=self.now)

    def refund(self) -> None:
        charge = PlanCharge.objects.filter(state="paid").order_by("pk").first()
        if charge is not None:
            how = "whole" if self.number % 2 else "pro_rata"
            refund_charge(charge=charge, how=how, actor=SYSTEM, source="job", now=self.now)

    def stop(self) -> None:
        how = ("none", "whole", "pro_rata")[self.number % 3]
        cancel_now(
            subscription=self.running(), refund=how, actor=SYSTEM, source="job", now=self.now
        )


class TestLives(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        units = {"units": 30, "expiry": {"kind": "days", "length": 50}}
        program = make_club(plan(credits=units), plan("pro", period="quarter", credits=units))
        member(program)

    @given(acts)
    def test_no_more_is_withdrawn_than_came_and_no_period_is_charged_twice(self, done):
        forget_rows()
        life = Life()
        for act, days in done:
            life.live(act, days)
        came = Transfer.objects.filter(kind="accrual").aggregate(n=Sum("amount", default=0))["n"]
        taken = Transfer.objects.filter(kind="clawback").aggregate(n=Sum("amount", default=0))["n"]
        assert taken <= came
        assert PlanCredit.objects.aggregate(n=Sum("withdrawn", default=0))["n"] == taken
        wallet = wallet_of(life.member.account_id)
        assert holdings([wallet], life.now)[wallet.pk].owed == 0
        periods = PlanCharge.objects.values("subscription", "period_start").annotate(n=Count("pk"))
        assert not periods.filter(n__gt=1).exists()
        assert Subscription.objects.filter(ended_at=None).count() <= 1
        for charge in PlanCharge.objects.annotate(n=Count("credits")):
            assert charge.n <= charge.version.credits_per_payment
            assert charge.paid_at or not charge.n
        assert_ledger_coherent(life.now)


UTC = dt.UTC


@given(
    st.dates(dt.date(2000, 1, 1), dt.date(2060, 1, 1)),
    st.sampled_from([1, 3, 12]),
    st.integers(min_value=1, max_value=60),
)
def test_a_period_ends_on_the_day_of_its_anchor_or_on_the_last_of_a_shorter_month(
    anchor, months, number
):
    end = period_end(anchor, months, number, UTC).date()  # type: ignore[arg-type]
    assert end.day == anchor.day or (end.day < anchor.day and (end + dt.timedelta(1)).day == 1)
    assert (end.year - anchor.year) * 12 + end.month - anchor.month == months * number


@given(
    st.builds(
        dt.datetime.combine, st.dates(dt.date(2000, 1, 1), dt.date(2060, 1, 1)),
        st.times(timezones=st.just(dt.UTC)),
    )
)  # fmt: skip
def test_units_of_a_payment_come_before_the_next_one(start):
    end = period_end(start.date(), 3, 1, UTC)  # type: ignore[arg-type]
    times = [credit_time(start, number, UTC) for number in range(3)]  # type: ignore[arg-type]
    assert times == sorted(set(times))
    assert times[-1] < end
    assert add_months(start.date(), 3) == end.date()


@given(st.integers(min_value=0, max_value=400), st.decimals("0.01", "9999", places=2))
def test_what_is_unused_is_between_nothing_and_all(passed, amount):
    end = NOW + dt.timedelta(days=365)
    at = NOW + dt.timedelta(days=passed)
    left = unused_part(amount, "EUR", start=NOW, end=end, at=at, zone=UTC)  # type: ignore[arg-type]
    later = unused_part(
        amount,
        "EUR",
        start=NOW,
        end=end,
        at=at + dt.timedelta(days=1),
        zone=UTC,  # type: ignore[arg-type]
    )
    assert 0 <= later <= left <= amount
