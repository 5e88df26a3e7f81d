"""/journeys/{id}/publish and its like: journeys put live, paused, gone on with and ended."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from campaigns.api.v1.journeys import JourneyOut, journey_out
from campaigns.selectors.journeys import get_journey
from campaigns.services.journeys import (
    end_journey,
    pause_journey,
    publish_journey,
    resume_journey,
)
from members.api.bodies import answer
from members.api.idempotency import idempotent
from members.api.views import ApiView


class JourneyPublishing(ApiView):
    scopes = {"POST": "journeys:write"}

    @extend_schema(operation_id="publishJourney", request=None, responses={200: JourneyOut})
    @idempotent()
    def post(self, request: Request, journey_id: UUID) -> HttpResponse:
        """Put what was written last into force, for who enters from now on; whoever is in it goes
        on as they began. A draft is live then."""
        found = get_journey(journey_id)
        publish_journey(journey=found, actor=self.actor, now=timezone.now())
        return answer(journey_out(get_journey(journey_id)))


class JourneyPausing(ApiView):
    scopes = {"POST": "journeys:write"}

    @extend_schema(operation_id="pauseJourney", request=None, responses={200: JourneyOut})
    @idempotent()
    def post(self, request: Request, journey_id: UUID) -> HttpResponse:
        """Nobody enters it, and nobody goes on. Again changes nothing."""
        pause_journey(journey=get_journey(journey_id), actor=self.actor)
        return answer(journey_out(get_journey(journey_id)))


class JourneyResuming(ApiView):
    scopes = {"POST": "journeys:write"}

    @extend_schema(operation_id="resumeJourney", request=None, responses={200: JourneyOut})
    @idempotent()
    def post(self, request: Request, journey_id: UUID) -> HttpResponse:
        """Whoever is in it goes on; what happened meanwhile leads nobody into it. Again changes
        nothing."""
        resume_journey(journey=get_journey(journey_id), actor=self.actor, now=timezone.now())
        return answer(journey_out(get_journey(journey_id)))


class JourneyEnding(ApiView):
    scopes = {"POST": "journeys:write"}

    @extend_schema(operation_id="endJourney", request=None, responses={200: JourneyOut})
    @idempotent()
    def post(self, request: Request, journey_id: UUID) -> HttpResponse:
        """End it for good: whoever is in it leaves. Again changes nothing."""
        end_journey(journey=get_journey(journey_id), actor=self.actor, now=timezone.now())
        return answer(journey_out(get_journey(journey_id)))
