"""`manage.py rehearse_restore`: shows that a backup can be restored, without touching anything."""

import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from config.backups.backup import Backup, list_backups, make_backup
from config.backups.rehearsal import run_rehearsal, start_rehearsal
from members.errors import DomainError
from members.models import Job


class Command(BaseCommand):
    help = (
        "Restore a backup into a scratch database, verify the ledger there and compare it with "
        "what was backed up. Exit 0 only if all of it is right."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            nargs="?",
            help="a backup; without one the newest in var/backups, or a new one if there is none",
        )
        parser.add_argument("--fresh", action="store_true", help="make a new backup first")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["file"] and options["fresh"]:
            raise CommandError("Name a backup or ask for a fresh one, not both.")
        # An ordinary kill ends the command as Ctrl-C does: cleaning up behind itself.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            job = self.rehearse(self.choose(options["file"], options["fresh"]))
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted; the scratch database is gone.", returncode=130
            ) from None
        finally:
            signal.signal(signal.SIGTERM, before)
        if job.state != Job.State.SUCCEEDED:
            raise CommandError("The rehearsal was canceled.")
        self.stdout.write(f"The backup can be restored; it took {job.result['seconds']:g} s.")

    def rehearse(self, backup: Backup) -> Job:
        self.stdout.write(f"Rehearsing {backup.path} of {backup.taken_at:%Y-%m-%d %H:%M} UTC")
        job = run_rehearsal(start_rehearsal(backup).pk, say=self.stdout.write)
        if job is None:
            raise CommandError("A worker is rehearsing this backup already.")
        return job

    def choose(self, file: Path | None, fresh: bool) -> Backup:
        found = [file] if file else list_backups()
        if fresh or not found:
            backup, _removed = make_backup()
            return backup
        return Backup.read(found[0].absolute())
