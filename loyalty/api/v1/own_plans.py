"""/me/memberships/…/plan: the paid plan that a member has or could have, by their own token."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.own_memberships import own_membership
from loyalty.api.v1.plans import PlanOut, plan_out
from loyalty.api.v1.subscriptions import (
    PlanCode,
    SubscribeIn,
    SubscriptionOut,
    UnusedOut,
    plan_named,
    subscription_out,
    unused_out,
)
from loyalty.models import Membership, Program, Subscription
from loyalty.plan_words import change_words
from loyalty.selectors.member_tiers import unit_names
from loyalty.selectors.plan_changes import preview_change
from loyalty.selectors.plans import current_versions
from loyalty.selectors.subscriptions import get_subscription, running_of
from loyalty.services.plan_changes import change_as_offered
from loyalty.services.subscriptions import cancel_at_period_end, resume, subscribe
from members.api.bodies import Answer, Body, Query, answer, plain_text, read_body, read_query
from members.api.idempotency import idempotent, number_of
from members.api.member_views import MEMBER, MemberView
from members.api.schema import query_parameters
from members.errors import NotFoundError


class OwnPlanOut(Answer):
    """The plan that the member has, or has asked for, and what is offered."""

    subscription: SubscriptionOut | None
    in_force: bool = Field(description="Its benefits are there now.")
    offered: list[PlanOut]


class PlanChangeQuery(Query):
    plan: PlanCode = Field(description="The plan that they would have instead: its code.")


class PlanChangeIn(Body):
    plan: PlanCode = Field(
        description="What they want instead; the plan that they have calls a change off."
    )
    pays_now: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)] | None = Field(
        None, description="What the member has agreed to pay now. If it has become another sum"
        " since, nothing is done, and the answer is 409.",
    )  # fmt: skip


class PlanChangeOut(Answer):
    """What another plan would mean."""

    plan: PlanOut
    at_once: bool = Field(description="Else when the present one renews.")
    begins: dt.datetime | None
    period_end: dt.datetime | None = Field(description="At once: until when that payment lasts.")
    pays_now: str
    taken_off: str = Field(description="What is left of the present payment.")
    withdrawn: list[UnusedOut] = Field(
        description="Units of the present payment that are still there: they go once it is paid."
    )
    currency: str
    words: list[str] = Field(description="As members read it.")


class OwnPlan(MemberView):
    scopes = {"GET": MEMBER, "POST": MEMBER}

    @extend_schema(operation_id="getOwnPlan", responses={200: OwnPlanOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read the paid plan that the member has with its invoices, and which are offered."""
        member = own_membership(self, membership_id)
        found, units = running_of(member), unit_names(member.program_id)
        live = member.program.status == Program.Status.LIVE
        open_to = live and member.status == Membership.Status.ACTIVE
        versions = current_versions(member.program) if open_to else []
        return answer(
            OwnPlanOut(
                subscription=subscription_out(found) if found else None,
                in_force=found is not None and found.in_force(timezone.now()),
                offered=[plan_out(item, units) for item in versions if item.plan.offered],
            )
        )

    @extend_schema(operation_id="takePlan", request=SubscribeIn, responses={201: SubscriptionOut})
    @idempotent(required=True, commits=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Take a paid plan: its trial begins, or it waits for the first payment."""
        member, body = own_membership(self, membership_id), read_body(request, SubscribeIn)
        found = subscribe(
            membership=member, plan=plan_named(member, body.plan),
            source=Subscription.Source.ACCOUNT, actor=self.actor, now=timezone.now(),
            number=number_of(self, request),
        )  # fmt: skip
        return answer(_out(found), HTTPStatus.CREATED)


class OwnPlanChange(MemberView):
    scopes = {"GET": MEMBER, "POST": MEMBER}

    @extend_schema(
        operation_id="previewPlanChange",
        parameters=query_parameters(PlanChangeQuery),
        responses={200: PlanChangeOut},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read what another plan would cost now, and from when on it would be there."""
        member, query = own_membership(self, membership_id), read_query(request, PlanChangeQuery)
        found, program = _running(member), member.program
        change = preview_change(found, plan_named(member, query.plan), now=timezone.now())
        return answer(
            PlanChangeOut(
                plan=plan_out(change.version, unit_names(program.pk)),
                at_once=change.at_once,
                begins=change.begins,
                period_end=change.period_end,
                pays_now=plain_text(change.pays_now),
                taken_off=plain_text(change.taken_off),
                withdrawn=unused_out(change.unused),
                currency=program.currency,
                words=list(change_words(found, change, program.currency, program.zone)),
            )
        )

    @extend_schema(
        operation_id="changeOwnPlan", request=PlanChangeIn, responses={200: SubscriptionOut}
    )
    @idempotent(required=True, commits=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Change to another plan, at once or at the renewal as its terms say. The answer is the
        subscription that goes on."""
        member, body = own_membership(self, membership_id), read_body(request, PlanChangeIn)
        found = change_as_offered(
            subscription=_running(member), plan=plan_named(member, body.plan), actor=self.actor,
            now=timezone.now(), pays_now=body.pays_now,
        )  # fmt: skip
        return answer(_out(found))


class OwnPlanCancel(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="cancelOwnPlan", request=None, responses={200: SubscriptionOut})
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Let the plan end with its period; what is paid for lasts. Again changes nothing."""
        found = _running(own_membership(self, membership_id))
        return answer(
            _out(cancel_at_period_end(subscription=found, actor=self.actor, now=timezone.now()))
        )


class OwnPlanResume(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="resumeOwnPlan", request=None, responses={200: SubscriptionOut})
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Let it renew after all. Again changes nothing."""
        found = _running(own_membership(self, membership_id))
        return answer(_out(resume(subscription=found, actor=self.actor, now=timezone.now())))


def _running(member: Membership) -> Subscription:
    found = running_of(member)
    if found is None:
        raise NotFoundError("This member has no paid plan.")
    return found


def _out(found: Subscription) -> SubscriptionOut:
    return subscription_out(get_subscription(found.public_id))
