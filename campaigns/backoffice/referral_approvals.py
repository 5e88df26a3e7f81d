"""Referrals that something speaks against, among all approvals."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campaigns.models import Referral
from campaigns.selectors.referrals import advocate_of, referrals
from loyalty.backoffice.waiting_lists import (
    WaitingForOthers,
    WaitingList,
    WaitingRow,
    register_waiting_list,
)
from members.models import User
from members.policy import is_allowed
from members.selectors.merges import current

PERMISSION = "points.approve"
# The oldest; their own page has all.
MOST = 50


@dataclass(frozen=True, slots=True)
class _Brought:
    """By whom, and when they came."""

    asked_by: str
    asked_at: dt.datetime


def waiting_referrals(user: User) -> list[WaitingRow]:
    if not is_allowed(user, PERMISSION):
        return []
    found = referrals().filter(status=Referral.Status.IN_REVIEW).order_by("pk")[:MOST]
    return [_row(item) for item in found]


def _row(item: Referral) -> WaitingRow:
    advocate = advocate_of(item.link)
    by = advocate.customer if advocate else item.link.affiliate
    url = reverse("referrals_backoffice:referral", args=[item.public_id])
    brought = _Brought(str(by), item.came_at)
    return WaitingRow(brought, str(current(item.friend)), item.program.name, url, is_own=False)


def referrals_to_review(_reader: int) -> QuerySet[Any, Any]:
    waiting = Referral.objects.filter(status=Referral.Status.IN_REVIEW)
    return waiting.order_by().values("pk")


def register() -> None:
    """Called once, when the application is ready."""
    register_waiting_list(
        WaitingList(
            "referrals",
            _("Referrals"),
            "user-search",
            waiting_referrals,
            WaitingForOthers(PERMISSION, referrals_to_review),
        )
    )
