"""Imports whatever they bring: orders, customers, balances. Begun, confirmed, undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from loyalty.models import Program
from loyalty.services import (
    balance_imports,
    balance_rows,
    balance_undoing,
    enrollment_files,
    enrollment_undoing,
)
from loyalty.services import import_undoing as order_undoing
from loyalty.services import imports as order_imports
from loyalty.services.import_files import store_no_lines
from loyalty.services.import_jobs import is_dry
from members.errors import ConflictError, DomainError, FieldError
from members.models import Job
from members.services.audit import Actor

ORDERS, CUSTOMERS, BALANCES = "orders", "customers", "balances"
KINDS: Mapping[str, str] = {
    ORDERS: order_imports.KIND,
    CUSTOMERS: enrollment_files.KIND,
    BALANCES: balance_imports.KIND,
}
UNDOS: Mapping[str, str] = {
    ORDERS: order_imports.UNDO,
    CUSTOMERS: enrollment_files.UNDO,
    BALANCES: balance_imports.UNDO,
}
_UNDOING: Mapping[str, Callable[..., Job]] = {
    ORDERS: order_undoing.start_undo,
    CUSTOMERS: enrollment_undoing.start_enrollment_undo,
    BALANCES: balance_undoing.start_balance_undo,
}
# The file of each kind, among the parameters of its job.
_FILES = {ORDERS: "orders", CUSTOMERS: enrollment_files.FILE, BALANCES: balance_rows.FILE}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be imported. `program` None: orders as history, customers as members of nothing;
    `lines`: of orders in CSV, the file of their lines."""

    kind: str
    path: Path
    name: str
    program: Program | None = None
    source: str = ""
    lines: Path | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False


def imports_among(jobs: QuerySet[Job]) -> QuerySet[Job]:
    return jobs.filter(kind__in=KINDS.values()).select_related("created_by")


def what_of(job: Job) -> str:
    """Orders, customers or balances."""
    return next(what for what, kind in KINDS.items() if kind == job.kind)


def begin_import(*, wanted: Wanted, actor: Actor) -> Job:
    """A waiting job for a file; the unfinished one if the same was begun before."""
    said: dict[str, Any] = {"actor": actor, "name": wanted.name, "mapping": wanted.mapping}
    if wanted.kind == ORDERS:
        lines = wanted.lines or store_no_lines(wanted.path.parent)
        return order_imports.start_import(
            program=wanted.program, orders_path=wanted.path, lines_path=lines,
            source=wanted.source or "shop", dry_run=wanted.dry_run, **said,
        )  # fmt: skip
    if wanted.kind == CUSTOMERS:
        return enrollment_files.start_enrollment_import(
            program=wanted.program, path=wanted.path, dry_run=wanted.dry_run, **said
        )
    if wanted.program is None:
        words = _("Balances are of a program: name it.")
        raise DomainError(words, errors=[FieldError("program", words, "required")])
    return balance_imports.start_balance_check(
        program=wanted.program, path=wanted.path, source=wanted.source or "shop", **said
    )


def confirm_import(*, job: Job, actor: Actor) -> Job:
    """A waiting job that does what a dry run has tried, with the same files."""
    what, params = what_of(job), job.params
    if what == BALANCES:
        return balance_imports.book_balances(job=job, actor=actor)
    if not is_dry(job) or job.state != Job.State.SUCCEEDED:
        raise ConflictError(_("Wait until the dry run has ended."), code="not_checked")
    path = Path(params[_FILES[what]])
    if not path.is_file():
        raise ConflictError(
            _("The files of this import are gone. Upload them again."), code="files_gone"
        )
    wanted = Wanted(
        kind=what, path=path, name=params["name"], mapping=params["mapping"],
        program=Program.objects.filter(pk=params["program"]).first(),
        source=params.get("source", ""),
        lines=Path(params["lines"]) if "lines" in params else None,
    )  # fmt: skip
    return begin_import(wanted=wanted, actor=actor)


def start_import_undo(*, job: Job, reason: str, actor: Actor, erase: bool = False) -> Job:
    """A waiting job that undoes an import; the unfinished one if there is one."""
    return _UNDOING[what_of(job)](job=job, reason=reason, actor=actor, erase=erase)


def last_undos(jobs: Sequence[Job]) -> dict[int, Job]:
    """By import the time that it was undone last, where it was."""
    found = Job.objects.filter(
        kind__in=UNDOS.values(), fingerprint__in=[str(job.pk) for job in jobs]
    )
    # Whatever came later is kept.
    return {int(undo.fingerprint): undo for undo in found.order_by("pk")}


def undos_of(job: Job) -> QuerySet[Job]:
    """The times that an import was undone, the newest first."""
    return Job.objects.filter(kind=UNDOS[what_of(job)], fingerprint=str(job.pk)).order_by("-pk")
