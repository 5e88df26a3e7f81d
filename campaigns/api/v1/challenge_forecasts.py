"""/challenges/{id}/forecast: how often it would have been done, and what that would have cost."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.models import Challenge
from campaigns.selectors.challenge_outlooks import (
    ChallengeOutlook,
    PastStretch,
    challenge_outlook,
)
from campaigns.selectors.challenges import get_challenge
from campaigns.services.challenge_forecasts import forecast_challenge
from loyalty.plain_numbers import exact
from members.api.bodies import Answer, answer
from members.api.idempotency import idempotent
from members.api.views import ApiView
from members.models import Job
from members.services.job_runs import queue_job


class PastStretchOut(Answer):
    """Some days in the past, as many as the challenge lasts, as if it had been on."""

    first: dt.date
    last: dt.date
    buyers: int = Field(description="Members whom it is for who bought anything in its time.")
    members: int = Field(description="How many of them would have done it.")
    wins: int = Field(description="How often it would have been done.")
    units: str = Field(description="What that would have given within its budget.")
    cost: str = Field(description="What the units are worth and the rewards cost.")


class ChallengeForecastOut(Answer):
    state: str = Field(description="`none`, `running`, `failed` or `done`.")
    asked_at: dt.datetime | None
    job: UUID | None = Field(description="The work on it: GET /jobs/{id}.")
    at_most: bool = Field(
        description="As if all whom it is for joined, since members join it by their own decision."
    )
    cost: str | None = Field(description="Of the stretch in the middle; null: nothing is known.")
    least: str | None = Field(description="The lowest cost of all stretches.")
    most: str | None = Field(description="The highest.")
    currency: str
    used_up_on: dt.date | None = Field(description="When its budget is likely used up.")
    stretches: list[PastStretchOut]


class ChallengeForecasting(ApiView):
    scopes = {"GET": "backtests:read", "POST": "backtests:write"}

    @extend_schema(operation_id="getChallengeForecast", responses={200: ChallengeForecastOut})
    def get(self, request: Request, challenge_id: UUID) -> HttpResponse:
        """Read what was last asked, once it is counted."""
        return answer(_out(get_challenge(challenge_id)))

    @extend_schema(
        operation_id="forecastChallenge", request=None, responses={202: ChallengeForecastOut}
    )
    @idempotent()
    def post(self, request: Request, challenge_id: UUID) -> HttpResponse:
        """Ask how often it would have been done in past stretches of its length. A worker counts;
        read it until it is done."""
        challenge = get_challenge(challenge_id)
        found = forecast_challenge(challenge=challenge, actor=self.actor, now=timezone.now())
        if found.job is not None and found.job.state == Job.State.QUEUED:
            queue_job(found.job)
        return answer(_out(challenge), HTTPStatus.ACCEPTED)


def _out(challenge: Challenge) -> ChallengeForecastOut:
    found = challenge_outlook(challenge)
    asked, likely = found.forecast, found.likely
    least, most = found.costs if found.stretches else (None, None)
    return ChallengeForecastOut(
        state=found.state,
        asked_at=asked.asked_at if asked else None,
        job=asked.job.public_id if asked and asked.job else None,
        at_most=challenge.opt_in,
        cost=exact(likely.cost, 2) if likely else None,
        least=exact(least, 2) if least is not None else None,
        most=exact(most, 2) if most is not None else None,
        currency=challenge.campaign.program.currency,
        used_up_on=found.used_up_on,
        stretches=[_stretch(item, found) for item in found.stretches],
    )


def _stretch(item: PastStretch, found: ChallengeOutlook) -> PastStretchOut:
    return PastStretchOut(
        first=item.first, last=item.last, buyers=item.buyers, members=item.members,
        wins=item.wins, units=exact(item.units, found.unit.scale if found.unit else 0),
        cost=exact(item.cost, 2),
    )  # fmt: skip
