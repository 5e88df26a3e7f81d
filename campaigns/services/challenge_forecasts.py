"""What a challenge would bring: past stretches of its length counted as in life, by a job."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.challenge_definitions import definition_of_challenge
from campaigns.models import Challenge, ChallengeForecast
from campaigns.selectors.challenge_replays import Stretch, Tally, past_stretches, tally_stretches
from loyalty.selectors.replayed_orders import customer_ranges
from members.errors import DomainError
from members.formatting import format_number
from members.models import Job
from members.services.audit import Actor
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import start_or_resume_job

KIND = "challenge_forecast"
# Orders that a piece looks at.
AT_ONCE = 2_000


@transaction.atomic
def forecast_challenge(
    *, challenge: Challenge, actor: Actor, now: dt.datetime
) -> ChallengeForecast:
    """Keep the question; its job is to be handed to a worker. The same question again, while it is
    not answered, is the same. Raises DomainError."""
    if challenge.team_size is not None:
        raise DomainError(
            _("Who would do it with whom is not known: challenges of teams are not forecast."),
            code="not_replayed",
        )
    campaign = challenge.campaign
    stretches = [[start.isoformat(), end.isoformat()]
                 for start, end in past_stretches(campaign, now)]  # fmt: skip
    said = definition_of_challenge(challenge).model_dump_json() + str(stretches)
    job = start_or_resume_job(
        kind=KIND,
        label=_("%(name)s, %(program)s")
        % {"name": campaign.name, "program": campaign.program.name},
        fingerprint=hashlib.blake2b(f"{challenge.pk} {said}".encode(), digest_size=16).hexdigest(),
        params={"now": now.isoformat()},
        actor=actor,
    )
    known = ChallengeForecast.objects.filter(job=job).first()
    if known is not None:
        return known
    fresh = {"job": job, "stretches": stretches, "asked_at": now, "finished_at": None,
             "result": None}  # fmt: skip
    found, _made = ChallengeForecast.objects.update_or_create(challenge=challenge, defaults=fresh)
    return found


def run_forecast(job_id: int) -> Job | None:
    """Work on a waiting one until it is done; None when another run has it."""
    return run_in_chunks(job_id, _tally_range)


def forecast_words(job: Job) -> str:
    orders = job.result.get("orders", 0)
    words = ngettext("%s order was looked at.", "%s orders were looked at.", orders)
    return words % format_number(orders)


def stretches_of(forecast: ChallengeForecast) -> list[Stretch]:
    """By the clocks of the program."""
    zone = forecast.challenge.campaign.program.zone
    return [
        (dt.datetime.fromisoformat(start).astimezone(zone),
         dt.datetime.fromisoformat(end).astimezone(zone))
        for start, end in forecast.stretches
    ]  # fmt: skip


def _tally_range(job: Job) -> Step | None:
    """The customers of the next range; after the last one, what all of them come to."""
    rows = ChallengeForecast.objects.select_related("challenge__campaign__program")
    forecast = rows.filter(job=job, finished_at=None).first()
    if forecast is None:
        # Somebody asked anew.
        return None
    stretches, kept = stretches_of(forecast), job.checkpoint
    if "ranges" not in kept:
        since, until = min(start for start, _end in stretches), max(end for _, end in stretches)
        ranges = list(customer_ranges(since, until, AT_ONCE))
        empty = [Tally().as_json() for _stretch in stretches]
        total = sum(orders for _first, _last, orders in ranges)
        return Step({"ranges": ranges, "next": 0, "found": empty}, done=0, total=total)
    if kept["next"] == len(kept["ranges"]):
        forecast.result, forecast.finished_at = kept["found"], timezone.now()
        forecast.save(update_fields=["result", "finished_at"])
        return None
    first, last, orders = kept["ranges"][kept["next"]]
    now = dt.datetime.fromisoformat(job.params["now"])
    found = [Tally.from_json(item) for item in kept["found"]]
    own = tally_stretches(forecast.challenge, stretches, first, last, now)
    for whole, part in zip(found, own, strict=True):
        whole.merge(part)
    ahead = kept | {"next": kept["next"] + 1, "found": [item.as_json() for item in found]}
    done = job.done + orders
    return Step(ahead, done=done, result={"orders": done})
