"""/till: who stands there, and what was sold; also what a till that was offline sends later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from drf_spectacular.utils import extend_schema
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from rest_framework.request import Request

from loyalty.api.v1.awards import AwardOut, awards_of
from loyalty.api.v1.codes import PromoCodeOut, codes_out
from loyalty.api.v1.order_bodies import OrderFacts, PositiveMoney, Source, order_input
from loyalty.api.v1.partner_access import partner_asking
from loyalty.models import Membership, Order
from loyalty.selectors.code_answers import code_answers_of
from loyalty.selectors.partners import AtPartner
from loyalty.services.order_inputs import CustomerRef, OrderInput
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    ExternalId,
    PublicId,
    answer,
    read_body,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.views import ApiView
from members.errors import DomainError, NotFoundError
from members.services.audit import Actor
from rewards.api.v1.till_members import TillMembers, members_out
from rewards.selectors.rewards import rewards
from rewards.selectors.till import members_at_till
from rewards.services.till_rewards import TakenAtTill
from rewards.services.till_sales import (
    Problem,
    RecordedSale,
    TillSale,
    UsedVoucher,
    lock_sales,
    record_sale,
    replay_sale,
)
from rewards.services.vouchers import find_voucher
from rewards.till_receipts import receipt_lines

SEVERAL = _l("Several people are found by this. Ask who it is, and name them by something else.")
Shown = Annotated[str, Field(max_length=128, pattern=TEXT)]


class Person(Body):
    """Who stands at the till: one of these, whole."""

    scanned: Shown = Field(
        "", description="What a scanner read: a card, a customer's number, or a voucher."
    )
    phone: Shown = Field("", description="As it is dialed here, or with + and country.")
    email: Shown = ""

    @model_validator(mode="after")
    def exactly_one(self) -> Self:
        if sum(map(bool, (self.scanned, self.phone, self.email))) != 1:
            message = str(_("Give scanned, phone or email, and one only."))
            raise PydanticCustomError("one_of", message)
        return self

    def members(self) -> list[Membership]:
        return members_at_till(scanned=self.scanned, phone=self.phone, email=self.email)


class SaleVoucher(Body):
    code: Shown
    amount: PositiveMoney | None = Field(None, description="What the till took off for it.")


class SaleReward(Body):
    id: PublicId = Field(description="The reward, as /till/people names it.")
    amount: PositiveMoney | None = Field(None, description="What the till took off for it.")


class SaleIn(OrderFacts):
    """A sale: an order whose source is the till, with the till's own number for it."""

    id: ExternalId = Field(description="Made by the till; all that is told of it is told once.")
    member: Person | None = Field(None, description="Without one nobody earns.")
    vouchers: tuple[SaleVoucher, ...] = Field((), max_length=20)
    rewards: tuple[SaleReward, ...] = Field(
        (), max_length=20,
        description="Taken by the member with the sale, and used with it; each once, however"
        " often the sale is told.",
    )  # fmt: skip


class OneSaleIn(SaleIn):
    till: Source = Field(description="Your name for the till, as till-3.")


class SyncIn(Body):
    """What happened while the till was offline, in its order."""

    till: Source = Field(description="Your name for the till, as till-3.")
    sales: tuple[SaleIn, ...] = Field(min_length=1, max_length=100)


class ProblemOut(Answer):
    """What could not be honored."""

    code: str = Field(
        description="insufficient_balance, voucher_used, member_unknown, member_ambiguous, …"
    )
    message: str
    voucher: str = Field(description="Which voucher; empty: not one.")
    reward: UUID | None = Field(description="Which reward; null: not one.")


class SaleOut(Answer):
    id: str
    outcome: str = Field(
        description="created, updated, unchanged, outdated; refused: it is not recorded."
    )
    awards: list[AwardOut] = Field(description="All that it has moved.")
    problems: list[ProblemOut]
    codes: list[PromoCodeOut] = Field(description="Of its coupons that a promotion has.")
    receipt: list[str] = Field(description="Lines to be printed, in the buyer's language.")


class SyncOut(Answer):
    results: list[SaleOut] = Field(description="Of each sale, in the order sent.")


class TillPeople(ApiView):
    scopes = {"POST": "till:write"}
    for_partners = frozenset({"POST"})

    @extend_schema(operation_id="findAtTill", request=Person, responses={200: TillMembers})
    def post(self, request: Request) -> HttpResponse:
        """Say who stands at the till and what they have, by card, phone, address or voucher."""
        body, now = read_body(request, Person), timezone.now()
        return answer(TillMembers(members=members_out(body.members(), now)))


class TillSales(ApiView):
    scopes = {"POST": "till:write"}
    for_partners = frozenset({"POST"})

    @extend_schema(
        operation_id="recordSale", request=OneSaleIn, responses={200: SaleOut, 201: SaleOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Record a sale with the units and vouchers that it uses and the rewards that are taken
        with it, all or nothing, and say what to print. Refused with 409 and why:
        insufficient_balance, spending_refused, voucher_used, sold_out, limit_reached, …"""
        body, now = read_body(request, OneSaleIn), timezone.now()
        members = body.member.members() if body.member else []
        if body.member and not members:
            raise refuse_field("member", _("Nobody is found by this."), "not_found")
        if _several(members):
            raise refuse_field("member", str(SEVERAL), "ambiguous")
        sale = TillSale(
            _order(body, body.till, members, partner_asking(self)), tuple(_vouchers(body.vouchers)),
            tuple(_taken(body.rewards)), tuple(members),
        )  # fmt: skip
        done = record_sale(sale=sale, actor=self.actor, now=now)
        status = HTTPStatus.CREATED if done.outcome == "created" else HTTPStatus.OK
        return answer(_sale_out(sale, done, members, now), status)


class TillSync(ApiView):
    scopes = {"POST": "till:write"}
    for_partners = frozenset({"POST"})

    @extend_schema(operation_id="syncTill", request=SyncIn, responses={200: SyncOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Tell what was sold offline. Each sale is recorded once, however often it is sent, also
        where a unit or voucher of it cannot be honored any more: that is said. Units and vouchers
        count as of the time of the sale, up to 72 hours ago."""
        body = read_body(request, SyncIn)
        partner = partner_asking(self)
        queue = [_told(item, body.till, partner) for item in body.sales]
        lock_sales([told.sale for told in queue if told.sale is not None])
        return answer(SyncOut(results=[_synced(told, self.actor) for told in queue]))


@dataclass(frozen=True, slots=True)
class _Told:
    """A sale of a queue. `sale`: None where it contradicts itself; `problems`: what is not known of
    it."""

    number: str
    sale: TillSale | None
    problems: tuple[Problem, ...]


def _told(item: SaleIn, till: str, partner: AtPartner | None) -> _Told:
    problems = []
    members = item.member.members() if item.member else []
    if item.member and not members:
        problems.append(Problem("member_unknown", _("Nobody is found by this.")))
    if _several(members):
        # Nobody is asked any more: better nobody earns than somebody else.
        problems.append(Problem("member_ambiguous", str(SEVERAL)))
        members = []
    used, taken = [], []
    for asked in item.rewards:
        try:
            taken += _taken([asked])
        except DomainError as error:
            problems.append(Problem("reward_unknown", str(error.message)))
    for told in item.vouchers:
        try:
            used += _vouchers([told])
        except DomainError as error:
            problems.append(Problem("voucher_unknown", str(error.message), told.code))
    try:
        order = _order(item, till, members, partner)
        sale = TillSale(order, tuple(used), tuple(taken), tuple(members))
    except DomainError as error:
        return _Told(item.id, None, (*problems, Problem(error.code, _whole(error))))
    return _Told(item.id, sale, tuple(problems))


def _synced(told: _Told, actor: Actor) -> SaleOut:
    now, problems = timezone.now(), [*told.problems]
    if told.sale is not None:
        try:
            done = replay_sale(sale=told.sale, actor=actor, now=now)
        except DomainError as error:
            problems.append(Problem(error.code, _whole(error)))
        else:
            found = _sale_out(told.sale, done, told.sale.members, now)
            return found.model_copy(update={"problems": _problems([*problems, *done.problems])})
    return SaleOut(
        id=told.number, outcome="refused", awards=[], receipt=[], codes=[],
        problems=_problems(problems),
    )  # fmt: skip


def _several(members: Sequence[Membership]) -> bool:
    """Whether more than one person is meant; one may be a member of several programs."""
    return len({member.customer_id for member in members}) > 1


def _whole(error: DomainError) -> str:
    """What is wrong, with the fields that are."""
    fields = "; ".join(f"{wrong.field}: {wrong.message}" for wrong in error.errors)
    return f"{error.message} {fields}".strip()


def _order(
    item: SaleIn, till: str, members: Sequence[Membership], partner: AtPartner | None
) -> OrderInput:
    """A sale as an order; a partner tells its own only."""
    if item.customer is not None:
        raise refuse_field("customer", _("The member says who buys."))
    others = Order.objects.filter(source=till, external_id=item.id)
    if partner and others.exclude(partner=partner.account_id).exists():
        raise refuse_field("id", _("It belongs to another."), "not_unique")
    found = order_input(item, till, item.id, {})
    customer = CustomerRef(key=members[0].customer_id) if members else None
    return replace(found, customer=customer, partner=partner)


def _sale_out(
    sale: TillSale, done: RecordedSale, members: Sequence[Membership], now: dt.datetime
) -> SaleOut:
    order = Order.objects.select_related("customer").get(pk=done.order_id)
    return SaleOut(
        id=sale.order.external_id,
        outcome=done.outcome,
        awards=awards_of(done.order_id),
        problems=_problems(done.problems),
        codes=codes_out(code_answers_of(done.order_id) if sale.order.coupons else ()),
        receipt=receipt_lines(order, members, sale.checkout, now),
    )


def _problems(found: Sequence[Problem]) -> list[ProblemOut]:
    return [
        ProblemOut(
            code=item.code,
            message=item.message,
            voucher=item.voucher,
            reward=item.reward.public_id if item.reward else None,
        )
        for item in found
    ]


def _vouchers(told: Sequence[SaleVoucher]) -> list[UsedVoucher]:
    found = []
    for place, item in enumerate(told):
        try:
            voucher = find_voucher(item.code)
        except NotFoundError as error:
            field = f"vouchers[{place}].code"
            raise refuse_field(field, str(error.message), "not_found") from error
        found.append(UsedVoucher(voucher, None if item.amount is None else Decimal(item.amount)))
    return found


def _taken(asked: Sequence[SaleReward]) -> list[TakenAtTill]:
    known = {item.public_id: item for item in rewards().filter(public_id__in={a.id for a in asked})}
    for place, item in enumerate(asked):
        if item.id not in known:
            raise refuse_field(f"rewards[{place}].id", _("There is no such reward."), "not_found")
    return [
        TakenAtTill(known[item.id], None if item.amount is None else Decimal(item.amount))
        for item in asked
    ]
