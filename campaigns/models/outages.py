"""A provider that does not take what it is handed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ChannelOutage(models.Model):
    """Since when nothing goes out by a channel; no row: all is well. While it lasts, one message
    now and then finds out whether it is over, and the others wait as they are."""

    channel = models.CharField(max_length=16, primary_key=True)
    since = models.DateTimeField(_("since"))
    failures = models.PositiveIntegerField()
    # From then on the next one may try.
    retry_at = models.DateTimeField()
    # What the provider said, without addresses.
    detail = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(name="channel_outage_failed", condition=Q(failures__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: since {self.since}"
