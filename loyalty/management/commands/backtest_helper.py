from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from loyalty.services.backtest_runs import help_backtest


class Command(BaseCommand):
    help = "A further process of a running backtest. The job starts it; nobody else has to."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", type=int, help="the job's number")
        parser.add_argument("parent", type=int, help="the process that started it")

    def handle(self, *args: Any, **options: Any) -> None:
        help_backtest(options["job"], parent=options["parent"])
