"""Enrolling the people of a CSV file: row by row, each one once, wrong ones named and left out.

A piece of rows commits together with how far the file is, so a run that was killed goes on there; a
file that is sent again finds its people enrolled.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.models import EnrollmentBatch, Membership, Program
from loyalty.rules.calendar import localize
from loyalty.services.import_staging import opened
from loyalty.services.joining import refuse_closed
from loyalty.services.memberships import enroll_customer
from loyalty.services.newcomers import provide_customer
from members.errors import DomainError
from members.formatting import format_number
from members.models import Job, JobError, User
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import record_job_errors, start_or_resume_job

KIND = "enrollment_import"
UNDO = "enrollment_undo"
FILE = "people"
DETAILS = ("external_id", "email", "phone", "given_name", "family_name", "locale", "gender")
COLUMNS = (*DETAILS, "since")
NAMING = ("external_id", "email", "phone")
PIECE = 250


def start_enrollment_import(*, program: Program, path: Path, name: str, actor: Actor) -> Job:
    """A waiting job for this file; the unfinished one if the same was begun before."""
    refuse_closed(program)
    digest = hashlib.sha256(str(program.pk).encode())
    with opened(path) as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return start_or_resume_job(
        kind=KIND,
        label=_("%(file)s into %(program)s") % {"file": name, "program": program.name},
        fingerprint=digest.hexdigest(),
        params={
            "program": program.pk,
            FILE: str(path),
            "name": name[:64],
            "by": actor.user.pk if actor.user else None,
        },
        actor=actor,
        total=sum(1 for _row in _rows(path)),
    )


def run_enrollment_import(job_id: int) -> Job | None:
    """Enroll whoever is left of the file; None when another run has it."""
    return run_in_chunks(job_id, _enroll_piece)


def open_undo(job: Job) -> Job | None:
    """What undoes this import, as long as it waits, runs, or has failed and may go on."""
    states = (Job.State.QUEUED, Job.State.RUNNING, Job.State.FAILED)
    return Job.objects.filter(kind=UNDO, fingerprint=str(job.pk), state__in=states).first()


def enrollment_words(job: Job) -> str:
    words = {
        "enrolled": _("%s enrolled"),
        "unchanged": _("%s were members already"),
        "refused": _("%s refused"),
    }
    counted = [
        words[name] % format_number(job.result[name]) for name in words if job.result.get(name)
    ]
    return ", ".join(counted) or _("Nobody to enroll")


def _enroll_piece(job: Job) -> Step | None:
    path, after = Path(job.params[FILE]), int(job.checkpoint.get("row", 0))
    if not path.is_file():
        raise DomainError(_("The file is gone. Upload it again."), code="files_gone")
    rows = list(islice(_rows(path), after, after + PIECE))
    if not rows:
        return None
    program = Program.objects.get(pk=job.params["program"])
    user = User.objects.filter(pk=job.params["by"]).first()
    actor = Actor.of_user(user) if user else SYSTEM
    if open_undo(job) is not None:
        raise DomainError(
            _("This import is being undone. Wait until that has ended."), code="being_undone"
        )
    counted: Counter[str] = Counter(job.result)
    errors: list[JobError] = []
    batch = EnrollmentBatch(job=job, at=timezone.now())
    for number, cells in enumerate(rows, start=after + 2):
        try:
            with transaction.atomic():
                enrolled = _enroll(program, cells, job.params["name"], actor)
            counted["enrolled" if enrolled.new else "unchanged"] += 1
            _note(batch, enrolled)
        except DomainError as error:
            counted["refused"] += 1
            errors.append(_refusal(number, cells, error))
    record_job_errors(job, errors)
    if batch.members or batch.customers or batch.completed:
        batch.save()
    done = after + len(rows)
    return Step(checkpoint={"row": done}, done=done, result=dict(counted))


@dataclass(frozen=True, slots=True)
class _Enrolled:
    """`new`: a member only now; `made`: not here before; `completed`: here, and known better."""

    membership: Membership
    new: bool
    made: bool
    completed: bool


def _note(batch: EnrollmentBatch, enrolled: _Enrolled) -> None:
    if enrolled.new:
        batch.members.append(enrolled.membership.pk)
    if enrolled.made:
        batch.customers.append(enrolled.membership.customer_id)
    if enrolled.completed:
        batch.completed.append(enrolled.membership.customer_id)


def _enroll(program: Program, cells: dict[str, str], name: str, actor: Actor) -> _Enrolled:
    at = _since(cells.get("since", ""), program)
    details = {column: cells.get(column, "") for column in DETAILS}
    began = timezone.now()
    customer, made = provide_customer(actor=actor, **details)
    membership, new = enroll_customer(
        customer=customer, program=program, source=Membership.Source.IMPORT, at=at, actor=actor,
        detail=name,
    )  # fmt: skip
    return _Enrolled(membership, new, made, not made and customer.updated_at >= began)


def _since(text: str, program: Program) -> dt.datetime:
    """Member since when: now, or a day or time in the past."""
    now = timezone.now()
    if not text:
        return now
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is not None and at.tzinfo is None:
        at = localize(at, program.zone)
    if at is None or not at.year >= 1900 or at > now:
        raise DomainError(_("Write a day in the past such as 2026-03-31."), code="since")
    return at


def _refusal(number: int, cells: dict[str, str], error: DomainError) -> JobError:
    named = error.errors[0].field if error.errors else ""
    column = named if named in COLUMNS else "since" if error.code == "since" else ""
    reason = f"{error.errors[0].message}" if error.errors else str(error.message)
    return JobError(
        file=FILE, row=number, column=column, value=cells.get(column, "")[:200],
        reason=reason[:300],
    )  # fmt: skip


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows below the first line, which names the columns."""
    with opened(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
        for row in csv.DictReader(text):
            yield {
                (name or "").strip(): (value or "").replace("\x00", "").strip()
                for name, value in row.items()
                if isinstance(value, str) or value is None
            }
