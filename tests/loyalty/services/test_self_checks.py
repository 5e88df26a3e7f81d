"""Looking at whether the books agree, and working out anew what is derived from them."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from loyalty.ledger.checks import DERIVED, RULES, verify_books
from loyalty.models import (
    DailyTotal,
    Lot,
    LotPosition,
    LotTotal,
    LotUse,
    SelfCheck,
    Transfer,
    Wallet,
)
from loyalty.selectors.self_checks import latest_verdict
from loyalty.services.cache_repairs import Repaired, repair_caches
from loyalty.services.closing import close_books
from loyalty.services.self_checks import KIND, run_self_check, self_check_words
from loyalty.services.totals import write_month_ends
from members.models import AuditEntry, Job
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled, start_work
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import (
    adjust,
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)
from tests.sharing import of_each_test


def bend(*statements: str) -> None:
    """What a hand with SQL does, past the triggers and constraints."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


def make_books():
    """Earned, spent, refunded into a debt, over two months; everything derived is there."""
    program = make_program()
    wallet = make_wallet(program)
    other = make_wallet(program, "c2")
    record(order("A1", "100"), order("A2", "30", at=day(40), buyer="c2"))
    adjust(wallet, -90, "take", now=day(2))
    adjust(other, -10, "some", now=day(41))
    give_back(refund("R1", "40", of="A1", at=day(45)))
    while deliver_waiting(1000):
        pass
    write_month_ends(wallet.wallet_type_id, day(45).date())
    assert Wallet.objects.filter(owed__gt=0).exists()
    assert LotPosition.objects.exists()
    return wallet


_made_once, books = of_each_test(make_books)


def check() -> SelfCheck:
    run_scheduled(kind=KIND, now=timezone.now())
    return SelfCheck.objects.latest("pk")


def the_books() -> list[list[tuple[object, ...]]]:
    """What must never change."""
    return [
        list(Transfer.objects.order_by("pk").values_list("pk", "amount", "debt_change")),
        list(Lot.objects.order_by("pk").values_list("pk", "granted", "expires_at")),
        list(LotUse.objects.order_by("pk").values_list("pk", "amount")),
    ]


def derived() -> list[list[tuple[object, ...]]]:
    return [
        list(Lot.objects.order_by("pk").values_list("pk", "remaining", "due_at")),
        list(
            Wallet.objects.order_by("pk").values_list(
                "pk", "balance", "pending", "owed", "next_change_at"
            )
        ),
        sorted(DailyTotal.objects.values_list("day", "kind", "incoming", "outgoing", "movements")),
        sorted(LotTotal.objects.values_list("day", "kind", "granted", "used")),
        sorted(LotPosition.objects.values_list("until", "kind", "granted", "used")),
    ]


def test_all_rules_are_looked_at_and_hold(books):
    found = check()
    assert found.looked_at == len(RULES) + 1
    assert found.finished_at is not None
    assert found.asked_by is None
    assert not found.findings.exists()
    assert self_check_words(Job.objects.get()) == f"{len(RULES) + 1} rules looked at: all hold."
    assert latest_verdict() == found


def test_what_does_not_hold_is_kept_until_a_later_look_finds_nothing(books):
    Wallet.objects.filter(pk=books.pk).update(balance=77)
    found = check()
    [finding] = found.findings.all()
    assert finding.count == 1
    assert "77 found" in finding.rows[0]
    job = Job.objects.get()
    assert self_check_words(job) == f"1 of {len(RULES) + 1} rules does not hold."
    [line] = job.log_lines.filter(level="error")
    assert "stored balance" in line.text
    assert latest_verdict().broken == 1
    repair_caches(actor=SYSTEM, now=timezone.now())
    assert latest_verdict().broken == 1
    assert check() != found
    assert latest_verdict().broken == 0


def test_a_look_that_was_stopped_goes_on_where_it_stopped(books, monkeypatch):
    from loyalty.services import self_checks

    broken = list(RULES)[4]
    asked = []

    def stop_there(name, now):
        asked.append(name)
        if name == broken and asked.count(name) == 1:
            raise RuntimeError("killed")

    monkeypatch.setattr(self_checks, "check_rule", stop_there)
    job = start_work(kind=KIND, actor=SYSTEM, now=timezone.now())
    with pytest.raises(RuntimeError):
        run_self_check(job.pk)
    assert SelfCheck.objects.get().finished_at is None
    Job.objects.update(state=Job.State.QUEUED)
    run_self_check(job.pk)
    assert asked == [*list(RULES)[:5], *list(RULES)[4:]]
    assert SelfCheck.objects.get().looked_at == len(RULES) + 1


# Each bends what a rule about derived figures is there for.
BENT = {
    "the totals of a day are what was booked on it":
        "UPDATE loyalty_dailytotal SET incoming = incoming + 1 WHERE kind = 'accrual'",
    "the lot totals of a day are what its movements granted and used":
        "UPDATE loyalty_lottotal SET used = used + 1 WHERE kind = 'accrual'",
    "the end of a month is where its days add up to":
        "UPDATE loyalty_lotposition SET granted = granted + 1",
}  # fmt: skip


@pytest.mark.parametrize("rule", DERIVED)
def test_derived_figures_that_drift_are_found_and_repaired(books, rule):
    before = derived()
    bend(BENT[rule])
    assert rule in {drift.check for drift in verify_books(timezone.now())}
    repair_caches(actor=SYSTEM, now=timezone.now())
    assert verify_books(timezone.now()) == []
    assert derived() == before


def test_a_day_that_is_only_just_told_is_no_drift(books):
    record(order("A9", "5", at=day(60)))
    assert verify_books(timezone.now()) == []
    bend("UPDATE members_outboxevent SET delivered_at = now()")
    assert len(verify_books(timezone.now())) == 2


def test_closed_books_that_changed_are_found(books):
    close_books(program=books.wallet_type.program, until=dt.date(2024, 3, 31), actor=SYSTEM,
                now=day(50))  # fmt: skip
    assert verify_books(timezone.now()) == []
    bend("UPDATE loyalty_transfer SET booked_on = '2024-04-02' WHERE key = 'take'")
    rule = "closed books are what they were when they were closed"
    assert rule in {drift.check for drift in verify_books(timezone.now())}
    bend("UPDATE loyalty_transfer SET booked_on = '2024-03-03' WHERE key = 'take'")


SPOIL = (
    "UPDATE loyalty_lot SET remaining = 3, due_at = '2100-01-01' WHERE remaining > 3",
    "UPDATE loyalty_wallet SET balance = 5, pending = 6, owed = 7",
    "UPDATE loyalty_wallet SET next_change_at = '9999-12-31'",
    "DELETE FROM loyalty_dailytotal WHERE kind = 'accrual'",
    "UPDATE loyalty_dailytotal SET movements = 9",
    """INSERT INTO loyalty_dailytotal (wallet_type_id, day, kind, account_id, incoming, outgoing,
       movements, orders) SELECT wallet_type_id, '2030-01-01', kind, account_id, 1, 0, 1, 0
       FROM loyalty_dailytotal LIMIT 1""",
    "DELETE FROM loyalty_lottotal WHERE kind = 'accrual'",
    "UPDATE loyalty_lotposition SET used = used + 2",
)


def test_everything_derived_is_worked_out_anew_and_the_books_are_not_touched(books):
    before, kept = derived(), the_books()
    bend(*SPOIL)
    assert len(verify_books(timezone.now())) >= 6
    said = io.StringIO()
    call_command("verify_ledger", repair_caches=True, stdout=said)
    assert "Put right: " in said.getvalue()
    assert f"{len(RULES) + 1} checks passed" in said.getvalue()
    assert the_books() == kept
    assert derived() == before
    entry = AuditEntry.objects.get(action="books.caches_repaired")
    assert entry.after["wallets"] == 2
    assert repair_caches(actor=SYSTEM, now=timezone.now()) == Repaired(0, 0, 0)


def test_where_the_books_themselves_are_wrong_the_command_says_so_and_mends_nothing_there(books):
    bend("UPDATE loyalty_lotuse SET amount = amount + 1000 WHERE amount > 0")
    kept = the_books()
    with pytest.raises(CommandError, match="checks failed"):
        call_command("verify_ledger", repair_caches=True, stdout=io.StringIO(),
                     stderr=io.StringIO())  # fmt: skip
    assert the_books() == kept
    bend("UPDATE loyalty_lotuse SET amount = amount - 1000 WHERE amount > 0")
    repair_caches(actor=SYSTEM, now=timezone.now())
    assert verify_books(timezone.now()) == []
