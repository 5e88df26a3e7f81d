"""What time does to those who take part: what was not done in time is over. A job of the
schedule."""

from __future__ import annotations

import datetime as dt

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import ChallengeEntry
from campaigns.services.challenge_progress import measure_entries
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.job_runs import Step, run_in_chunks

KIND = "challenges"
AT_ONCE = 500


def find_ended(now: dt.datetime) -> Work | None:
    """None where nothing is over."""
    if not _over(now).exists():
        return None
    return Work(
        _("Challenges whose time is over"), fingerprint=f"{now:%Y-%m-%d %H:%M}",
        params={"now": now.isoformat()},
    )  # fmt: skip


def run_ended(job_id: int) -> Job | None:
    """So many at once; None when another run has it."""
    return run_in_chunks(job_id, _end_some)


def ended_words(job: Job) -> str:
    ended = job.result.get("ended", 0)
    words = ngettext(
        "For %s member a challenge is over.", "For %s members a challenge is over.", ended
    )
    return words % format_number(ended)


def _end_some(job: Job) -> Step | None:
    """Worked out once more: an order of the last moments may not have been counted yet."""
    now = dt.datetime.fromisoformat(job.params["now"])
    after = (job.checkpoint or {}).get("after", 0)
    keys = list(
        _over(now).filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]
    )
    if not keys:
        return None
    measure_entries(keys, now=now)
    ended = job.result.get("ended", 0) + len(keys)
    return Step(checkpoint={"after": keys[-1]}, done=job.done + len(keys), result={"ended": ended})


def _over(now: dt.datetime) -> QuerySet[ChallengeEntry]:
    """Those that are going on though their time, or that of their challenge, is over. The last
    instant of somebody's own days still counts."""
    passed = Q(ends_at__lt=now) | Q(ends_at=now, ends_at__gte=F("challenge__campaign__ends_at"))
    return ChallengeEntry.objects.filter(
        passed | Q(challenge__campaign__status="ended"), state__in=ChallengeEntry.GOING
    )
