"""What a campaign would cost, by a backtest of its rules beside those it will meet."""

from __future__ import annotations

from django.db import models

from campaigns.models.campaigns import Campaign
from loyalty.models import Backtest


class CampaignForecast(models.Model):
    """The last one that was asked for. `rules`: the codes under which the backtest knows the
    campaign's own."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="forecast")
    backtest = models.ForeignKey(
        Backtest, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    rules = models.JSONField(default=list)
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.campaign}"
