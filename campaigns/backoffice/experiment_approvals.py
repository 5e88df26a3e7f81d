"""Experiments that wait for a second person, among all approvals."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns.backoffice.experiments import experiment_url
from campaigns.models import Experiment
from loyalty.backoffice.waiting_lists import WaitingList, WaitingRow, register_waiting_list
from members.models import User
from members.policy import is_allowed


def waiting_experiments(user: User) -> list[WaitingRow]:
    found = Experiment.objects.filter(asked_at__isnull=False).select_related("program", "asked_by")
    if not is_allowed(user, "rules.publish"):
        found = found.filter(asked_by=user)
    return [
        WaitingRow(row, row.name, row.program.name, experiment_url(row), row.asked_by_id == user.pk)
        for row in found.order_by("asked_at", "pk")
    ]


def experiments_of_others(request: HttpRequest) -> QuerySet[Any, Any]:
    if not is_allowed(request.user, "rules.publish"):
        return Experiment.objects.none()
    waiting = Experiment.objects.filter(asked_at__isnull=False).exclude(asked_by=request.user.pk)
    return waiting.order_by().values("pk")


def register() -> None:
    """Called once, when the application is ready."""
    register_waiting_list(
        WaitingList(
            "experiments", _("Experiments"), "flask", waiting_experiments, experiments_of_others
        )
    )
