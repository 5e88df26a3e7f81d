"""Paid plans: what programs offer, and which plan members have, for shops."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.subscriptions import SubscriptionOut, subscription_out
from loyalty.api.v1.tiers import (
    BenefitOut,
    CustomerTiersQuery,
    benefit_out,
    customer_of,
    program_of,
)
from loyalty.models import PlanVersion
from loyalty.plan_words import credit_words, price_words, what_it_brings
from loyalty.selectors.member_tiers import unit_names
from loyalty.selectors.memberships import list_memberships
from loyalty.selectors.plans import benefits_of_plan, current_version, current_versions
from loyalty.selectors.subscriptions import running_of
from members.api.bodies import Answer, answer, plain_text, read_query
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.formatting import UnitNames
from members.selectors.merges import current


class CreditsOut(Answer):
    """Units that come with it."""

    units: str
    wallet_type: str
    every: Literal["month", "period"]
    words: str


class PlanOut(Answer):
    code: str
    name: str
    description: str
    price: str
    currency: str
    period: Literal["month", "quarter", "year"]
    price_words: str = Field(description="As members read it.")
    trial_days: int
    offered: bool = Field(description="Members can take it now.")
    credits: CreditsOut | None
    benefits: list[BenefitOut]
    brings: list[str] = Field(description="All of it in words.")


class PlanList(Answer):
    results: list[PlanOut]


class MemberPlanOut(Answer):
    """A plan that a member has or has asked for. `in_force`: its benefits are there now."""

    membership: UUID
    program: str
    in_force: bool
    plan: PlanOut
    subscription: SubscriptionOut


class MemberPlanList(Answer):
    results: list[MemberPlanOut]


class ProgramPlans(ApiView):
    scopes = {"GET": "programs:read"}

    @extend_schema(operation_id="listPlans", responses={200: PlanList})
    def get(self, request: Request, code: str) -> HttpResponse:
        """List a program's paid plans as they are sold now, with what each brings."""
        program = program_of(code)
        units = unit_names(program.pk)
        return answer(
            PlanList(results=[plan_out(item, units) for item in current_versions(program)])
        )


class CustomerPlans(ApiView):
    scopes = {"GET": "memberships:read"}

    @extend_schema(
        operation_id="listCustomerPlans",
        parameters=query_parameters(CustomerTiersQuery),
        responses={200: MemberPlanList},
    )
    def get(self, request: Request) -> HttpResponse:
        """Read a customer's paid plans with their benefits, by the customer's reference: for the
        shop. Empty where they have none."""
        query, now = read_query(request, CustomerTiersQuery), timezone.now()
        found = []
        for membership in list_memberships(current(customer_of(query))):
            if query.program and membership.program.code != query.program:
                continue
            running = running_of(membership)
            if running is not None:
                units = unit_names(membership.program_id)
                found.append(
                    MemberPlanOut(
                        membership=membership.public_id,
                        program=membership.program.code,
                        in_force=running.in_force(now),
                        plan=plan_out(current_version(running.plan), units),
                        subscription=subscription_out(running),
                    )
                )
        return answer(MemberPlanList(results=found))


def plan_out(version: PlanVersion, units: Mapping[str, UnitNames]) -> PlanOut:
    currency = version.plan.program.currency
    return PlanOut(
        code=version.plan.code,
        name=version.name,
        description=version.description,
        price=plain_text(version.price),
        currency=currency,
        period=version.period,
        price_words=price_words(version, currency),
        trial_days=version.trial_days,
        offered=version.plan.offered,
        credits=_credits(version),
        benefits=[benefit_out(item, currency, units) for item in benefits_of_plan(version)],
        brings=what_it_brings(version, currency, units),
    )


def _credits(version: PlanVersion) -> CreditsOut | None:
    wallet_type = version.credits_wallet_type
    if version.credits is None or wallet_type is None:
        return None
    return CreditsOut(
        units=plain_text(Decimal(version.credits).scaleb(-wallet_type.scale)),
        wallet_type=wallet_type.code,
        every=version.credits_every,
        words=credit_words(version),
    )
