"""Balances by lots come in from a file: tried, booked once, undone."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from loyalty.instants import NEVER
from loyalty.models import Lot, Membership, Program, Transfer, Wallet
from loyalty.services import balance_imports
from loyalty.services.adjustments import adjust_units, undo_transfer
from loyalty.services.balance_imports import (
    balance_words,
    book_balances,
    run_balance_import,
    start_balance_check,
    totals_of,
)
from loyalty.services.balance_undoing import (
    balance_undo_words,
    preview_balance_undo,
    run_balance_undo,
    start_balance_undo,
)
from loyalty.services.leaving import leave_program
from loyalty.services.memberships import enroll_customer
from members.errors import ConflictError
from members.models import AuditEntry, Customer, Job
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.jobs import retry_job
from members.services.merging import merge_customers
from tests.loyalty.factories import make_program, order, record
from tests.loyalty.services.balances.moving import (
    NOW,
    POINTS,
    Bring,
    balance,
    booked,
    export,
    row,
)

pytestmark = pytest.mark.django_db


class TestBooking:
    def test_a_dry_run_says_the_units_of_each_kind_and_books_nothing(
        self, new: Program, check: Bring
    ) -> None:
        tried = check(new, row(), row("L2", "12.50", wallet_type="coins"), row("L3", "7"))
        assert {kind.code: units for kind, units in totals_of(tried)} == {
            "points": 107, "coins": 1250,
        }  # fmt: skip
        assert "3 balances can be booked" in balance_words(tried)
        assert "12.5\xa0Coins" in balance_words(tried)
        assert (Transfer.objects.count(), Customer.objects.count()) == (0, 0)

    def test_a_reference_with_blanks_around_it_is_the_same_in_one_file(
        self, new: Program, check: Bring
    ) -> None:
        tried = check(new, row("L1"), row(" L1 ", "7"))
        assert (tried.result["created"], tried.result["refused"]) == (1, 1)
        assert tried.errors.get().code == "duplicate"

    def test_lots_keep_their_days_and_the_movement_is_booked_today(
        self, new: Program, bring: Bring
    ) -> None:
        soon, later = NOW + dt.timedelta(days=3), NOW + dt.timedelta(days=90)
        earned = NOW - dt.timedelta(days=200)
        job = bring(
            new,
            row(earned_at=earned.isoformat(), expires_at=later.isoformat(), origin="accrual",
                source_reference="shop/A1", reason="welcome"),
            row("L2", "30", earned_at=earned.isoformat(), matures_at=soon.isoformat(),
                expiry="never"),
        )  # fmt: skip
        assert job.result["created"] == 2
        assert balance(new) == (100, 30)
        first, second = Lot.objects.order_by("pk")
        assert (first.earned_at, first.spendable_at, first.expires_at) == (earned, earned, later)
        assert (second.spendable_at, second.expires_at) == (soon, None)
        movement = first.transfer
        assert (movement.kind, movement.reason, movement.source) == (
            "adjustment", "opening_balance", "import",
        )  # fmt: skip
        assert movement.from_account.kind == "adjusted"
        assert (movement.occurred_at, movement.booked_on) == (
            earned, timezone.now().astimezone(new.zone).date(),
        )  # fmt: skip
        assert movement.explanation["source_reference"] == "shop/A1"
        member = Membership.objects.get()
        assert (member.source, member.enrolled_at) == ("import", earned)

    def test_without_an_end_units_expire_as_the_program_has_it(self, bring: Bring) -> None:
        program = make_program(
            code="year", earning_rules=[],
            wallet_types=[{**POINTS, "expiry": {"kind": "days", "length": 10}}],
        )  # fmt: skip
        bring(program, row(earned_at=(NOW - dt.timedelta(days=4)).date().isoformat()))
        lot = Lot.objects.get()
        assert lot.expires_at is not None
        assert 5 <= (lot.expires_at - NOW).days <= 7

    def test_units_that_ended_long_ago_by_the_terms_of_the_program_are_refused(
        self, check: Bring
    ) -> None:
        program = make_program(
            code="year", earning_rules=[],
            wallet_types=[{**POINTS, "expiry": {"kind": "days", "length": 10}}],
        )  # fmt: skip
        ago = (NOW - dt.timedelta(days=40)).date().isoformat()
        tried = check(program, row(earned_at=ago), row("L2"))
        assert (tried.result["created"], tried.result["refused"]) == (1, 1)
        error = tried.errors.get()
        assert (error.row, error.column, error.code) == (1, "expires_at", "expired")

    def test_a_programs_own_lots_do_not_come_into_it_again(
        self, old: Program, new: Program, check: Bring, tmp_path: Path
    ) -> None:
        record(order("A1", "40", at=NOW, buyer="C-1"))
        path = export(old, "ndjson")
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert rows
        tried = check(old, *rows)
        assert (tried.result["created"], tried.result["refused"]) == (0, len(rows))
        assert {error.code for error in tried.errors.all()} == {"own_lot"}
        assert check(new, *rows).result["created"] == len(rows)
        # A program of this name elsewhere has other people.
        others = [{**item, "customer": str(uuid.uuid4())} for item in rows]
        assert check(old, *others, name="others.ndjson").result["created"] == len(rows)

    def test_a_day_ends_units_with_its_last_moment(self, new: Program, bring: Bring) -> None:
        last = (NOW + dt.timedelta(days=20)).date()
        bring(new, row(expires_at=last.isoformat()))
        expires = Lot.objects.get().expires_at
        assert expires is not None
        assert expires.astimezone(new.zone).date() == last + dt.timedelta(days=1)

    def test_a_file_that_comes_again_moves_nothing_twice(
        self, new: Program, bring: Bring, check: Bring
    ) -> None:
        bring(new, row(), row("L2"))
        again = check(new, row(), row("L2"), row("L3"), name="again.ndjson")
        assert (again.result["created"], again.result["unchanged"]) == (1, 2)
        assert booked(again).result["unchanged"] == 2
        assert balance(new) == (300, 0)

    def test_a_reference_with_other_content_is_refused(
        self, new: Program, bring: Bring, check: Bring
    ) -> None:
        bring(new, row())
        tried = check(new, row(units="200"), name="other.ndjson")
        assert [(error.column, error.code) for error in tried.errors.all()] == [
            ("reference", "reused")
        ]
        # Another system may have the same numbers.
        assert bring(new, row(units="200"), name="b.ndjson", source="b").result["created"] == 1

    def test_who_was_merged_since_is_still_the_same(self, new: Program, bring: Bring) -> None:
        bring(new, row())
        kept = Customer.objects.create(external_id="C-2")
        enroll_customer(customer=kept, program=new, source="api", at=NOW, actor=SYSTEM)
        merge_customers(
            kept=kept, merged=Customer.objects.get(external_id="C-1"), actor=SYSTEM,
            source="api", now=timezone.now(),
        )  # fmt: skip
        again = bring(new, row(), row("L2", "5"), name="again.ndjson")
        assert (again.result["created"], again.result["unchanged"]) == (1, 1)
        assert balance(new, number="C-2") == (105, 0)

    def test_nothing_is_booked_before_the_dry_run_has_ended(
        self, new: Program, check: Bring, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.ndjson"
        path.write_text(json.dumps(row()))
        job = start_balance_check(program=new, path=path, name="a", actor=SYSTEM)
        with pytest.raises(ConflictError):
            book_balances(job=job, actor=SYSTEM)
        nothing = check(new, row(units="0"), name="b.ndjson")
        with pytest.raises(ConflictError):
            book_balances(job=nothing, actor=SYSTEM)

    def test_booking_is_in_the_audit_log_with_its_sums(self, new: Program, bring: Bring) -> None:
        bring(new, row())
        entry = AuditEntry.objects.get(action="balances.imported")
        assert entry.after == {"points": 100}


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"reference": ""}, "reference", "required"),
    ({"customer_id": ""}, "customer_id", "required"),
    ({"customer_id": "", "customer": "7"}, "customer", "uuid"),
    ({"customer_id": "", "customer": "0" * 32}, "customer", "not_found"),
    ({"wallet_type": "miles"}, "wallet_type", "not_found"),
    ({"units": "0"}, "units", "invalid"),
    ({"units": "1.5"}, "units", "too_fine"),
    ({"units": "1e3"}, "units", "invalid"),
    ({"units": 1.5}, "units", "not_a_text"),
    ({"unit": "5"}, "unit", "unknown"),
    ({"earned_at": "yesterday"}, "earned_at", "date_time"),
    ({"earned_at": "2199-01-01"}, "earned_at", "in_the_future"),
    ({"matures_at": "held"}, "matures_at", "held"),
    ({"expires_at": "2020-01-01"}, "expires_at", "expired"),
    ({"expires_at": "2098-01-01", "matures_at": "2099-01-01"}, "expires_at", "before_maturity"),
    ({"expiry": "fixed"}, "expires_at", "required"),
    ({"expiry": "never", "expires_at": "2099-01-01"}, "expires_at", "invalid"),
    ({"expiry": "someday"}, "expiry", "invalid"),
    ({"holder": "pool 7"}, "holder", "unknown_holder"),
    ({"holder": "pool"}, "pool", "required"),
    ({"holder": "pool", "pool": "P", "role": "boss", "units": ""}, "role", "invalid"),
    ({"holder": "pool", "pool": "P", "role": "owner"}, "units", "not_a_lot"),
]


@pytest.mark.parametrize(("said", "column", "code"), WRONG)
def test_what_is_wrong_with_a_row_is_named(
    new: Program, check: Bring, said: dict[str, Any], column: str, code: str
) -> None:
    tried = check(new, {**row(), **said}, row("L2"))
    assert (tried.result["created"], tried.result["refused"]) == (1, 1)
    error = tried.errors.get()
    assert (error.row, error.column, error.code) == (1, column, code)


def test_who_left_or_was_erased_gets_nothing(new: Program, check: Bring) -> None:
    for number in ("C-1", "C-2"):
        customer = Customer.objects.create(external_id=number, email=f"{number}@shop.test")
        member, _made = enroll_customer(
            customer=customer, program=new, source="api", at=NOW, actor=SYSTEM
        )
        if number == "C-1":
            leave_program(membership=member, actor=SYSTEM, now=timezone.now())
        else:
            erase_customer_details(customer=customer, actor=SYSTEM, reason="asked")
    tried = check(new, row(), row("L2", customer_id="C-2"), row("L3", customer_id="C-3"))
    assert (tried.result["created"], tried.result["refused"]) == (1, 2)


class TestUndoing:
    def undo(self, job: Job) -> Job:
        undo = start_balance_undo(job=job, reason="The wrong file", actor=SYSTEM)
        done = run_balance_undo(undo.pk)
        assert done is not None
        return done

    def test_all_is_taken_back_and_may_come_again(self, new: Program, bring: Bring) -> None:
        job = bring(new, row(), row("L2", matures_at="2099-01-01", expiry="never"))
        preview = preview_balance_undo(job)
        assert (preview.due, [units for _kind, units in preview.units]) == (2, [200])
        done = self.undo(job)
        assert balance_undo_words(done) == "2 balances taken back"
        assert balance(new) == (0, 0)
        with pytest.raises(ConflictError, match="nothing left"):
            start_balance_undo(job=job, reason="again", actor=SYSTEM)
        again = bring(new, row(), row("L2", matures_at="2099-01-01", expiry="never"))
        assert again.result["created"] == 2
        assert balance(new) == (100, 100)
        self.undo(again)
        assert balance(new) == (0, 0)

    def test_what_was_spent_stays_and_is_named(self, new: Program, bring: Bring) -> None:
        job = bring(new, row(), row("L2", customer_id="C-2"))
        wallet = Wallet.objects.select_related("wallet_type__program").get(
            account__membership__customer__external_id="C-1", wallet_type__code="points"
        )
        adjust_units(
            wallet=wallet, units=-60, reason="goodwill", note="", actor=SYSTEM, key="spent",
            source="api", now=timezone.now(),
        )  # fmt: skip
        done = self.undo(job)
        assert (done.result["canceled"], done.result["kept"]) == (1, 1)
        assert done.errors.get().value == "L1"
        assert balance(new) == (40, 0)

    def test_what_somebody_undid_alone_is_passed_over(self, new: Program, bring: Bring) -> None:
        job = bring(new, row(), row("L2"))
        one = Transfer.objects.filter(reason="opening_balance").first()
        assert one is not None
        undo_transfer(transfer=one, actor=SYSTEM, source="api", now=timezone.now())
        assert self.undo(job).result["void"] == 1
        assert balance(new) == (0, 0)


def test_an_import_that_was_killed_books_each_row_once(
    new: Program, check: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balance_imports, "PIECE", 2)
    tried = check(new, *(row(f"L{place}", "10") for place in range(7)))
    job = book_balances(job=tried, actor=SYSTEM)
    take, seen = balance_imports._take, []

    def dies(*arguments: Any) -> Any:
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return take(*arguments)

    monkeypatch.setattr(balance_imports, "_take", dies)
    with pytest.raises(KeyboardInterrupt):
        run_balance_import(job.pk)
    assert balance(new) == (40, 0)
    done = run_balance_import(retry_job(job=job, actor=SYSTEM).pk)
    assert done is not None
    assert (done.result["created"], balance(new)) == (7, (70, 0))
    assert NEVER not in Lot.objects.values_list("spendable_at", flat=True)
