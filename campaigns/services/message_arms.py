"""In which arm of an experiment on the words of a message its readers are. They are drawn when they
are told it for the first time while it runs: from then on what they do counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Q

from campaigns.experiment_definitions import asked_by_experiment, draw_of_experiment
from campaigns.models import Experiment, ExperimentArm, ExperimentMember
from campaigns.news import News
from campaigns.occasions import Occasion
from campaigns.selectors.campaigns import members_asked
from campaigns.selectors.experiments import drawing_on
from loyalty.models import Membership
from members.condition_fields import drawn_number


def arms_of(occasion: Occasion, news: Sequence[News], now: dt.datetime) -> dict[int, ExperimentArm]:
    """By membership; one query where nothing of it is compared. Called in the transaction in which
    the messages are written."""
    members = {item.membership.pk: item.membership for item in news if item.membership}
    if not members:
        return {}
    found: dict[int, ExperimentArm] = {}
    for experiment in drawing_on(occasion.code, now):
        own = [row for row in members.values() if row.program_id == experiment.program_id]
        if own:
            found |= _arms_in(experiment, own, now)
    return found


def _arms_in(
    experiment: Experiment, members: Sequence[Membership], now: dt.datetime
) -> dict[int, ExperimentArm]:
    keys = [member.pk for member in members]
    arms = {arm.pk: arm for arm in experiment.arms.all()}
    # Under any of their names: who turned out to be somebody else is in the arm that they were in.
    rows = ExperimentMember.objects.filter(
        Q(membership__in=keys) | Q(membership__merged_into__in=keys), experiment=experiment
    ).order_by("-since", "-pk")
    found, written = dict[int, ExperimentArm](), set[int]()
    for member, kept, arm in rows.values_list("membership", "membership__merged_into", "arm"):
        found[kept or member] = arms[arm]
        written.add(member)
    others = [key for key in keys if key not in found]
    if others:
        asked = members_asked(experiment.program, asked_by_experiment(experiment), now)
        found |= {
            key: arm_drawn(experiment, public_id)
            for key, public_id in asked.filter(pk__in=others).values_list(
                "pk", "customer__public_id"
            )
        }
    fresh = sorted(found.keys() - written)
    ExperimentMember.objects.bulk_create(
        [ExperimentMember(experiment=experiment, membership_id=key, arm=found[key], since=now)
         for key in fresh],
        # Of two that tell the same member at once; both have drawn the same, in the same order.
        ignore_conflicts=True,
    )  # fmt: skip
    return found


def arm_drawn(experiment: Experiment, public_id: object) -> ExperimentArm:
    """Of a customer, by their number."""
    number, high = drawn_number(draw_of_experiment(experiment), public_id), 0
    arms = list(experiment.arms.all())
    for arm in arms:
        high += arm.share
        if number < high:
            return arm
    return arms[-1]
