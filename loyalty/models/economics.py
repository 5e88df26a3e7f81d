"""What a merchant assumes of a program's cost, and scenarios that were worked out with it."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.programs import Program

ZERO = Decimal(0)


def _money(label: Any, **more: Any) -> models.DecimalField[Any, Any]:
    return models.DecimalField(label, max_digits=18, decimal_places=4, **more)


def _percent(label: Any, **more: Any) -> models.DecimalField[Any, Any]:
    """Out of 100."""
    return models.DecimalField(label, max_digits=7, decimal_places=4, **more)


def _fits(*, money: tuple[str, ...], percent: tuple[str, ...]) -> Q:
    """Money is not below zero, a share is at most all. What is empty is not looked at."""
    found = Q()
    for name in money:
        found &= Q(**{f"{name}__gte": 0})
    for name in percent:
        found &= Q(**{f"{name}__gte": 0, f"{name}__lte": 100})
    return found


class EconomicAssumptions(models.Model):
    """What no data say of a program's economics: what people would spend without it, what is left
    of a price, and what running it costs besides rewards."""

    program = models.OneToOneField(
        Program, on_delete=models.CASCADE, related_name="economic_assumptions"
    )
    spend_without = _money(_("spend without the program"), null=True)
    margin = _percent(_("margin"))
    administration = _money(_("administration per member"), default=ZERO)
    platform_fee = _money(_("platform fee"), default=ZERO)
    support = _percent(_("support"), default=ZERO)
    messaging = _percent(_("messaging"), default=ZERO)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="economic_assumptions_fit",
                condition=_fits(
                    money=("administration", "platform_fee"),
                    percent=("margin", "support", "messaging"),
                )
                & (Q(spend_without=None) | Q(spend_without__gte=0)),
            )
        ]

    def __str__(self) -> str:
        return f"{self.program_id}"


class EconomicScenario(models.Model):
    """All numbers that a program's economics were worked out with, under a name. It does not
    change: another one is saved beside it."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.CASCADE, related_name="economic_scenarios", db_index=False
    )
    name = models.CharField(_("name"), max_length=80)
    members = models.PositiveIntegerField(_("members"))
    spend_without = _money(_("spend without the program"))
    spend_with = _money(_("spend with the program"))
    margin = _percent(_("margin"))
    reward_rate = _percent(_("reward rate"))
    bonuses = _money(_("bonuses per member"))
    administration = _money(_("administration per member"))
    platform_fee = _money(_("platform fee"))
    support = _percent(_("support"))
    messaging = _percent(_("messaging"))
    redemption = _percent(_("redemption rate"))
    breakage = _percent(_("breakage"))
    owed = _money(_("liability now"))
    # Which one measured the lift (`loyalty.holdouts`); empty: it is an assumption.
    holdout = models.CharField(max_length=64, blank=True, default="")
    lift_low = _money(_("least lift"), null=True)
    lift_high = _money(_("most lift"), null=True)
    # In which days; a lift is theirs, not that of a year.
    lift_since = models.DateField(_("first day of the lift"), null=True)
    lift_until = models.DateField(_("last day of the lift"), null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "name"], name="economic_scenario_name_once"
            ),
            models.CheckConstraint(
                name="economic_scenario_fits",
                condition=_fits(
                    money=("spend_with", "bonuses", "administration", "platform_fee"),
                    percent=(
                        "margin", "reward_rate", "support", "messaging", "redemption", "breakage",
                    ),
                )
                & Q(members__gte=1, redemption__lte=100 - F("breakage")),
            ),
            models.CheckConstraint(
                name="economic_scenario_measured",
                condition=Q(holdout="", lift_low=None, lift_high=None, spend_without__gte=0)
                | (~Q(holdout="") & Q(lift_low__isnull=False, lift_high__gte=F("lift_low"))),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name
