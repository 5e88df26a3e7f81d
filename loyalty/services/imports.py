"""Importing an order history from two files: staged, then recorded batch by batch in several
threads.

Each batch commits together with how far its part is, so an import that was killed goes on where it
stopped, and one that is repeated finds its orders unchanged. Rows that are wrong are named and left
out; the rest comes in.
"""

from __future__ import annotations

import threading
import zoneinfo
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

from django.db import connection, connections, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.models import Program
from loyalty.services.import_files import digest_files, is_ndjson, start_file_job
from loyalty.services.import_jobs import (
    actor_of,
    all_or_nothing,
    is_dry,
    record_row_errors,
    said_of,
)
from loyalty.services.import_records import Brought, record_rows
from loyalty.services.import_rows import Reader, StagedOrder
from loyalty.services.import_staging import Staging
from loyalty.services.order_inputs import OrderInput, RefundInput
from loyalty.services.refunds import link_parked_refunds
from loyalty.services.row_errors import RowError
from loyalty.services.undo_jobs import refuse_while_undone
from members.errors import DomainError, FieldError
from members.formatting import format_number
from members.models import Job
from members.selectors.merchants import get_merchant
from members.services import jobs
from members.services.audit import Actor
from members.services.job_logs import log_line
from members.services.jobs import (
    JobProgress,
    claim_job,
    running,
)
from members.services.transactions import run_atomically

KIND = "order_import"
UNDO = "order_import_undo"
BATCH = 500
THREADS = 2
# The planner must not go on believing that the tables are as empty as when the import began.
ANALYZED_AFTER = (1_000, 10_000, 100_000)
TABLES = (
    "loyalty_order", "loyalty_orderline", "loyalty_transfer", "loyalty_lot", "loyalty_wallet",
    "loyalty_membership", "loyalty_orderevaluation", "members_customer",
)  # fmt: skip


def start_import(
    *,
    program: Program | None,
    orders_path: Path,
    lines_path: Path,
    actor: Actor,
    source: str = "shop",
    name: str = "",
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Job:
    """A waiting job for these files; the unfinished one if the same files were begun before.

    Without a program they are kept as history: figures may be made of it, and nobody earns.
    `name`: of the file that people know them by, if it is another one; `mapping`: what it calls a
    column. A dry run does all of it and takes it back at once: it says what would come in.
    """
    if program is not None and program.status != Program.Status.LIVE:
        raise DomainError(
            _("%s is not live: its rules would not be applied. Take it live first.") % program.name,
            code="program_not_live",
        )
    if is_ndjson(lines_path):
        words = _("Lines are CSV, beside orders in CSV. In NDJSON each order has its own lines.")
        raise DomainError(words, errors=[FieldError("lines", words)])
    said = f"{program.pk if program else ''}|{source}"
    said += f"|{sorted(mapping.items())}" if mapping else ""
    said += "|dry run" if dry_run else ""
    fingerprint = digest_files(said, orders_path, lines_path)
    return start_file_job(
        kind=KIND,
        label=import_label(name or orders_path.name, program, dry_run=dry_run),
        fingerprint=fingerprint,
        params={
            "program": program.pk if program else None,
            "source": source,
            "orders": str(orders_path),
            "lines": str(lines_path),
            "name": name,
            "mapping": dict(mapping or {}),
            **said_of(actor, dry_run=dry_run),
        },
        actor=actor,
    )


def import_label(file: str, program: Program | None, *, dry_run: bool) -> str:
    """What a file of orders, or of balances, is listed as."""
    label = _("%s as history") % file
    if program is not None:
        label = _("%(file)s into %(program)s") % {"file": file, "program": program.name}
    return _("Dry run: %s") % label if dry_run else label


def program_of(job: Job) -> Program | None:
    """The program that it goes into; None where the orders are only kept."""
    key = job.params["program"]
    return None if key is None else Program.objects.get(pk=key)


def run_import(job_id: int, *, watch: Callable[[Job], None] | None = None) -> Job | None:
    """Work on a waiting import until it is done. None: somebody else does. `watch` sees
    progress."""
    job = claim_job(job_id)
    if job is None:
        return None
    staging = Staging(job.pk, THREADS)
    with running(job) as progress:
        refuse_while_undone(UNDO, job)
        if not staging.is_staged():
            # Together: whoever goes on after a kill finds the rows staged, and stages no more.
            with transaction.atomic():
                mapping = job.params.get("mapping", {})
                record_row_errors(job, staging.stage(*_files(job), mapping))
        progress.update(staging.done(), staging.total())
        progress.begin_at(job.done)
        log_line(job, _("The files are read: %s orders.") % format_number(job.total))
        _work(job, staging, progress, watch)
        # Two threads may have missed each other with a return and its sale.
        while not is_dry(job) and link_parked_refunds(now=timezone.now()):
            pass
        job.result = staging.outcomes()
        job.done = job.total
        _analyze(job.total)
    if job.state in {Job.State.SUCCEEDED, Job.State.CANCELED}:
        staging.drop()
    return Job.objects.get(pk=job_id)


def _files(job: Job) -> tuple[Path, Path]:
    """The files of a job that has to read them (again): they may have been cleared away."""
    orders, lines = Path(job.params["orders"]), Path(job.params["lines"])
    if not orders.is_file() or not lines.is_file():
        raise DomainError(
            _("The files of this import are gone. Upload them again."), code="files_gone"
        )
    return orders, lines


def _work(
    job: Job,
    staging: Staging,
    progress: JobProgress,
    watch: Callable[[Job], None] | None,
) -> None:
    stop = threading.Event()
    done = _Done(job.done)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="import") as pool:
        futures = {
            pool.submit(_work_part, job, staging, part, stop, done) for part in range(THREADS)
        }
        try:
            while futures:
                finished, futures = wait(
                    futures, timeout=jobs.WRITTEN_EVERY / 2, return_when=FIRST_COMPLETED
                )
                for future in finished:
                    future.result()
                progress.update(done.value)
                if watch is not None:
                    watch(job)
        except BaseException:
            stop.set()
            raise


class _DoneByAnotherError(Exception):
    """A run that came back from the dead was quicker with a batch, or another one has taken over.
    Which of the two is in charge is seen by `JobProgress`; the batch counts once either way."""


class _Done:
    """Orders worked on, counted by several threads."""

    def __init__(self, value: int) -> None:
        self.value = value
        self._lock = threading.Lock()
        self._analyzed = {mark for mark in ANALYZED_AFTER if mark <= value}

    def add(self, count: int) -> None:
        with self._lock:
            self.value += count
            due = {mark for mark in ANALYZED_AFTER if mark <= self.value} - self._analyzed
            self._analyzed |= due
        if due:
            _analyze(max(due))


def _analyze(imported: int) -> None:
    """Renew the statistics where the import is a large part of what there is; among many more
    orders the database's own schedule is soon enough."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'loyalty_order'::regclass")
        if cursor.fetchone()[0] < 2 * imported:
            cursor.execute(f"ANALYZE {', '.join(TABLES)}")


def _work_part(job: Job, staging: Staging, part: int, stop: threading.Event, done: _Done) -> None:
    program = program_of(job)
    zone = program.zone if program else zoneinfo.ZoneInfo(get_merchant().time_zone)
    counts_in = program.currency if program else get_merchant().currency
    try:
        while not stop.is_set():
            seq, staged = staging.batch(part, BATCH)
            if not staged:
                return
            reader = Reader(zone, job.params["source"], timezone.now(), counts_in)
            read = reader.read_all(staged)
            good = [(item, value) for item, value in read if value is not None]
            unread = len(staged) - len(good)
            try:
                run_atomically(
                    lambda good=good, seq=seq, reader=reader, unread=unread: _batch(  # type: ignore[misc]
                        job, program, staging, part, seq, good, reader.errors, unread
                    )
                )
            except _DoneByAnotherError:
                continue
            done.add(len(staged))
    finally:
        connections.close_all()


def _batch(
    job: Job,
    program: Program | None,
    staging: Staging,
    part: int,
    seq: int,
    good: Sequence[tuple[StagedOrder, OrderInput | RefundInput]],
    errors: Sequence[RowError],
    unread: int,
) -> None:
    """Record one batch and how far it reaches; a batch that is refused is taken row by row."""
    refusals: list[RowError] = []
    actor, dry = actor_of(job), is_dry(job)
    try:
        with all_or_nothing(dry=dry):
            brought = record_rows([value for _item, value in good], program=program, actor=actor)
    except DomainError:
        brought = Brought()
        for item, value in good:
            try:
                with all_or_nothing(dry=dry):
                    brought.add(record_rows([value], program=program, actor=actor))
            except DomainError as error:
                refusals.append(_refusal(item, error))
    if not dry:
        brought.keep(job)
    record_row_errors(job, [*errors, *refusals])
    counted = Counter(brought.outcomes) + Counter(refused=unread + len(refusals))
    if not staging.advance(part, seq, counted):
        raise _DoneByAnotherError


def _refusal(item: StagedOrder, error: DomainError) -> RowError:
    first = error.errors[0] if error.errors else None
    file, row, column, value = item.cell(first.field if first else "external_id")
    reason = f"{error.message} {first.message}" if first else str(error.message)
    code = first.code if first else error.code
    return RowError(file, row, column[:64], value[:200], reason[:300], code)


def import_words(job: Job) -> str:
    """What became of the rows, for people: "1,200 imported, 3 refused"."""
    words = {
        "created": _("%s imported"),
        "updated": _("%s changed"),
        "unchanged": _("%s were here already"),
        "refused": _("%s refused"),
    }
    counted = [
        words[name] % format_number(job.result[name]) for name in words if job.result.get(name)
    ]
    return ", ".join(counted) or _("Nothing to import")
