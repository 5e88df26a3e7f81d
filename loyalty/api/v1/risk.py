"""/risk-cases: whom somebody has to look at, why, and what is decided; and how much speaks against
a member. For the merchant's own programs; members never read it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.models import RiskCase, WalletType
from loyalty.plain_numbers import whole
from loyalty.risk_definitions import RiskDefinition
from loyalty.risk_reasons import Reason, reasons_of
from loyalty.selectors.memberships import get_membership
from loyalty.selectors.risk import filtered_cases, get_case, policy_of, standing_of
from loyalty.selectors.risk_takings import chosen_of, takings_of, undue_of
from loyalty.services.risk_cases import UNASKED, Unasked, hold_case, release_case
from loyalty.services.risk_claw_backs import claw_back
from loyalty.services.risk_scores import look_at_members
from members.api.bodies import Answer, Body, PublicId, answer, read_body, read_query
from members.api.bodies import Reason as Why
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.models import Customer

State = Literal["open", "held", "released", "clawed_back", "merged"]
Level = Literal["low", "medium", "high"]


class RiskFactOut(Answer):
    kind: str = Field(description="What it is: order, member, activity, transfer and others.")
    at: dt.datetime
    key: str = Field(description="Its name, by which it can be taken back.")


class RiskReasonOut(Answer):
    signal: str
    label: str
    in_words: str
    weight: int = Field(description="How many points it adds.")
    facts: list[RiskFactOut]


class RiskCaseOut(Answer):
    id: UUID
    membership: UUID
    customer: UUID
    program: str
    state: State
    points: int = Field(description="From 0 to 100.")
    level: Level
    reasons: list[RiskReasonOut] = Field(description="The heaviest first.")
    opened_at: dt.datetime
    grown_at: dt.datetime | None = Field(description="When something new was found last.")
    held_at: dt.datetime | None
    decided_at: dt.datetime | None
    note: str


class RiskCasePage(Page):
    results: list[RiskCaseOut]


class RiskCaseQuery(PageQuery):
    state: Literal["waiting", "open", "held", "released", "clawed_back", "merged", ""] = Field(
        "", description="waiting: open and held; by default all."
    )
    program: str = Field("", max_length=64, description="Code of one program.")
    signal: str = Field("", max_length=32, description="Only those with this signal.")
    customer: PublicId | None = Field(None, description="Only those of this customer.")


class RiskDecisionIn(Body):
    note: Why = Field(description="For the merchant's staff.")
    grown_at: dt.datetime | None = Field(
        None,
        description="What it was when you looked at the case: 409 `changed` where something was "
        "found since. Without it, nothing is compared.",
    )

    @property
    def seen(self) -> dt.datetime | Unasked | None:
        return self.grown_at if "grown_at" in self.model_fields_set else UNASKED


class ClawBackIn(RiskDecisionIn):
    facts: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=500)] | None = (
        Field(
            None,
            description="Names of the facts whose units are taken; by default all, or those "
            "that were chosen when a second person was asked.",
        )
    )
    resume: bool = Field(False, description="Whether who was held takes part again.")


class TakingOut(Answer):
    wallet_type: str
    by_activities: str = Field(description="Units that come back with activities.")
    by_undoing: str = Field(description="Units given by hand, which are undone.")
    by_adjustment: str = Field(description="Of what orders earned.")
    waiting: str = Field(description="What of that cannot be spent yet.")
    pooled: str = Field(description="What of that is in the pool that they share.")
    missing: str = Field(description="What was spent, and no adjustment takes.")


class ClawBackPreview(Answer):
    facts: list[str]
    takings: list[TakingOut]


class RiskOut(Answer):
    membership: UUID
    points: int | None = Field(description="From 0 to 100; null while nobody has looked.")
    level: Level | None
    reasons: list[RiskReasonOut]
    scored_at: dt.datetime | None
    case: UUID | None = Field(description="The newest case of this member.")


class RiskCases(ApiView):
    scopes = {"GET": "risk:read"}

    @extend_schema(
        operation_id="listRiskCases",
        parameters=query_parameters(RiskCaseQuery),
        responses={200: RiskCasePage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List fraud cases, newest first."""
        query = read_query(request, RiskCaseQuery)
        customer = None
        if query.customer:
            customer = Customer.objects.filter(public_id=query.customer).first()
        found = filtered_cases(
            state=query.state, program=query.program.replace("\x00", "\n"),
            signal=query.signal.replace("\x00", "\n"), customer=customer,
        )  # fmt: skip
        if query.customer and customer is None:
            found = found.none()
        policies: dict[int, RiskDefinition] = {}

        def row(case: RiskCase) -> RiskCaseOut:
            program = case.membership.program
            if program.pk not in policies:
                policies[program.pk] = policy_of(program)
            return _case_out(case, policies[program.pk])

        page = paginate(request, found, query, ordering=["-pk"], row=row)
        return answer(RiskCasePage(**page))


class OneRiskCase(ApiView):
    scopes = {"GET": "risk:read"}

    @extend_schema(operation_id="getRiskCase", responses={200: RiskCaseOut})
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """One case, with the facts that it rests on."""
        return answer(_case_out(get_case(case_id)))


class RiskHold(ApiView):
    scopes = {"POST": "risk:write"}

    @extend_schema(
        operation_id="holdRiskCase", request=RiskDecisionIn, responses={200: RiskCaseOut}
    )
    @idempotent(required=True)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """Suspend the member until it is decided: they earn nothing and take no rewards. Again
        changes nothing."""
        body = read_body(request, RiskDecisionIn)
        hold_case(
            case=get_case(case_id), note=body.note, actor=self.actor, now=timezone.now(),
            seen=body.seen,
        )  # fmt: skip
        return answer(_case_out(get_case(case_id)))


class RiskRelease(ApiView):
    scopes = {"POST": "risk:write"}

    @extend_schema(
        operation_id="releaseRiskCase", request=RiskDecisionIn, responses={200: RiskCaseOut}
    )
    @idempotent(required=True)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """It is fine: who was held takes part again, and the same facts open no other case. Again
        changes nothing."""
        body = read_body(request, RiskDecisionIn)
        release_case(
            case=get_case(case_id), note=body.note, actor=self.actor, now=timezone.now(),
            seen=body.seen,
        )  # fmt: skip
        return answer(_case_out(get_case(case_id)))


class RiskClawBack(ApiView):
    scopes = {"GET": "risk:read", "POST": "risk:write"}

    @extend_schema(operation_id="previewRiskClawBack", responses={200: ClawBackPreview})
    def get(self, request: Request, case_id: UUID) -> HttpResponse:
        """What would be taken back, and from which facts it came. Nothing once it is decided."""
        case, now = get_case(case_id), timezone.now()
        found = undue_of(case, now=now) if case.state in RiskCase.WAITING else []
        undue = chosen_of(case, found)
        takings = [
            TakingOut(
                wallet_type=one.wallet.wallet_type.code,
                by_activities=_units(one.by_activities, one.wallet.wallet_type),
                by_undoing=_units(one.by_undoing, one.wallet.wallet_type),
                by_adjustment=_units(one.taken, one.wallet.wallet_type),
                waiting=_units(one.waiting, one.wallet.wallet_type),
                pooled=_units(one.pooled, one.wallet.wallet_type),
                missing=_units(one.missing, one.wallet.wallet_type),
            )
            for one in takings_of(case, undue, now=now)
        ]  # fmt: skip
        facts = list(dict.fromkeys(one.key for one in undue))
        return answer(ClawBackPreview(facts=facts, takings=takings))

    @extend_schema(
        operation_id="clawBackRiskCase", request=ClawBackIn, responses={200: RiskCaseOut}
    )
    @idempotent(required=True)
    def post(self, request: Request, case_id: UUID) -> HttpResponse:
        """Take back what these facts brought, and close the case. Again changes nothing.

        Of a pool that they share only what they brought is taken."""
        body = read_body(request, ClawBackIn)
        claw_back(
            case=get_case(case_id), facts=body.facts, resume=body.resume, note=body.note,
            actor=self.actor, now=timezone.now(), seen=body.seen,
        )  # fmt: skip
        return answer(_case_out(get_case(case_id)))


class MembershipRisk(ApiView):
    scopes = {"GET": "risk:read"}

    @extend_schema(operation_id="getMembershipRisk", responses={200: RiskOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """How much speaks against a member now. Where nobody has looked yet there are no points;
        they are looked at within minutes."""
        member = get_membership(membership_id)
        found = standing_of(member)
        if found is None:
            look_at_members([member.pk])
            return answer(
                RiskOut(
                    membership=member.public_id, points=None, level=None, reasons=[],
                    scored_at=None, case=None,
                )
            )  # fmt: skip
        return answer(
            RiskOut(
                membership=member.public_id, points=found.score.points, level=found.level,
                reasons=_reasons(reasons_of(found.score.signals)),
                scored_at=found.score.scored_at,
                case=found.case.public_id if found.case else None,
            )
        )  # fmt: skip


def _case_out(case: RiskCase, policy: RiskDefinition | None = None) -> RiskCaseOut:
    member = case.membership
    policy = policy or policy_of(member.program)
    return RiskCaseOut(
        id=case.public_id, membership=member.public_id, customer=member.customer.public_id,
        program=member.program.code, state=case.state, points=case.points,
        level=policy.level(case.points),
        reasons=_reasons(reasons_of(case.signals)), opened_at=case.opened_at,
        grown_at=case.grown_at, held_at=case.held_at, decided_at=case.decided_at, note=case.note,
    )  # fmt: skip


def _units(units: int, wallet_type: WalletType) -> str:
    return f"{whole(units, wallet_type):.{wallet_type.scale}f}"


def _reasons(reasons: list[Reason]) -> list[RiskReasonOut]:
    return [
        RiskReasonOut(
            signal=one.key, label=one.label, in_words=one.text, weight=one.weight,
            facts=[
                RiskFactOut(kind=fact.kind, at=fact.at, key=f"{fact.kind}:{fact.id}")
                for fact in one.facts
            ],
        )
        for one in reasons
    ]  # fmt: skip
