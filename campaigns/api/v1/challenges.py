"""/challenges: what members do for a reward, who takes part, and what it brings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field, ValidationError
from rest_framework.request import Request

from campaigns.campaign_definitions import Amount, CampaignTexts, Language
from campaigns.challenge_definitions import ChallengeDefinition, definition_of_challenge
from campaigns.challenge_sentences import challenge_sentences
from campaigns.challenges.steps import MOST_STEPS, Step
from campaigns.models import Campaign, Challenge, ChallengeEntry
from campaigns.selectors.campaign_results import result_of
from campaigns.selectors.campaigns import status_at
from campaigns.selectors.challenge_results import challenge_result
from campaigns.selectors.challenges import challenges, entries, get_challenge
from campaigns.services.campaigns import (
    end_campaign,
    pause_campaign,
    publish_campaign,
    resume_campaign,
)
from campaigns.services.challenges import change_challenge, create_challenge, give_challenge
from loyalty.api.v1.pools import member_named
from loyalty.models import Program
from loyalty.plain_numbers import exact
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    Instant,
    PublicId,
    answer,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView

Line = Annotated[str, Field(max_length=80, pattern=TEXT)]
Text64 = Annotated[str, Field(max_length=64, pattern=TEXT)]
Icon = Literal["award", "trophy", "star", "flame", "heart", "leaf"]
READ, WRITE = "campaigns:read", "campaigns:write"


class ChallengeBody(Body):
    """All that a challenge says."""

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=TEXT)]
    title: Annotated[str, Field(min_length=1, max_length=80, pattern=TEXT)]
    text: Annotated[str, Field(max_length=300, pattern=TEXT)] = ""
    teaser: Annotated[str, Field(max_length=200, pattern=TEXT)] = ""
    texts: dict[Language, CampaignTexts] = Field({}, description="In further languages.")
    goal: Annotated[str, Field(max_length=200, pattern=TEXT)] = ""
    steps: list[Step] = Field(
        min_length=1, max_length=MOST_STEPS, description="What is to be done."
    )
    in_order: bool = Field(False, description="One after the other.")
    opt_in: bool = Field(True, description="Members join; else all of the audience take part.")
    days: int | None = Field(None, description="So many days for each; null: its whole time.")
    times: int = Field(1, description="So often it can be done.")
    team_size: int | None = Field(None, description="So many in a team at most; null: alone.")
    units: Amount | None = Field(None, description="What it brings each time.")
    reward: Text64 = Field("", description="The code of a reward that it brings; or empty.")
    badge: Annotated[str, Field(max_length=40, pattern=TEXT)] = ""
    badge_icon: Icon = "award"
    audience: dict[str, Any] = Field({}, description="Whom it is for, as a condition; or empty.")
    holdout: int = Field(0, description="Percent of the audience who do not get it.")
    budget_units: Amount | None = None
    budget_money: Amount | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    teased_at: Instant | None = None


class ChallengeIn(ChallengeBody):
    """A challenge as a draft."""

    program: Text64 = Field(description="The program's code.")
    code: Annotated[str, Field(max_length=48, pattern=TEXT)] = Field(
        "", description="As wished, or one like it that is free."
    )


class ChallengeChange(ChallengeBody):
    """What a draft says from now on, as a whole."""


class ChallengeOut(Answer):
    id: UUID
    program: str
    code: str
    name: str
    status: Campaign.Status = Field(description="As of now, by its times.")
    sentences: list[str] = Field(description="What is to be done, by whom, until when, in words.")
    title: str = Field(description="What members read.")
    text: str
    goal: str
    steps: list[Step]
    in_order: bool
    opt_in: bool
    days: int | None
    times: int
    team_size: int | None
    units: str | None
    reward: str
    badge: str
    holdout: int
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    ended_at: dt.datetime | None


class ChallengePage(Page):
    results: list[ChallengeOut]


class ChallengeQuery(PageQuery):
    program: Annotated[str, Field(max_length=64)] = ""


class ChallengeResultOut(Answer):
    reach: int = Field(description="Members whom it is for.")
    aside: int = Field(description="Members who are kept aside.")
    taking_part: int
    nearly_there: int
    done: int = Field(description="Of those who take part, how many have done it.")
    wins: int = Field(description="How often it was done.")
    undone: int = Field(description="How often that is so no more, because something came back.")
    unrewarded: int = Field(description="How often it brought less than it says; see its page.")
    units: str = Field(description="Units given, less those taken back.")
    money: str = Field(description="What those are worth.")
    currency: str


class EntryOut(Answer):
    """Somebody takes part, and how far they are."""

    id: UUID
    membership: UUID
    state: ChallengeEntry.State
    percent: int
    rounds: int = Field(description="How often it was done.")
    starts_at: dt.datetime
    ends_at: dt.datetime
    team: str | None


class EntryPage(Page):
    results: list[EntryOut]


class EntryIn(Body):
    """A member is given a challenge."""

    membership: PublicId
    at: Instant | None = Field(None, description="From when on; the same is the same. Null: now.")


class Challenges(ApiView):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="listChallenges",
        parameters=query_parameters(ChallengeQuery),
        responses={200: ChallengePage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List challenges, newest first."""
        query, rows = read_query(request, ChallengeQuery), challenges()
        if query.program:
            rows = rows.filter(campaign__program__code=query.program)
        page = paginate(request, rows, query, ordering=["-pk"], row=challenge_out)
        return answer(ChallengePage(**page))

    @extend_schema(
        operation_id="createChallenge", request=ChallengeIn, responses={201: ChallengeOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Write a challenge. It is a draft until it is published."""
        body = read_body(request, ChallengeIn)
        program = Program.objects.filter(code=body.program).first()
        if program is None:
            raise refuse_field("program", _("There is no such program."), "not_found")
        made = create_challenge(
            program=program, definition=_definition(body), actor=self.actor, now=timezone.now(),
            code=body.code,
        )  # fmt: skip
        return answer(challenge_out(made), HTTPStatus.CREATED)


class OneChallenge(ApiView):
    scopes = {"GET": READ, "PUT": WRITE}

    @extend_schema(operation_id="getChallenge", responses={200: ChallengeOut})
    def get(self, request: Request, challenge_id: UUID) -> HttpResponse:
        """Read a challenge."""
        return answer(challenge_out(get_challenge(challenge_id)))

    @extend_schema(
        operation_id="changeChallenge", request=ChallengeChange, responses={200: ChallengeOut}
    )
    def put(self, request: Request, challenge_id: UUID) -> HttpResponse:
        """Change a draft: what is not said is as it is by default."""
        definition = _definition(read_body(request, ChallengeChange))
        found = change_challenge(
            challenge=get_challenge(challenge_id), definition=definition, actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return answer(challenge_out(found))


class _Act(ApiView):
    scopes = {"POST": WRITE}

    def act(self, challenge_id: UUID, do: Callable[..., Campaign]) -> HttpResponse:
        found = get_challenge(challenge_id)
        do(campaign=found.campaign, actor=self.actor, now=timezone.now())
        return answer(challenge_out(get_challenge(challenge_id)))


class ChallengePublishing(_Act):
    @extend_schema(operation_id="publishChallenge", request=None, responses={200: ChallengeOut})
    @idempotent()
    def post(self, request: Request, challenge_id: UUID) -> HttpResponse:
        """It begins at its time, or at once. What it asks stays as it is then."""
        return self.act(challenge_id, publish_campaign)


class ChallengePausing(_Act):
    @extend_schema(operation_id="pauseChallenge", request=None, responses={200: ChallengeOut})
    @idempotent()
    def post(self, request: Request, challenge_id: UUID) -> HttpResponse:
        """What is bought from now on does not count, until it goes on."""
        return self.act(challenge_id, pause_campaign)


class ChallengeResuming(_Act):
    @extend_schema(operation_id="resumeChallenge", request=None, responses={200: ChallengeOut})
    @idempotent()
    def post(self, request: Request, challenge_id: UUID) -> HttpResponse:
        """It goes on until its end."""
        return self.act(challenge_id, resume_campaign)


class ChallengeEnding(_Act):
    @extend_schema(operation_id="endChallenge", request=None, responses={200: ChallengeOut})
    @idempotent()
    def post(self, request: Request, challenge_id: UUID) -> HttpResponse:
        """End it for good. Again changes nothing."""
        return self.act(challenge_id, end_campaign)


class ChallengeResults(ApiView):
    scopes = {"GET": READ}

    @extend_schema(operation_id="getChallengeResults", responses={200: ChallengeResultOut})
    def get(self, request: Request, challenge_id: UUID) -> HttpResponse:
        """Read who takes part, who has done it, and what was given for it."""
        found = get_challenge(challenge_id)
        result, own = result_of(found.campaign, timezone.now()), challenge_result(found)
        return answer(
            ChallengeResultOut(
                reach=result.reach, aside=result.aside, taking_part=own.taking_part,
                nearly_there=own.near, done=own.done, wins=own.wins, undone=own.undone,
                unrewarded=own.unrewarded, units=exact(result.given.units, 0),
                money=exact(result.given.money, 2), currency=found.campaign.program.currency,
            )
        )  # fmt: skip


class ChallengeEntries(ApiView):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="listChallengeEntries",
        parameters=query_parameters(PageQuery),
        responses={200: EntryPage},
    )
    def get(self, request: Request, challenge_id: UUID) -> HttpResponse:
        """List who takes part, the newest first."""
        query = read_query(request, PageQuery)
        rows = entries().filter(challenge=get_challenge(challenge_id))
        page = paginate(request, rows, query, ordering=["-pk"], row=entry_out)
        return answer(EntryPage(**page))

    @extend_schema(
        operation_id="giveChallenge", request=EntryIn, responses={200: EntryOut, 201: EntryOut}
    )
    @idempotent()
    def post(self, request: Request, challenge_id: UUID) -> HttpResponse:
        """Give it to a member, from a time on: it runs from there. 200 says that it had been given
        from that time on before."""
        body, challenge, now = (
            read_body(request, EntryIn),
            get_challenge(challenge_id),
            timezone.now(),
        )
        member = member_named(body.membership, "membership")
        if member.program_id != challenge.campaign.program_id:
            raise refuse_field("membership", _("It belongs to another program."))
        made, again = give_challenge(
            challenge=challenge, membership=member, at=body.at or now, now=now
        )
        found = entries().get(pk=made.pk)
        return answer(entry_out(found), HTTPStatus.OK if again else HTTPStatus.CREATED)


def challenge_out(challenge: Challenge) -> ChallengeOut:
    campaign, said = challenge.campaign, definition_of_challenge(challenge)
    names = ("name", "title", "text", "goal", "in_order", "opt_in", "days", "times", "team_size",
             "reward", "badge", "holdout", "starts_at", "ends_at")  # fmt: skip
    return ChallengeOut(
        id=campaign.public_id, program=campaign.program.code, code=campaign.code,
        status=Campaign.Status(status_at(campaign, timezone.now())), steps=list(said.steps),
        sentences=challenge_sentences(challenge), ended_at=campaign.ended_at,
        units=None if said.units is None else exact(Decimal(said.units), 0),
        **{name: getattr(said, name) for name in names},
    )  # fmt: skip


def entry_out(entry: ChallengeEntry) -> EntryOut:
    return EntryOut(
        id=entry.public_id, membership=entry.membership.public_id,
        state=ChallengeEntry.State(entry.state), percent=entry.percent, rounds=entry.rounds,
        starts_at=entry.starts_at, ends_at=entry.ends_at,
        team=entry.team.name if entry.team else None,
    )  # fmt: skip


def _definition(body: ChallengeBody) -> ChallengeDefinition:
    said = {name: getattr(body, name) for name in ChallengeBody.model_fields}
    try:
        return ChallengeDefinition(**{**said, "steps": tuple(body.steps)})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = str(first["msg"]).removeprefix("Value error, ")
        named, colon, rest = message.partition(": ")
        if colon and named in ChallengeDefinition.model_fields:
            raise refuse_field(named, rest) from error
        place = str(first["loc"][0]) if first["loc"] else "steps"
        raise refuse_field(place, message) from error
