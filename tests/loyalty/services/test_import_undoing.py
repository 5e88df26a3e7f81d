"""Undoing an import of orders: what it brought is taken back, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from loyalty.models import (
    ImportBatch,
    Membership,
    Order,
    OrderEvaluation,
    Transfer,
    UndoneOrder,
    Wallet,
)
from loyalty.selectors.import_undos import preview_undo
from loyalty.services import import_undoing
from loyalty.services.adjustments import adjust_units
from loyalty.services.import_rows import LINE_COLUMNS, ORDER_COLUMNS
from loyalty.services.import_undoing import run_undo, start_undo, undo_words
from loyalty.services.imports import KIND, run_import, start_import
from members.errors import DomainError
from members.models import AuditEntry, Customer, Job
from members.services.audit import SYSTEM, Actor
from members.services.customers import add_note, erase_customer_details
from members.services.merging import merge_customers
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import NOW, give_back, held, make_program, order, record, refund

# The import works in threads of its own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

ROWS = (
    "A1,C1,2024-03-01T10:00:00,USD,30.00,sale,",
    "A2,C2,2024-03-02T10:00:00,USD,20.00,sale,",
    "A3,,2024-03-03T10:00:00,USD,7.00,sale,",
    "R1,C1,2024-03-04T10:00:00,USD,-10.00,return,A1",
)
Import = Callable[..., Job]


@pytest.fixture(autouse=True)
def _coherent(coherent_ledger: object) -> None:
    """Whatever is undone, the books agree with themselves."""


@pytest.fixture
def bring_in(tmp_path: Path) -> Import:
    """Import these rows of orders; `into` a program, or as history."""

    def run(*rows: str, into: Any) -> Job:
        orders, lines = tmp_path / "orders.csv", tmp_path / "lines.csv"
        orders.write_text("\n".join([",".join(ORDER_COLUMNS), *rows]) + "\n")
        lines.write_text(",".join(LINE_COLUMNS) + "\n")
        job = start_import(program=into, orders_path=orders, lines_path=lines, actor=SYSTEM)
        done = run_import(job.pk)
        assert done is not None
        assert done.state == "succeeded", done.error
        return done

    return run


def undo(job: Job, **how: Any) -> Job:
    how = {"reason": "Wrong file", "actor": SYSTEM} | how
    done = run_undo(start_undo(job=job, **how).pk)
    assert done is not None
    assert done.state == "succeeded", done.error
    return done


def balance(number: str) -> tuple[int, int]:
    has = held(number, timezone.now())
    return has.balance, has.owed


def state() -> tuple[Any, ...]:
    return (
        Transfer.objects.count(),
        sorted(Order.objects.values_list("external_id", "status")),
        sorted(Wallet.objects.values_list("pk", "balance", "owed")),
    )


def test_what_an_import_brought_is_taken_back_and_a_second_time_changes_nothing(
    bring_in: Import,
) -> None:
    program = make_program()
    record(order("H1", at=NOW, total="5", buyer="C1"))
    job = bring_in(*ROWS, into=program)
    assert (balance("C1"), balance("C2")) == ((25, 0), (20, 0))
    before = preview_undo(job, now=timezone.now())
    assert (before.due, before.customers, before.returns, before.short_count) == (3, 1, 0, 0)
    [back] = before.units
    assert (back.units, back.wallets) == (40, 2)

    done = undo(job, actor=Actor.of_user(StaffMemberFactory(role="administrator").user))
    assert done.result == {"canceled": 3, "void": 0, "kept": 0}
    assert (done.done, done.total) == (3, 3)
    assert undo_words(done) == "3 orders canceled"
    assert (balance("C1"), balance("C2")) == ((5, 0), (0, 0))
    assert Order.objects.get(external_id="H1").status == "completed"
    # Nothing is deleted: what was earned is there, and what takes it back.
    assert Transfer.objects.filter(kind="accrual").count() == 3
    entry = AuditEntry.objects.get(action="import.undone")
    assert (entry.program, entry.reason) == (program.pk, "Wrong file")
    assert entry.after == {"orders": 3, "erase": False}

    after = state()
    again = preview_undo(job, now=timezone.now())
    assert (again.due, again.void, again.undone) == (0, 3, 3)
    with pytest.raises(DomainError, match="nothing left"):
        undo(job)
    Job.objects.filter(pk=done.pk).update(state="queued", checkpoint={}, result={})
    rerun = run_undo(done.pk)
    assert rerun is not None
    assert rerun.result == {"canceled": 0, "void": 3, "kept": 0}
    assert state() == after


@pytest.mark.parametrize(
    ("policy", "owed"), [("carry", 20), ("write_off", 0), ("refuse_redemption_only", 20)]
)
def test_what_was_spent_is_treated_by_the_debt_policy_as_the_preview_says(
    bring_in: Import, policy: str, owed: int
) -> None:
    program = make_program(debt_policy=policy)
    job = bring_in(*ROWS[:2], into=program)
    take_away("C1", 20)
    before = preview_undo(job, now=timezone.now())
    [short] = before.short
    assert (short.taken, short.there, short.missing) == (30, 10, 20)
    assert short.member == Membership.objects.get(customer__external_id="C1")
    assert before.programs == [program]
    undo(job)
    assert balance("C1") == (0, owed)
    assert balance("C2") == (0, 0)


def take_away(number: str, units: int) -> None:
    wallet = Wallet.objects.get(account__membership__customer__external_id=number)
    adjust_units(
        wallet=wallet, units=-units, reason="correction", note="x", actor=SYSTEM, key="k",
        source="api", now=timezone.now(),
    )  # fmt: skip


def test_what_happened_to_orders_and_people_meanwhile(bring_in: Import) -> None:
    """Refunded, told otherwise, merged, erased: each is undone as far as it is the import's."""
    program = make_program()
    job = bring_in(
        *ROWS[:2], "A4,C4,2024-03-02T10:00:00,USD,40.00,sale,",
        "A5,C5,2024-03-02T10:00:00,USD,50.00,sale,", into=program,
    )  # fmt: skip
    later = timezone.now()
    give_back(refund("B1", "10", of="A1", at=later))
    record(order("A2", at=NOW, total="21", buyer="C2"))
    people = {row.external_id: row for row in Customer.objects.all()}
    merge_customers(kept=people["C1"], merged=people["C4"], actor=SYSTEM, source="api", now=later)
    erase_customer_details(customer=people["C5"], actor=SYSTEM)
    assert balance("C1")[0] == 60
    done = undo(job)
    assert done.result == {"canceled": 3, "void": 0, "kept": 1}
    assert (balance("C1"), balance("C2"), balance("C5")) == ((0, 0), (21, 0), (0, 0))
    [kept] = done.errors.all()
    assert (kept.file, kept.value) == ("orders", "A2")
    assert "told otherwise" in kept.reason


def test_what_was_here_before_and_returns_of_other_orders_stay_and_are_named(
    bring_in: Import,
) -> None:
    program = make_program()
    bring_in("A1,C1,2024-03-01T10:00:00,USD,30.00,sale,", into=program)
    job = bring_in(
        "A1,C1,2024-03-01T10:00:00,USD,25.00,sale,",
        "R1,C1,2024-03-04T10:00:00,USD,-10.00,return,A1",
        "A2,C1,2024-03-05T10:00:00,USD,9.00,sale,", into=program,
    )  # fmt: skip
    before = preview_undo(job, now=timezone.now())
    assert (before.due, before.changed, before.returns, before.customers) == (1, 1, 1, 0)
    done = undo(job)
    assert balance("C1") == (15, 0)
    assert [(error.file, error.value) for error in done.errors.all()] == [
        ("orders", "A1"), ("returns", "R1"),
    ]  # fmt: skip


def test_a_corrected_file_brings_the_orders_back_and_can_be_undone_as_well(
    bring_in: Import,
) -> None:
    program = make_program()
    first = bring_in(*ROWS[:2], into=program)
    undo(first)
    assert UndoneOrder.objects.count() == 2
    again = bring_in(*ROWS[:2], into=program)
    assert again.result["updated"] == 2
    assert (balance("C1"), balance("C2")) == ((30, 0), (20, 0))
    assert not UndoneOrder.objects.exists()
    # They are the second import's now, and the first has nothing to take back of them.
    before = preview_undo(first, now=timezone.now())
    assert (before.due, before.otherwise) == (0, 2)
    with pytest.raises(DomainError, match="nothing left"):
        undo(first)
    assert undo(again).result["canceled"] == 2
    assert (balance("C1"), balance("C2")) == ((0, 0), (0, 0))


def test_an_import_that_goes_on_after_its_undo_has_each_order_once(bring_in: Import) -> None:
    job = bring_in(*ROWS[:2], into=make_program())
    undo(job)
    Job.objects.filter(pk=job.pk).update(state="queued", checkpoint={}, done=0)
    again = run_import(job.pk)
    assert again is not None
    assert again.result["updated"] == 2
    before = preview_undo(job, now=timezone.now())
    assert (before.due, before.otherwise, before.wallet_count) == (2, 0, 2)
    assert undo(job).result["canceled"] == 2
    assert (balance("C1"), balance("C2")) == ((0, 0), (0, 0))


def test_history_is_canceled_too_also_once_it_was_judged(bring_in: Import) -> None:
    program = make_program()
    history = bring_in(*ROWS[:2], into=None)
    live = bring_in(*ROWS[:2], into=program)
    before = preview_undo(live, now=timezone.now())
    assert (before.due, before.judged) == (2, 2)
    assert undo(live).result["canceled"] == 2
    assert balance("C1") == (0, 0)
    assert preview_undo(history, now=timezone.now()).void == 2
    # An order that nobody has judged is judged by no program now.
    other = bring_in("A9,C9,2024-03-01T10:00:00,USD,30.00,sale,", into=None)
    undo(other)
    assert not OrderEvaluation.objects.filter(order__external_id="A9").exists()


def test_it_goes_on_where_it_was_interrupted(
    bring_in: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_undoing, "AT_ONCE", 2)
    rows = [f"A{n},C{n % 3},2024-03-01T10:00:00,USD,{n}.00,sale," for n in range(1, 8)]
    job = bring_in(*rows, into=make_program())
    started = start_undo(job=job, reason="x", actor=SYSTEM)
    whole, calls = import_undoing._cancel, []

    def dies(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 3:
            raise RuntimeError("killed")
        return whole(*args)

    monkeypatch.setattr(import_undoing, "_cancel", dies)
    with pytest.raises(RuntimeError, match="killed"):
        run_undo(started.pk)
    half = Job.objects.get(pk=started.pk)
    assert 0 < half.done < 7
    assert Order.objects.filter(status="cancelled").count() == half.done
    # Meanwhile nothing is imported by it again.
    Job.objects.filter(pk=job.pk).update(state="queued")
    with pytest.raises(DomainError, match="being undone"):
        run_import(job.pk)
    monkeypatch.setattr(import_undoing, "_cancel", whole)
    Job.objects.filter(pk=started.pk).update(state="queued")
    Job.objects.filter(pk=job.pk).update(state="running")
    with pytest.raises(DomainError, match="still runs"):
        run_undo(started.pk)
    Job.objects.filter(pk=job.pk).update(state="succeeded")
    # It goes on as it was asked for, whoever lets it.
    done = undo(job, reason="Other words", erase=True)
    assert done.pk == started.pk
    assert (done.params["reason"], done.params["erase"]) == ("x", False)
    assert AuditEntry.objects.filter(action="import.undone").count() == 1
    assert done.result == {"canceled": 7, "void": 0, "kept": 0}
    assert {balance(f"C{n}") for n in range(3)} == {(0, 0)}


def test_an_order_that_is_refused_leaves_the_others_alone(
    bring_in: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bring_in(*ROWS[:2], into=make_program())
    whole = import_undoing.record_orders

    def refuses(orders: Any, **how: Any) -> Any:
        if any(item.external_id == "A2" for item in orders):
            raise DomainError("The books of that day are closed.")
        return whole(orders, **how)

    monkeypatch.setattr(import_undoing, "record_orders", refuses)
    done = undo(job)
    assert done.result == {"canceled": 1, "void": 0, "kept": 1}
    assert [error.reason for error in done.errors.all()] == ["The books of that day are closed."]


def test_people_are_erased_where_asked_and_nothing_else_is_known(bring_in: Import) -> None:
    program = make_program()
    job = bring_in(
        *ROWS[:2], *(f"A{n},C{n},2024-03-02T10:00:00,USD,50.00,sale," for n in (5, 6, 7)),
        into=program,
    )  # fmt: skip
    Customer.objects.update(given_name="Ann")
    people = {row.external_id: row for row in Customer.objects.all()}
    people["C6"].save()
    add_note(customer=people["C7"], actor=SYSTEM, text="Rings on Mondays")
    record(order("S1", at=NOW, total="5", buyer="C2"))
    take_away("C5", 10)
    done = undo(job, erase=True)
    assert done.result == {"canceled": 5, "void": 0, "kept": 4, "erased": 1}
    names = dict(Customer.objects.values_list("external_id", "given_name"))
    assert names == {"C1": "", **dict.fromkeys(("C2", "C5", "C6", "C7"), "Ann")}
    assert {error.reason for error in done.errors.all()} == {
        "They have other orders.", "Units were spent, given or adjusted.",
        "Their details were changed since.", "Staff have noted something about them.",
    }  # fmt: skip
    assert AuditEntry.objects.get(action="customer.erased").reason == "Wrong file"


def test_what_cannot_be_undone_is_refused_with_the_reason(bring_in: Import) -> None:
    job = bring_in(*ROWS[:2], into=make_program())
    with pytest.raises(DomainError, match="Say why"):
        undo(job, reason=" ")
    manager = Actor.of_user(StaffMemberFactory(role="marketing_manager").user)
    with pytest.raises(DomainError, match="may not erase"):
        undo(job, erase=True, actor=manager)
    Job.objects.filter(pk=job.pk).update(state="running")
    with pytest.raises(DomainError, match="still runs"):
        undo(job)
    Job.objects.filter(pk=job.pk).update(state="succeeded")
    ImportBatch.objects.all().delete()
    with pytest.raises(DomainError, match="did not keep"):
        undo(job)
    assert not Job.objects.exclude(kind=KIND).exists()


def test_the_command_says_what_would_happen_then_does_it(
    bring_in: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    job = bring_in(*ROWS, into=make_program())
    call_command("undo_import", str(job.public_id))
    said = capsys.readouterr().out
    assert "3 orders would be canceled." in said
    assert "Club: 40\xa0points taken back from 2 balances" in said
    assert not Order.objects.filter(status="cancelled").exists()
    call_command("undo_import", str(job.public_id), reason="Wrong file")
    assert capsys.readouterr().out == "Done: 3 orders canceled\n"
    for words in (str(job.public_id), "17", "nothing"):
        with pytest.raises(CommandError, match=r"nothing left|There is no import"):
            call_command("undo_import", words, reason="Again")
