"""The facts about all customers, worked out anew as a job, and who spends more than whom.

They follow every write anyway; this finds and mends what did not reach them, and is the only one
that knows everybody's place among all.
"""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.services.facts import AT_ONCE, rank_by_spend, write_facts
from members.formatting import format_number
from members.jobs import Work
from members.models import Customer, Job
from members.services.job_runs import Step, run_in_chunks
from members.services.segment_jobs import queue_refresh_of_all

KIND = "customer_facts"


def find_rebuild(now: dt.datetime) -> Work | None:
    """All customers; nothing before the first one."""
    customers = Customer.objects.count()
    return Work(_("Facts about all customers"), total=customers) if customers else None


def run_rebuild(job_id: int) -> Job | None:
    """Go on from where the job stands; None when another run has it."""
    return run_in_chunks(job_id, _rebuild_some)


def rebuild_words(job: Job) -> str:
    """What was found, for people."""
    customers, corrected = job.result.get("customers", 0), job.result.get("corrected", 0)
    looked = ngettext(
        "%(customers)s customer looked at", "%(customers)s customers looked at", customers
    )
    found = (
        ngettext("%(count)s put right", "%(count)s put right", corrected)
        if corrected
        else _("everything was right")
    )
    numbers = {"customers": format_number(customers), "count": format_number(corrected)}
    return f"{looked}: {found}." % numbers


def _rebuild_some(job: Job) -> Step | None:
    """The next customers by key; after the last, everybody's place, and the segments follow."""
    if job.checkpoint.get("ranked"):
        return None
    after, done = job.checkpoint.get("after", 0), job.result.get("customers", 0)
    rows = Customer.objects.filter(pk__gt=after).order_by("pk")
    few = list(rows.values_list("pk", flat=True)[:AT_ONCE])
    if not few:
        rank_by_spend()
        queue_refresh_of_all()
        return Step(checkpoint={"ranked": True}, done=done, total=done)
    corrected = write_facts(few, now=timezone.now())
    return Step(
        checkpoint={"after": few[-1]},
        done=done + len(few),
        result={
            "customers": done + len(few),
            "corrected": job.result.get("corrected", 0) + len(corrected),
        },
    )
