"""Count how often a challenge would have been done, and say what that would have cost."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campaigns.selectors.challenge_outlooks import challenge_outlook
from campaigns.selectors.challenges import challenges
from campaigns.services.challenge_forecasts import forecast_challenge, run_forecast
from members.errors import DomainError
from members.formatting import format_days, format_money, format_number
from members.services.audit import SYSTEM


class Command(BaseCommand):
    help = (
        "Counts how often a challenge would have been done in past stretches of its length, and"
        " what that would have cost. Nothing is given; its page shows the same."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("program", help="the program's code")
        parser.add_argument("challenge", help="the challenge's code")

    def handle(self, *_args: Any, program: str, challenge: str, **_options: Any) -> None:
        found = challenges().filter(campaign__program__code=program, campaign__code=challenge)
        row = found.first()
        if row is None:
            raise CommandError("There is no such challenge.")
        try:
            asked = forecast_challenge(challenge=row, actor=SYSTEM, now=timezone.now())
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        if asked.job_id is None or run_forecast(asked.job_id) is None:
            raise CommandError("Somebody else works on the same forecast.")
        outlook = challenge_outlook(row)
        currency = row.campaign.program.currency
        for item in outlook.stretches:
            self.stdout.write(
                f"{format_days(item.first, item.last)}: bought {format_number(item.buyers)},"
                f" did it {format_number(item.members)}, times {format_number(item.wins)},"
                f" cost {format_money(item.cost, currency)}"
            )
        if outlook.likely is None:
            self.stdout.write("Nobody whom it is for bought anything in the last weeks.")
        elif row.opt_in:
            self.stdout.write("As if all whom it is for joined: that often at most.")
