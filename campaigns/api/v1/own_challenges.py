"""/me/memberships/{id}/challenges: what a member can do for a reward, and how far they are."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.challenge_cards import challenge_card
from campaigns.models import Challenge
from campaigns.selectors.challenge_levels import level_of
from campaigns.selectors.challenges import (
    Standing,
    badges_of,
    challenges,
    entries,
    open_to,
    standing_in,
)
from campaigns.services.challenges import join_challenge, leave_challenge
from loyalty.api.v1.own_memberships import own_membership
from loyalty.models import Membership
from members.api.bodies import TEXT, Answer, Body, answer, read_body
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.errors import NotFoundError
from members.languages import locale_of


class OwnStepOut(Answer):
    text: str = Field(description="What is to be done, in words.")
    reached: str = Field(description="How far it is, in words.")
    percent: int
    done: bool
    names: list[str] = Field(description="Of what is collected, what is there.")


class OwnTeamOut(Answer):
    name: str
    code: str = Field(description="By which others join it.")
    members: int
    most: int


class OwnChallengeOut(Answer):
    """In the member's language, as of now."""

    id: UUID
    title: str
    text: str
    icon: str
    brings: list[str]
    steps: list[OwnStepOut]
    in_order: bool
    percent: int
    done: bool
    won: int = Field(description="So often by now.")
    times: int
    ends_at: dt.datetime
    may_join: bool
    may_leave: bool
    team_size: int | None = Field(description="It is done in teams; null: alone.")
    team: OwnTeamOut | None


class WonBadgeOut(Answer):
    name: str
    icon: str
    since: dt.datetime


class OwnLevelOut(Answer):
    """How far the member is by all challenges that they have done."""

    done: int
    number: int = Field(description="Of the level, from 1; 0: none yet.")
    name: str
    icon: str
    next_at: int | None = Field(
        description="So many done are the next level. Null: it is the last."
    )


class OwnChallengeList(Answer):
    results: list[OwnChallengeOut]
    badges: list[WonBadgeOut]
    level: OwnLevelOut


class ChallengeJoinIn(Body):
    """Of one that is done in teams: in the team with this code, or in a new one with this name."""

    team_code: Annotated[str, Field(max_length=8, pattern=TEXT)] = ""
    team_name: Annotated[str, Field(max_length=40, pattern=TEXT)] = ""


class OwnChallenges(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnChallenges", responses={200: OwnChallengeList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List the challenges that the member takes part in or can join, with how far they are;
        what ends first comes first. And the badges that they have."""
        member, now = own_membership(self, membership_id), timezone.now()
        badges = [
            WonBadgeOut(
                name=win.entry.challenge.badge, icon=win.entry.challenge.badge_icon,
                since=win.reached_at,
            )
            for win in badges_of(member)
        ]  # fmt: skip
        with self.in_own_language():
            found = [_out(item, member, now) for item in open_to(member, now)]
            level = _level(member)
        return answer(OwnChallengeList(results=found, badges=badges, level=level))


class OwnChallengeJoining(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(
        operation_id="joinOwnChallenge", request=ChallengeJoinIn, responses={201: OwnChallengeOut}
    )
    @idempotent()
    def post(self, request: Request, membership_id: UUID, challenge_id: UUID) -> HttpResponse:
        """Take part from now on. Again changes nothing."""
        member, now = own_membership(self, membership_id), timezone.now()
        body = read_body(request, ChallengeJoinIn)
        made = join_challenge(
            challenge=_found(member, challenge_id), membership=member, now=now,
            team_code=body.team_code, team_name=body.team_name,
        )  # fmt: skip
        standing = standing_in(entries().get(pk=made.pk), now)
        with self.in_own_language():
            return answer(_out(standing, member, now), HTTPStatus.CREATED)


class OwnChallengeLeaving(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="leaveOwnChallenge", request=None, responses={204: None})
    @idempotent()
    def post(self, request: Request, membership_id: UUID, challenge_id: UUID) -> HttpResponse:
        """Take part no more: what was done so far counts no more. Again changes nothing."""
        member = own_membership(self, membership_id)
        rows = entries().filter(challenge=_found(member, challenge_id), membership=member)
        entry = rows.order_by("-pk").first()
        if entry is None:
            raise NotFoundError("This member does not take part.")
        leave_challenge(entry=entry, now=timezone.now())
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _level(member: Membership) -> OwnLevelOut:
    found = level_of(member)
    return OwnLevelOut(
        done=found.done, number=found.level.number if found.level else 0,
        name=str(found.level.name) if found.level else "",
        icon=found.level.icon if found.level else "",
        next_at=found.next.needs if found.next else None,
    )  # fmt: skip


def _found(member: Membership, challenge_id: UUID) -> Challenge:
    rows = challenges().filter(campaign__program=member.program_id)
    found = rows.exclude(campaign__status="draft").filter(campaign__public_id=challenge_id).first()
    if found is None:
        raise NotFoundError("There is no such challenge.")
    return found


def _out(standing: Standing, member: Membership, now: dt.datetime) -> OwnChallengeOut:
    card = challenge_card(standing, now, locale_of(member.customer))
    team = card.team and OwnTeamOut(
        name=card.team.name, code=card.team.code, members=card.together, most=card.team_size
    )
    names = ("id", "title", "text", "icon", "in_order", "percent", "done", "won", "times",
             "ends_at", "may_join", "may_leave")  # fmt: skip
    return OwnChallengeOut(
        brings=list(card.brings), team=team, team_size=card.team_size or None,
        steps=[
            OwnStepOut(
                text=step.text, reached=step.reached, percent=step.percent, done=step.done,
                names=list(step.names),
            )
            for step in card.steps
        ],
        **{name: getattr(card, name) for name in names},
    )  # fmt: skip
