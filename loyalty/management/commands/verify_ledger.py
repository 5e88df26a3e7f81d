from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.ledger.checks import CHECKS, verify_ledger


class Command(BaseCommand):
    help = "Verify that lots, uses, transfers and wallets agree. Exit 0 only if they do."

    def handle(self, *args: Any, **options: Any) -> None:
        drifts = verify_ledger(timezone.now())
        for drift in drifts:
            self.stderr.write(f"NOT TRUE: {drift.check} ({drift.count} times)")
            for row in drift.rows:
                self.stderr.write(f"  {row}")
        if drifts:
            raise CommandError(f"{len(drifts)} of {len(CHECKS)} checks failed.")
        self.stdout.write(f"The ledger is coherent: {len(CHECKS)} checks passed.")
