"""Members' paid plans: taking one, canceling, taking it up again, changing it, and its invoices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.models import Membership, Plan, PlanCharge, Subscription, Transfer
from loyalty.selectors.memberships import get_membership
from loyalty.selectors.plan_changes import preview_change
from loyalty.selectors.plan_credits import Unused
from loyalty.selectors.subscriptions import (
    get_subscription,
    of_members,
    owner_of,
)
from loyalty.services.plan_changes import change_as_offered
from loyalty.services.plan_refunds import cancel_now
from loyalty.services.subscriptions import cancel_at_period_end, change_plan, resume, subscribe
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    Query,
    answer,
    plain_text,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent, number_of
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView

Agreed = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)] | None
PlanCode = Annotated[str, Field(max_length=32, pattern=TEXT)]
SOURCE = Transfer.Source.API.value


class SubscribeIn(Body):
    plan: PlanCode = Field(description="Its code.")


class CancelIn(Body):
    at: Literal["period_end", "now"] = Field(
        "period_end", description="At the end of what is paid for, or at once."
    )
    refund: Literal["none", "pro_rata", "whole"] = Field(
        "none", description="At once: what is given back of the payment for the current period."
    )
    reason: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = Field(
        "", description="For the merchant's staff."
    )


class ChangeIn(Body):
    plan: PlanCode = Field(description="What it becomes; the plan that it is calls a change off.")
    at: Literal["renewal", "offered", "now"] = Field(
        "renewal", description="When it renews; as the other plan’s terms say: at once, if it"
        " costs more and is sold so; or now, whatever they say.",
    )  # fmt: skip
    pays_now: Agreed = Field(
        None, description="What was agreed to be paid now. If it has become another sum since,"
        " nothing is done, and the answer is 409.",
    )  # fmt: skip
    gives_back: Agreed = Field(None, description="What was agreed to be given back, likewise.")


class InvoiceOut(Answer):
    id: UUID
    number: int = Field(description="Counted in the program.")
    plan: str
    amount: str
    taken_off: str = Field(description="What was left of the plan before, and lowered the amount.")
    currency: str
    state: Literal["open", "failed", "paid", "refunded", "void"]
    period_start: dt.datetime
    period_end: dt.datetime
    issued_at: dt.datetime
    due_at: dt.datetime
    paid_at: dt.datetime | None
    attempts: int = Field(description="How often collecting it has failed.")
    next_attempt_at: dt.datetime | None
    refunded: str
    giving_back: str = Field(
        description="What a payment provider was asked to give back, and has not answered yet."
    )
    refund_failed_at: dt.datetime | None = Field(
        description="Since when it is known that a payment provider could not give `refunded` back."
    )
    refund_failure: str = Field(description="Why, as the provider’s short code.")


class SubscriptionOut(Answer):
    id: UUID
    membership: UUID
    program: str
    plan: str
    state: Literal["waiting", "trialing", "active", "past_due", "canceled", "lapsed"]
    asked_at: dt.datetime
    trial_ends_at: dt.datetime | None
    period_start: dt.datetime | None
    period_end: dt.datetime | None
    renews_at: dt.datetime | None = Field(description="When it is charged next; null: it is not.")
    benefits_from: dt.datetime | None
    benefits_until: dt.datetime | None = Field(description="Null: without an end so far.")
    cancel_at_period_end: bool
    becomes: str | None = Field(description="The plan that it is from its renewal on.")
    ended_at: dt.datetime | None
    ended_why: str | None
    provider: str
    invoices: list[InvoiceOut] = Field(description="Newest first.")


class SubscriptionPage(Page):
    results: list[SubscriptionOut]


class UnusedOut(Answer):
    wallet_type: str
    units: str


class ChangeQuery(Query):
    plan: PlanCode = Field(description="The plan that they would have instead: its code.")
    at: Literal["offered", "now"] = Field(
        "offered", description="As the other plan’s terms say, or now whatever they say."
    )


class ChangePreviewOut(Answer):
    """What another plan would mean."""

    at_once: bool = Field(description="Else when the present one renews.")
    begins: dt.datetime | None
    period_end: dt.datetime | None = Field(description="At once: until when that payment lasts.")
    pays_now: str
    taken_off: str = Field(description="What is left of the present payment, up to the price.")
    gives_back: str = Field(description="What is left of it beyond the price.")
    withdrawn: list[UnusedOut] = Field(
        description="Units of the present payment that are still there: they go once it is paid."
    )
    currency: str


class MembershipSubscriptions(ApiView):
    scopes = {"GET": "memberships:read", "POST": "memberships:write"}

    @extend_schema(
        operation_id="listSubscriptions",
        parameters=query_parameters(PageQuery),
        responses={200: SubscriptionPage},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List a member's paid plans with their invoices, newest first."""
        query = read_query(request, PageQuery)
        owner = _owner(membership_id)
        found = of_members([owner.pk]).prefetch_related("charges__version")
        page = paginate(request, found, query, ordering=["-pk"], row=subscription_out)
        return answer(SubscriptionPage(**page))

    @extend_schema(operation_id="subscribe", request=SubscribeIn, responses={201: SubscriptionOut})
    @idempotent(required=True, commits=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Give a member a paid plan: its trial begins, or it waits for the first payment."""
        body = read_body(request, SubscribeIn)
        owner = _owner(membership_id)
        found = subscribe(
            membership=owner, plan=plan_named(owner, body.plan), source=Subscription.Source.API,
            actor=self.actor, now=timezone.now(), number=number_of(self, request),
        )  # fmt: skip
        return answer(subscription_out(get_subscription(found.public_id)), HTTPStatus.CREATED)


class OneSubscription(ApiView):
    scopes = {"GET": "memberships:read"}

    @extend_schema(operation_id="getSubscription", responses={200: SubscriptionOut})
    def get(self, request: Request, subscription_id: UUID) -> HttpResponse:
        """Read a member's paid plan with its invoices."""
        return answer(subscription_out(get_subscription(subscription_id)))


class SubscriptionCancel(ApiView):
    scopes = {"POST": "memberships:write"}

    @extend_schema(
        operation_id="cancelSubscription", request=CancelIn, responses={200: SubscriptionOut}
    )
    @idempotent(required=True, commits=True)
    def post(self, request: Request, subscription_id: UUID) -> HttpResponse:
        """Cancel a paid plan. What is given back withdraws the units of that payment that are still
        there. Canceling again changes nothing."""
        body = read_body(request, CancelIn)
        found, now = get_subscription(subscription_id), timezone.now()
        if body.at == "now":
            cancel_now(
                subscription=found, refund=body.refund, actor=self.actor, source=SOURCE, now=now,
                note=body.reason,
            )  # fmt: skip
        elif body.refund != "none":
            raise refuse_field("refund", _("Only what is canceled at once is given back."))
        else:
            cancel_at_period_end(subscription=found, actor=self.actor, now=now, note=body.reason)
        return answer(subscription_out(get_subscription(subscription_id)))


class SubscriptionResume(ApiView):
    scopes = {"POST": "memberships:write"}

    @extend_schema(
        operation_id="resumeSubscription", request=None, responses={200: SubscriptionOut}
    )
    @idempotent(required=True)
    def post(self, request: Request, subscription_id: UUID) -> HttpResponse:
        """Let a paid plan renew after all that was canceled for the end of its period. Again
        changes nothing."""
        resume(subscription=get_subscription(subscription_id), actor=self.actor, now=timezone.now())
        return answer(subscription_out(get_subscription(subscription_id)))


class SubscriptionChange(ApiView):
    scopes = {"GET": "memberships:read", "POST": "memberships:write"}

    @extend_schema(
        operation_id="previewSubscriptionChange",
        parameters=query_parameters(ChangeQuery),
        responses={200: ChangePreviewOut},
    )
    def get(self, request: Request, subscription_id: UUID) -> HttpResponse:
        """Read what another plan would cost, and from when on it would be there. Nothing is done by
        it."""
        query, found = read_query(request, ChangeQuery), get_subscription(subscription_id)
        plan = plan_named(owner_of(found), query.plan)
        change = preview_change(found, plan, now=timezone.now(), when=query.at)
        return answer(
            ChangePreviewOut(
                at_once=change.at_once,
                begins=change.begins,
                period_end=change.period_end,
                pays_now=plain_text(change.pays_now),
                taken_off=plain_text(change.taken_off),
                gives_back=plain_text(change.gives_back),
                withdrawn=unused_out(change.unused),
                currency=owner_of(found).program.currency,
            )
        )

    @extend_schema(
        operation_id="changeSubscription", request=ChangeIn, responses={200: SubscriptionOut}
    )
    @idempotent(required=True, commits=True)
    def post(self, request: Request, subscription_id: UUID) -> HttpResponse:
        """Let a paid plan become another one. The answer is the subscription that goes on: at once
        that is a new one."""
        body = read_body(request, ChangeIn)
        found = get_subscription(subscription_id)
        plan = plan_named(owner_of(found), body.plan)
        if body.at == "renewal":
            went_on = change_plan(
                subscription=found, plan=plan, actor=self.actor, now=timezone.now()
            )
        else:
            went_on = change_as_offered(
                subscription=found, plan=plan, actor=self.actor, now=timezone.now(),
                pays_now=body.pays_now, gives_back=body.gives_back, when=body.at,
            )  # fmt: skip
        return answer(subscription_out(get_subscription(went_on.public_id)))


def subscription_out(found: Subscription) -> SubscriptionOut:
    owner = owner_of(found)
    return SubscriptionOut(
        id=found.public_id,
        membership=owner.public_id,
        program=owner.program.code,
        plan=found.plan.code,
        state=found.state,
        asked_at=found.asked_at,
        trial_ends_at=found.trial_ends_at,
        period_start=found.period_start,
        period_end=found.period_end,
        renews_at=found.renews_at,
        benefits_from=found.benefits_from,
        benefits_until=found.benefits_until,
        cancel_at_period_end=found.cancel_at_period_end,
        becomes=found.next_plan.code if found.next_plan else None,
        ended_at=found.ended_at,
        ended_why=found.ended_why or None,
        provider=found.provider,
        invoices=[invoice_out(charge) for charge in found.charges.all()],
    )


def invoice_out(charge: PlanCharge) -> InvoiceOut:
    return InvoiceOut(
        id=charge.public_id,
        number=charge.invoice_number,
        plan=charge.version.name,
        amount=plain_text(charge.amount),
        taken_off=plain_text(charge.taken_off),
        currency=charge.currency,
        state=charge.state,
        period_start=charge.period_start,
        period_end=charge.period_end,
        issued_at=charge.issued_at,
        due_at=charge.due_at,
        paid_at=charge.paid_at,
        attempts=charge.attempts,
        next_attempt_at=charge.next_attempt_at,
        refunded=plain_text(charge.refunded),
        giving_back=plain_text(charge.giving_back),
        refund_failed_at=charge.refund_failed_at,
        refund_failure=charge.refund_failure,
    )


def unused_out(unused: Iterable[Unused]) -> list[UnusedOut]:
    return [
        UnusedOut(wallet_type=item.wallet_type.code, units=plain_text(item.whole))
        for item in unused
    ]


def _owner(membership_id: UUID) -> Membership:
    """The one that counts, where it was merged."""
    found = get_membership(membership_id)
    return found.merged_into or found


def plan_named(membership: Membership, code: str) -> Plan:
    """One of the program's, named in a body."""
    found = Plan.objects.filter(program=membership.program_id, code=code, ended_at=None).first()
    if found is None:
        raise refuse_field("plan", _("There is no such plan."), "not_found")
    return found
