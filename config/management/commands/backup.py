"""`manage.py backup`: the database into a file, with what it holds written beside it."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from config.backups import BackupError
from config.backups.backup import KEPT, make_backup


def at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of backups to keep; write 1 or more")
    return int(text)


class Command(BaseCommand):
    help = "Back up the database (pg_dump, custom format), by default into the folder var/backups."

    def add_arguments(self, parser: ArgumentParser) -> None:
        place = parser.add_mutually_exclusive_group()
        place.add_argument("--to", type=Path, metavar="FILE", help="write this file instead")
        place.add_argument(
            "--keep",
            type=at_least_one,
            default=KEPT,
            metavar="N",
            help="how many remain in the default folder, the newest (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            backup, removed = make_backup(options["to"], keep=options["keep"])
        except BackupError as error:
            raise CommandError(str(error.message)) from error
        size = filesizeformat(backup.bytes).replace("\xa0", " ")
        self.stdout.write(f"{backup.path}: {size} in {backup.seconds:g} s")
        self.stdout.write(f"SHA-256 {backup.sha256}")
        for path in removed:
            self.stdout.write(f"Removed {path.name}")
