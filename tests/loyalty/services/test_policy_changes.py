"""Units that exist get the terms of today: looked at first, then applied by a job."""

import datetime as dt
import time
from dataclasses import astuple

import pytest
from django.utils import timezone

from loyalty.errors import LedgerError
from loyalty.models import Lot, LotChange, WalletType
from loyalty.services import policy_changes
from loyalty.services.lots import extend_lot
from loyalty.services.policy_change_jobs import (
    policy_change_words,
    run_policy_change,
    start_policy_change,
)
from loyalty.services.policy_changes import apply_policy_change, preview_policy_change
from members.errors import ConflictError
from members.models import AuditEntry, Job
from members.services.audit import SYSTEM
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import held, make_program, order, record
from tests.processes import start_process, wait_for

pytestmark = pytest.mark.usefixtures("coherent_ledger")


def days(length: int, **more: object) -> dict[str, object]:
    return {"expiry": {"kind": "days", "length": length, **more}}


def ago(count: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=count)


def unit() -> WalletType:
    return WalletType.objects.select_related("program").get()


def earn(*parts: tuple[str, str, float], buyer: str = "c1") -> None:
    for number, total, count in parts:
        record(order(number, total, at=ago(count), buyer=buyer), now=timezone.now())


def ends() -> dict[str, int | None]:
    """In how many days each order's units expire."""
    today = timezone.now().date()
    return {
        lot.origin.order.external_id: (lot.expires_at.date() - today).days - 1
        if lot.expires_at
        else None
        for lot in Lot.objects.select_related("origin__order")
    }


def apply(reason: str = "Agreed with everybody") -> Job:
    job = start_policy_change(wallet_type=unit(), actor=SYSTEM, reason=reason, now=timezone.now())
    run_policy_change(job.pk)
    return Job.objects.get(pk=job.pk)


def shares() -> dict[str, tuple[int, int, int]]:
    effect = preview_policy_change(unit(), timezone.now())
    return {
        name: astuple(getattr(effect, name)) for name in ("longer", "shorter", "lost", "unchanged")
    }


def test_who_gains_and_who_loses_is_seen_before():
    make_program(unit=days(100))
    earn(("A", "10", 60), ("B", "20", 30), ("C", "30", 5))
    earn(("D", "40", 5), buyer="c2")
    make_program(unit=days(50))
    assert shares() == {
        "longer": (0, 0, 0), "shorter": (2, 3, 90), "lost": (1, 1, 10), "unchanged": (0, 0, 0),
    }  # fmt: skip
    make_program(unit={"expiry": {"kind": "never"}})
    assert shares()["longer"] == (2, 4, 100)
    make_program(unit=days(100))
    assert shares()["unchanged"] == (2, 4, 100)
    assert not LotChange.objects.exists()


def test_what_was_earned_on_one_day_is_looked_at_once_by_the_clock_of_the_program(monkeypatch):
    make_program(unit=days(365), time_zone="Asia/Tokyo")
    midnight = dt.datetime(2026, 3, 1, 15, tzinfo=dt.UTC)
    for number, hours in enumerate((-1, 0, 5, 23)):
        record(order(f"A{number}", "10", at=midnight + dt.timedelta(hours=hours)))
    make_program(unit=days(30), time_zone="Asia/Tokyo")
    at = midnight + dt.timedelta(days=29.5)
    seen = []
    way = policy_changes._way
    monkeypatch.setattr(policy_changes, "_way", lambda *asked: seen.append(1) or way(*asked))
    effect = preview_policy_change(unit(), at)
    # One group of what was earned before midnight, and one of what was earned after it.
    assert [(share.lots, share.units) for share in (effect.lost, effect.shorter)] == [
        (0, 0), (4, 40),
    ]  # fmt: skip
    assert len(seen) == 2
    effect = preview_policy_change(unit(), midnight + dt.timedelta(days=30.5))
    assert [(share.lots, share.units) for share in (effect.lost, effect.shorter)] == [
        (1, 10), (3, 30),
    ]  # fmt: skip


def test_a_job_applies_the_terms_and_keeps_what_was():
    make_program(unit=days(100))
    earn(("A", "10", 60), ("B", "20", 30))
    before = {lot.pk: lot.expires_at for lot in Lot.objects.all()}
    make_program(unit=days(50))
    job = apply()
    assert (job.state, job.done, job.total) == ("succeeded", 2, 2)
    assert policy_change_words(job) == "2 of 2 lots have other terms now."
    assert ends()["B"] == 20
    assert held(at=timezone.now()).spendable == 20
    changes = LotChange.objects.order_by("pk")
    assert {change.lot_id: change.expires_before for change in changes} == before
    assert {(change.reason, change.note) for change in changes} == {
        ("policy", "Agreed with everybody")
    }
    entry = AuditEntry.objects.get(action="program.terms_applied")
    words = "points that exist: They expire 50 days after they were earned."
    assert entry.reason == "Agreed with everybody"
    assert entry.after["changes"][0].startswith(words)


def test_applying_again_changes_nothing():
    make_program(unit=days(100))
    earn(("A", "10", 6))
    make_program(unit=days(50))
    apply()
    again = apply()
    assert (again.result, LotChange.objects.count()) == ({"lots": 1, "changed": 0}, 1)


def test_units_that_a_rule_gave_terms_of_its_own_keep_them():
    rule = {"code": "gift", "name": "Gift", **days(7)}
    make_program(unit=days(100), earning_rules=[{}, rule])
    earn(("A", "10", 1))
    make_program(unit=days(50), earning_rules=[{}, rule])
    assert shares()["shorter"] == (1, 1, 10)
    apply()
    left = sorted(lot.expires_at for lot in Lot.objects.all())
    assert [(at - timezone.now()).days for at in left] == [6, 49]


def test_units_cannot_be_made_to_expire_by_inactivity():
    make_program(unit=days(100))
    earn(("A", "10", 6))
    make_program(unit={"expiry": {"kind": "inactivity", "length": 3}})
    with pytest.raises(LedgerError):
        preview_policy_change(unit(), timezone.now())
    with pytest.raises(LedgerError):
        apply()
    assert not Job.objects.exists()


def test_the_terms_are_those_of_the_moment_in_which_it_was_decided(monkeypatch):
    make_program(unit=days(100))
    earn(("A", "10", 6), ("B", "10", 5))
    make_program(unit=days(50))
    monkeypatch.setattr(policy_changes, "CHUNK", 1)
    job = start_policy_change(wallet_type=unit(), actor=SYSTEM, reason="Agreed", now=timezone.now())
    make_program(unit=days(20))
    run_policy_change(job.pk)
    assert ends() == {"A": 44, "B": 45}


def test_what_changes_while_a_chunk_waits_is_not_overwritten(monkeypatch):
    """A chunk looks at its lots once nobody else can change them."""
    make_program(unit=days(100))
    earn(("A", "10", 6))
    make_program(unit=days(50))
    lock = policy_changes.lock_wallets

    def after_somebody_else(wallet_ids):
        lock(wallet_ids)
        until = timezone.now() + dt.timedelta(days=300)
        extend_lot(lot=Lot.objects.get(), until=until, actor=SYSTEM, note="", now=timezone.now())

    monkeypatch.setattr(policy_changes, "lock_wallets", after_somebody_else)
    apply_policy_change(unit(), after=0, actor_id=None, note="", now=timezone.now())
    last = LotChange.objects.latest("pk")
    assert (last.expires_before - timezone.now()).days == 299


def test_it_is_one_job_while_it_is_not_done():
    make_program(unit=days(100))
    earn(("A", "10", 6))
    make_program(unit=days(50))
    how = {"wallet_type": unit(), "actor": SYSTEM, "reason": "Agreed", "now": timezone.now()}
    assert start_policy_change(**how) == start_policy_change(**how)
    Job.objects.update(state="running", heartbeat_at=timezone.now())
    with pytest.raises(ConflictError):
        start_policy_change(**how)


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on_where_it_stopped(settings):
    make_program(unit=days(100))
    earn(*((f"A{number}", "10", number % 40) for number in range(60)))
    make_program(unit=days(50))
    expected = {number: end and end - 50 for number, end in ends().items()}
    job = start_policy_change(wallet_type=unit(), actor=SYSTEM, reason="Agreed", now=timezone.now())
    retime = policy_changes.retime

    def slowly(*about, **how):
        time.sleep(0.05)
        return retime(*about, **how)

    def work():
        policy_changes.CHUNK, policy_changes.retime = 2, slowly
        run_policy_change(job.pk)

    process = start_process(work)
    wait_for(lambda: Job.objects.get(pk=job.pk).done >= 6, process)
    process.kill()
    done = Job.objects.get(pk=job.pk).done
    assert 6 <= done < 60
    run_policy_change(job.pk)
    ended = Job.objects.get(pk=job.pk)
    assert (ended.state, ended.done, ended.result) == (
        "succeeded", 60, {"lots": 60, "changed": 60},
    )  # fmt: skip
    assert ends() == expected
    assert LotChange.objects.count() == 60
    assert_ledger_coherent()
