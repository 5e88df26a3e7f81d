"""The dry run of an uploaded export: all the work of an import but its last step, as a job.

What it found stands beside the upload, under a name that the job's result has: another look leaves
the files of an import that was started meanwhile as they are, and nobody's orders are in a job.
"""

from __future__ import annotations

import csv
import hashlib
import uuid
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.models import Order, Program
from loyalty.services.import_rows import StagedOrder, address
from loyalty.services.imports import start_import
from loyalty.shop_exports.groups import Buyers, Group, Reading, grouped, number_of
from loyalty.shop_exports.orders import HEADS, Found, staged_orders
from loyalty.shop_exports.tables import Table, read_table, rows_of
from loyalty.shop_exports.uploads import Choices, Upload, check_choices, find_upload
from members.errors import DomainError
from members.formatting import format_number
from members.models import Customer, Job
from members.policy import AnyUser
from members.selectors.merchants import get_merchant
from members.services.audit import Actor
from members.services.jobs import (
    JobProgress,
    cancel_job,
    claim_job,
    running,
    start_or_resume_job,
)

KIND = "order_dry_run"
CHUNK = 5_000
KEPT_ERRORS = 20_000


def start_dry_run(*, upload: Upload, choices: Choices, actor: Actor) -> Job:
    """A waiting job that tries the file as it is read by these choices; what tries it otherwise
    stops. Raises DomainError where something needed has no column."""
    check_choices(choices, upload.table())
    before = dry_run_of(upload)
    if before is not None:
        cancel_job(job=before, actor=actor)
    said = asdict(choices)
    # Each is a job of its own: the one before may still be on its way to its end.
    again = f"{upload.key}:{upload.tried}:".encode() + orjson.dumps(said)
    job = start_or_resume_job(
        kind=KIND,
        label=upload.name,
        fingerprint=hashlib.sha256(again).hexdigest(),
        params={"export": str(upload.path), "choices": said},
        actor=actor,
    )
    upload.choices, upload.tried = choices, str(job.public_id)
    upload.save()
    return job


def dry_run_of(upload: Upload) -> Job | None:
    """The last dry run of an upload; None: it was not tried yet."""
    if not upload.tried:
        return None
    return Job.objects.filter(kind=KIND, public_id=upload.tried).first()


def upload_key(job: Job) -> str:
    """Which upload a dry run is of."""
    return Path(job.params["export"]).parent.name


def has_page_for(job: Job, user: AnyUser) -> bool:
    """What it found is for whoever brought the file, while that is kept."""
    return find_upload(upload_key(job), owner=user.pk or 0) is not None


def run_dry_run(job_id: int) -> Job | None:
    """Try the file. It changes nothing, so one that was killed begins anew."""
    job = claim_job(job_id)
    if job is None:
        return None
    with running(job) as progress:
        path, choices = Path(job.params["export"]), Choices(**job.params["choices"])
        if not path.is_file():
            raise DomainError(
                _("This file is not here any more. Upload it again."), code="files_gone"
            )
        found = _try(path, choices, uuid.uuid4().hex, progress)
        job.result = found
        job.done = job.total
    return Job.objects.get(pk=job_id)


def dry_run_words(job: Job) -> str:
    """What came of it, for a list of jobs."""
    taken = job.result["orders"] + job.result["returns"]
    return _("Orders and returns that can come in: %(taken)s. With errors: %(refused)s.") % {
        "taken": format_number(taken), "refused": format_number(job.result["refused"]),
    }  # fmt: skip


def report_of(job: Job | None) -> dict[str, Any] | None:
    """What a dry run counted; None where it has not come to its end, or its files are gone."""
    path = _beside(job, "report") if job is not None else None
    return orjson.loads(path.read_bytes()) if path is not None and path.is_file() else None


def errors_of(job: Job | None) -> Sequence[tuple[int, str, str, str]]:
    """The rows that would be left out: row, column, value, reason."""
    path = _beside(job, "errors") if job is not None else None
    if path is None or not path.is_file():
        return []
    return [tuple(row) for row in orjson.loads(path.read_bytes())]


def start_upload(*, upload: Upload, program: Program | None, actor: Actor) -> Job:
    """Import what the dry run found, by the same job as any other import."""
    tried = dry_run_of(upload)
    if tried is None or report_of(tried) is None:
        raise DomainError(_("Look at the dry run first."), code="not_tried")
    paths = _paths(upload.folder, tried.result["files"])
    job = start_import(
        program=program, orders_path=paths["orders"], lines_path=paths["lines"], actor=actor,
        source=upload.choices.source, name=upload.name,
    )  # fmt: skip
    upload.job = str(job.public_id)
    upload.save()
    return job


def _try(path: Path, choices: Choices, files: str, progress: JobProgress) -> dict[str, Any]:
    table = read_table(path)
    check_choices(choices, table)
    zone = zoneinfo.ZoneInfo(get_merchant().time_zone)
    reading = Reading(
        choices.columns, choices.mark, choices.days, choices.currency, zone, timezone.now()
    )
    groups = grouped(rows_of(path, table), reading)
    buyers = Buyers(_known_numbers(groups.values()), _numbers_here(groups.values()))
    found = Found()
    # Now: the next figure is of a second of work then, and tells how long the rest takes.
    progress.update(0, len(groups))
    orders = staged_orders(groups, reading, buyers, choices.source, found)
    _write(_paths(path.parent, files), orders, found, progress)
    errors = [
        [error.row, _name_of(error.column, table, choices), error.value, error.reason]
        for error in found.errors[:KEPT_ERRORS]
    ]
    (path.parent / f"errors-{files}.json").write_bytes(orjson.dumps(errors))
    report = _report(found, choices)
    (path.parent / f"report-{files}.json").write_bytes(orjson.dumps(report))
    counts = {name: report[name] for name in ("orders", "returns", "refused")}
    return {**counts, "files": files}


def _known_numbers(groups: Iterable[Group]) -> dict[str, str]:
    """The numbers of customers who are here already, by their addresses."""
    emails = sorted({address(group.said.get("email", "")) for group in groups} - {""})
    known: dict[str, str] = {}
    for start in range(0, len(emails), CHUNK):
        rows = Customer.objects.filter(email__in=emails[start : start + CHUNK])
        # An address that stands in for a number is none that the shop has given.
        known.update(
            (email, number)
            for email, number in rows.values_list("email", "external_id")
            if number and number.lower() != email
        )
    return known


def _numbers_here(groups: Iterable[Group]) -> set[str]:
    """The shop's numbers that somebody here has: they say who it is, whatever the address."""
    numbers = sorted({number_of(group) for group in groups} - {""})
    here: set[str] = set()
    for start in range(0, len(numbers), CHUNK):
        rows = Customer.objects.filter(external_id__in=numbers[start : start + CHUNK])
        here.update(number or "" for number in rows.values_list("external_id", flat=True))
    return here


def _beside(job: Job, name: str) -> Path | None:
    """A file that a dry run left."""
    files = job.result.get("files")
    return Path(job.params["export"]).parent / f"{name}-{files}.json" if files else None


def _paths(folder: Path, files: str) -> dict[str, Path]:
    return {name: folder / f"{name}-{files}.csv" for name in HEADS}


def _write(
    paths: dict[str, Path], orders: Iterable[StagedOrder], found: Found, progress: JobProgress
) -> None:
    """The two files that an import takes."""
    with (
        paths["orders"].open("w", newline="") as first,
        paths["lines"].open("w", newline="") as second,
    ):
        written = {"orders": csv.writer(first), "lines": csv.writer(second)}
        for name, head in HEADS.items():
            written[name].writerow(head)
        for order in orders:
            written["orders"].writerow(order.cells)
            written["lines"].writerows(cells for _row, cells in order.lines)
            progress.update(found.looked_at)


def _name_of(column: str, table: Table, choices: Choices) -> str:
    """A column under the name that it has in the file."""
    place = choices.columns.get(column)
    return column if place is None else table.header[place]


def _report(found: Found, choices: Choices) -> dict[str, Any]:
    here = sum(
        Order.objects.filter(
            source=choices.source, external_id__in=found.numbers[start : start + CHUNK]
        ).count()
        for start in range(0, len(found.numbers), CHUNK)
    )
    return {
        "orders": found.orders,
        "returns": found.returns,
        "customers": len(found.customers),
        "guests": found.guests,
        "refused": found.refused,
        "left_out": dict(found.left_out),
        "states": dict(found.states.most_common()),
        "unread_emails": dict(found.unread_emails.most_common()),
        "here": here,
        "money": {currency: str(total) for currency, total in found.money.items()},
        "first": found.first.isoformat() if found.first else None,
        "last": found.last.isoformat() if found.last else None,
        "shown": found.shown,
    }
