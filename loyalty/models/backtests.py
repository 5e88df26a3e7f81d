"""Backtests: real orders replayed under a draft of the rules, beside those that were live."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from loyalty.models.programs import Program
from members.models import ApiKey, Job


class Backtest(models.Model):
    """One question, and once its job is done the answer: what the draft would have given for the
    orders placed from `since` to `until`, both days included. Kept, so that answers can be
    compared."""

    # What `result` is written like; older ones are shown as far as they go.
    VERSION = 1

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="backtests")
    name = models.CharField(max_length=120)
    since = models.DateField()
    until = models.DateField()
    # Rules as a program file has them: those that were live when it was asked, and the draft.
    live = models.JSONField()
    draft = models.JSONField()
    # The published wordings that orders are judged by on the live side, however rules change later.
    versions = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # The system that asked, where nobody did.
    api_key = models.ForeignKey(ApiKey, null=True, on_delete=models.PROTECT, related_name="+")
    # Forgotten some day; what was found stays.
    job = models.OneToOneField(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    finished_at = models.DateTimeField(null=True)
    result_version = models.PositiveSmallIntegerField(default=VERSION)
    result = models.JSONField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="backtest_days", condition=Q(since__lte=F("until"))),
            models.CheckConstraint(
                name="backtest_finished",
                condition=Q(finished_at=None, result=None)
                | Q(finished_at__isnull=False, result__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BacktestPart(models.Model):
    """What a range of customers came to, until all are added up."""

    class Stage(models.TextChoices):
        # When budgets are used up, then everything.
        BUDGETS = "budgets"
        REPLAY = "replay"

    backtest = models.ForeignKey(Backtest, on_delete=models.CASCADE, related_name="parts")
    stage = models.CharField(max_length=8, choices=Stage.choices)
    number = models.PositiveIntegerField()
    orders = models.PositiveIntegerField()
    sums = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["backtest", "stage", "number"], name="backtest_part_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.backtest} {self.stage} {self.number}"
