from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from loyalty.models import Goal
from loyalty.selectors.goals import goals
from loyalty.services.goal_points import rebuild_points


class Command(BaseCommand):
    help = "Measure all days of open goals anew, from what is known of them now."

    def handle(self, *args: Any, **options: Any) -> None:
        found = goals().filter(state=Goal.State.OPEN).order_by("pk")
        self.stdout.write(f"{rebuild_points(found, timezone.now())} days measured.")
