"""What time does to campaigns: they begin, they end, and a budget of money that is used up ends
them. A job of the schedule."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign
from campaigns.selectors.money_budgets import money_budgets
from campaigns.selectors.surprises import is_giving
from campaigns.services.campaigns import begin_if_due, end_campaign, locked
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.audit import SYSTEM
from members.services.job_runs import Step, run_in_chunks

KIND = "campaigns"
Status = Campaign.Status
Ending = Campaign.Ending


def find_changes(now: dt.datetime) -> Work | None:
    """None where nothing has come."""
    due = sorted({*_due(now).values_list("pk", flat=True), *(row.pk for row in _overspent())})
    if not due:
        return None
    return Work(
        _("Campaigns that begin or end"), fingerprint=f"{now:%Y-%m-%d %H:%M} {due}",
        params={"now": now.isoformat()},
    )  # fmt: skip


def run_changes(job_id: int) -> Job | None:
    """One after the other; None when another run has it."""
    return run_in_chunks(job_id, _move_one)


def change_words(job: Job) -> str:
    moved = job.result.get("moved", 0)
    words = ngettext("%s campaign began or ended.", "%s campaigns began or ended.", moved)
    return words % format_number(moved)


def move_on(campaign: Campaign, now: dt.datetime) -> Campaign:
    """Bring one to what its times and its budget say. What is given to those who were drawn is
    waited for, unless it rests."""
    row = begin_if_due(locked(campaign), now)
    assert row.ends_at is not None
    if row.status == Status.LIVE and is_giving(row):
        return row
    if row.ends_at <= now:
        return end_campaign(campaign=row, actor=SYSTEM, now=now, why=Ending.OVER)
    if row.status == Status.LIVE and _is_overspent(row):
        return end_campaign(campaign=row, actor=SYSTEM, now=now, why=Ending.BUDGET)
    return row


def _move_one(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    after = (job.checkpoint or {}).get("after", 0)
    waiting = [*_due(now).filter(pk__gt=after), *(row for row in _overspent() if row.pk > after)]
    campaign = min(waiting, key=lambda row: row.pk, default=None)
    if campaign is None:
        return None
    move_on(campaign, now)
    moved = job.result.get("moved", 0) + 1
    return Step(checkpoint={"after": campaign.pk}, done=job.done + 1, result={"moved": moved})


def _due(now: dt.datetime) -> QuerySet[Campaign]:
    begins = Q(status=Status.SCHEDULED, starts_at__lte=now)
    ends = Q(status__in=[Status.LIVE, Status.PAUSED], ends_at__lte=now)
    return Campaign.objects.filter(begins | ends).select_related("program")


def _overspent() -> list[Campaign]:
    rows = Campaign.objects.filter(status=Status.LIVE, budget_money__isnull=False)
    return [row for row in rows.select_related("program") if _is_overspent(row)]


def _is_overspent(campaign: Campaign) -> bool:
    """Of what is taken off prices, where orders have all of it: units stop by themselves."""
    budget = money_budgets([campaign]).get(campaign.pk)
    return budget is not None and budget.given - budget.held + budget.uncovered >= budget.whole
