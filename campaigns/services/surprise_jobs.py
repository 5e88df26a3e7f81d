"""Surprises whose time has come are drawn and given: a job of the schedule. A kill loses a piece at
most, and nobody gets anything twice."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign, SurpriseDraw
from campaigns.selectors.surprises import SURPRISES
from campaigns.services.surprises import draw_round, give_some, next_round
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.job_runs import Step, run_in_chunks

KIND = "surprises"


def find_surprises(now: dt.datetime) -> Work | None:
    """Nothing where no round is due."""
    waiting = list(_due(now).values_list("pk", flat=True))
    if not waiting:
        return None
    return Work(
        _("Surprises"), fingerprint=f"{now:%Y-%m-%d %H:%M} {waiting}",
        params={"now": now.isoformat()},
    )  # fmt: skip


def run_surprises(job_id: int) -> Job | None:
    """Round by round; None when another run has it."""
    return run_in_chunks(job_id, _advance)


def surprise_words(job: Job) -> str:
    given = job.result.get("given", 0)
    words = ngettext("%s member was surprised.", "%s members were surprised.", given)
    return words % format_number(given)


def _advance(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    draw = _due(now).select_for_update(of=("self",)).first()
    if draw is None:
        return None
    count, total = 0, job.total
    if draw.drawn_at is None:
        draw_round(draw, now)
        total += draw.chosen
    else:
        count = give_some(draw, now)
        if not count:
            draw.done_at = now
            draw.save(update_fields=["done_at"])
            next_round(draw, now)
    given = job.result.get("given", 0) + count
    return Step(checkpoint={"draw": draw.pk}, done=job.done + count, total=total,
                result={"given": given})  # fmt: skip


def _due(now: dt.datetime) -> QuerySet[SurpriseDraw]:
    """Of surprises that are on: one that rests gives nothing meanwhile. Who was drawn gets it
    though its time is over; it ends when they have (`campaigns.services.campaign_clock`)."""
    rows = SurpriseDraw.objects.filter(
        Q(campaign__ends_at__gt=now) | Q(drawn_at__isnull=False), done_at=None, due_at__lte=now,
        campaign__template__in=SURPRISES, campaign__status=Campaign.Status.LIVE,
    )  # fmt: skip
    return rows.select_related("campaign__program").order_by("due_at", "pk")
