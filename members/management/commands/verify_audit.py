from __future__ import annotations

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from members.selectors.audit_seals import Head, head, verify_chain
from members.services.audit_jobs import flaw_words


def _noted(text: str) -> Head:
    """A head as it was printed: "1234:9f86d0…"."""
    if not re.fullmatch(r"[0-9]{1,18}:[0-9a-f]{64}", text):
        raise CommandError(f"{text} is no head of the chain; it was printed as NUMBER:DIGEST.")
    number, _colon, digest = text.partition(":")
    return Head(int(number), digest)


class Command(BaseCommand):
    help = (
        "Follow the chain over the audit log and name the entries that were changed or removed,"
        " the first one first. Exit 0 only if there is none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--noted", action="append", default=[], metavar="HEAD",
            help="A head that an earlier run has printed, kept where nobody who can write to the"
            " database reaches it. It has to be in the chain still. May be given several times.",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        chain = verify_chain(timezone.now(), [_noted(text) for text in options["noted"]])
        for flaw in chain.flaws:
            self.stderr.write(f"NOT TRUE: {flaw_words(flaw)}")
        if chain.flaw_count:
            raise CommandError(f"{chain.flaw_count} flaws in {chain.links} seals.")
        self.stdout.write(f"The audit log is as it was written: {chain.links} seals hold.")
        if (last := head()) is not None:
            self.stdout.write(f"Head of the chain, to be noted elsewhere: {last}")
