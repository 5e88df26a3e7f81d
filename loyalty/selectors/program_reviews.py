"""Reviews of programs: what one looks at, and those that there are."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from loyalty.models import Goal, Program, ProgramReview, ReviewFinding, ReviewReading
from loyalty.quarters import Quarter, quarter_of
from loyalty.review_findings import FigureFact, GoalFact, Quarterly
from loyalty.review_registry import did_answer, opinions_of, start_of_asking, uses_of
from loyalty.rules.calendar import end_of_day, start_of_day
from loyalty.selectors.goals import goals, progress_by, tier_names, today_of
from loyalty.selectors.insights import Figure, all_months, get_overview, value_in
from members.errors import NotFoundError
from members.models import User

# Of the past, besides the one that runs.
QUARTERS = 4


def facts_of(program: Program, quarter: Quarter, day: dt.date, now: dt.datetime) -> Quarterly:
    """All that its review looks at, up to a day of it: figures as the nights measured them, what
    was used, what members said, and goals. A constant number of queries for each source."""
    overview = get_overview(program, now)
    return Quarterly(
        program=program.code,
        figures=[_figure(item, quarter) for item in (*overview.figures, *overview.tiers)],
        uses=uses_of(program, quarter, day),
        opinions=opinions_of(program, quarter, day),
        answered=did_answer(program, quarter, day),
        goals=_goals(program, quarter, day),
        asking=start_of_asking(),
    )


def program_reviews(program: Program) -> QuerySet[ProgramReview]:
    """The newest first, each with how many findings are open (`open`), and how many there are
    (`found`)."""
    rows = ProgramReview.objects.filter(program=program).select_related("program", "made_by")
    waits = Q(findings__state=ReviewFinding.State.OPEN, findings__tone=ReviewFinding.Tone.BAD)
    return rows.annotate(
        found=Count("findings"), open=Count("findings", filter=waits)
    ).order_by("-quarter")  # fmt: skip


def get_review(public_id: UUID) -> ProgramReview:
    """One, or NotFoundError."""
    found = (
        ProgramReview.objects.filter(public_id=public_id)
        .select_related("program", "made_by")
        .first()
    )
    if found is None:
        raise NotFoundError(_("There is no such review."))
    return found


def review_of(program: Program, quarter: Quarter) -> ProgramReview:
    """The one of a quarter, or NotFoundError."""
    rows = ProgramReview.objects.select_related("program", "made_by")
    found = rows.filter(program=program, quarter=quarter.first).first()
    if found is None:
        raise NotFoundError(_("There is no review of this quarter."))
    return found


def unread_reviews(user: User) -> QuerySet[ProgramReview]:
    """The newest of each program, as long as somebody has not opened it as it is."""
    newer = ProgramReview.objects.filter(
        program=OuterRef("program"), quarter__gt=OuterRef("quarter")
    )
    read = ReviewReading.objects.filter(
        review=OuterRef("pk"), user=user, made_at__gte=OuterRef("made_at")
    )
    rows = ProgramReview.objects.filter(~Exists(newer), ~Exists(read))
    return rows.exclude(program__status=Program.Status.ARCHIVED).select_related("program")


def quarters_to_review(program: Program, now: dt.datetime) -> list[Quarter]:
    """The one that runs and the last ones, since the first member joined; the newest first."""
    found = [quarter_of(today_of(program, now))]
    while len(found) <= QUARTERS:
        found.append(found[-1].before)
    since = all_months(program, now)[0]
    return [quarter for quarter in found if quarter.last >= since]


def _figure(figure: Figure, quarter: Quarter) -> FigureFact:
    return FigureFact(
        code=figure.metric.code, direction=figure.metric.direction,
        value=value_in(figure.points, quarter), before=value_in(figure.points, quarter.before),
        band=figure.band, tier_code=figure.tier_code, tier_name=figure.tier_name,
    )  # fmt: skip


def _goals(program: Program, quarter: Quarter, day: dt.date) -> list[GoalFact]:
    """Those that were open in it, with how far they were or how they had ended by the end of the
    day."""
    since, until = start_of_day(quarter.first, program.zone), end_of_day(day, program.zone)
    rows = goals().filter(program=program, created_at__lt=until)
    rows = rows.filter(Q(state=Goal.State.OPEN) | Q(closed_at__gte=since))
    found = list(rows.order_by("due_on", "pk"))
    names = tier_names(found)
    return [_goal(goal, day, until, names) for goal in found]


def _goal(
    goal: Goal, day: dt.date, until: dt.datetime, names: dict[tuple[int, str], str]
) -> GoalFact:
    progress = progress_by(goal, day)
    ended = goal.closed_at is not None and goal.closed_at < until
    return GoalFact(
        key=str(goal.public_id), metric=goal.metric,
        tier_name=names.get((goal.program_id, goal.tier_code), goal.tier_code),
        state=goal.state if ended else progress.state, target=goal.target, value=progress.value,
        due_on=goal.due_on.isoformat(),
    )  # fmt: skip
