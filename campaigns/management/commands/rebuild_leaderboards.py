"""Work out anew who is where on the leaderboards of challenges."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from campaigns.services.leaderboards import rebuild_leaderboards


class Command(BaseCommand):
    help = "Works the leaderboards of challenges out anew from what members did."

    def handle(self, *_args: Any, **_options: Any) -> None:
        scores = rebuild_leaderboards()
        self.stdout.write(f"{scores} scores are as what members did says.")
