"""Enrolling the people of a file: row by row, each one once, wrong ones named and left out.

A piece of rows commits together with how far the file is, so a run that was killed goes on there; a
file that is sent again finds its people enrolled.
"""

from __future__ import annotations

import zoneinfo
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.import_readers import person_reader
from loyalty.models import EnrollmentBatch, Membership, Program
from loyalty.services.consent_cells import PREFIX, consents_in, read_moment
from loyalty.services.import_bodies import told_at
from loyalty.services.import_files import digest_files, is_ndjson, start_file_job
from loyalty.services.import_jobs import (
    actor_of,
    all_or_nothing,
    is_dry,
    record_row_errors,
    said_of,
)
from loyalty.services.joining import refuse_closed
from loyalty.services.memberships import enroll_customer
from loyalty.services.newcomers import provide_customer
from loyalty.services.row_errors import RowError
from loyalty.services.row_staging import Layout, RowStaging
from loyalty.services.staged_rows import needs_staging, run_staged, stage_rows
from loyalty.services.undo_jobs import refuse_while_undone
from members.errors import DomainError, FieldError
from members.formatting import format_number
from members.models import Customer, Job
from members.selectors.merchants import get_merchant
from members.services.audit import Actor
from members.services.job_runs import Step
from members.told_consents import IMPORT, ConsentsTold, keep_consents

KIND = "enrollment_import"
UNDO = "enrollment_undo"
FILE = "people"
DETAILS = ("external_id", "email", "phone", "given_name", "family_name", "locale", "gender")
COLUMNS = (*DETAILS, "since")
# What a file may say of people besides; several tags with semicolons between them.
FURTHER = ("country", "birthday", "tags")
NAMING = ("external_id", "email", "phone")
# What somebody answers to a question: answer_ and its code; several choices with semicolons.
ANSWER = "answer_"
LAYOUT = Layout(FILE, (*COLUMNS, *FURTHER), naming=NAMING, prefixes=(PREFIX, ANSWER))
PIECE = 250


def start_enrollment_import(
    *,
    program: Program | None,
    path: Path,
    name: str,
    actor: Actor,
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Job:
    """A waiting job for this file; the unfinished one if the same was begun before. Without a
    program its people become customers, and members of nothing."""
    if program is not None:
        refuse_closed(program)
    said = f"{program.pk if program else ''}"
    said += f"|{sorted(mapping.items())}" if mapping else ""
    said += "|dry run" if dry_run else ""
    label = _("%s as customers") % name
    if program is not None:
        label = _("%(file)s into %(program)s") % {"file": name, "program": program.name}
    return start_file_job(
        kind=KIND,
        label=_("Dry run: %s") % label if dry_run else label,
        fingerprint=digest_files(said, path),
        params={
            "program": program.pk if program else None,
            FILE: str(path),
            "name": name[:64],
            "by": actor.user.pk if actor.user else None,
            "mapping": dict(mapping or {}),
            **said_of(actor, dry_run=dry_run),
        },
        actor=actor,
    )


def run_enrollment_import(job_id: int) -> Job | None:
    """Enroll whoever is left of the file; None when another run has it."""
    return run_staged(job_id, _enroll_piece)


def enrollment_words(job: Job) -> str:
    words = {
        "enrolled": _("%s enrolled"),
        "created": _("%s are new"),
        "updated": _("%s are known better"),
        "unchanged": _("%s were here already"),
        "refused": _("%s refused"),
    }
    counted = [
        words[name] % format_number(job.result[name]) for name in words if job.result.get(name)
    ]
    return ", ".join(counted) or _("Nobody to enroll")


def _enroll_piece(job: Job) -> Step | None:
    staging = RowStaging(job.pk)
    if needs_staging(job, staging):
        return stage_rows(job, staging, Path(job.params[FILE]), LAYOUT)
    after = int(job.checkpoint.get("row", 0))
    rows = staging.batch(after, PIECE) if job.checkpoint["staged"] else []
    if not rows:
        return None
    program = Program.objects.filter(pk=job.params["program"]).first()
    refuse_while_undone(UNDO, job)
    counted: Counter[str] = Counter(job.result)
    errors: list[RowError] = []
    batch = EnrollmentBatch(job=job, at=timezone.now())
    actor = actor_of(job)
    for number, body in rows:
        try:
            with all_or_nothing(dry=is_dry(job)):
                enrolled = _enroll(program, _said(body, job), job.params["name"], actor)
            counted[enrolled.outcome] += 1
            _note(batch, enrolled)
        except DomainError as error:
            counted["refused"] += 1
            errors.append(_refusal(number, body, error))
    record_row_errors(job, errors)
    if not is_dry(job) and (batch.members or batch.customers or batch.completed):
        batch.save()
    return Step(
        checkpoint={**job.checkpoint, "row": rows[-1][0]}, done=job.done + len(rows),
        result=dict(counted),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Enrolled:
    """`membership`: None where there is no program; `new`: a member only now; `made`: not here
    before; `completed`: here, and known better."""

    customer: Customer
    membership: Membership | None
    new: bool
    made: bool
    completed: bool

    @property
    def outcome(self) -> str:
        if self.membership is not None:
            return "enrolled" if self.new else "unchanged"
        return "created" if self.made else "updated" if self.completed else "unchanged"


def _note(batch: EnrollmentBatch, enrolled: _Enrolled) -> None:
    if enrolled.new and enrolled.membership is not None:
        batch.members.append(enrolled.membership.pk)
    if enrolled.made:
        batch.customers.append(enrolled.customer.pk)
    if enrolled.completed:
        batch.completed.append(enrolled.customer.pk)


def _enroll(program: Program | None, said: dict[str, Any], name: str, actor: Actor) -> _Enrolled:
    began, zone = timezone.now(), _zone(program)
    at = read_moment(said.pop("since", ""), zone=zone, now=began, field="since") or began
    consents = said.pop("consents", None) or consents_in(said, zone=zone, now=began)
    customer, made = provide_customer(actor=actor, **said)
    told = [item if item.evidence else replace(item, evidence=name) for item in consents]
    keep_consents(ConsentsTold(customer, told, IMPORT, actor, began))
    completed = not made and customer.updated_at >= began
    if program is None:
        return _Enrolled(customer, None, new=False, made=made, completed=completed)
    membership, new = enroll_customer(
        customer=customer, program=program, source=Membership.Source.IMPORT, at=at, actor=actor,
        detail=name,
    )  # fmt: skip
    return _Enrolled(customer, membership, new, made, completed)


def _said(body: str, job: Job) -> dict[str, Any]:
    """What a row says of somebody, by our names."""
    if is_ndjson(Path(job.params[FILE])):
        return person_reader()(body)
    cells: dict[str, Any] = orjson.loads(body)
    if cells.get("tags"):
        cells["tags"] = _several(cells["tags"])
    answers = {
        name.removeprefix(ANSWER): _several(cells.pop(name))
        for name in [*cells]
        if name.startswith(ANSWER)
    }
    said = {code: chosen for code, chosen in answers.items() if chosen}
    return {**cells, "answers": said} if said else cells


def _several(cell: str) -> list[str]:
    return [item.strip() for item in cell.split(";") if item.strip()]


def _zone(program: Program | None) -> zoneinfo.ZoneInfo:
    return program.zone if program else zoneinfo.ZoneInfo(get_merchant().time_zone)


def _refusal(number: int, body: str, error: DomainError) -> RowError:
    first = error.errors[0] if error.errors else FieldError("", error.message, error.code)
    value = told_at(body, first.field) if first.field else ""
    return RowError(
        FILE, number, first.field[:64], value[:200], str(first.message)[:300], first.code
    )  # fmt: skip
