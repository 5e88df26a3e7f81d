"""The daily totals of every day, rebuilt week by week as a job.

They follow each posting anyway; this finds and mends what did not reach them, such as a day whose
totals were changed or removed by hand.
"""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.selectors.totals import booked_days
from loyalty.services.totals import rebuild_days, write_month_ends
from members.formatting import format_days, format_number
from members.jobs import Work
from members.models import Job
from members.services.job_logs import log_line
from members.services.job_runs import Step, run_in_chunks

KIND = "daily_totals"
DAYS_AT_ONCE = 7


def find_rebuild(now: dt.datetime) -> Work | None:
    """All days on which anything ever moved; nothing before the first movement."""
    days = sum(booked.count for booked in booked_days())
    return Work(_("Totals of all days"), total=days) if days else None


def run_rebuild(job_id: int) -> Job | None:
    """Rebuild every day from where the job stands; None when another run has it."""
    return run_in_chunks(job_id, _rebuild_week)


def rebuild_words(job: Job) -> str:
    """What was found, for people."""
    days, corrected = job.result.get("days", 0), job.result.get("corrected", 0)
    looked = ngettext("%(days)s day looked at", "%(days)s days looked at", days)
    found = (
        ngettext("%(count)s figure put right", "%(count)s figures put right", corrected)
        if corrected
        else _("every figure was right")
    )
    numbers = {"days": format_number(days), "count": format_number(corrected)}
    return f"{looked}: {found}." % numbers


def _rebuild_week(job: Job) -> Step | None:
    """The next days of a wallet type, the oldest first; after its last day, those of the next."""
    booked = booked_days()
    at = (job.checkpoint.get("wallet_type", 0), job.checkpoint.get("day", ""))
    here = next((each for each in booked if (each.wallet_type, each.last.isoformat()) >= at), None)
    if here is None:
        return None
    first = here.first
    if here.wallet_type == at[0]:
        first = max(first, dt.date.fromisoformat(at[1]))
    last = min(first + dt.timedelta(days=DAYS_AT_ONCE - 1), here.last)
    days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    corrected = rebuild_days({here.wallet_type: days})
    write_month_ends(here.wallet_type, last)
    if corrected:
        _log_corrected(job, first, last, corrected)
    return Step(
        checkpoint={
            "wallet_type": here.wallet_type, "day": (last + dt.timedelta(days=1)).isoformat(),
        },
        done=sum(each.count for each in booked if each.wallet_type < here.wallet_type)
        + (last - here.first).days + 1,
        total=sum(each.count for each in booked),
        result={
            "days": job.result.get("days", 0) + len(days),
            "corrected": job.result.get("corrected", 0) + corrected,
        },
    )  # fmt: skip


def _log_corrected(job: Job, first: dt.date, last: dt.date, corrected: int) -> None:
    words = ngettext(
        "%(days)s: %(count)s figure put right.", "%(days)s: %(count)s figures put right.", corrected
    )
    numbers = {"days": format_days(first, last), "count": format_number(corrected)}
    log_line(job, words % numbers)
