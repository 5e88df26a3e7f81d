"""Daily totals are what the transfers say, whatever was posted and however often it is told."""

import random
from collections import defaultdict

from django.db import transaction

from loyalty.errors import InsufficientBalanceError
from loyalty.models import DailyTotal, Transfer, WalletType
from loyalty.selectors.liability import get_liability
from loyalty.selectors.totals import activity, daily_figures
from loyalty.services.totals import follow_postings
from members.models import OutboxEvent
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)


def expected() -> dict:
    sums = defaultdict(lambda: [0, 0, 0, set()])
    for transfer in Transfer.objects.select_related("wallet"):
        other = {transfer.from_account_id, transfer.to_account_id} - {transfer.wallet.account_id}
        found = sums[transfer.wallet_type_id, transfer.booked_on, transfer.kind, *other]
        found[0 if transfer.signed_amount > 0 else 1] += transfer.amount
        found[2] += 1
        found[3] |= {transfer.order_id} - {None}
    return {key: (inc, out, n, len(orders)) for key, (inc, out, n, orders) in sums.items()}


def totals() -> dict:
    return {
        (t.wallet_type_id, t.day, t.kind, t.account_id): (
            t.incoming, t.outgoing, t.movements, t.orders,
        )
        for t in DailyTotal.objects.all()
    }  # fmt: skip


def test_days_on_which_something_expired_are_told_whoever_wrote_it_down(db):
    expiry = {"kind": "days", "length": 10, "last_day": "start_of_day"}
    wallet = make_wallet(make_program(unit={"pending_days": 3, "expiry": expiry}))
    record(order("A", "50"))
    adjust(wallet, -50, "spend", now=day(4))
    give_back(refund("R", "50", of="A", at=day(4)))
    record(order("B", "30", at=day(5)))
    record(order("C", "10", at=day(20)))  # what was left of B settled the debt on the 15th
    deliver_waiting()
    assert DailyTotal.objects.filter(kind="settlement").exists()
    assert totals() == expected()


def test_totals_equal_the_transfers_after_whatever_was_posted(db):
    program = make_program(time_zone="America/New_York", unit={"pending_days": 2})
    make_program("second", earning_rules=[{"units": 3}])
    wallets = [make_wallet(program, f"c{number}") for number in range(3)]
    chance = random.Random(7)
    for step in range(40):
        at = day(step / 5)
        number = chance.randrange(3)
        match chance.randrange(4):
            case 0:
                try:
                    with transaction.atomic():
                        adjust(wallets[number], chance.choice([25, -5]), f"k{step}", now=at)
                except InsufficientBalanceError:
                    pass
            case 1 if step > 8:
                give_back(refund(f"R{step}", "5", buyer=f"c{number}", at=at))
            case _:
                record(order(f"A{step}", str(chance.randrange(40)), at=at, buyer=f"c{number}"))
        if step % 11 == 0:
            deliver_waiting()
    deliver_waiting()
    assert totals() == expected()
    first, last = NOW.date(), day(9).date()
    for wallet_type in WalletType.objects.all():
        net = sum(
            figures.earned - figures.taken_back - figures.redeemed + figures.adjusted
            for figures in daily_figures(wallet_type, first, last)
        )
        assert get_liability(wallet_type, last).units == net
        assert activity(wallet_type, first, last).orders == sum(
            orders for (kind_of, _, kind, _), (_, _, _, orders) in totals().items()
            if kind_of == wallet_type.pk and kind == "accrual"
        )  # fmt: skip


def test_events_delivered_again_or_late_change_nothing(program):
    record(order("A1"))
    record(order("A2"))
    events = list(OutboxEvent.objects.filter(kind="ledger.posted"))
    follow_postings(list(reversed(events)))
    follow_postings(events[:1])
    follow_postings([*events, *events])
    assert totals() == expected()
    (found,) = totals().values()
    assert found == (20, 0, 2, 2)


def test_a_repeated_order_leaves_nothing_to_tell(program):
    record(order())
    before = OutboxEvent.objects.count()
    record(order())
    assert OutboxEvent.objects.count() == before


def test_what_has_expired_is_not_outstanding_though_no_job_wrote_it_down(db):
    program = make_program(unit={"expiry": {"kind": "months", "length": 1}})
    record(order("A1", "30", at=NOW))
    record(order("A2", "12", at=day(20)))
    deliver_waiting()
    wallet_type = program.wallet_types.get()
    assert get_liability(wallet_type, day(25).date()).units == 42
    assert get_liability(wallet_type, day(40).date()).units == 12
