"""Promotions that wait for a second person, among all approvals."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.backoffice.campaigns import campaign_url
from campaigns.models import Campaign
from loyalty.backoffice.waiting_lists import (
    WaitingForOthers,
    WaitingList,
    WaitingRow,
    register_waiting_list,
)
from members.models import User
from members.policy import is_allowed


def waiting_campaigns(user: User) -> list[WaitingRow]:
    found = Campaign.objects.filter(asked_at__isnull=False).select_related("program", "asked_by")
    if not is_allowed(user, "rules.publish"):
        found = found.filter(asked_by=user)
    return [
        WaitingRow(row, row.name, row.program.name, campaign_url(row), row.asked_by_id == user.pk)
        for row in found.order_by("asked_at", "pk")
    ]


def campaigns_of_others(reader: int) -> QuerySet[Any, Any]:
    waiting = Campaign.objects.filter(asked_at__isnull=False).exclude(asked_by=reader)
    return waiting.order_by().values("pk")


def register() -> None:
    """Called once, when the application is ready."""
    register_waiting_list(
        WaitingList(
            "campaigns",
            _("Promotions"),
            "speakerphone",
            waiting_campaigns,
            WaitingForOthers("rules.publish", campaigns_of_others),
        )
    )
