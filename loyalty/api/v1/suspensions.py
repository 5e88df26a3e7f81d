"""Suspending a member of a program, lifting that again, and having one leave who has said so."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.memberships import MembershipOut, membership_out
from loyalty.selectors.memberships import get_membership
from loyalty.services.leaving import leave_program
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.api.bodies import Body, Reason, answer, read_body
from members.api.idempotency import idempotent
from members.api.views import ApiView


class WhyIn(Body):
    reason: Reason = Field(description="For the merchant's staff.")


class MembershipSuspension(ApiView):
    scopes = {"POST": "memberships:write"}

    @extend_schema(operation_id="suspendMembership", request=WhyIn, responses={200: MembershipOut})
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Suspend a member: what they buy earns nothing and they take no rewards. What they hold
        stays. Again changes nothing."""
        body = read_body(request, WhyIn)
        found = suspend_membership(
            membership=get_membership(membership_id), reason=body.reason, actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return answer(membership_out(get_membership(found.public_id)))


class MembershipResumption(ApiView):
    scopes = {"POST": "memberships:write"}

    @extend_schema(operation_id="resumeMembership", request=WhyIn, responses={200: MembershipOut})
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Let a suspended member take part again. Again changes nothing."""
        body = read_body(request, WhyIn)
        found = resume_membership(
            membership=get_membership(membership_id), reason=body.reason, actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return answer(membership_out(get_membership(found.public_id)))


class MembershipLeaving(ApiView):
    scopes = {"POST": "memberships:write"}

    @extend_schema(operation_id="leaveMembership", request=WhyIn, responses={200: MembershipOut})
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Have a member leave who has said so: they earn nothing and take no rewards. What they
        hold stays until it expires, and is there again if they come back. Again changes nothing.
        Who shares a pool leaves that first (409 `in_a_pool`), who is suspended cannot leave
        (409 `not_active`)."""
        body = read_body(request, WhyIn)
        found = leave_program(
            membership=get_membership(membership_id), reason=body.reason, actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return answer(membership_out(get_membership(found.public_id)))
