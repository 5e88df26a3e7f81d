"""/reward-gifts: rewards that members are given."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.pools import member_named
from loyalty.api.v1.transfers import ledger_key
from loyalty.models import Transfer
from members.api.bodies import Body, PublicId, answer, read_body, refuse_field
from members.api.idempotency import idempotent
from members.api.views import ApiView
from rewards.api.v1.redemptions import RedemptionOut, redemption_out
from rewards.models import Redemption
from rewards.selectors.redemptions import get_redemption
from rewards.selectors.rewards import rewards
from rewards.services.gifts import give_reward


class RewardGiftIn(Body):
    """A reward that a member is given."""

    reward: PublicId
    membership: PublicId
    message: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = Field(
        "", description="What the member reads beside it."
    )


class RewardGifts(ApiView):
    scopes = {"POST": "transfers:write"}

    @extend_schema(operation_id="giveReward", request=RewardGiftIn, responses={201: RedemptionOut})
    @idempotent(required=True)
    def post(self, request: Request) -> HttpResponse:
        """Give a member a live reward for nothing; its conditions and limits do not count. Refused
        with 409: program_not_live, not_active, customer_erased, not_offered, sold_out."""
        body = read_body(request, RewardGiftIn)
        reward = rewards().filter(public_id=body.reward).first()
        if reward is None:
            raise refuse_field("reward", _("There is no such reward."), "not_found")
        given, _replayed = give_reward(
            membership=member_named(body.membership, "membership"), reward=reward,
            gift=Redemption.Gift.STAFF.value, message=body.message,
            key=ledger_key(self, request), source=Transfer.Source.API.value, actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return answer(redemption_out(get_redemption(given.public_id)), HTTPStatus.CREATED)
