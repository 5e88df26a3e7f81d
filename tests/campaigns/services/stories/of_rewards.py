"""Rewards that are taken, sent and paid for."""

import datetime as dt

from members.services.audit import SYSTEM
from members.services.job_runs import run_job
from rewards.services.event_jobs import cancel_event
from rewards.services.fulfillment import set_address
from rewards.services.gift_cards import (
    activate_gift_card,
    block_gift_card,
    cancel_gift_card,
    replace_gift_card,
)
from rewards.services.redemptions import (
    cancel_redemption,
    expire_redemption,
    issue_redemption,
    reissue_redemption,
    use_redemption,
)
from rewards.services.vouchers import use_voucher
from tests.loyalty.factories import NOW, day, order, record
from tests.rewards import cards
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.rewards.services import carts, test_events, test_fulfillment

HOW = {"source": "api", "actor": SYSTEM, "now": NOW}
DAY = dt.timedelta(days=1)


def taken() -> None:
    member = make_member()
    program = member.program
    shelf = offer(program, valid_days=5)
    first = take(member, shelf, "k1", at=NOW, hold=DAY)
    issue_redemption(redemption=first, actor=SYSTEM, now=NOW)
    use_voucher(voucher=voucher_of(first), checkout="A1", occasion=None, actor=SYSTEM, now=NOW)
    second = take(member, shelf, "k2", at=NOW)
    use_redemption(redemption=second, actor=SYSTEM, now=NOW)
    second.refresh_from_db()
    reissue_redemption(redemption=second, actor=SYSTEM, now=NOW)
    third = take(member, shelf, "k3", at=NOW)
    cancel_redemption(redemption=third, reason="", source="api", actor=SYSTEM, now=NOW)
    fourth = take(member, shelf, "k4", at=NOW)
    assert expire_redemption(redemption=fourth, now=day(20))


def parcels() -> None:
    member = make_member()
    mug = offer(member.program, "mug", kind="gift", name="A mug", price=100, stock=5)
    task = test_fulfillment.task_of(take(member, mug, at=NOW))
    set_address(task=task, address=test_fulfillment.HOME, actor=SYSTEM, now=NOW)
    test_fulfillment.go(task, "packed", "sent", "returned", "canceled")


def shopping() -> None:
    member = carts.shopper()
    carts.commit(carts.reserve(carts.cart(member, "C1", units=100)))
    carts.cancel(carts.reserve(carts.cart(member, "C2", units=100)))
    third = carts.reserve(carts.cart(member, "C3", units=100))
    from rewards.services.checkouts import expire_checkout

    assert expire_checkout(checkout=third, now=day(2), actor=SYSTEM)


def cards_and_credit() -> None:
    program = cards.money_program()
    card = cards.issue(program)
    cards.pay(card, "20")
    block_gift_card(card=card, reason="Lost", actor=SYSTEM, now=NOW)
    replace_gift_card(card=card, reason="Lost", key="x", **HOW)
    later = cards.issue(program, key="g2", active=False)
    activate_gift_card(card=later, **HOW)
    unsold = cards.issue(program, key="g3", active=False)
    cancel_gift_card(card=unsold, reason="Damaged", **HOW)
    member = make_member(0, "c9", program)
    record(order("K1", "50", buyer="c9"))
    from loyalty.models import Order
    from loyalty.services.store_credit import refund_order_to_credit
    from tests.rewards.cards import Decimal

    refund_order_to_credit(
        membership=member, order=Order.objects.get(external_id="K1"), amount=Decimal("5"),
        key="rc", **HOW,
    )  # fmt: skip


def seats() -> None:
    first, second = make_member(1000, "m0"), None
    second = make_member(1000, "m1", first.program)
    event = test_events.plan(first.program)
    booked = take(first, event.reward, "a", at=NOW)
    test_events.wait_for(event, second)
    test_events.give_up(booked)
    run_job(cancel_event(event=event, reason="Storm", actor=SYSTEM, now=NOW).job.pk)
