"""Undoing an import of companies: what it founded is closed, unless something was done since."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone

from loyalty.models import Company, Membership, Pool, PoolMember, Program
from loyalty.selectors.company_undos import preview_company_undo
from loyalty.services import company_undoing
from loyalty.services.companies import create_company
from loyalty.services.company_imports import run_company_import, start_company_import
from loyalty.services.company_undoing import (
    company_undo_words,
    run_company_undo,
    start_company_undo,
)
from loyalty.services.pool_leaving import close_pool
from loyalty.services.pools import PoolTerms, add_pool_member
from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Customer, Job
from members.services.audit import SYSTEM
from tests.loyalty.factories import make_program, make_wallet, order, record
from tests.sharing import of_each_test

pytestmark = pytest.mark.usefixtures("coherent_ledger")
HEAD = "company_id,name,registration_number,customer_id,role\n"
ROWS = HEAD + "K-1,Oak,HRB 1,b1,owner\nK-1,,,b2,\nK-2,Elm,,b3,owner\nK-2,,,b4,\n"


_made_once, club = of_each_test(make_program)


def bring(club: Program, folder: Path, rows: str = ROWS) -> Job:
    path = folder / "companies.csv"
    path.write_text(rows)
    job = start_company_import(program=club, path=path, actor=SYSTEM)
    run_company_import(job.pk)
    job.refresh_from_db()
    return job


def undo(job: Job, *, erase: bool = False) -> Job:
    work = start_company_undo(job=job, reason="The wrong file", actor=SYSTEM, erase=erase)
    run_company_undo(work.pk)
    work.refresh_from_db()
    return work


def open_ones() -> set[str]:
    return set(Pool.objects.filter(status="open").values_list("name", flat=True))


def members() -> set[str]:
    rows = Membership.objects.exclude(status="left")
    return set(rows.values_list("customer__external_id", flat=True))


def test_what_a_file_founded_is_closed_and_whom_it_enrolled_leaves(
    club: Program, tmp_path: Path
) -> None:
    job = bring(club, tmp_path)
    seen = preview_company_undo(job)
    assert (seen.due, seen.buyers, seen.members, seen.made, seen.kept) == (2, 0, 4, 4, 0)
    work = undo(job)
    assert company_undo_words(work) == "2 companies closed, 4 members left"
    assert (open_ones(), members()) == (set(), set())
    assert Customer.objects.filter(external_id__startswith="b").count() == 4
    assert AuditEntry.objects.get(action="import.undone").reason == "The wrong file"
    with pytest.raises(ConflictError) as refused:
        undo(job)
    assert refused.value.code == "nothing_left"


def test_a_corrected_file_founds_them_anew(club: Program, tmp_path: Path) -> None:
    undo(bring(club, tmp_path))
    again = bring(club, tmp_path, ROWS.replace("Oak", "Oak Trees"))
    assert (again.result["created"], again.result.get("refused", 0)) == (2, 0)
    assert open_ones() == {"Oak Trees", "Elm"}
    assert members() == {"b1", "b2", "b3", "b4"}


def test_a_company_whose_buyer_has_bought_stays_with_that_one(
    club: Program, tmp_path: Path
) -> None:
    job = bring(club, tmp_path)
    record(order("A1", "10", buyer="b1", at=timezone.now()))
    work = undo(job)
    assert open_ones() == {"Oak"}
    assert members() == {"b1"}
    assert {(row.file, row.value) for row in work.errors.all()} >= {("companies", "Oak")}


def test_a_company_that_others_have_joined_stays_and_its_buyers_leave(
    club: Program, tmp_path: Path
) -> None:
    job = bring(club, tmp_path)
    other = make_wallet(club, "c1")
    pool = Company.objects.get(external_id="K-1").pool
    add_pool_member(
        pool=pool, membership=Membership.objects.get(account=other.account_id), actor=SYSTEM,
        source="backoffice", now=timezone.now(),
    )  # fmt: skip
    undo(job)
    assert open_ones() == {"Oak"}
    [left] = PoolMember.objects.filter(pool=pool, left_at=None)
    assert (left.membership.customer.external_id, left.role) == ("c1", "owner")


def test_a_company_that_was_here_before_stays_as_it_is_now(club: Program, tmp_path: Path) -> None:
    owner = make_wallet(club, "c1")
    create_company(
        owner=Membership.objects.get(account=owner.account_id),
        terms=PoolTerms(name="Ash", kind="company"), details={"external_id": "K-1"}, actor=SYSTEM,
        source="backoffice", now=timezone.now(),
    )  # fmt: skip
    job = bring(club, tmp_path, HEAD + "K-1,Ash Trees,,b1,\n")
    seen = preview_company_undo(job)
    assert (seen.due, seen.buyers, seen.members, seen.changed) == (0, 1, 1, 1)
    assert company_undo_words(undo(job)) == "1 buyers left a company, 1 members left"
    assert (open_ones(), members()) == ({"Ash Trees"}, {"c1"})


def test_people_whom_it_brought_are_erased_if_that_is_wanted(club: Program, tmp_path: Path) -> None:
    work = undo(bring(club, tmp_path), erase=True)
    assert work.result["erased"] == 4


def test_it_goes_on_where_it_was_killed(
    club: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company_undoing, "AT_ONCE", 1)
    job = bring(club, tmp_path)
    work = start_company_undo(job=job, reason="The wrong file", actor=SYSTEM)
    close, closed = company_undoing.close_pool, []

    def dies_at_the_second(**how: object) -> object:
        closed.append(how)
        if len(closed) == 2:
            raise KeyboardInterrupt
        return close(**how)  # type: ignore[arg-type]

    monkeypatch.setattr(company_undoing, "close_pool", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        run_company_undo(work.pk)
    assert len(open_ones()) == 1
    Job.objects.filter(pk=work.pk).update(state="queued")
    run_company_undo(work.pk)
    work.refresh_from_db()
    assert (open_ones(), work.result["closed"], work.result["left"]) == (set(), 2, 4)


def test_it_wants_a_reason(club: Program, tmp_path: Path) -> None:
    job = bring(club, tmp_path)
    with pytest.raises(DomainError):
        start_company_undo(job=job, reason=" ", actor=SYSTEM)


def test_whom_a_file_enrolled_leaves_also_where_their_company_was_closed_by_hand(
    club: Program, tmp_path: Path
) -> None:
    job = bring(club, tmp_path)
    for pool in Pool.objects.all():
        close_pool(pool=pool, actor=SYSTEM, source="backoffice", now=timezone.now())
    seen = preview_company_undo(job)
    assert (seen.due, seen.members) == (0, 4)
    assert undo(job).result["left"] == 4
    assert members() == set()


def test_a_file_that_goes_on_while_it_is_undone_brings_nothing(
    club: Program, tmp_path: Path
) -> None:
    job = bring(club, tmp_path)
    start_company_undo(job=job, reason="The wrong file", actor=SYSTEM)
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED, checkpoint={})
    with pytest.raises(DomainError, match="is being undone"):
        run_company_import(job.pk)
    assert Pool.objects.count() == 2
