from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from loyalty.services.member_tiers import rebuild_tiers


class Command(BaseCommand):
    help = (
        "Write down anew where members stand in their programs' tiers: those whose row is out of "
        "date, or everybody. Safe to kill and to run twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--everybody", action="store_true", help="also who is up to date")

    def handle(self, *args: Any, **options: Any) -> None:
        looked_at = rebuild_tiers(now=timezone.now(), all_of_them=options["everybody"])
        self.stdout.write(f"{looked_at} members were looked at.")
