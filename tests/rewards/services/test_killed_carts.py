"""Processes that take, reserve and pay die at any moment: whatever they had kept and not paid comes
back by itself, and what was acknowledged stays."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import pytest
from django.db import connection, connections

from loyalty.ledger.checks import verify_ledger
from loyalty.models import Membership, Transfer, UnitTender
from rewards.models import Checkout, Redemption, Reward, Voucher
from rewards.services.redemptions import issue_redemption
from rewards.services.timeouts import end_timeouts
from tests.loyalty.factories import NOW, spendable
from tests.rewards.factories import make_member, offer, take
from tests.rewards.services.carts import HOW, cart, commit, reserve, shopper

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("coherent_ledger"),
]  # fmt: skip
PROCESSES, LIVES = 3, 4
UNITS, PRICE, PAID = 100_000, 100, 40
HOUR = dt.timedelta(hours=1)
PATIENCE = 60


@pytest.mark.timeout(300)
def test_what_processes_that_die_at_random_had_kept_comes_back_by_itself() -> None:
    """Each of three processes is killed four times, between none and forty milliseconds after
    something that it told of."""
    chance = random.Random(6)
    first = shopper(UNITS, "m0")
    members = [first, *(make_member(UNITS, f"m{n}", first.program) for n in range(1, PROCESSES))]
    tour = offer(first.program, "tour", kind="access", price=PRICE, stock=10_000)
    acknowledged: set[tuple[str, str]] = set()
    begun = _server_time()
    for life in range(LIVES):
        acknowledged |= _live_and_die(life, members, tour, chance)
    acknowledged |= _keep_and_die(first, tour)
    _until_the_server_knows(begun)

    # What nobody told of may have happened, too: it was written, and who was to say so died.
    kept = {("reserved", key) for key in Redemption.objects.values_list("key", flat=True)}
    kept |= {("reserved", name) for name in Checkout.objects.values_list("cart", flat=True)}
    handed_out = Redemption.objects.exclude(issued_at=None)
    done = {("issued", key) for key in handed_out.values_list("key", flat=True)}
    paid = Checkout.objects.filter(status="committed")
    done |= {("paid", name) for name in paid.values_list("cart", flat=True)}
    assert acknowledged <= kept | done
    assert {kind for kind, _name in acknowledged} == {"reserved", "issued", "paid"}

    while end_timeouts(NOW + HOUR):
        pass
    assert not Redemption.objects.filter(status="reserved").exists()
    assert not Checkout.objects.filter(status="reserved").exists()
    # Nothing is lost and nothing is there twice: of all units those of what was handed out, and
    # those that paid, are gone; of the stock as many.
    gone = handed_out.exclude(status="cancelled").count()
    spent = sum(tender.transfer.amount for tender in UnitTender.objects.all())
    left = sum(spendable(f"m{number}", NOW + HOUR) for number in range(PROCESSES))
    assert left == PROCESSES * UNITS - PRICE * gone - spent
    assert spent == PAID * paid.count()
    assert Reward.objects.get().taken == gone == Voucher.objects.count()
    ended = Redemption.objects.exclude(returned=None).count()
    carts = Checkout.objects.filter(status="expired").count()
    assert 0 < ended <= PROCESSES * LIVES + 1
    assert carts <= PROCESSES * LIVES
    assert Transfer.objects.filter(kind="reversal").count() == ended + carts
    assert verify_ledger(NOW + HOUR) == []


def _live_and_die(
    life: int, members: list[Membership], tour: Reward, chance: random.Random
) -> set[tuple[str, str]]:
    """What the processes of a life told of before they were killed."""
    connections.close_all()
    context = get_context("fork")
    running: list[tuple[BaseProcess, Connection]] = []
    for number, member in enumerate(members):
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(f"{number}-{life}", member, tour, theirs))
        process.start()
        theirs.close()
        running.append((process, ours))
    told: set[tuple[str, str]] = set()
    for process, ours in running:
        # So many things are told of, then it dies in the middle of one of the next.
        for _thing in range(chance.randint(3, 8)):
            assert ours.poll(PATIENCE), "it does nothing"
            told.add(ours.recv())
        time.sleep(chance.uniform(0, 0.04))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
        told |= _rest(ours)
    return told


def _keep_and_die(member: Membership, tour: Reward) -> set[tuple[str, str]]:
    """Of the others none may have died between keeping and handing out; this one does."""
    connections.close_all()
    process = get_context("fork").Process(target=_keep, args=("kept", member, tour))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL
    return {("reserved", "kept")}


def _keep(key: str, member: Membership, tour: Reward) -> None:
    take(member, tour, key, at=NOW, hold=dt.timedelta(minutes=15))
    os.kill(os.getpid(), signal.SIGKILL)


def _server_time() -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: dt.datetime = cursor.fetchone()[0]
        return at


def _until_the_server_knows(begun: dt.datetime) -> None:
    """That those who began since are dead: what they had begun is undone then."""
    others = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend' AND backend_start > %s"
    )
    for _look in range(PATIENCE * 20):
        with connection.cursor() as cursor:
            cursor.execute(others, [begun])
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("connections of the dead stay")


def _rest(ours: Connection) -> set[tuple[str, str]]:
    """What it had told of when it died; a word that it did not end is none."""
    told = set()
    try:
        while ours.poll():
            told.add(ours.recv())
    except (EOFError, OSError):
        pass
    return told


def _work(name: str, member: Membership, tour: Reward, told: Connection) -> None:
    """Rewards and carts, reserved and then issued or paid, for ever."""
    number = 0
    while True:
        number += 1
        key = f"{name}-{number}"
        taken = take(member, tour, key, at=NOW, hold=dt.timedelta(minutes=15))
        told.send(("reserved", key))
        issue_redemption(redemption=taken, actor=HOW["actor"], now=NOW)
        told.send(("issued", key))
        found = reserve(cart(member, f"C{key}", units=PAID, rewards=[tour]), minutes=15)
        told.send(("reserved", f"C{key}"))
        commit(found, f"A{key}")
        told.send(("paid", f"C{key}"))
