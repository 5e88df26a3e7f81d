"""/programs/{code}/launch: from when on who may join, and what founding members get."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.models import LaunchPhase
from loyalty.selectors.launches import FoundingOffer, founding_offer, get_launch, phase_at
from loyalty.selectors.programs import get_program
from members.api.bodies import Answer, answer, plain_text
from members.api.views import ApiView


class LaunchPhaseOut(Answer):
    """From `starts_at` on the first `percent` of the customers may join, by what they spent."""

    kind: LaunchPhase.Kind
    percent: int | None = Field(description="None: everyone.")
    starts_at: dt.datetime


class FoundingBonusOut(Answer):
    """What those get who join before `ends_at`."""

    wallet_type: str
    units: str = Field(description="Decimal text.", examples=["200"])
    ends_at: dt.datetime
    left: int | None = Field(description="For so many members more; None: no limit.")


class LaunchOut(Answer):
    program: str
    phases: list[LaunchPhaseOut] = Field(description="None: everyone may join.")
    phase: LaunchPhase.Kind | None = Field(description="The one in force.")
    stopped_at: dt.datetime | None
    founding_bonus: FoundingBonusOut | None


class ProgramLaunch(ApiView):
    scopes = {"GET": "programs:read"}

    @extend_schema(operation_id="getLaunch", responses={200: LaunchOut})
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read a program's launch: its phases, the one in force, and the founding bonus."""
        program = get_program(code)
        launch, offer = get_launch(program), founding_offer(program)
        phase = phase_at(launch, timezone.now()) if launch else None
        return answer(
            LaunchOut(
                program=program.code,
                phases=[
                    LaunchPhaseOut(
                        kind=LaunchPhase.Kind(item.kind),
                        percent=item.percent,
                        starts_at=item.starts_at,
                    )
                    for item in (launch.phases.all() if launch else ())
                ],
                phase=LaunchPhase.Kind(phase.kind) if phase else None,
                stopped_at=launch.stopped_at if launch else None,
                founding_bonus=_founding(offer) if offer else None,
            )
        )


def _founding(offer: FoundingOffer) -> FoundingBonusOut:
    unit = offer.bonus.wallet_type
    return FoundingBonusOut(
        wallet_type=unit.code,
        units=plain_text(Decimal(offer.bonus.units).scaleb(-unit.scale)),
        ends_at=offer.ends_at,
        left=offer.left,
    )
