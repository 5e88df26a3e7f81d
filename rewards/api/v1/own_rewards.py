"""/me/memberships/{id}/rewards, /goal and /quote: what a member finds, takes and saves for."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.own_memberships import own_membership
from loyalty.api.v1.transfers import ledger_key
from loyalty.models import Membership, Transfer
from loyalty.services.usable_units import spendable_units
from members.api.bodies import (
    Answer,
    Body,
    PublicId,
    answer,
    money_text,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.api.pagination import Page, PageQuery, paginate_list
from members.api.schema import query_parameters
from members.errors import NotFoundError
from members.formatting import format_units
from members.languages import locale_of
from rewards.addresses import Address
from rewards.api.v1.checkout_quotes import CartQuoteOut, cart_quote_out
from rewards.api.v1.checkouts import basket_of
from rewards.api.v1.own_vouchers import OwnRedemptionOut, own_redemption_out
from rewards.api.v1.rewards import OfferOut, offer_out
from rewards.api.v1.vouchers import BasketIn
from rewards.models import Reward, RewardGoal
from rewards.selectors.redemptions import get_redemption
from rewards.selectors.rewards import offered
from rewards.services.checkout_quotes import quote_cart
from rewards.services.eligibility import Offer, offers_for
from rewards.services.redemptions import take_reward
from rewards.services.wishes import choose_goal, drop_goal
from rewards.texts import told
from rewards.words import conditions_of, gives, icon_of

State = Literal["ready", "near", "locked"]


class OwnRewardOut(Answer):
    """A reward as its member finds it, in the language that they have chosen."""

    id: UUID
    code: str
    kind: Reward.Kind
    name: str
    summary: str
    details: str
    icon: str
    picture: str | None
    gives: str = Field(description="What it is, in a few words.")
    conditions: list[str] = Field(description="What applies to it, sentence by sentence.")
    worth: str
    wallet_type: str
    decimals: int
    price_words: str = Field(description="The price in `offer` with the units' name.")
    state: State = Field(
        description="Can be taken now; is near: only units are missing; or not for them (yet)."
    )
    share: int = Field(description="How much of its price the member has, in percent.")
    missing_words: str = Field(description="What is missing, with the units' name; or empty.")
    is_goal: bool = Field(description="The member saves for it.")
    sent: bool = Field(description="It is sent: take it with an address.")
    offer: OfferOut


class OwnRewardPage(Page):
    results: list[OwnRewardOut]


class TakeIn(Body):
    address: Address | None = Field(
        None, description="Where it goes to, if it is sent; without it, it waits for its address."
    )


class RewardGoalIn(Body):
    reward: PublicId


class OwnGoalOut(Answer):
    reward: OwnRewardOut | None = Field(description="Null: the member saves for nothing.")


class OwnCartIn(Body):
    order: BasketIn = Field(description="What is bought, as an order says it; without a customer.")
    with_discounts: bool = Field(
        True, description="False: the prices have the program's discounts already."
    )


class OwnRewards(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(
        operation_id="listOwnRewards",
        parameters=query_parameters(PageQuery),
        responses={200: OwnRewardPage},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List the rewards of the shelf as the member finds them, in the catalog's order."""
        member, query = own_membership(self, membership_id), read_query(request, PageQuery)
        shelf = list(offered(member.program).order_by("position", "pk"))
        page = paginate_list(
            request, shelf, query, place=lambda item: [item.position, item.pk], row=lambda x: x
        )
        page["results"] = _found(page["results"], member, request)
        return answer(OwnRewardPage(**page))


class OwnReward(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnReward", responses={200: OwnRewardOut})
    def get(self, request: Request, membership_id: UUID, reward_id: UUID) -> HttpResponse:
        """Read a reward as the member finds it."""
        member = own_membership(self, membership_id)
        return answer(_found([_offered(member, reward_id)], member, request)[0])


class OwnRewardTaking(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="takeOwnReward", request=TakeIn, responses={201: OwnRedemptionOut})
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID, reward_id: UUID) -> HttpResponse:
        """Take a reward. What is against it is said with 409 and its code."""
        member, body = own_membership(self, membership_id), read_body(request, TakeIn)
        taken, _replayed = take_reward(
            membership=member, reward=_offered(member, reward_id), key=ledger_key(self, request),
            source=Transfer.Source.ACCOUNT.value, actor=self.actor, now=timezone.now(),
            address=body.address,
        )  # fmt: skip
        shown = own_redemption_out(get_redemption(taken.public_id), timezone.now())
        return answer(shown, HTTPStatus.CREATED)


class OwnGoal(MemberView):
    scopes = {"GET": MEMBER, "PUT": MEMBER, "DELETE": MEMBER}

    @extend_schema(operation_id="getOwnGoal", responses={200: OwnGoalOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read what the member saves for."""
        return answer(_goal(own_membership(self, membership_id), request))

    @extend_schema(operation_id="setOwnGoal", request=RewardGoalIn, responses={200: OwnGoalOut})
    def put(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Save for a reward from now on, in place of another."""
        member, body = own_membership(self, membership_id), read_body(request, RewardGoalIn)
        reward = offered(member.program).filter(public_id=body.reward).first()
        if reward is None:
            raise refuse_field("reward", _("There is no such reward."), "not_found")
        choose_goal(membership=member, reward=reward, actor=self.actor, now=timezone.now())
        return answer(_goal(member, request))

    @extend_schema(operation_id="dropOwnGoal", responses={200: OwnGoalOut})
    def delete(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Save for nothing in particular any more."""
        member = own_membership(self, membership_id)
        drop_goal(membership=member, actor=self.actor)
        return answer(_goal(member, request))


class OwnCartQuote(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="quoteOwnCart", request=OwnCartIn, responses={200: CartQuoteOut})
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Say what a basket costs and earns, what could pay for it, and which rewards fit. Nothing
        is kept."""
        member, body = own_membership(self, membership_id), read_body(request, OwnCartIn)
        now = timezone.now()
        found = quote_cart(
            basket_of(body.order, now), member, now=now, with_discounts=body.with_discounts
        )
        return answer(cart_quote_out(found, member, now))


def _offered(member: Membership, reward_id: UUID) -> Reward:
    found = offered(member.program).filter(public_id=reward_id).first()
    if found is None:
        raise NotFoundError("The program offers no such reward.")
    return found


def _goal(member: Membership, request: Request) -> OwnGoalOut:
    goals = RewardGoal.objects.filter(membership=member).values("reward")
    found = _found(list(offered(member.program).filter(pk__in=goals)), member, request)
    return OwnGoalOut(reward=found[0] if found else None)


def _found(shelf: Sequence[Reward], member: Membership, request: Request) -> list[OwnRewardOut]:
    now = timezone.now()
    held = spendable_units([member.pk], now).get(member.pk, {})
    goal = RewardGoal.objects.filter(membership=member).values_list("reward", flat=True).first()
    return [
        _reward(offer, held.get(offer.reward.wallet_type_id, 0), member, goal, request)
        for offer in offers_for(shelf, member, now)
    ]


def _reward(
    offer: Offer, held: int, member: Membership, goal: int | None, request: Request
) -> OwnRewardOut:
    reward, unit = offer.reward, offer.reward.wallet_type
    missing = max(offer.price - held, 0)
    said = told(reward, locale_of(member.customer))
    return OwnRewardOut(
        id=reward.public_id,
        code=reward.code,
        kind=Reward.Kind(reward.kind),
        name=said.name,
        summary=said.summary,
        details=said.details,
        icon=icon_of(reward),
        picture=request.build_absolute_uri(reward.picture.url) if reward.picture else None,
        gives=gives(reward),
        conditions=list(conditions_of(reward, for_members=True)),
        worth=money_text(reward.worth),
        wallet_type=unit.code,
        decimals=unit.scale,
        price_words=format_units(offer.price, unit) if offer.price else _("Free"),
        state="locked" if offer.refusals else "near" if missing else "ready",
        share=min(int(100 * max(held, 0) / offer.price), 100) if offer.price else 100,
        missing_words=format_units(missing, unit) if missing else "",
        is_goal=reward.pk == goal,
        sent=reward.sent,
        offer=offer_out(offer, held),
    )
