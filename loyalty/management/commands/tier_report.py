from __future__ import annotations

import datetime as dt
import json
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from loyalty.management.arguments import add_as_of, add_program, as_of, program_named
from loyalty.models import Program
from loyalty.rules.calendar import start_of_day
from loyalty.selectors.member_tiers import standings_of_all, tiered_program
from loyalty.selectors.tier_facts import buyers_between


class Command(BaseCommand):
    help = (
        "How many members of a program have which tier at the end of a day, worked out from their "
        "orders, refunds and activities, whatever is written down."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_program(parser)
        add_as_of(parser)
        parser.add_argument(
            "--bought-in", type=int, metavar="YEAR",
            help="only members with an order in this calendar year",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        program = program_named(options["program"])
        terms = tiered_program(program.pk)
        if terms is None:
            raise CommandError("The program has no tiers.")
        at = as_of(options["as_of"], program)
        only = self._only(program, options["bought_in"])
        counts: Counter[str] = Counter()
        for pk, stands in standings_of_all(terms, at):
            if only is None or pk in only:
                counts[stands.tier] += 1
        found = terms.tiers.at(at) if terms.tiers else None
        codes = [level.code for level in found.levels] if found else []
        report = {
            "program": program.code,
            "as_of": at.isoformat(),
            "members": {code: counts[code] for code in codes},
        }
        self.stdout.write(json.dumps(report, indent=2))

    def _only(self, program: Program, year: int | None) -> set[int] | None:
        if year is None:
            return None
        first, after = (
            start_of_day(dt.date(number, 1, 1), program.zone) for number in (year, year + 1)
        )
        return buyers_between(program.pk, first, after)
