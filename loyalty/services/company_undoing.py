"""Undoing an import of companies: those that it founded are closed, buyers whom it added leave, and
whom it made members leave the program, unless something was done there since.

Nothing is deleted. What a company gives back as it is closed is what it does whenever one is.
"""

from __future__ import annotations

from collections import Counter

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.errors import PoolRefusedError
from loyalty.models import Company, CompanyBatch, Program, Transfer
from loyalty.selectors.company_undos import (
    CompanyUndoPreview,
    open_companies,
    open_places,
    preview_company_undo,
    why_buyers_stay,
    why_companies_stay,
)
from loyalty.services.company_imports import KIND, UNDO
from loyalty.services.enrollment_undoing import erase_brought, have_leave
from loyalty.services.import_jobs import actor_of
from loyalty.services.imported_people import AT_ONCE as ERASED_AT_ONCE
from loyalty.services.pool_leaving import close_pool, leave_pool
from loyalty.services.undo_jobs import (
    Piece,
    Work,
    begin_undo,
    check_asked,
    check_left,
    counts_in_words,
    go_on,
    next_piece,
    open_undo,
)
from members.models import Job, JobError
from members.services.audit import Actor
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import record_job_errors

AT_ONCE = 20
SOURCE = Transfer.Source.BACKOFFICE.value
# The numbers that a company has alone in its program; a corrected file gives them anew.
NUMBERS = ("external_id", "registration_number", "vat_number")


@transaction.atomic
def start_company_undo(*, job: Job, reason: str, actor: Actor, erase: bool = False) -> Job:
    """A waiting job that undoes this import, to be queued; the unfinished one if there is one, as
    it was asked for then. Raises DomainError where there is nothing to undo."""
    row = Job.objects.select_for_update(no_key=True).get(pk=job.pk, kind=KIND)
    reason = check_asked(reason, actor, erase=erase)
    begun = open_undo(UNDO, row)
    if begun is not None:
        return go_on(begun, actor)
    preview = preview_company_undo(row)
    refuse_company_undo(row, preview, erase=erase)
    batches = CompanyBatch.objects.filter(job=row)
    total = sum(len(one.companies) + len(one.places) + len(one.members) for one in batches)
    return begin_undo(
        UNDO, row, reason=reason, actor=actor, erase=erase,
        due={"companies": preview.due, "members": preview.members},
        about=Program.objects.filter(pk=row.params["program"]).first(), total=total,
    )  # fmt: skip


def refuse_company_undo(job: Job, preview: CompanyUndoPreview, *, erase: bool = False) -> None:
    """Raise ConflictError, saying why it cannot be undone."""
    unknown = _(
        "Setia did not keep what this file brought: it brought nothing new, or is older than that."
        " Close companies where they are."
    )
    due = preview.due + preview.buyers + preview.members
    check_left(
        job, known=preview.known, left=bool(due or (erase and preview.made)), unknown=unknown
    )


def run_company_undo(job_id: int) -> Job | None:
    """Undo what is left; None when another run has it."""
    return run_in_chunks(job_id, _piece)


def company_undo_words(job: Job) -> str:
    """What came of it, for people."""
    words = {
        "closed": _("%s companies closed"),
        "out": _("%s buyers left a company"),
        "left": _("%s members left"),
        "gone": _("%s had left already"),
        "kept": _("%s stay as they are"),
        "erased": _("%s customers erased"),
    }
    return counts_in_words(job, words)


def _piece(job: Job) -> Step | None:
    # Whose company is closed may leave the program.
    work: Work[CompanyBatch] = {
        "companies": _companies_close, "buyers": _buyers_leave, "members": _members_leave,
    }  # fmt: skip
    counted: tuple[str, ...] = ("closed", "out", "left", "gone", "kept")
    if job.params["erase"]:
        work, counted = {**work, "people": _people_erased}, (*counted, "erased")
    batches = CompanyBatch.objects.filter(job=job.params["import"])
    return next_piece(job, batches, work, counted)


def _companies_close(batch: CompanyBatch, place: int, job: Job) -> Piece:
    ahead = place + AT_ONCE
    some = batch.companies[place:ahead]
    companies = open_companies(some, locked=True)
    why, counts = why_companies_stay(companies, batch), Counter[str]()
    for company in companies:
        if company.pk not in why:
            _close(company, job)
            counts["closed"] += 1
    counts["kept"] += len(why)
    _tell(job, "companies", {company.pk: str(company) for company in companies}, why)
    return Piece(counts, len(some), ahead if ahead < len(batch.companies) else None)


def _close(company: Company, job: Job) -> None:
    close_pool(pool=company.pool, actor=actor_of(job), source=SOURCE, now=timezone.now())
    for name in NUMBERS:
        setattr(company, name, "")
    company.save(update_fields=list(NUMBERS))


def _buyers_leave(batch: CompanyBatch, place: int, job: Job) -> Piece:
    ahead = place + AT_ONCE
    some = batch.places[place:ahead]
    places = open_places(some)
    why, counts = why_buyers_stay(places, batch.at), Counter[str]()
    for one in places:
        if one.pk in why:
            continue
        try:
            with transaction.atomic():
                leave_pool(member=one, actor=actor_of(job), source=SOURCE, now=timezone.now())
            counts["out"] += 1
        except PoolRefusedError as error:
            why[one.pk] = str(error.message)
    counts["kept"] += len(why)
    _tell(job, "buyers", {one.pk: str(one.membership.customer.public_id) for one in places}, why)
    return Piece(counts, len(some), ahead if ahead < len(batch.places) else None)


def _members_leave(batch: CompanyBatch, place: int, job: Job) -> Piece:
    ahead = place + AT_ONCE
    some = batch.members[place:ahead]
    counts = have_leave(some, batch.at, job)
    return Piece(counts, len(some), ahead if ahead < len(batch.members) else None)


def _people_erased(batch: CompanyBatch, place: int, job: Job) -> Piece:
    ahead = place + ERASED_AT_ONCE
    counts = erase_brought(batch.customers[place:ahead], job)
    return Piece(counts, ahead=ahead if ahead < len(batch.customers) else None)


def _tell(job: Job, file: str, names: dict[int, str], why: dict[int, str]) -> None:
    record_job_errors(
        job,
        [
            JobError(file=file, row=pk, column=file, value=names[pk][:200], reason=reason[:300])
            for pk, reason in why.items()
        ],
    )
