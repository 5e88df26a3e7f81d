"""/me/memberships/{id}/leaderboard: who is how far, and by which name the member is seen."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.models import Challenge
from campaigns.selectors.challenges import challenges
from campaigns.selectors.leaderboards import Place, board_of, month_of, name_of
from campaigns.services.leaderboards import LONGEST, join_leaderboards, leave_leaderboards
from loyalty.api.v1.own_memberships import own_membership
from loyalty.models import Membership
from members.api.bodies import TEXT, Answer, Body, Query, answer, read_body, read_query
from members.api.member_views import MEMBER, MemberView
from members.api.schema import query_parameters
from members.errors import NotFoundError


class BoardQuery(Query):
    challenge: Annotated[str, Field(max_length=36, pattern=TEXT)] = Field(
        "", description="The id of one challenge; empty: of the program."
    )
    period: Literal["month", "ever"] = Field("month", description="Of the program: which.")


class BoardPlaceOut(Answer):
    rank: int | None = Field(description="The same for the same score. Null: far behind.")
    name: str = Field(description="What others see: never who they are.")
    score: int = Field(
        description="How many challenges were done; of one, a hundred for each time and the percent"
        " of the next."
    )  # fmt: skip
    own: bool


class BoardOut(Answer):
    places: list[BoardPlaceOut] = Field(description="The first ten.")
    own: BoardPlaceOut | None = Field(description="The member's, where it is not among these.")
    name: str = Field(description="By which others see the member; empty: they do not.")
    may_choose: bool = Field(description="False: the name was hidden, and another one given.")


class BoardNameIn(Body):
    name: Annotated[str, Field(max_length=LONGEST, pattern=TEXT)] = Field(
        "", description="Empty: the one that they have, or that they are given."
    )


class OwnLeaderboard(MemberView):
    scopes = {"GET": MEMBER, "PUT": MEMBER, "DELETE": MEMBER}

    @extend_schema(
        operation_id="getOwnLeaderboard",
        parameters=query_parameters(BoardQuery),
        responses={200: BoardOut},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read a leaderboard of challenges: of this month, of ever, or of one challenge."""
        member = own_membership(self, membership_id)
        return answer(_out(member, read_query(request, BoardQuery)))

    @extend_schema(
        operation_id="joinOwnLeaderboard", request=BoardNameIn, responses={200: BoardOut}
    )
    def put(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Be seen on leaderboards from now on, by this name."""
        member, body = own_membership(self, membership_id), read_body(request, BoardNameIn)
        join_leaderboards(membership=member, name=body.name, now=timezone.now())
        return answer(_out(member, BoardQuery()))

    @extend_schema(operation_id="leaveOwnLeaderboard", request=None, responses={204: None})
    def delete(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Be seen no more. Again changes nothing."""
        leave_leaderboards(membership=own_membership(self, membership_id))
        return HttpResponse(status=204)


def _out(member: Membership, query: BoardQuery) -> BoardOut:
    challenge = _challenge(member, query.challenge) if query.challenge else None
    of_month = challenge is None and query.period == "month"
    month = month_of(member.program, timezone.now()) if of_month else ""
    found = board_of(member.program, challenge=challenge, month=month, member=member)
    row = name_of(member)
    return BoardOut(
        places=[_place(place) for place in found.places],
        own=_place(found.own) if found.own else None,
        name=row.name if row is not None and row.since is not None else "",
        may_choose=row is None or row.hidden_at is None,
    )


def _place(place: Place) -> BoardPlaceOut:
    return BoardPlaceOut(rank=place.rank, name=place.name, score=place.score, own=place.own)


def _challenge(member: Membership, asked: str) -> Challenge:
    rows = challenges().filter(campaign__program=member.program_id)
    rows = rows.exclude(campaign__status="draft")
    try:
        found = rows.filter(campaign__public_id=UUID(asked)).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFoundError("There is no such challenge.")
    return found
