"""How often a challenge would have been done, by the orders of past stretches of its length."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from campaigns.models.challenges import Challenge
from members.models import Job


class ChallengeForecast(models.Model):
    """The last one that was asked for. `stretches`: pairs of instants, the latest first; `result`,
    once its job is done: for each of them what was found."""

    challenge = models.OneToOneField(Challenge, on_delete=models.CASCADE, related_name="forecast")
    stretches = models.JSONField()
    asked_at = models.DateTimeField()
    # Forgotten some day; what was found stays.
    job = models.ForeignKey(
        Job, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="challenge_forecast_finished",
                condition=Q(finished_at=None, result=None)
                | Q(finished_at__isnull=False, result__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.challenge}"
