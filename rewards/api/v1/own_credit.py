"""/me/memberships/{id}/credit, /parcels and rewards that are taken by themselves."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, parse_units, units_text
from loyalty.api.v1.own_memberships import own_membership
from loyalty.api.v1.transfers import ledger_key
from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Transfer, Wallet
from loyalty.services.stored_value import money_of
from members.api.bodies import TEXT, Answer, Body, answer, money_text, read_body
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.errors import NotFoundError
from rewards.addresses import Address, kept_address
from rewards.api.v1.fulfillment import AddressIn
from rewards.api.v1.gift_cards import State, card_values
from rewards.models import AutoTake, FulfillmentTask, GiftCard, Reward
from rewards.selectors.fulfillment import sent_to
from rewards.selectors.gift_cards import balances_of, bought_by
from rewards.selectors.parcels import TOLD, is_surprise
from rewards.selectors.rewards import offered
from rewards.services.fulfillment import set_address
from rewards.services.gift_card_money import move_to_credit
from rewards.services.gift_cards import code_of, find_gift_card
from rewards.services.guesses import MOST_OF_A_PERSON
from rewards.services.wishes import end_auto_take, set_auto_take

MOST = 50


class OwnGiftCardOut(Answer):
    """A gift card that the customer bought or took."""

    id: UUID
    state: State
    last_four: str
    amount: str
    balance: str
    code: str = Field(description="Until somebody has used it; then empty.")
    recipient_name: str
    created_at: dt.datetime


class OwnCreditBalanceOut(Answer):
    currency: str
    credit: str = Field(description="Store credit that can be spent now.")


class OwnCreditOut(OwnCreditBalanceOut):
    gift_cards: list[OwnGiftCardOut] = Field(description="The newest 50.")


class GiftCardCodeIn(Body):
    code: Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)] = Field(
        description="Of a gift card; capitals and hyphens do not matter."
    )


class OwnParcelOut(Answer):
    """Something that is sent to the member."""

    id: UUID
    what: str = Field(description="Empty while it is a surprise.")
    status: FulfillmentTask.Status
    address: Address | None
    carrier: str
    tracking_number: str
    due_at: dt.datetime | None
    sent_at: dt.datetime | None


class OwnParcelList(Answer):
    results: list[OwnParcelOut]


class AutoTakeIn(Body):
    balance: Annotated[str, Field(max_length=20, pattern=r"^([0-9]{1,12}(\.[0-9]{1,4})?)?$")] = (
        Field("", description="It is taken at this balance; empty: at its price.")
    )


class OwnAutoTakeOut(Answer):
    reward: UUID
    decimals: int
    balance: Units | None = Field(description="Null: it is not taken by itself.")


class OwnCredit(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnCredit", responses={200: OwnCreditOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read the store credit, and the gift cards that the customer bought or took. How credit
        came and went is in the movements."""
        member = own_membership(self, membership_id)
        return answer(_credit(self, member))


class OwnCreditAdding(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(
        operation_id="addGiftCard", request=GiftCardCodeIn,
        responses={200: OwnCreditBalanceOut},
    )  # fmt: skip
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Put what is on a gift card to one's own credit. Whoever tries too many codes has to
        wait (429)."""
        member, body = own_membership(self, membership_id), read_body(request, GiftCardCodeIn)
        _wallet(member)
        card = find_gift_card(body.code, (f"customer:{self.customer.pk}", MOST_OF_A_PERSON))
        move_to_credit(
            card=card, membership=member, key=ledger_key(self, request),
            source=Transfer.Source.ACCOUNT.value, actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        # Without the codes of cards, since answers to such a request are kept for a while.
        return answer(_balance(member))


class OwnParcels(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnParcels", responses={200: OwnParcelList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List what is sent to the member, newest first, the last 50."""
        member = own_membership(self, membership_id)
        found = sent_to([member]).filter(TOLD).exclude(status="canceled")
        rows = found.order_by("-created_at", "-pk")[:MOST]
        return answer(OwnParcelList(results=[_parcel(item) for item in rows]))


class OwnParcelAddress(MemberView):
    scopes = {"PUT": MEMBER}

    @extend_schema(
        operation_id="setOwnParcelAddress", request=AddressIn, responses={200: OwnParcelOut}
    )
    def put(self, request: Request, membership_id: UUID, parcel_id: UUID) -> HttpResponse:
        """Say where it goes to, until it is packed; later that is refused with 409."""
        member, body = own_membership(self, membership_id), read_body(request, AddressIn)
        found = sent_to([member]).filter(TOLD, public_id=parcel_id).first()
        if found is None:
            raise NotFoundError("Nothing like this is on its way to this customer.")
        set_address(task=found, address=body, actor=self.actor, now=timezone.now())
        return answer(_parcel(sent_to([member]).get(pk=found.pk)))


class OwnAutoTake(MemberView):
    scopes = {"GET": MEMBER, "PUT": MEMBER, "DELETE": MEMBER}

    @extend_schema(operation_id="getOwnAutoTake", responses={200: OwnAutoTakeOut})
    def get(self, request: Request, membership_id: UUID, reward_id: UUID) -> HttpResponse:
        """Read whether the reward is taken by itself."""
        member = own_membership(self, membership_id)
        return answer(_auto(member, _reward(member, reward_id)))

    @extend_schema(
        operation_id="setOwnAutoTake", request=AutoTakeIn, responses={200: OwnAutoTakeOut}
    )
    def put(self, request: Request, membership_id: UUID, reward_id: UUID) -> HttpResponse:
        """Have the reward taken whenever there is enough."""
        member, body = own_membership(self, membership_id), read_body(request, AutoTakeIn)
        reward = _reward(member, reward_id)
        balance = parse_units(body.balance, reward.wallet_type, "balance") if body.balance else None
        set_auto_take(
            membership=member, reward=reward, balance=balance, actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return answer(_auto(member, reward))

    @extend_schema(operation_id="endOwnAutoTake", responses={200: OwnAutoTakeOut})
    def delete(self, request: Request, membership_id: UUID, reward_id: UUID) -> HttpResponse:
        """Take it by hand again."""
        member = own_membership(self, membership_id)
        reward = _reward(member, reward_id)
        end_auto_take(membership=member, reward=reward, actor=self.actor)
        return answer(_auto(member, reward))


def _credit(view: MemberView, member: Membership) -> OwnCreditOut:
    now, known = timezone.now(), _balance(member)
    cards = list(bought_by(view.customer).filter(program=member.program_id)[:MOST])
    balances = balances_of(cards, now)
    return OwnCreditOut(
        currency=known.currency,
        credit=known.credit,
        gift_cards=[_card(card, card_values(card, balances[card.pk], now)) for card in cards],
    )


def _balance(member: Membership) -> OwnCreditBalanceOut:
    wallet = _wallet(member)
    spendable = holdings([wallet], timezone.now())[wallet.pk].spendable
    return OwnCreditBalanceOut(
        currency=member.program.currency,
        credit=money_text(money_of(spendable, wallet.wallet_type)),
    )


def _card(card: GiftCard, values: dict[str, object]) -> OwnGiftCardOut:
    own = OwnGiftCardOut.model_fields.keys() - {"code"}
    return OwnGiftCardOut.model_validate(
        {name: values[name] for name in own} | {"code": code_of(card)}
    )


def _wallet(member: Membership) -> Wallet:
    """Raises NotFoundError where the program has no store credit."""
    found = Wallet.objects.select_related("wallet_type__program").filter(
        account=member.account_id, wallet_type__stored_value=True
    )
    wallet = found.first()
    if wallet is None:
        raise NotFoundError("The program has no store credit.")
    return wallet


def _parcel(task: FulfillmentTask) -> OwnParcelOut:
    same = ("status", "carrier", "tracking_number", "due_at", "sent_at")
    return OwnParcelOut(
        id=task.public_id, what="" if is_surprise(task) else task.what,
        address=kept_address(task.address), **{name: getattr(task, name) for name in same},
    )  # fmt: skip


def _reward(member: Membership, reward_id: UUID) -> Reward:
    found = offered(member.program).filter(public_id=reward_id).first()
    if found is None:
        raise NotFoundError("The program offers no such reward.")
    return found


def _auto(member: Membership, reward: Reward) -> OwnAutoTakeOut:
    known = AutoTake.objects.filter(membership=member, reward=reward).first()
    scale = reward.wallet_type.scale
    return OwnAutoTakeOut(
        reward=reward.public_id, decimals=scale,
        balance=units_text(known.balance, scale) if known else None,
    )  # fmt: skip
