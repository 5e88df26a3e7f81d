from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from loyalty.ledger.checks import RULES, verify_books
from loyalty.selectors.tier_checks import verify_tiers
from loyalty.services.cache_repairs import repair_caches
from members.services.audit import SYSTEM


class Command(BaseCommand):
    help = (
        "Verify that lots, uses, transfers and wallets agree, the totals of days and months with"
        " them, and tiers with what happened. Exit 0 only if they do."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair-caches",
            action="store_true",
            help="First work out anew what is derived from the books: what lots and wallets hold,"
            " totals of days and months, how far tiers were worked out. The books themselves are"
            " never changed.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["repair_caches"]:
            self._repair()
        now = timezone.now()
        drifts = verify_books(now)
        drifts += [drift for drift in [verify_tiers(now)] if drift is not None]
        for drift in drifts:
            self.stderr.write(f"NOT TRUE: {drift.check} ({drift.count} times)")
            for row in drift.rows:
                self.stderr.write(f"  {row}")
        if drifts:
            raise CommandError(f"{len(drifts)} of {len(RULES) + 1} checks failed.")
        self.stdout.write(f"The ledger is coherent: {len(RULES) + 1} checks passed.")

    def _repair(self) -> None:
        repaired = repair_caches(actor=SYSTEM, now=timezone.now())
        if repaired.nothing:
            self.stdout.write("Everything derived was right.")
            return
        self.stdout.write(
            f"Put right: {repaired.lots} lots, {repaired.wallets} wallets,"
            f" {repaired.totals} rows of totals, {repaired.tiers} tiers."
        )
