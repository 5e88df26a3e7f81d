"""Restoring a backup beside the database it came from, to see that it could be done in earnest."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.backups import BackupError
from config.backups.backup import Backup
from config.backups.figures import Figures, read_rows, read_totals
from config.backups.server import Server
from config.database.scratch import ScratchBusyError, scratch_database, working_in
from loyalty.ledger.checks import CHECKS, verify_ledger
from members.formatting import format_moment, format_number
from members.models import Job
from members.services.audit import SYSTEM
from members.services.job_logs import log_line
from members.services.jobs import JobProgress, claim_job, running, start_or_resume_job

KIND = "restore_rehearsal"
STEPS = 5
# A backup of this many bytes and more is restored by several processes. For a smaller one the
# server is busy with making tables and indexes: least work if many of them are one transaction.
LARGE = 64 << 20
RESTORE_PROCESSES = 2
OBJECTS_AT_ONCE = 500
# From this version on pg_restore knows of the latter.
TRANSACTION_SIZE = 17
SUFFIX = "_restore_rehearsal"

Say = Callable[[str], object]


def start_rehearsal(backup: Backup) -> Job:
    """A waiting job for rehearsing this backup; the unfinished one if it was begun before."""
    return start_or_resume_job(
        kind=KIND,
        label=_("Rehearsal with %(file)s") % {"file": backup.path.name},
        fingerprint=backup.sha256,
        params={"file": str(backup.path)},
        actor=SYSTEM,
        total=STEPS,
    )


def run_rehearsal(job_id: int, *, say: Say = lambda words: None) -> Job | None:
    """Restore a waiting job's backup into a scratch database and check it there. None: somebody
    else does.

    Raises BackupError at the first thing that is wrong; the scratch database is gone either way.
    """
    job = claim_job(job_id)
    if job is None:
        return None
    with running(job) as progress:
        begun = time.monotonic()
        progress.update(0)
        backup = Backup.read(Path(job.params["file"]))
        _Rehearsal(Server.configured(), backup, progress, say).run()
        job.result = {
            "taken_at": backup.taken_at.isoformat(),
            "seconds": round(time.monotonic() - begun, 1),
            "rows": sum(backup.figures.rows.values()),
        }
    return job


def rehearsal_words(job: Job) -> str:
    """What was shown, for people."""
    result = job.result
    if not result:
        return ""
    return _("%(rows)s rows of %(moment)s restored in %(seconds)s s, and the books agree.") % {
        "rows": format_number(result["rows"]),
        "moment": format_moment(dt.datetime.fromisoformat(result["taken_at"])),
        "seconds": format_number(result["seconds"]),
    }


@dataclass(frozen=True)
class _Rehearsal:
    server: Server
    backup: Backup
    progress: JobProgress
    say: Say

    def run(self) -> None:
        self.server.check_restore()
        self.backup.check()
        self._done(_("The file is what was written."))
        with _scratch_database(self.server) as scratch:
            self._restore(scratch)
            self._done(_("Restored into the database %(name)s.") % {"name": scratch})
            with working_in(scratch):
                rows = read_rows()
                migrated = _bring_up_to_date()
                found = Figures(rows, read_totals(self.backup.taken_at))
                drifts = verify_ledger(timezone.now())
            self._done(migrated)
            _refuse(_("The books do not agree"), [drift.check for drift in drifts])
            checks = {"count": format_number(len(CHECKS))}
            self._done(_("The ledger is coherent there: %(count)s checks passed.") % checks)
            _refuse(
                _("It does not hold what was backed up"), self.backup.figures.differences(found)
            )
            self._done(_("It holds every row, and the totals of every program, of the backup."))

    def _restore(self, scratch: str) -> None:
        self.server.run(
            "pg_restore",
            "--exit-on-error",
            # The roles of the origin need not exist where it is restored.
            "--no-owner",
            "--no-privileges",
            restore_option(self.backup.bytes, self.server.programs.version),
            f"--dbname={self.server.address(scratch)}",
            str(self.backup.path),
            watch=self.progress.look,
        )

    def _done(self, words: str) -> None:
        self.progress.job.done += 1
        self.progress.look()
        log_line(self.progress.job, words)
        self.say(words)


def restore_option(size: int, version: int) -> str:
    """How pg_restore of this version goes about a dump of so many bytes."""
    if size < LARGE and version >= TRANSACTION_SIZE:
        return f"--transaction-size={OBJECTS_AT_ONCE}"
    return f"--jobs={RESTORE_PROCESSES}"


@contextmanager
def _scratch_database(server: Server) -> Iterator[str]:
    with server.connect() as keeper, ExitStack() as scratch:
        try:
            name = scratch.enter_context(scratch_database(keeper, SUFFIX))
        except ScratchBusyError as error:
            raise BackupError(_("Another rehearsal is under way.")) from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise BackupError(
                _(
                    "A rehearsal needs a scratch database, and the role %(role)s may not create "
                    "one: ALTER ROLE … CREATEDB lets it."
                )
                % {"role": keeper.info.user}
            ) from error
        yield name


def _bring_up_to_date() -> str:
    """Apply migrations that came after the backup, as the first start would; says what it did."""
    executor = MigrationExecutor(connection)
    loader = executor.loader
    # Of applications that there are: those of a removed one stay in the table.
    applied = {each for each in loader.applied_migrations if each[0] in loader.migrated_apps}
    newer = applied - set(loader.disk_migrations) - _earlier_squashes(loader)
    _refuse(_("A newer version of Setia made it"), sorted(".".join(each) for each in newer))
    plan = executor.migration_plan(loader.graph.leaf_nodes())
    if not plan:
        return _("Every migration is applied there.")
    call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    words = ngettext(
        "%(count)s migration that came later was applied there.",
        "%(count)s migrations that came later were applied there.",
        len(plan),
    )
    return words % {"count": format_number(len(plan))}


def _earlier_squashes(loader: MigrationLoader) -> set[tuple[str, str]]:
    """Applied squashes whose place a longer one has taken since: their last migration is here."""
    return {
        (app, name)
        for app, name in loader.applied_migrations
        if (last := name.partition("_squashed_")[2]) and (app, last) in loader.disk_migrations
    }


def _refuse(what: str, reasons: list[str]) -> None:
    if reasons:
        raise BackupError("\n  ".join([f"{what}:", *reasons]))
