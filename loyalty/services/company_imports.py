"""Companies and their buyers from a file: company by company, each whole or not at all.

A file can be imported again: companies that are there are changed to what it says, buyers that are
there keep their place. Rows that are wrong are named and left out; the rest comes in.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.models import Company, CompanyBatch, Membership, Pool, PoolMember, Program, Transfer
from loyalty.selectors.gifts import find_member
from loyalty.services.companies import change_company, create_company
from loyalty.services.company_files import BuyerRow, CompanyRows, read_companies
from loyalty.services.import_files import start_file_job
from loyalty.services.memberships import enroll_customer
from loyalty.services.pools import PoolTerms, add_pool_member, change_pool_member
from loyalty.services.undo_jobs import refuse_while_undone
from members.errors import DomainError
from members.formatting import format_number
from members.models import Customer, Job, JobError, StaffMember
from members.selectors.identities import having_any
from members.selectors.merges import current_ids
from members.services.audit import SYSTEM, Actor
from members.services.customers import create_customer
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import record_job_errors

KIND, UNDO = "company_import", "company_undo"
KEPT = ("companies", "changed", "places", "members", "customers")
AT_ONCE = 20
SOURCE = Transfer.Source.IMPORT.value
ROLES = ("owner", "approver", "buyer")


class RowError(Exception):
    """A row that cannot be taken: where, and why."""

    def __init__(self, row: int, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.row, self.column, self.value, self.reason = row, column, value, reason


@dataclass(slots=True)
class _Import:
    """One piece of a file on its way in."""

    program: Program
    actor: Actor
    now: dt.datetime
    counts: Counter[str] = field(default_factory=Counter)
    errors: list[RowError] = field(default_factory=list)
    # What it brought, so that it can be undone: by the columns of a batch.
    brought: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in KEPT})

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All of a row or nothing, also of what is kept of it."""
        before = {name: list(keys) for name, keys in self.brought.items()}
        try:
            with transaction.atomic():
                yield
        except RowError:
            self.brought = before
            raise

    def keep(self, job: Job) -> None:
        """In the transaction that brought it."""
        if any(self.brought.values()):
            CompanyBatch.objects.create(job=job, at=self.now, **self.brought)


def start_company_import(*, program: Program, path: Path, actor: Actor) -> Job:
    """A waiting job for this file; the unfinished one if it was begun before. Raises DomainError
    where the file cannot be read."""
    if program.status != Program.Status.LIVE:
        raise DomainError(_("A pool needs a program that is live."), code="program_not_live")
    companies = read_companies(path)
    digest = hashlib.sha256(f"{program.pk}:".encode() + path.read_bytes()).hexdigest()
    return start_file_job(
        kind=KIND,
        label=_("%(file)s into %(program)s") % {"file": path.name, "program": program.name},
        fingerprint=digest,
        params={"program": program.pk, "companies": str(path)},
        actor=actor,
        total=len(companies),
    )


def run_company_import(job_id: int) -> Job | None:
    """Bring in the companies after where the job stands; None when another run has it."""
    return run_in_chunks(job_id, _chunk)


def company_import_words(job: Job) -> str:
    words = {name: format_number(job.result.get(name, 0)) for name in
             ("created", "changed", "added", "refused")}  # fmt: skip
    return (
        _("%(created)s companies founded, %(changed)s changed; %(added)s buyers added; %(refused)s"
          " rows refused.")
        % words
    )  # fmt: skip


def _chunk(job: Job) -> Step | None:
    refuse_while_undone(UNDO, job)
    begin = job.checkpoint.get("after", 0)
    path = Path(job.params["companies"])
    if not path.is_file():
        raise DomainError(
            _("The files of this import are gone. Upload them again."), code="files_gone"
        )
    companies = read_companies(path)
    piece = companies[begin : begin + AT_ONCE]
    if not piece:
        return None
    program = Program.objects.get(pk=job.params["program"])
    work = _Import(
        program, Actor.of_user(job.created_by) if job.created_by else SYSTEM, timezone.now()
    )
    work.counts.update(job.result)
    for rows in piece:
        _bring_in(work, rows)
    work.keep(job)
    record_job_errors(
        job,
        [
            JobError(
                file="companies", row=error.row, column=error.column, value=error.value[:200],
                reason=error.reason[:300],
            )
            for error in work.errors
        ],
    )  # fmt: skip
    work.counts["refused"] += len(work.errors)
    done = begin + len(piece)
    return Step(
        checkpoint={"after": done}, done=done, total=len(companies), result=dict(work.counts)
    )


def _bring_in(work: _Import, rows: CompanyRows) -> None:
    """One company, then its buyers: a buyer that cannot be taken leaves the others alone."""
    try:
        with work.whole():
            company, founder = _company(work, rows)
    except RowError as error:
        work.errors.append(error)
        return
    for buyer in rows.buyers:
        if buyer is founder:
            continue
        try:
            with work.whole():
                _add(work, company, buyer)
        except RowError as error:
            work.errors.append(error)


def _company(work: _Import, rows: CompanyRows) -> tuple[Company, BuyerRow | None]:
    """The company, and the row of whoever owns it now that it was founded."""
    if not rows.external_id:
        raise RowError(rows.first_row, "company_id", "", _("Every row needs the company's number."))
    details = _details(rows)
    name = details.pop("name", "")
    known = (
        Company.objects.select_related("pool__program")
        .filter(program=work.program, external_id=rows.external_id)
        .first()
    )
    try:
        if known is not None:
            changed = change_company(
                company=known, changes=details, terms={"name": name} if name else None,
                actor=work.actor,
            )  # fmt: skip
            work.counts["changed"] += 1
            work.brought["changed"].append(changed.pk)
            return changed, None
        if not name:
            raise RowError(rows.first_row, "name", "", _("A new company needs a name."))
        founder = _founder(rows)
        company = create_company(
            owner=_member(work, founder),
            terms=PoolTerms(name=name, kind=Pool.Kind.COMPANY, leaving=Pool.Leaving.STAYS),
            details=details | {"external_id": rows.external_id},
            actor=work.actor, source=SOURCE, now=work.now,
        )  # fmt: skip
    except DomainError as error:
        raise _as_row_error(error, rows) from error
    work.counts["created"] += 1
    work.counts["added"] += 1
    work.brought["companies"].append(company.pk)
    work.brought["places"] += company.pool.members.values_list("pk", flat=True)
    return company, founder


def _founder(rows: CompanyRows) -> BuyerRow:
    """Who is said to own it; else whoever stands first."""
    owners = [row for row in rows.buyers if row.cells.get("role", "").lower() == ROLES[0]]
    return (owners or rows.buyers)[0]


def _details(rows: CompanyRows) -> dict[str, Any]:
    found: dict[str, Any] = {name: text for name, (_row, text) in rows.details.items()}
    if "tags" in found:
        found["tags"] = tuple(found["tags"].replace(";", ",").split(","))
    if "employees" in found:
        row, text = rows.details["employees"]
        if not text.isdecimal() or len(text) > 8:
            raise RowError(row, "employees", text, _("Give a number from 0 on."))
        found["employees"] = int(text)
    if "manager" in found:
        row, text = rows.details["manager"]
        manager = StaffMember.objects.filter(user__email__iexact=text).first()
        if manager is None:
            raise RowError(row, "manager", text, _("Nobody of the staff has this address."))
        found["manager"] = manager
    return found


def _add(work: _Import, company: Company, buyer: BuyerRow) -> None:
    role = buyer.cells.get("role", "").lower()
    if role and role not in ROLES:
        raise RowError(buyer.number, "role", role, _("One of: %s.") % ", ".join(ROLES))
    try:
        member = _member(work, buyer)
        place = PoolMember.objects.filter(membership=member, left_at=None).first()
        if place is None:
            added = add_pool_member(
                pool=company.pool, membership=member, role=role or ROLES[-1], actor=work.actor,
                source=SOURCE, now=work.now,
            )  # fmt: skip
            work.counts["added"] += 1
            work.brought["places"].append(added.pk)
        elif place.pool_id != company.pool_id:
            raise RowError(
                buyer.number, "customer_id", _who(buyer), _("This member is in a pool already.")
            )
        elif role:
            change_pool_member(member=place, changes={"role": role}, actor=work.actor)
    except DomainError as error:
        raise RowError(buyer.number, _column(error), _who(buyer), str(error.message)) from error


def _member(work: _Import, buyer: BuyerRow) -> Membership:
    """Whoever the row names; somebody who is not known, or no member yet, becomes one."""
    number, email = buyer.cells.get("customer_id", ""), buyer.cells.get("email", "")
    if not number and not email:
        raise RowError(buyer.number, "customer_id", "", _("Say who: customer_id or email."))
    for text in (number, email):
        found = find_member(work.program, text) if text else None
        # Who has left becomes a member again.
        if found is not None and found.status != Membership.Status.LEFT:
            return found
    people = current_ids(having_any(email=email, external_ids=[number]))
    customer = Customer.objects.filter(pk__in=people).order_by("pk").first()
    try:
        if customer is None:
            said: dict[str, Any] = {
                name: buyer.cells.get(name, "") for name in ("given_name", "family_name")
            }
            customer = create_customer(actor=work.actor, external_id=number, email=email, **said)
            work.brought["customers"].append(customer.pk)
        member, made = enroll_customer(
            customer=customer, program=work.program, source=Membership.Source.IMPORT, at=work.now,
            actor=work.actor,
        )  # fmt: skip
        work.brought["members"] += [member.pk] if made else []
        return member
    except DomainError as error:
        raise RowError(buyer.number, _column(error), _who(buyer), str(error.message)) from error


def _as_row_error(error: DomainError, rows: CompanyRows) -> RowError:
    """At the row that says the detail that is wrong."""
    column = _column(error)
    row, value = rows.details.get(column, (rows.first_row, ""))
    reason = str(error.errors[0].message if error.errors else error.message)
    return RowError(row, column, value, reason)


def _column(error: DomainError) -> str:
    return error.errors[0].field if error.errors else ""


def _who(buyer: BuyerRow) -> str:
    return buyer.cells.get("customer_id") or buyer.cells.get("email", "")
