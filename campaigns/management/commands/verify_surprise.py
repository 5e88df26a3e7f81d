"""Work the draws of surprises out again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.models import SurpriseDraw
from campaigns.selectors.surprises import wrong_in_draw


class Command(BaseCommand):
    help = "Works the past draws of surprises out again: seed, list, numbers, and who was chosen."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "campaign", nargs="?", help="The code of a promotion; none: all of them."
        )

    def handle(self, *_args: Any, campaign: str | None, **_options: Any) -> None:
        rows = SurpriseDraw.objects.filter(drawn_at__isnull=False).select_related("campaign")
        if campaign:
            rows = rows.filter(campaign__code=campaign)
        wrong = 0
        found = list(rows.order_by("pk"))
        for draw in found:
            said = wrong_in_draw(draw)
            wrong += bool(said)
            words = f"WRONG: {said}" if said else "holds"
            self.stdout.write(f"{draw.campaign.code} {draw.number}: {words}")
        if wrong:
            raise CommandError(f"{wrong} of {len(found)} draws are not as they must be.")
        self.stdout.write(f"{len(found)} draws were worked out again: all of them hold.")
