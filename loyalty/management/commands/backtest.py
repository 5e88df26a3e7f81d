from __future__ import annotations

import datetime as dt
import resource
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.backtest_figures import BacktestFigures
from loyalty.backtest_sums import SIDES
from loyalty.program_files import load_rules
from loyalty.selectors.backtests import get_backtest
from loyalty.selectors.programs import definition_of, get_program
from loyalty.selectors.tier_drafts import drafted_tiers, tier_draft_of
from loyalty.services.backtest_runs import run_backtest
from loyalty.services.backtests import create_backtest
from members.errors import DomainError
from members.formatting import format_money, format_number, format_percent, format_points
from members.services.audit import SYSTEM


class Command(BaseCommand):
    help = (
        "Replay the orders of a period under the rules of a file beside the live ones. Nothing is "
        "posted; the result is kept with the backtests of the back-office."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("program", help="the program's code")
        parser.add_argument("--since", required=True, type=dt.date.fromisoformat, help="first day")
        parser.add_argument("--until", required=True, type=dt.date.fromisoformat, help="last day")
        parser.add_argument(
            "--rules", required=True, type=Path, help="a file with earning_rules, or a program file"
        )
        parser.add_argument(
            "--draft-tiers", action="store_true", help="with the draft of the program's tiers"
        )
        parser.add_argument("--name", default="", help="what the backtest is called")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        try:
            program = get_program(options["program"])
            text = options["rules"].read_text(encoding="utf-8")
            drafted = tier_draft_of(program) if options["draft_tiers"] else None
            if options["draft_tiers"] and drafted is None:
                raise CommandError("The program has no draft of its tiers.")
            backtest = create_backtest(
                program=program,
                since=options["since"],
                until=options["until"],
                draft=load_rules(text, definition_of(program, timezone.now())),
                tiers=drafted_tiers(drafted) if drafted else None,
                name=options["name"] or options["rules"].name,
                actor=SYSTEM,
                now=timezone.now(),
            )
        except DomainError as error:
            lines = [f"  {wrong.field}: {wrong.message}" for wrong in error.errors]
            raise CommandError("\n".join([str(error.message), *lines])) from error
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['rules']} cannot be read: {error}") from error
        assert backtest.job_id is not None
        if run_backtest(backtest.job_id) is None:
            raise CommandError("Somebody else works on the same backtest.")
        found = BacktestFigures(get_backtest(backtest.public_id))
        for line in _lines(found):
            self.stdout.write(line)
        self.stdout.write(_effort(found.whole.orders, time.monotonic() - began))


def _lines(found: BacktestFigures) -> Iterator[str]:
    whole, currency = found.whole, found.backtest.program.currency
    yield (
        f"{format_number(whole.orders)} orders of {format_number(whole.members)} members,"
        f" {format_money(whole.revenue, currency)}"
    )
    yield f"{'':32}{'live':>16}{'draft':>16}"
    for unit in found.awarded:
        numbers = [format_points(whole.units[side][unit.code], unit.scale) for side in SIDES]
        yield _row(unit.plural, numbers)
        left = [format_points(found.outstanding(side)[unit.code], unit.scale) for side in SIDES]
        yield _row(f"{unit.plural} outstanding", left)
    yield _row("cost", [format_money(found.cost(whole, side), currency) for side in SIDES])
    shares = [found.share(whole, side) for side in SIDES]
    yield _row("cost of revenue", ["–" if s is None else format_percent(s) for s in shares])
    for rule in found.rules():
        yield _row(
            f"  {rule.name}",
            [format_points(units, rule.unit.scale) for units in (rule.live, rule.draft)],
        )
    for tier in found.tiers():
        yield _row(f"  in tier {tier.code}", [format_number(tier.live), format_number(tier.draft)])
    yield (
        f"Members better off: {format_number(found.better)}, worse: {format_number(found.worse)},"
        f" the same: {format_number(found.same)}"
    )


def _row(label: str, numbers: list[str]) -> str:
    return f"{label[:32]:32}" + "".join(f"{number:>16}" for number in numbers)


def _effort(orders: int, seconds: float) -> str:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    helper = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return (
        f"Took {seconds:.1f} s ({orders / seconds:,.0f} orders/s);"
        f" peak memory {own:.0f} MB and {helper:.0f} MB in the second process."
    )
