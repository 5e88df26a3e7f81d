"""/me/memberships/{id}/rules: what always earns something."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.own_memberships import own_membership
from loyalty.selectors.ways_to_earn import standing_rules
from members.api.bodies import Answer, answer
from members.api.member_views import MEMBER, MemberView


class OwnRuleOut(Answer):
    name: str
    sentences: list[str] = Field(description="What it says, in the member's language.")
    ends_at: dt.datetime | None = Field(description="Null: it has no end.")


class OwnRuleList(Answer):
    results: list[OwnRuleOut]


class OwnRules(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnRules", responses={200: OwnRuleList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Say in words what always earns something. What is on for a while is in campaigns,
        challenges and offers."""
        member = own_membership(self, membership_id)
        found = standing_rules(member, timezone.now())
        return answer(
            OwnRuleList(
                results=[
                    OwnRuleOut(
                        name=rule.name, sentences=[str(item) for item in rule.sentences],
                        ends_at=rule.ends_at,
                    )
                    for rule in found
                ]
            )
        )  # fmt: skip
