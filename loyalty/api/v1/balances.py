"""/memberships/{id}/balances and /lots: what a member holds, or held at a moment of the past."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.spending import SpendingOut, spending_out
from loyalty.api.v1.transfers import DocumentOut, document
from loyalty.ledger.past import LotThen
from loyalty.models import NEVER, Membership, Transfer, WalletType
from loyalty.rules.calendar import last_instant
from loyalty.selectors.member_balances import MemberBalance, read_member_balances
from loyalty.selectors.memberships import get_membership
from loyalty.selectors.past_balances import (
    PastBalance,
    PastLot,
    past_balances,
    with_origins,
)
from loyalty.selectors.rulebooks import spending_terms
from members.api.bodies import Answer, DayOrInstant, Query, answer, money_text, read_query
from members.api.pagination import Page, PageQuery, paginate_list
from members.api.schema import query_parameters
from members.api.views import ApiView


class AsOfQuery(Query):
    as_of: DayOrInstant | None = Field(
        None,
        description="A day, which means its last instant in the program's time zone, or a time."
        " Without it: now. Later than now: what will be held if nothing more happens.",
    )


class ExpiryOut(Answer):
    units: Units
    at: dt.datetime = Field(description="From this instant on they are gone.")


class WorthOut(Answer):
    amount: str
    currency: str


class BalanceOut(Answer):
    wallet_type: str
    decimals: int
    spendable: Units = Field(description="What can be spent now.")
    pending: Units = Field(description="Earned, spendable later.")
    owed: Units = Field(description="Settled by what is earned next, unless it blocks.")
    blocked: bool = Field(description="Whether nothing can be spent until what is owed is settled.")
    worth: WorthOut = Field(description="What the spendable units are worth.")
    usable: Units = Field(
        description="The most of it that can be used at once; 0: fewer than the least. How much of"
        " an order they pay is in its quote."
    )
    spending: SpendingOut
    next_expiry: ExpiryOut | None
    exact_until: dt.datetime | None = Field(
        description="Without new movements nothing changes before this instant; null: ever."
    )


class BalancesOut(Answer):
    as_of: dt.datetime
    balances: list[BalanceOut]


class LotOut(Answer):
    """What one incoming movement brought."""

    id: str
    wallet_type: str
    decimals: int
    granted: Units
    remaining: Units = Field(description="What of it was left.")
    earned_at: dt.datetime
    spendable_from: dt.datetime | None = Field(description="Null: not known yet, or held back.")
    expires_at: dt.datetime | None = Field(
        description="From this instant on it is gone. Null: never, or not known yet."
    )
    kind: Transfer.Kind = Field(description="What kind of movement granted the units first.")
    order: DocumentOut | None = Field(description="The order that they were earned with.")
    terms: str = Field(description="When such units mature and expire, in words.")


class LotPage(Page):
    as_of: dt.datetime
    results: list[LotOut]


class LotQuery(AsOfQuery, PageQuery):
    """Which lots, and how many of them."""


class Balances(ApiView):
    scopes = {"GET": "balances:read"}

    @extend_schema(
        operation_id="getBalances",
        parameters=query_parameters(AsOfQuery),
        responses={200: BalancesOut},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read what a member holds now, or held then: one balance for each wallet type."""
        query = read_query(request, AsOfQuery)
        if query.as_of is not None:
            return answer(_balances_then(get_membership(membership_id), query.as_of))
        if self.programs:
            # The statement behind it asks for no limits.
            get_membership(membership_id)
        return answer(balances_now(membership_id))


class Lots(ApiView):
    scopes = {"GET": "balances:read"}

    @extend_schema(
        operation_id="listLots", parameters=query_parameters(LotQuery), responses={200: LotPage}
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List the lots that a member's balances consist of, those that expire first first."""
        query = read_query(request, LotQuery)
        membership = get_membership(membership_id)
        return answer(lots_page(request, membership, query, _instant(membership, query.as_of)))


def balances_now(membership_id: UUID) -> BalancesOut:
    now = timezone.now()
    balances = read_member_balances(membership_id, now)
    return BalancesOut(as_of=now, balances=[_balance_out(item) for item in balances])


def lots_page(
    request: Request, membership: Membership, query: PageQuery, at: dt.datetime
) -> LotPage:
    """The lots as of then, those that expire first first."""
    found = past_balances(membership, at)
    lots = sorted((lot for item in found for lot in item.lots), key=_place)
    page = paginate_list(request, lots, query, place=_place, row=lambda lot: lot)
    units = {item.wallet.pk: item.wallet_type for item in found}
    page["results"] = [
        lot_out(item, units[item.lot.wallet_id]) for item in with_origins(page["results"])
    ]
    return LotPage(as_of=at, **page)


def _place(lot: LotThen) -> list[str | int]:
    return [(lot.expires_at or NEVER).isoformat(), lot.lot_id]


def _instant(membership: Membership, as_of: dt.date | dt.datetime | None) -> dt.datetime:
    if as_of is None:
        return timezone.now()
    return as_of if isinstance(as_of, dt.datetime) else last_instant(as_of, membership.program.zone)


def _balances_then(membership: Membership, as_of: dt.date | dt.datetime) -> BalancesOut:
    at = _instant(membership, as_of)
    found = [_of_past(item) for item in past_balances(membership, at)]
    return BalancesOut(as_of=at, balances=[_balance_out(item) for item in found])


def _of_past(item: PastBalance) -> MemberBalance:
    lapse = item.next_lapse
    return MemberBalance(
        wallet_type=item.wallet_type.code,
        scale=item.wallet_type.scale,
        currency=item.wallet_type.program.currency,
        balance=item.held.balance,
        pending=item.held.pending,
        owed=item.held.owed,
        blocked=item.held.blocked,
        worth=item.worth,
        exact_until=item.exact_until,
        lapsing=lapse.units if lapse else 0,
        lapses_at=lapse.at if lapse else None,
        spending=replace(spending_terms(item.wallet_type), unit_value=item.value),
    )


def lot_out(item: PastLot, wallet_type: WalletType) -> LotOut:
    """A lot that comes from `with_origins`."""
    lot, scale = item.lot, wallet_type.scale
    return LotOut(
        id=str(lot.lot_id),
        wallet_type=wallet_type.code,
        decimals=scale,
        granted=units_text(lot.granted, scale),
        remaining=units_text(lot.remaining, scale),
        earned_at=lot.earned_at,
        spendable_from=lot.spendable_at if lot.spendable_at < NEVER else None,
        expires_at=lot.expires_at,
        kind=Transfer.Kind(item.origin.kind),
        order=document(item.origin.order),
        terms=item.terms,
    )


def _balance_out(item: MemberBalance) -> BalanceOut:
    expiry = None
    if item.lapses_at is not None:
        expiry = ExpiryOut(units=units_text(item.lapsing, item.scale), at=item.lapses_at)
    return BalanceOut(
        wallet_type=item.wallet_type,
        decimals=item.scale,
        spendable=units_text(item.spendable, item.scale),
        pending=units_text(item.pending, item.scale),
        owed=units_text(item.owed, item.scale),
        blocked=item.blocked and item.owed > 0,
        worth=WorthOut(amount=money_text(item.worth), currency=item.currency),
        usable=units_text(item.spending.most(item.spendable), item.scale),
        spending=spending_out(item.spending),
        next_expiry=expiry,
        exact_until=item.exact_until,
    )
