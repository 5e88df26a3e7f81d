"""/rewards: what members may take, and what one of them finds there."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.pools import member_named
from loyalty.models import Membership
from loyalty.services.usable_units import spendable_units
from members.api.bodies import (
    Answer,
    PublicId,
    Query,
    answer,
    money_text,
    plain_text,
    read_query,
)
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from rewards.models import Reward
from rewards.selectors.prizes import odds_of
from rewards.selectors.rewards import get_reward, rewards
from rewards.services.eligibility import Offer, offers_for


class RefusalOut(Answer):
    """Why a member cannot take it now."""

    code: str = Field(description="Stable: not_yet, over, sold_out, limit_reached, not_for_you, …")
    message: str


class OfferOut(Answer):
    """A reward as one member finds it."""

    price: Units = Field(description="What it takes of them now.")
    can_take: bool = Field(description="Whether they may, and have enough.")
    missing: Units = Field(description="How many units they lack; 0: none.")
    refusals: list[RefusalOut]


class OddsOut(Answer):
    """Something that may be drawn out of a mystery gift."""

    reward: UUID
    name: str
    chance: float


class TextOut(Answer):
    """A reward in one language; what is empty is as in the first one."""

    name: str = ""
    summary: str = ""
    details: str = ""


class RewardOut(Answer):
    id: UUID
    program: str
    code: str
    kind: Reward.Kind
    status: Reward.Status
    name: str
    summary: str
    details: str
    texts: dict[str, TextOut] = Field(description="In further languages, by their codes.")
    picture: str | None = Field(description="Where its picture is; another one is elsewhere.")
    wallet_type: str
    decimals: int
    price: Units
    tier_prices: dict[str, Units] = Field(description="By the tier's code.")
    amount: str | None
    charity: UUID | None = Field(description="Of a donation: whom it is given to.")
    things: str | None = Field(
        description="Of a donation: so many of the charity's things. Null, as `amount` too: what"
        " its units are worth there."
    )
    percent: str | None
    most: str | None
    skus: list[str]
    categories: list[str]
    least: str | None
    worth: str
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    window: str | None = Field(
        description="Code of the sale that it comes with, as `GET /access/windows` lists it."
    )
    left: int | None = Field(description="How many can still be taken. Null: as many as wanted.")
    on_shelf: bool = Field(description="Members may take it; else it is only given to them.")
    per_member: int | None
    per_period: Reward.Period
    valid_days: int | None
    combines: bool = Field(description="It goes together with others in one cart.")
    stacking_group: str = Field(description="Of one group only one goes into a cart.")
    applies: int = Field(description="Smaller ones take their part off a cart first.")
    odds: list[OddsOut] = Field(
        description="Of a mystery gift: what can be drawn now, and how likely; they add up to 1."
    )
    offer: OfferOut | None = Field(description="With `membership`: as that member finds it.")


class RewardPage(Page):
    results: list[RewardOut]


class RewardQuery(PageQuery):
    program: str = Field("", max_length=64, description="Only those of the program with this code.")
    status: Reward.Status | None = Field(None, description="By default live ones.")
    membership: PublicId | None = Field(
        None, description="As this member finds them; only those of their program."
    )


class OneRewardQuery(Query):
    membership: PublicId | None = Field(None, description="As this member finds it.")


class Rewards(ApiView):
    scopes = {"GET": "rewards:read"}

    @extend_schema(
        operation_id="listRewards",
        parameters=query_parameters(RewardQuery),
        responses={200: RewardPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List rewards in the order of the catalog."""
        query = read_query(request, RewardQuery)
        found = rewards().filter(status=query.status or Reward.Status.LIVE)
        if query.program:
            found = found.filter(program__code=query.program.replace("\x00", "\n"))
        member = member_named(query.membership, "membership") if query.membership else None
        if member is not None:
            found = found.filter(program=member.program_id)
        page = paginate(
            request, found, query, ordering=["program_id", "position", "pk"], row=lambda item: item
        )
        offers = _offers(page["results"], member)
        page["results"] = [
            reward_out(item, request, offers.get(item.pk)) for item in page["results"]
        ]
        return answer(RewardPage(**page))


class OneReward(ApiView):
    scopes = {"GET": "rewards:read"}

    @extend_schema(
        operation_id="getReward",
        parameters=query_parameters(OneRewardQuery),
        responses={200: RewardOut},
    )
    def get(self, request: Request, reward_id: UUID) -> HttpResponse:
        """Read a reward."""
        query = read_query(request, OneRewardQuery)
        reward = get_reward(reward_id)
        member = member_named(query.membership, "membership") if query.membership else None
        return answer(reward_out(reward, request, _offers([reward], member).get(reward.pk)))


def reward_out(reward: Reward, request: Request, offer: OfferOut | None) -> RewardOut:
    scale = reward.wallet_type.scale
    same = (
        "code", "kind", "status", "name", "summary", "details", "skus", "categories", "starts_at",
        "ends_at", "left", "on_shelf", "per_member", "per_period", "valid_days", "combines",
        "stacking_group", "applies",
    )  # fmt: skip
    money = {name: getattr(reward, name) for name in ("amount", "most", "least")}
    return RewardOut(
        id=reward.public_id,
        program=reward.program.code,
        texts={code: TextOut(**text) for code, text in reward.texts.items()},
        picture=request.build_absolute_uri(reward.picture.url) if reward.picture else None,
        odds=[
            OddsOut(reward=prize.public_id, name=prize.name, chance=weight / total)
            for prize, weight, total in odds_of(reward)
        ],
        wallet_type=reward.wallet_type.code,
        decimals=scale,
        price=units_text(reward.price, scale),
        tier_prices={item.tier: units_text(item.price, scale) for item in reward.tier_prices.all()},
        window=reward.window.code if reward.window else None,
        charity=reward.charity.public_id if reward.charity else None,
        things=None if reward.things is None else plain_text(reward.things),
        percent=None if reward.percent is None else plain_text(reward.percent),
        worth=money_text(reward.worth),
        offer=offer,
        **{name: None if value is None else money_text(value) for name, value in money.items()},
        **{name: getattr(reward, name) for name in same},
    )


def _offers(found: list[Reward], member: Membership | None) -> dict[int, OfferOut]:
    """By reward; nothing where no member is named."""
    if member is None:
        return {}
    now = timezone.now()
    own = [reward for reward in found if reward.program_id == member.program_id]
    spendable = spendable_units([member.pk], now).get(member.pk, {})
    return {
        offer.reward.pk: offer_out(offer, spendable.get(offer.reward.wallet_type_id, 0))
        for offer in offers_for(own, member, now)
    }


def offer_out(offer: Offer, spendable: int) -> OfferOut:
    scale, missing = offer.reward.wallet_type.scale, max(offer.price - spendable, 0)
    return OfferOut(
        price=units_text(offer.price, scale),
        can_take=not offer.refusals and not missing,
        missing=units_text(missing, scale),
        refusals=[RefusalOut(code=item.code, message=item.words) for item in offer.refusals],
    )
