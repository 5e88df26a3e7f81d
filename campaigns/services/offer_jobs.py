"""Personal offers for everybody who has none: a job of the schedule, once a day, and as a campaign
begins. Who buys in between is followed at once (`campaigns.services.personal_offers`)."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.selectors.personal_offers import eligible, running
from campaigns.services.personal_offers import give_offers
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.job_runs import Step, run_in_chunks

KIND = "personal_offers"
PIECE = 5000


def find_offers(now: dt.datetime) -> Work | None:
    """Nothing where no campaign offers anything."""
    found = list(running(now).values_list("pk", flat=True))
    if not found:
        return None
    # Once a day, since what suits somebody changes as time goes by; and as soon as more are on.
    stamp = f"{now:%Y-%m-%d} {','.join(map(str, found))}"
    if Job.objects.filter(kind=KIND, fingerprint=stamp, state=Job.State.SUCCEEDED).exists():
        return None
    return Work(_("Personal offers"), fingerprint=stamp, params={"now": now.isoformat()})


def run_offers(job_id: int) -> Job | None:
    """Campaign by campaign; None when another run has it."""
    return run_in_chunks(job_id, _give_piece)


def offer_words(job: Job) -> str:
    given = job.result.get("given", 0)
    words = ngettext("%s member was made an offer.", "%s members were made an offer.", given)
    return words % format_number(given)


def _give_piece(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    at, after = job.checkpoint.get("at", 0), job.checkpoint.get("after", 0)
    for campaign in running(now).filter(pk__gte=at):
        members = eligible(campaign, now).filter(pk__gt=after if campaign.pk == at else 0)
        found = list(members.order_by("pk").values_list("pk", flat=True)[:PIECE])
        if not found:
            continue
        given = job.result.get("given", 0) + give_offers(campaign, found, now)
        return Step(
            checkpoint={"at": campaign.pk, "after": found[-1]}, done=job.done + len(found),
            result={"given": given},
        )  # fmt: skip
    return None
