"""What holds for a promotion that is an arm of an experiment."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from campaigns.models import Campaign, Experiment, ExperimentArm
from campaigns.selectors.experiments import experiment_of
from members.errors import ConflictError


def refuse_arm(row: Campaign) -> None:
    """What is an arm begins and ends with its experiment: else nothing could be compared."""
    if found := experiment_of(row):
        message = _("It is part of the experiment %s, which begins and ends it.") % found.name
        raise ConflictError(message, code="part_of_experiment")


def ask_again(row: Campaign) -> None:
    """An arm was changed: whoever was asked to start its experiment was asked for something
    else."""
    found = experiment_of(row)
    if found is not None and found.status == Experiment.Status.DRAFT:
        found.asked_by, found.asked_at = None, None
        found.save()


def own_audience(row: Campaign) -> dict[str, Any]:
    """For whom it is, without the lot by which members came to it."""
    arm = ExperimentArm.objects.filter(campaign=row).select_related("experiment").first()
    return dict(row.audience if arm is None else arm.experiment.audience)
