"""What programs were month by month: measured each night, and again for a while after a month is
over, about which orders and returns are still told; what cohorts did, each night of all months. The
pages of insights read nothing else."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.goal_metrics import METRICS
from loyalty.insight_registry import registered_insights
from loyalty.models import CohortMonth, Goal, InsightPoint, Program
from loyalty.rules.calendar import add_months
from loyalty.selectors.cohorts import measure_cohorts
from loyalty.selectors.goal_metrics import measure, tier_shares
from loyalty.selectors.goals import today_of
from loyalty.selectors.insights import all_months
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.read_once import reading_once
from members.services.audit import Actor
from members.services.interruptions import is_interruption
from members.services.job_logs import Level, log_line
from members.services.job_runs import Step, checkpoint_in_list, place_in_list, run_in_chunks
from members.services.jobs import start_or_resume_job
from members.services.transactions import is_lost_race

logger = logging.getLogger(__name__)

KIND = "insight_points"
# So many days after its end a month is measured again each night: orders and returns are told late.
AGAIN = 7
TIERS, COHORTS, BUYERS = "tiers", "cohorts", "buyers"
# The smallest share that is kept; there is room for four digits.
LEAST_SHARE = Decimal("0.0001")
# Figures that are made of one look at the orders of a year.
OF_BUYERS = (Goal.Metric.REPEATED, Goal.Metric.PURCHASES)

# A program by its key, the first day of a month, and what is to be measured of it; its cohorts are
# measured of all months at once.
Piece = tuple[int, str, str]


def find_points(now: dt.datetime) -> Work | None:
    """Months without figures, the one that runs, and one that is over since a few days."""
    pieces = [piece for program in measured_programs() for piece in due_pieces(program, now)]
    if not pieces:
        return None
    params = {"pieces": pieces, "now": now.isoformat()}
    return Work(_("Figures month by month"), params=params, total=len(pieces))


def start_measuring(*, program: Program, actor: Actor, now: dt.datetime) -> Job:
    """A job that measures all months of a program, to be handed to a worker; the same again, while
    it runs, is the one that there is."""
    pieces = every_piece(program, all_months(program, now))
    return start_or_resume_job(
        kind=KIND, label=_("Figures of %s") % program.name, fingerprint=program.code,
        params={"pieces": pieces, "now": now.isoformat()}, actor=actor, total=len(pieces),
    )  # fmt: skip


def open_measuring(program: Program) -> Job | None:
    """The work that measures it and is not done: what `start_measuring` began, else that of the
    night."""
    own, nightly = Q(fingerprint=program.code), Q(fingerprint="")
    jobs = Job.objects.filter(
        own | nightly & Q(params__pieces__contains=[[program.pk]]),
        kind=KIND, state__in=[Job.State.QUEUED, Job.State.RUNNING],
    )  # fmt: skip
    return jobs.order_by("-fingerprint", "-pk").first()


def run_points(job_id: int) -> Job | None:
    """Measure piece after piece; None when another run has it."""
    return run_in_chunks(job_id, _next_piece)


def point_words(job: Job) -> str:
    done = job.result.get("measured", 0)
    words = ngettext("%s figure was measured.", "%s figures were measured.", done)
    failed = job.result.get("failed", 0)
    said = words % format_number(done)
    if not failed:
        return said
    missed = ngettext(
        "%s could not be measured: the log says why.",
        "%s could not be measured: the log says why of each.",
        failed,
    )
    return f"{said} {missed % format_number(failed)}"


def rebuild_points(programs: Iterable[Program], now: dt.datetime) -> int:
    """All months of these programs anew. Returns how many figures were measured."""
    return sum(
        measure_piece(program, dt.date.fromisoformat(month), what, now)
        for program in programs
        for _pk, month, what in every_piece(program, all_months(program, now))
    )


def measure_due(program: Program, now: dt.datetime) -> int:
    """At once what the next night would measure. Returns how many figures that were."""
    return sum(
        measure_piece(program, dt.date.fromisoformat(month), what, now)
        for _pk, month, what in due_pieces(program, now)
    )


def due_pieces(program: Program, now: dt.datetime) -> list[Piece]:
    """What no point says yet, also of a figure that a later version brought; and all of a month
    about which messages may still come. The tiers of a month that is over are worked out member by
    member, so once is enough. Cohorts always: what comes back months later changes what they kept.
    """
    today, months = today_of(program, now), all_months(program, now)
    points = InsightPoint.objects.filter(program=program, month__in=months)
    known = {
        (month, metric): day
        for month, metric, day in points.values_list("month", "metric")
        .annotate(first=Min("day"))
        .order_by()
    }

    def is_due(month: dt.date, what: str) -> bool:
        if what == COHORTS:
            return True
        days = [known.get((month, code)) for code in _codes_of(what)]
        if any(day is None or day < _day_of(month, today) for day in days):
            return True
        runs = month == today.replace(day=1)
        return runs if what == TIERS else _is_late(month, today)

    return [
        (pk, month, what)
        for pk, month, what in every_piece(program, months)
        if is_due(dt.date.fromisoformat(month), what)
    ]


def measured_programs() -> list[Program]:
    return list(Program.objects.exclude(status=Program.Status.DRAFT).order_by("pk"))


def every_piece(program: Program, months: Sequence[dt.date]) -> list[Piece]:
    codes = [code for code in METRICS if code not in (Goal.Metric.TIER, *OF_BUYERS)]
    codes += [metric.code for metric, _measure in registered_insights()]
    parts = (*codes, BUYERS, TIERS)
    pieces = [(program.pk, month.isoformat(), what) for month in months for what in parts]
    return [*pieces, (program.pk, months[-1].isoformat(), COHORTS)]


@transaction.atomic
def measure_piece(program: Program, month: dt.date, what: str, now: dt.datetime) -> int:
    """Measure it and keep what was found; doing it twice changes nothing. Returns how many figures
    there are of it."""
    day = _day_of(month, today_of(program, now))
    if what == COHORTS:
        return _keep_cohorts(program, all_months(program, now))
    if what == TIERS:
        return _keep_tiers(program, month, day, now)
    with reading_once():
        values = {code: _value(program, code, day, now) for code in _codes_of(what)}
    return _keep([
        InsightPoint(program=program, metric=code, month=month, day=day, value=value)
        for code, value in values.items()
    ])  # fmt: skip


def _codes_of(what: str) -> Sequence[str]:
    """The figures of a piece: mostly it is one, and called like it."""
    if what == BUYERS:
        return OF_BUYERS
    return [Goal.Metric.TIER if what == TIERS else what]


def _value(program: Program, code: str, day: dt.date, now: dt.datetime) -> Any:
    if code in METRICS:
        return measure(program, code, day, now)
    for metric, take in registered_insights():
        if metric.code == code:
            return take(program, day)
    return None


def _keep_tiers(program: Program, month: dt.date, day: dt.date, now: dt.datetime) -> int:
    """Of the month that runs as they are written down now, which looks at no member's life; kept
    as of the day before, so that its last day is still to come once the month is over."""
    today = today_of(program, now)
    found = tier_shares(program, today if month == today.replace(day=1) else day, now)
    rows = InsightPoint.objects.filter(program=program, month=month, metric=Goal.Metric.TIER)
    rows.exclude(tier_code__in=list(found)).delete()
    return _keep([
        InsightPoint(
            program=program, metric=Goal.Metric.TIER, tier_code=code, month=month, day=day,
            value=kept_share(value),
        )
        for code, value in found.items()
    ])  # fmt: skip


def kept_share(share: Decimal | None) -> Decimal | None:
    """As it is kept: of millions one member is few, but not nobody."""
    if share is None:
        return None
    return max(round(share, 4), LEAST_SHARE) if share > 0 else Decimal(0)


def _keep(points: list[InsightPoint]) -> int:
    InsightPoint.objects.bulk_create(
        points, update_conflicts=True,
        unique_fields=["program", "month", "metric", "tier_code"], update_fields=["day", "value"],
    )  # fmt: skip
    return len(points)


def _keep_cohorts(program: Program, months: Sequence[dt.date]) -> int:
    """What all who joined within the months that are looked at did in each of them: one query."""
    found = measure_cohorts(program, joined_from=months[0], first=months[0], last=months[-1])
    rows = CohortMonth.objects.filter(program=program, month__in=list(months))
    rows.exclude(joined__in=[item.joined for item in found]).delete()
    CohortMonth.objects.bulk_create(
        [
            CohortMonth(
                program=program, joined=item.joined, month=item.month, members=item.members,
                buyers=item.buyers, orders=item.orders, revenue=item.revenue,
                units=round(item.units, 4),
            )
            for item in found
        ],
        update_conflicts=True,
        unique_fields=["program", "joined", "month"],
        update_fields=["members", "buyers", "orders", "revenue", "units"],
    )  # fmt: skip
    return len(found)


def _day_of(month: dt.date, today: dt.date) -> dt.date:
    """The last day of a month; of the one that runs the last that is over, on its first day this
    one."""
    last = add_months(month, 1) - dt.timedelta(days=1)
    return min(last, max(today - dt.timedelta(days=1), month))


def _is_late(month: dt.date, today: dt.date) -> bool:
    """Whether messages may still come about it: it runs, or is over since a few days."""
    return today < add_months(month, 1) + dt.timedelta(days=AGAIN)


def _next_piece(job: Job) -> Step | None:
    place, pieces = place_in_list(job), job.params["pieces"]
    if place >= len(pieces):
        return None
    pk, month, what = pieces[place]
    result = {"measured": 0, "failed": 0, **(job.result if place else {})}
    program = Program.objects.filter(pk=pk).first()
    if program is not None:
        measured = _measured(job, program, month, what)
        result["measured"] += measured or 0
        result["failed"] += measured is None
    return Step(
        checkpoint=checkpoint_in_list(job, place + 1), done=place + 1, total=len(pieces),
        result=result,
    )  # fmt: skip


def _measured(job: Job, program: Program, month: str, what: str) -> int | None:
    """None: it cannot be measured. That holds up nothing else, and is tried again the next night,
    where it is due then."""
    try:
        return measure_piece(program, dt.date.fromisoformat(month), what, timezone.now())
    except Exception as error:
        if is_interruption(error) or is_lost_race(error):
            raise
        kind = type(error).__name__
        logger.error("%s of program %s in %s: %s", what, program.pk, month, kind)
        said = {"figure": what, "program": program.name, "month": month[:7], "error": kind}
        words = _("%(figure)s of %(program)s in %(month)s cannot be measured (%(error)s).") % said
        log_line(job, words, level=Level.WARNING)
        return None
