"""What is taken back of what orders earned is known as theirs: refunds later take only the rest."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from loyalty.errors import InsufficientBalanceError
from loyalty.explanations import explain_transfer
from loyalty.ledger.balances import holdings
from loyalty.models import (
    AdjustmentLimit,
    AdjustmentRequest,
    Membership,
    PoolMember,
    RiskCase,
    Transfer,
)
from loyalty.selectors.pools import pool_wallets
from loyalty.selectors.risk_takings import Taking, takings_of, undue_of
from loyalty.services.adjustment_requests import approve_request, reject_request
from loyalty.services.adjustments import adjust_units, preview_adjustment, undo_transfer
from loyalty.services.founding import give_founding_bonus
from loyalty.services.order_takings import note_taking
from loyalty.services.redemptions import redeem_units
from loyalty.services.risk_cases import hold_case, release_case
from loyalty.services.risk_claw_backs import claw_back
from members.errors import ConflictError
from members.services.audit import SYSTEM, Actor
from tests.factories import StaffMemberFactory
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    give_back,
    held,
    make_program,
    order,
    record,
    refund,
    spendable,
    wallet_of,
)
from tests.loyalty.risks import FARMED, bonus_club, join, join_twice, look, redeem, rushed_case
from tests.loyalty.services.pooling import add, found_pool, spend
from tests.sharing import of_each_test, rolled_back

pytestmark = pytest.mark.usefixtures("coherent_ledger")

DAY = dt.timedelta(days=1)


def make_rushed() -> RiskCase:
    """Ten orders of 10 each, V0 to V9, and 100 for joining."""
    return rushed_case(bonus_club())


_made_once, rushed = of_each_test(make_rushed)


def take(case: RiskCase, actor: Actor = SYSTEM, facts: list[str] | None = None) -> None:
    claw_back(case=case, facts=facts, resume=False, note="Farmed", actor=actor, now=timezone.now())


def takings(case: RiskCase) -> list[Taking]:
    now = timezone.now()
    return takings_of(case, undue_of(case, now=now), now=now)


def fact(case: RiskCase, number: str) -> str:
    [one] = [one for one in undue_of(case, now=timezone.now()) if number in one.label]
    return one.key


def back(number: str, total: str = "10") -> None:
    give_back(
        refund(f"R-{number}-{total}", total, of=number, at=timezone.now(), buyer="r"),
        now=timezone.now(),
    )


def now_spendable(number: str = "r") -> int:
    return spendable(number, timezone.now())


def the_taking() -> Transfer:
    return Transfer.objects.get(kind="adjustment")


def undo(transfer: Transfer) -> None:
    undo_transfer(transfer=transfer, actor=SYSTEM, source="backoffice", now=timezone.now())


def test_a_refund_takes_nothing_of_what_was_taken_back_before(rushed: RiskCase) -> None:
    take(rushed)
    assert now_spendable() == 100
    back("V1")
    assert now_spendable() == 100
    assert not Transfer.objects.filter(kind="clawback").exists()


def test_a_refund_takes_only_what_is_left_and_says_so(rushed: RiskCase) -> None:
    redeem("r", 193)
    take(rushed, facts=[fact(rushed, "V1")])
    assert the_taking().amount == 7
    back("V1", "2")
    assert now_spendable() == 0
    assert not Transfer.objects.filter(kind="clawback").exists()
    back("V1", "8")
    moved = Transfer.objects.get(kind="clawback")
    assert moved.amount == 3
    assert any("Taken of it before, by hand" in step and "7" in step
               for step in explain_transfer(moved).steps)  # fmt: skip


def test_an_order_that_is_judged_again_gets_nothing_back_that_was_taken(rushed: RiskCase) -> None:
    take(rushed)
    record(order("V1", "10", buyer="r", at=timezone.now(), channel="web"))
    assert now_spendable() == 100


def test_what_is_undone_is_theirs_as_far_as_the_orders_deserve_it_now(rushed: RiskCase) -> None:
    take(rushed)
    back("V1")
    undo(the_taking())
    assert now_spendable() == 190


def test_a_taking_that_a_refund_overtook_is_not_approved(rushed: RiskCase) -> None:
    AdjustmentLimit.objects.filter(role="support_agent").update(approval_above=50)
    agent = Actor.of_user(StaffMemberFactory(role="support_agent").user)
    second = Actor.of_user(StaffMemberFactory(role="administrator").user)
    take(rushed, agent)
    back("V1")
    asked = AdjustmentRequest.objects.get()
    with pytest.raises(ConflictError) as refused:
        approve_request(request=asked, actor=second, now=timezone.now())
    assert refused.value.code == "changed"
    reject_request(request=asked, actor=second, note="Again", now=timezone.now())
    rushed.refresh_from_db()
    take(rushed, agent)
    again = AdjustmentRequest.objects.get(state="waiting")
    assert again.units == -90
    approve_request(request=again, actor=second, now=timezone.now())
    take(rushed, agent)
    assert now_spendable() == 100


@pytest.fixture
def waiting(db: None) -> RiskCase:
    """The same, of a program whose units can be spent after thirty days."""
    program = make_program("slow", unit={"pending_days": 30}, at=timezone.now() - 9 * DAY)
    return rushed_case(program)


def pending() -> int:
    return held("r", timezone.now()).pending


def test_what_cannot_be_spent_yet_is_taken_as_well_and_shown_before(waiting: RiskCase) -> None:
    [taking] = takings(waiting)
    assert (taking.spendable, taking.taken, taking.waiting, taking.missing) == (0, 100, 100, 0)
    take(waiting)
    assert (pending(), now_spendable()) == (0, 0)
    back("V1")
    assert held("r", timezone.now()).owed == 0


def test_what_waits_of_other_orders_stays(waiting: RiskCase) -> None:
    take(waiting, facts=[fact(waiting, "V1"), fact(waiting, "V2")])
    assert pending() == 80


def test_what_waited_waits_again_when_it_is_undone(waiting: RiskCase) -> None:
    take(waiting)
    undo(the_taking())
    assert (pending(), now_spendable()) == (100, 0)
    assert spendable("r", timezone.now() + 31 * DAY) == 100


def test_who_is_held_and_released_has_what_waited(waiting: RiskCase) -> None:
    hold_case(case=waiting, note="Look", actor=SYSTEM, now=timezone.now())
    release_case(case=waiting, note="Fine", actor=SYSTEM, now=timezone.now())
    assert (pending(), spendable("r", timezone.now() + 31 * DAY)) == (100, 100)


def test_above_a_limit_what_waits_is_asked_for_as_well(waiting: RiskCase) -> None:
    AdjustmentLimit.objects.filter(role="support_agent").update(approval_above=50)
    agent = Actor.of_user(StaffMemberFactory(role="support_agent").user)
    take(waiting, agent)
    asked = AdjustmentRequest.objects.get()
    seen = preview_adjustment(
        wallet=asked.wallet, units=asked.units, now=timezone.now(), key=asked.key
    )
    assert (seen.before, seen.after) == (0, 0)
    second = Actor.of_user(StaffMemberFactory(role="administrator").user)
    approve_request(request=asked, actor=second, now=timezone.now())
    assert pending() == 0


@pytest.fixture
def pooled(db: None) -> RiskCase:
    """Who has rushed shares all of it with a pool, in which somebody else has put 50."""
    program = make_program("shared", at=timezone.now() - 9 * DAY)
    first, other = join(program, "r"), join(program, "o")
    pool = found_pool(first, now=timezone.now() - DAY)
    add(pool, other, now=timezone.now() - DAY)
    record(order("O1", "50", buyer="o", at=timezone.now()))
    return rushed_case(program)


def pool_has(case: RiskCase) -> int:
    place = PoolMember.objects.get(membership=case.membership)
    [wallet] = pool_wallets(place.pool)
    return holdings([wallet], timezone.now())[wallet.pk].spendable


def test_what_a_member_brought_into_a_pool_is_taken_and_nothing_of_others(
    pooled: RiskCase,
) -> None:
    assert (pool_has(pooled), now_spendable()) == (150, 0)
    [taking] = takings(pooled)
    assert (taking.taken, taking.pooled, taking.missing) == (100, 100, 0)
    take(pooled)
    assert (pool_has(pooled), now_spendable()) == (50, 0)
    back("V1")
    assert (pool_has(pooled), held("r", timezone.now()).owed) == (50, 0)


def test_what_the_pool_spent_of_it_stays_spent(pooled: RiskCase) -> None:
    spend(pooled.membership, 120, now=timezone.now())
    left = pool_has(pooled)
    [taking] = takings(pooled)
    assert taking.taken + taking.missing == 100
    take(pooled)
    assert pool_has(pooled) == left - taking.taken
    others = Membership.objects.get(customer__external_id="o")
    assert wallet_of(others.account_id).owed == 0


def test_what_was_chosen_of_a_pools_units_is_taken_alone(pooled: RiskCase) -> None:
    take(pooled, facts=[fact(pooled, "V1"), fact(pooled, "V2")])
    assert (pool_has(pooled), now_spendable()) == (130, 0)


def test_what_is_undone_returns_to_whoever_earned_it(pooled: RiskCase) -> None:
    take(pooled)
    undo(the_taking())
    assert (pool_has(pooled), now_spendable()) == (50, 100)


def test_a_cap_is_used_up_by_what_was_taken(db: None) -> None:
    program = make_program(
        earning_rules=[{"caps": {"per_member": 100}}], at=timezone.now() - 9 * DAY
    )
    case = rushed_case(program)
    take(case)
    record(order("V1", "10", buyer="r", at=timezone.now(), channel="web"))
    record(order("W1", "10", buyer="r", at=timezone.now()))
    assert now_spendable() == 0


def test_what_founding_members_get_is_a_bonus_for_joining_and_taken_back(db: None) -> None:
    program = make_program(
        launch={"founding": {"units": "50", "days": 14}}, at=timezone.now() - 9 * DAY
    )
    first, second = join_twice(program)
    give_founding_bonus(program=program, now=timezone.now())
    for member in (first, second):
        assert look(member).points == FARMED
    case = RiskCase.objects.get(membership=second)
    [one] = undue_of(case, now=timezone.now())
    assert (one.label, one.units) == ("Founding bonus", 50)
    take(case)
    assert (now_spendable("f1"), now_spendable("f2")) == (50, 0)
    undo(the_taking())
    assert now_spendable("f2") == 50


ORDERS = 4
acts = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.lists(st.integers(0, 40), min_size=ORDERS, max_size=ORDERS)),
        st.tuples(st.just("refund"), st.tuples(st.integers(0, ORDERS - 1), st.integers(1, 30))),
        st.tuples(st.just("spend"), st.integers(1, 60)),
        st.tuples(st.just("undo"), st.integers(0, 3)),
        st.tuples(st.just("again"), st.integers(0, ORDERS - 1)),
    ),
    max_size=12,
)


@pytest.mark.parametrize("pending_days", [0, 30])
def test_whatever_happens_no_unit_is_taken_twice(db: None, pending_days: int) -> None:
    """In any order: take back, refund, spend, undo, judge again. What was undone is as if it had
    never been."""
    at_first = _Shop(pending_days)

    @seed(pending_days)
    @settings(max_examples=13)
    @given(acts=acts)
    def each(acts: list[tuple[str, Any]]) -> None:
        with rolled_back():
            _live(deepcopy(at_first), acts)

    each()


def _live(shop: _Shop, acts: list[tuple[str, Any]]) -> None:
    for name, what in acts:
        getattr(shop, name)(what)
        found = held("r", timezone.now())
        assert found.balance + found.pending - found.owed == shop.expected()
    assert_ledger_coherent(timezone.now())


class _Shop:
    """Four orders of 40, and what each has left, worked out from what happened to it."""

    def __init__(self, pending_days: int) -> None:
        program = make_program(unit={"pending_days": pending_days}, at=timezone.now() - 9 * DAY)
        self.wallet = wallet_of(join(program, "r").account_id)
        self.spent = self.count = 0
        self.events: list[list[tuple[str, int, int]]] = [[] for _ in range(ORDERS)]
        self.returned = [0] * ORDERS
        self.takings: list[Transfer] = []
        for number in range(ORDERS):
            self.again(number)

    def expected(self) -> int:
        return sum(self.left_of(number) for number in range(ORDERS)) - self.spent

    def left_of(self, number: int) -> int:
        units = 40
        for what, count, _taking in self.events[number]:
            units = units - count if what == "take" else min(units, count)
        return units

    def again(self, number: int) -> None:
        self.count += 1
        record(
            order(f"V{number}", "40", buyer="r", at=timezone.now() - DAY, channel=f"c{self.count}")
        )

    def take(self, wanted: list[int]) -> None:
        parts = [min(units, self.left_of(number)) for number, units in enumerate(wanted)]
        earned = dict(
            Transfer.objects.filter(kind="accrual").values_list("order__external_id", "pk")
        )
        self.count += 1
        key = f"risk:case:{self.count}"
        rows = [(earned[f"V{number}"], units) for number, units in enumerate(parts) if units]
        if not rows:
            return
        with suppress(InsufficientBalanceError), transaction.atomic():
            note_taking(key, rows)
            made, _replayed = adjust_units(
                wallet=self.wallet, units=-sum(parts), reason="fraud", note="Farmed", actor=SYSTEM,
                key=key, source="api", now=timezone.now(),
            )  # fmt: skip
            self.takings.append(made)
            for number, units in enumerate(parts):
                self.events[number].append(("take", units, made.pk))

    def refund(self, what: tuple[int, int]) -> None:
        number, units = what[0], min(what[1], 40 - self.returned[what[0]])
        if units:
            self.count += 1
            self.returned[number] += units
            give_back(
                refund(f"R{self.count}", str(units), of=f"V{number}", at=timezone.now(), buyer="r"),
                now=timezone.now(),
            )
            self.events[number].append(("refund", 40 - self.returned[number], 0))

    def spend(self, units: int) -> None:
        self.count += 1
        with suppress(InsufficientBalanceError), transaction.atomic():
            redeem_units(
                wallet=self.wallet, units=units, key=f"spend:{self.count}", source="api",
                actor=SYSTEM, now=timezone.now(),
            )  # fmt: skip
            self.spent += units

    def undo(self, place: int) -> None:
        if place < len(self.takings):
            gone = self.takings.pop(place)
            undo(gone)
            self.events = [
                [event for event in events if event[2] != gone.pk] for events in self.events
            ]
