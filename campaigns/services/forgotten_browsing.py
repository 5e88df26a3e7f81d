"""Forgetting what members looked at: of people who say so, and what was kept long enough."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import BrowsingDay, BrowsingEvent, CartLine
from campaigns.selectors.browsing_policies import get_browsing_policy
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.selectors.segments import merchant_moment
from members.services.job_runs import Step, run_in_chunks

KIND = "browsing_retention"
PIECE = 5_000
# By the indexes of when it was; a row at a time would be as many statements.
_DELETE = """
    DELETE FROM {table} WHERE id IN (
        SELECT id FROM {table} WHERE {moment} < %(until)s ORDER BY {moment} LIMIT %(most)s)
"""
_TABLES = (
    ("campaigns_browsingevent", "occurred_at"),
    ("campaigns_browsingday", "last_at"),
    ("campaigns_cartline", "changed_at"),
)


def forget_browsing(customer_ids: Sequence[int]) -> None:
    """All that these people looked at. In the caller's transaction."""
    for table in (BrowsingEvent, BrowsingDay, CartLine):
        table.objects.filter(customer__in=customer_ids).delete()


def kept_since(now: dt.datetime) -> dt.datetime:
    """What was before is forgotten: whole days of the merchant's, so that a day's sums and its
    events go together."""
    moment = merchant_moment(now)
    return moment.start_of(moment.day(-get_browsing_policy().kept_days))


def find_outdated(now: dt.datetime) -> Work | None:
    """Whether anything was kept long enough."""
    since = kept_since(now)
    old = (
        BrowsingEvent.objects.filter(occurred_at__lt=since),
        BrowsingDay.objects.filter(last_at__lt=since),
        CartLine.objects.filter(changed_at__lt=since),
    )
    if not any(rows.exists() for rows in old):
        return None
    stamp = since.isoformat()
    return Work(_("What was looked at long ago"), fingerprint=stamp, params={"since": stamp})


def run_retention(job_id: int) -> Job | None:
    """Forget it, some thousands at a time; None when another run has it."""
    return run_in_chunks(job_id, _forget_piece)


def retention_words(job: Job) -> str:
    number = job.result.get("forgotten", 0)
    words = ngettext("%s record was forgotten.", "%s records were forgotten.", number)
    return words % format_number(number)


def _forget_piece(job: Job) -> Step | None:
    since = dt.datetime.fromisoformat(job.params["since"])
    place = job.checkpoint.get("place", 0)
    if place >= len(_TABLES):
        return None
    table, moment = _TABLES[place]
    with connection.cursor() as cursor:
        cursor.execute(_DELETE.format(table=table, moment=moment), {"until": since, "most": PIECE})
        gone = cursor.rowcount
    forgotten = job.result.get("forgotten", 0) + gone
    ahead = place if gone == PIECE else place + 1
    return Step(checkpoint={"place": ahead}, done=job.done + gone, result={"forgotten": forgotten})
