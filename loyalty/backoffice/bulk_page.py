"""What the page of one bulk adjustment shows: before it is posted, while it runs, afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.backoffice.reach import Reach, reach_of
from loyalty.models import BulkAdjustment, BulkRow
from loyalty.selectors.adjustment_reasons import reason_labels
from loyalty.selectors.balances import worth_of
from loyalty.selectors.bulk_adjustments import (
    Result,
    posted_rows,
    preview_rows,
    problem_rows,
    result_of,
)
from loyalty.services.adjustment_requests import WAITS, why_not_to_decide
from loyalty.services.bulk_adjustments import same_source, total_of
from loyalty.services.bulk_sources import NAMES
from members.backoffice.job_rows import JobProgress
from members.formatting import format_money, format_number, format_units
from members.models import Job

State = BulkAdjustment.State
SHOWN_ROWS = 10
SHOWN_PROBLEMS = 50
BEFORE = {State.CHECKED, State.WAITING, State.REJECTED, State.WITHDRAWN, State.EXPIRED}
UNDECIDED = {State.CHECKED, State.WAITING}


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the batch, as a component shows it."""

    label: str
    value: str
    sub: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A wrong cell, or what became of a row that was refused."""

    row: BulkRow
    who: str
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What the reader may do with it, and why not."""

    post: bool = False
    asks: bool = False
    withdraw: bool = False
    decide: bool = False
    why_not: str = ""
    stop: bool = False
    go_on: bool = False
    undo: bool = False


def page_context(request: HttpRequest, batch: BulkAdjustment) -> dict[str, Any]:
    now = timezone.now()
    reach = reach_of(request, batch.wallet_type.program, now)
    open_job = batch.job is not None and batch.job.state in {Job.State.QUEUED, Job.State.RUNNING}
    result = result_of(batch)
    waiting = batch.state == State.WAITING and batch.asked_at is not None
    late = waiting and batch.asked_at is not None and batch.asked_at + WAITS <= now
    return {
        "title": batch.source_name,
        "batch": batch,
        "state": State.EXPIRED.value if late else batch.state,
        "wallet_type": batch.wallet_type,
        "program": batch.wallet_type.program,
        "reason": reason_labels([batch.reason]).get(batch.reason, batch.reason),
        "open_job": open_job,
        "failed_job": batch.job if batch.job and batch.job.state == Job.State.FAILED else None,
        "progress": JobProgress.of(batch.job) if batch.job is not None and open_job else None,
        "figures": _figures(batch, result),
        "result": result,
        "preview": preview_rows(batch, now, SHOWN_ROWS) if batch.state in BEFORE else [],
        "posted": posted_rows(batch, SHOWN_ROWS) if batch.posted_at else [],
        "problems": _problems(batch),
        "problem_count": result.number("wrong") + result.number("refused") + result.number("kept"),
        "same": same_source(batch) if batch.state in UNDECIDED else None,
        "again": {"again": "1"},
        "over_budget": batch.budget is not None and batch.given > batch.budget,
        "choices": _choices(batch, reach, open_job=open_job, late=late),
    }


def who_is_named(row: BulkRow) -> str:
    """As the row says it, before anybody looked who that is."""
    return next((row.cells[name] for name in NAMES if row.cells.get(name)), "")


def _choices(batch: BulkAdjustment, reach: Reach, *, open_job: bool, late: bool) -> Choices:
    own = batch.created_by_id == reach.user.pk
    match batch.state:
        case State.CHECKED:
            within = batch.budget is None or batch.given <= batch.budget
            asks = reach.limits.needs_approval(total_of(batch))
            why_not = "" if asks else _no_room(reach, total_of(batch))
            ready = own and within and batch.member_count > 0
            return Choices(post=ready and not why_not, asks=asks, withdraw=own, why_not=why_not)
        case State.WAITING if not late and batch.created_by is not None:
            why_not = why_not_to_decide(reach.user, batch.created_by, reach.limits, total_of(batch))
            return Choices(decide=not why_not, why_not="" if own else why_not, withdraw=own)
        case State.CHECKING | State.POSTING | State.UNDOING:
            idle = not open_job
            undo = idle and batch.state == State.POSTING and _may_undo(batch, reach)
            withdraw = idle and own and batch.state == State.CHECKING
            return Choices(stop=open_job, go_on=idle, undo=undo, withdraw=withdraw)
        case State.POSTED:
            return Choices(undo=_may_undo(batch, reach))
    return Choices()


def _no_room(reach: Reach, whole: Decimal) -> str:
    if reach.room is None or whole <= reach.room:
        return ""
    return _("You may move %s more today, and this is more.") % format_number(reach.room)


def _may_undo(batch: BulkAdjustment, reach: Reach) -> bool:
    return reach.limits.allows(total_of(batch))


def _figures(batch: BulkAdjustment, result: Result) -> list[Figure]:
    if batch.state == State.CHECKING:
        return []
    wallet_type = batch.wallet_type
    after = batch.state not in BEFORE
    given, taken = (result.given, result.taken) if after else (batch.given, batch.taken)
    members = result.number("posted") + result.number("kept") if after else batch.member_count
    rows = _("of %s rows") % format_number(batch.row_count)
    figures = [
        Figure(_("Members"), format_number(members), rows, "users"),
        Figure(_("Given"), format_units(given, wallet_type), _money(batch, given), "plus"),
    ]
    if batch.kind == BulkAdjustment.Kind.ADJUSTMENT:
        figures.append(
            Figure(_("Taken"), format_units(taken, wallet_type), _money(batch, taken), "minus")
        )
    if batch.outstanding is not None and not after:
        total = batch.outstanding + given - taken
        figures.append(
            Figure(
                _("All members hold afterwards"),
                format_units(total, wallet_type),
                _money(batch, total),
                "scale",
            )
        )
    if after and result.number("undone"):
        figures.append(
            Figure(_("Undone"), format_number(result.number("undone")), "", "arrow-back-up")
        )
    return figures


def _money(batch: BulkAdjustment, units: int) -> str:
    worth = worth_of(units, batch.wallet_type)
    if not worth:
        return ""
    return _("worth %s") % format_money(worth, batch.wallet_type.program.currency)


def _problems(batch: BulkAdjustment) -> list[Problem]:
    return [
        Problem(row, who_is_named(row), column, value, reason)
        for row in problem_rows(batch, SHOWN_PROBLEMS)
        for column, value, reason in row.problems
    ]
