"""An order goes through its states, in any order of messages, and its units wait for what they
wait for."""

import datetime as dt

import pytest

from loyalty.errors import OrderConflictError
from loyalty.models import NEVER, Lot, LotChange, Order, WalletType
from loyalty.services.lots import extend_lot
from loyalty.services.order_holds import confirm_order, hold_order, preview_hold, release_order
from loyalty.services.policy_changes import apply_policy_change
from loyalty.services.redemptions import redeem_units, reverse_redemption
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    held,
    make_program,
    moves,
    order,
    record,
    refund,
    spendable,
    wallet_of,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")


def told(**details: object) -> str:
    now = details.pop("now", NOW)
    return record(order("A", "100", **details), now=now)[0].outcome


def stored() -> Order:
    return Order.objects.get(external_id="A")


def waits_for(state: str, days: int = 0, **unit: object) -> None:
    make_program(unit={"pending_from": state, "pending_days": days, **unit})


def test_a_tills_sale_reached_all_its_states_when_it_was_placed(program):
    told()
    assert {stored().paid_at, stored().fulfilled_at, stored().completed_at} == {NOW}


def test_a_state_is_reached_when_we_hear_of_it_unless_the_shop_says_when(program):
    told(status="placed")
    assert (stored().paid_at, stored().fulfilled_at) == (None, None)
    told(status="paid", now=day(1))
    told(status="fulfilled", fulfilled_at=day(2), now=day(3))
    assert (stored().paid_at, stored().fulfilled_at) == (day(1), day(2))
    assert stored().completed_at is None


@pytest.mark.parametrize("by", ["sequence", "changed_at"])
def test_a_message_that_is_older_than_what_is_known_is_ignored(program, by):
    version = {"sequence": lambda n: n, "changed_at": day}[by]
    assert record(order("A", "100", **{by: version(2)}), now=day(3))[0].outcome == "created"
    old = order("A", "40", **{by: version(1)})
    assert record(old, now=day(3))[0].outcome == "outdated"
    assert (spendable(at=day(3)), stored().total) == (100, 100)
    assert record(order("A", "70", **{by: version(3)}), now=day(3))[0].outcome == "updated"
    assert record(old, now=day(3))[0].outcome == "outdated"
    assert spendable(at=day(3)) == 70


def test_the_newest_count_is_known_though_nothing_else_changed(program):
    record(order("A", "100", sequence=1))
    record(order("A", "100", sequence=3))
    assert record(order("A", "50", sequence=2))[0].outcome == "outdated"
    assert spendable() == 100


def test_states_that_flip_award_once():
    """Pain 7: processing, completed, processing, completed."""
    waits_for("completed")
    for number, status in enumerate(("placed", "completed", "placed", "completed")):
        told(status=status, now=day(number))
    assert moves() == [("accrual", 100)]
    assert (spendable(at=day(4)), held(at=day(2.5)).pending) == (100, 0)


def test_an_order_canceled_by_mistake_and_completed_is_awarded_again(program):
    """Pain 8."""
    for status in ("placed", "cancelled", "completed"):
        told(status=status)
    assert moves() == [("accrual", 100), ("clawback", -100), ("accrual", 100)]
    assert spendable() == 100


@pytest.mark.parametrize("status", ["cancelled", "refunded"])
def test_an_order_that_came_to_nothing_earns_nothing(program, status):
    told(status="paid")
    told(status=status, now=day(1))
    assert spendable(at=day(1)) == 0
    assert stored().paid_at == NOW


def test_a_shop_may_call_an_order_partly_refunded_before_it_says_how_much(program):
    told(status="paid")
    told(status="partly_refunded", now=day(1))
    assert spendable(at=day(1)) == 100
    give_back(refund("R1", "30", of="A", at=day(2)))
    assert spendable(at=day(2)) == 70


@pytest.mark.parametrize(
    ("state", "reached"), [("paid", day(1)), ("fulfilled", day(2)), ("completed", day(3))]
)
def test_units_wait_for_the_state_that_the_program_names(state, reached):
    waits_for(state, days=10)
    told(status="placed")
    assert (held().pending, held(at=day(300)).spendable) == (100, 0)
    for number, status in enumerate(("paid", "fulfilled", "completed"), start=1):
        told(status=status, now=day(number))
    matures = reached + dt.timedelta(days=10)
    assert Lot.objects.get().spendable_at == matures
    assert held(at=matures - dt.timedelta(seconds=1)).spendable == 0
    assert held(at=matures).spendable == 100


def test_later_states_may_come_before_earlier_ones():
    waits_for("fulfilled")
    told(status="completed", fulfilled_at=day(1), now=day(5))
    assert Lot.objects.get().spendable_at == day(1)


def test_expiry_counted_from_maturity_begins_when_units_mature():
    expiry = {
        "kind": "days", "length": 10, "counted_from": "maturity", "last_day": "start_of_day",
    }  # fmt: skip
    waits_for("paid", expiry=expiry)
    told(status="placed")
    assert (Lot.objects.get().spendable_at, Lot.objects.get().expires_at) == (NEVER, None)
    told(status="paid", now=day(2))
    assert Lot.objects.get().expires_at == day(12).replace(hour=0)
    assert LotChange.objects.get().reason == "order"


def test_a_refund_of_a_waiting_order_takes_what_waits():
    waits_for("completed")
    told(status="paid")
    give_back(refund("R1", "30", of="A"))
    assert (held().pending, held().owed) == (70, 0)


def test_an_order_that_is_held_back_matures_only_once_it_is_released():
    make_program(unit={"pending_days": 5})
    told()
    hold_order(order=stored(), actor=SYSTEM, reason="Looks odd", now=day(1))
    assert (held(at=day(9)).spendable, held(at=day(9)).pending) == (0, 100)
    told(store="Corner shop", now=day(2))
    assert held(at=day(9)).spendable == 0
    release_order(order=stored(), actor=SYSTEM, reason="All is well", now=day(3))
    assert (held(at=day(4)).spendable, held(at=day(5)).spendable) == (0, 100)
    assert list(LotChange.objects.order_by("pk").values_list("reason", "note")) == [
        ("held", "Looks odd"), ("released", "All is well"),
    ]  # fmt: skip
    assert AuditEntry.objects.filter(action="order.held", reason="Looks odd").exists()


def test_what_could_be_spent_already_is_held_back_too(program):
    told()
    hold_order(order=stored(), actor=SYSTEM, reason="Fraud", now=day(1))
    assert (held(at=day(1)).spendable, held(at=day(1)).pending) == (0, 100)


def test_an_order_may_be_confirmed_early_once():
    waits_for("completed", days=30)
    told(status="paid")
    for _time in range(2):
        confirm_order(order=stored(), actor=SYSTEM, reason="Regular", now=day(1))
    assert held(at=day(1)).spendable == 100
    assert LotChange.objects.count() == 1


def test_confirming_what_could_be_spent_already_takes_no_time_from_it():
    make_program(unit={"pending_days": 5})
    told()
    confirm_order(order=stored(), actor=SYSTEM, reason="Regular", now=day(8))
    assert Lot.objects.get().spendable_at == day(5)
    assert not LotChange.objects.exists()


def test_what_holding_releasing_and_confirming_would_do_is_seen_before():
    make_program(unit={"pending_days": 5})
    told()
    before = held(at=day(6))
    shown = preview_hold(hold_order, order=stored(), now=day(6))
    [effect] = shown.wallets
    assert (effect.before, effect.after.spendable, effect.after.pending) == (before, 0, 100)
    assert [lot.spendable_at for lot in shown.lots] == [NEVER]
    assert (stored().held_at, held(at=day(6))) == (None, before)
    assert not AuditEntry.objects.filter(action="order.held").exists()

    hold_order(order=stored(), actor=SYSTEM, reason="Odd", now=day(6))
    [effect] = preview_hold(release_order, order=stored(), now=day(7)).wallets
    assert (effect.before.spendable, effect.after.spendable) == (0, 100)
    with pytest.raises(OrderConflictError):
        preview_hold(confirm_order, order=stored(), now=day(7))
    assert stored().held_at == day(6)


def test_a_held_order_is_not_confirmed():
    make_program(unit={"pending_days": 5})
    told()
    hold_order(order=stored(), actor=SYSTEM, reason="Odd", now=day(1))
    with pytest.raises(OrderConflictError):
        confirm_order(order=stored(), actor=SYSTEM, reason="Regular", now=day(1))


def test_a_changed_policy_is_for_later_orders_only():
    waits_for("paid")
    told(status="paid")
    record(order("B", "10", at=day(1), status="placed"))
    make_program(unit={"pending_from": "fulfilled"}, at=day(2))
    # B came under the old policy, whenever it is paid and whatever it grows to.
    record(order("B", "20", at=day(1), status="paid"), now=day(3))
    record(order("C", "5", at=day(4), status="paid"))
    assert (held(at=day(4)).spendable, held(at=day(4)).pending) == (120, 5)


FROM_MATURITY = {
    "kind": "days", "length": 10, "counted_from": "maturity", "last_day": "start_of_day",
}  # fmt: skip


def test_more_time_stays_while_an_order_is_held_back_and_released():
    make_program(unit={"expiry": FROM_MATURITY})
    told()
    extend_lot(lot=Lot.objects.get(), until=day(50), actor=SYSTEM, note="Ill", now=day(1))
    hold_order(order=stored(), actor=SYSTEM, reason="Odd", now=day(2))
    release_order(order=stored(), actor=SYSTEM, reason="All is well", now=day(3))
    assert (held(at=day(49)).spendable, held(at=day(50)).spendable) == (100, 0)


def test_what_was_spent_of_a_held_order_comes_back_held(program):
    told()
    wallet = wallet_of(Lot.objects.get().wallet.account_id)
    spent, _known = redeem_units(
        wallet=wallet, units=100, key="k", source="api", actor=SYSTEM, now=day(1)
    )
    hold_order(order=stored(), actor=SYSTEM, reason="Fraud", now=day(2))
    reverse_redemption(transfer=spent, key="b", source="api", actor=SYSTEM, now=day(3))
    assert (held(at=day(3)).spendable, held(at=day(3)).pending) == (0, 100)


@pytest.mark.parametrize(("was", "becomes", "ends"), [
    (FROM_MATURITY, {"kind": "never"}, None),
    ({"kind": "never"}, FROM_MATURITY, day(15).replace(hour=0)),
])  # fmt: skip
def test_terms_that_were_applied_to_existing_units_go_on_counting_for_them(was, becomes, ends):
    waits_for("paid", expiry=was)
    told(status="placed")
    waits_for("paid", expiry=becomes)
    apply_policy_change(WalletType.objects.get(), after=0, actor_id=None, note="", now=day(3))
    told(status="paid", now=day(5))
    assert Lot.objects.get().expires_at == ends
