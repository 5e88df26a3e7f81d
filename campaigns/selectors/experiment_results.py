"""What the arms of an experiment have done, counted from orders and rewards of those who were drawn
when it began, and what that says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from campaigns.experiment_statistics import (
    FIRST_LOOK_DAYS,
    UNEQUAL,
    Decision,
    Difference,
    Moments,
    chance_of_sizes,
    decide,
    difference,
    early_boundary,
    end_boundary,
)
from campaigns.models import Experiment

_ORDERS = """
    SELECT {value} AS value FROM loyalty_countedorder o
     WHERE (o.program_id IS NULL OR o.program_id = %(program)s)
       AND o.customer_id = c.customer AND o.placed_at >= c.since AND o.placed_at < %(until)s
       AND o.currency = %(currency)s AND o.status NOT IN ('cancelled', 'refunded')
"""
# What a reward was given for is no taking: only what was paid with units, and kept.
_REDEEMED = """
    SELECT (count(*) > 0)::int AS value FROM rewards_redemption r
     WHERE r.membership_id = c.member AND r.created_at >= c.since
       AND r.created_at < %(until)s AND r.gift = '' AND r.status <> 'cancelled'
"""
_CLICKED = """
    SELECT (count(*) > 0)::int AS value FROM campaigns_message g
      JOIN campaigns_delivery d ON d.message_id = g.id
     WHERE g.membership_id = c.member AND g.occasion = %(occasion)s AND g.created_at >= c.since
       AND d.clicked_at < %(until)s
"""
# Of one member of `c`, who has a `member`, a `customer`, and a `since`.
OF_MEMBER = {
    "revenue": _ORDERS.format(value="coalesce(sum(o.total), 0)"),
    "orders": _ORDERS.format(value="count(*)"),
    "ordered": _ORDERS.format(value="(count(*) > 0)::int"),
    "redeemed": _REDEEMED,
    "clicked": _CLICKED,
}
_ARMS = """
    SELECT a.place, count(*), avg(x.value), coalesce(var_samp(x.value), 0)
      FROM (SELECT e.arm_id, m.id AS member, m.customer_id AS customer,
                   coalesce(e.since, %(since)s) AS since
              FROM campaigns_experimentmember e
              JOIN loyalty_membership m ON m.id = e.membership_id
             WHERE e.experiment_id = %(experiment)s) c
      JOIN campaigns_experimentarm a ON a.id = c.arm_id
     CROSS JOIN LATERAL ({of_member}) x
     GROUP BY a.place
"""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """`against`: the first arm; None of the first itself, and while nothing can be compared."""

    place: int
    moments: Moments
    against: Difference | None


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """`sizes`: how probable arms as unequal as these are. `decision`: what may be declared as of
    now, by its plan alone; what was declared is with the experiment."""

    arms: tuple[ArmResult, ...]
    sizes: float
    decision: Decision

    @property
    def is_unequal(self) -> bool:
        return self.sizes < UNEQUAL


def of_experiment(experiment: Experiment) -> dict[str, Any]:
    """What `OF_MEMBER` is asked with, beside `until`."""
    return {
        "program": experiment.program_id, "currency": experiment.program.currency,
        "occasion": experiment.occasion,
    }  # fmt: skip


def moments_of(experiment: Experiment, now: dt.datetime) -> list[Moments]:
    """Of each arm, in one query."""
    until = min(now, experiment.ended_at or experiment.ends_at or now)
    asked: dict[str, Any] = {
        "experiment": experiment.pk, "since": experiment.started_at, "until": until,
        **of_experiment(experiment),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_ARMS.format(of_member=OF_MEMBER[experiment.measure]), asked)
        found = {
            place: Moments(members, float(mean), float(variance))
            for place, members, mean, variance in cursor.fetchall()
        }
    return [found.get(arm.place, Moments(0, 0.0, 0.0)) for arm in experiment.arms.all()]


def experiment_result(experiment: Experiment, now: dt.datetime) -> ExperimentResult:
    found = moments_of(experiment, now)
    shares = [arm.share for arm in experiment.arms.all()]
    z = boundary_now(experiment, now)
    return ExperimentResult(
        tuple(
            ArmResult(place, arm, difference(found[0], arm, z) if place else None)
            for place, arm in enumerate(found)
        ),
        chance_of_sizes([arm.members for arm in found], shares),
        decision_of(experiment, found, now),
    )


def boundary_now(experiment: Experiment, now: dt.datetime) -> float:
    """How many errors a difference must be from nothing, and how wide the intervals are: before the
    end as for what may be declared then, since somebody may look every day."""
    comparisons = len(experiment.arms.all()) - 1
    if was_whole(experiment, now):
        return end_boundary(comparisons, planned_days(experiment))
    return early_boundary(comparisons)


def was_whole(experiment: Experiment, now: dt.datetime) -> bool:
    """Whether it has run, or ran, until its planned end."""
    assert experiment.ends_at is not None
    return (experiment.ended_at or now) >= experiment.ends_at


def decision_of(experiment: Experiment, found: Sequence[Moments], now: dt.datetime) -> Decision:
    """What its plan lets say now."""
    days = planned_days(experiment)
    if was_whole(experiment, now):
        return decide(found, days, ended=True)
    if experiment.ended_at is not None or not may_look(experiment, now):
        return Decision("")
    return decide(found, days, ended=False)


def may_look(experiment: Experiment, now: dt.datetime) -> bool:
    """Whether a whole week is over."""
    assert experiment.started_at is not None
    return now >= experiment.started_at + dt.timedelta(days=FIRST_LOOK_DAYS)


def planned_days(experiment: Experiment) -> int:
    assert experiment.started_at is not None
    assert experiment.ends_at is not None
    return max((experiment.ends_at - experiment.started_at).days, 1)
