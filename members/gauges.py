"""What whoever watches an installation reads of its queues: each application says its own.

`config.metrics` serves them. A reading looks at few rows, by an index, and names nobody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, Min

from members.models import Job, OutboxEvent

# By the values of its labels, in their order.
Readings = Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Gauge:
    """`name` begins with setia_ and ends with its unit, as Prometheus has it."""

    name: str
    help: str
    read: Callable[[dt.datetime], Readings]
    labels: tuple[str, ...] = ()


_gauges: dict[str, Gauge] = {}


def register_gauges(gauges: Iterable[Gauge]) -> None:
    """Make them known; the same name again replaces one."""
    for gauge in gauges:
        _gauges[gauge.name] = gauge


def gauges() -> list[Gauge]:
    return [_gauges[name] for name in sorted(_gauges)]


def age(since: dt.datetime | None, now: dt.datetime) -> float:
    """Seconds; nothing that waits is 0 old."""
    return 0.0 if since is None else max((now - since).total_seconds(), 0.0)


def _outbox(now: dt.datetime) -> Readings:
    return {(): OutboxEvent.objects.filter(delivered_at=None).count()}


def _outbox_age(now: dt.datetime) -> Readings:
    waiting = OutboxEvent.objects.filter(delivered_at=None, available_at__lte=now)
    return {(): age(waiting.aggregate(since=Min("available_at"))["since"], now)}


def _jobs(now: dt.datetime) -> Readings:
    states = (Job.State.QUEUED, Job.State.RUNNING, Job.State.FAILED)
    rows = Job.objects.filter(state__in=states).order_by().values_list("state")
    found = dict(rows.annotate(count=Count("pk")))
    return {(str(state),): found.get(state, 0) for state in states}


def register() -> None:
    """Called once, when the application is ready."""
    register_gauges(
        [
            Gauge("setia_outbox_waiting", "Events whose followers have not had them.", _outbox),
            Gauge(
                "setia_outbox_oldest_seconds", "How long the oldest of them has been due.",
                _outbox_age,
            ),
            Gauge("setia_jobs", "Jobs that wait, run or have failed.", _jobs, ("state",)),
        ]
    )  # fmt: skip
