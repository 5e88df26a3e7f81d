"""/partners: at whose members earn and spend as well, and what is settled with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.models import Partner, PartnerSettlement, WalletType
from loyalty.selectors.goals import today_of
from loyalty.selectors.partner_statements import (
    Statement,
    closed_statement,
    kinds_of,
    running_statement,
    settlements_of,
)
from loyalty.selectors.partners import partners
from members.api.bodies import Answer, answer, money_text, plain_text, read_query
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError


class PartnerRateOut(Answer):
    wallet_type: str
    from_on: dt.date = Field(description="The first day.")
    issued: str = Field(description="What the partner pays for a unit that is earned there.")
    taken_in: str = Field(description="What it is paid for a unit that is spent there.")


class PartnerOut(Answer):
    id: UUID
    program: str
    code: str
    name: str
    status: str = Field(description="live or ended.")
    since: dt.date = Field(description="The first day that is settled.")
    summary: str
    website: str
    rates: list[PartnerRateOut]


class PartnerPage(Page):
    results: list[PartnerOut]


class PartnerQuery(PageQuery):
    program: str = Field("", max_length=64, description="Only those of the program with this code.")


class PartnerStatementLineOut(Answer):
    wallet_type: str
    side: str = Field(description="issued: earned there; taken_in: spent there.")
    units: Units = Field(description="Below zero where more came back than was moved.")
    rate: str = Field(description="Money for a unit.")
    money: str
    corrects: bool = Field(description="Of months before: what came back, or was told late.")
    movements: int


class PartnerStatementOut(Answer):
    """Who owes whom. `net` above zero is owed by the partner, below zero to it."""

    partner: UUID
    since: dt.date
    until: dt.date
    currency: str
    issued: str = Field(description="What the partner owes for units that were earned there.")
    taken_in: str = Field(description="What it is owed for units that were spent there.")
    net: str
    lines: list[PartnerStatementLineOut]


class PartnerSettlementOut(PartnerStatementOut):
    """A month as it was closed."""

    id: UUID
    number: int
    status: PartnerSettlement.Status
    closed_at: dt.datetime
    paid_on: dt.date | None
    reference: str


class PartnerSettlementPage(Page):
    results: list[PartnerSettlementOut]


class Partners(ApiView):
    scopes = {"GET": "partners:read"}
    for_partners = frozenset({"GET"})

    @extend_schema(
        operation_id="listPartners",
        parameters=query_parameters(PartnerQuery),
        responses={200: PartnerPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List partners; with a partner's key the partner alone."""
        query = read_query(request, PartnerQuery)
        found = seen_partners(self)
        if query.program:
            found = found.filter(account__program__code=query.program)
        return answer(
            PartnerPage(**paginate(request, found, query, ordering=["pk"], row=partner_out))
        )


class OnePartner(ApiView):
    scopes = {"GET": "partners:read"}
    for_partners = frozenset({"GET"})

    @extend_schema(operation_id="getPartner", responses={200: PartnerOut})
    def get(self, request: Request, partner_id: UUID) -> HttpResponse:
        """Read a partner with its rates."""
        return answer(partner_out(seen_partner(self, partner_id)))


class PartnerStatement(ApiView):
    scopes = {"GET": "partners:read"}
    for_partners = frozenset({"GET"})

    @extend_schema(operation_id="getPartnerStatement", responses={200: PartnerStatementOut})
    def get(self, request: Request, partner_id: UUID) -> HttpResponse:
        """Read what is owed so far that is not settled."""
        partner = seen_partner(self, partner_id)
        today = today_of(partner.account.program, timezone.now())
        return answer(PartnerStatementOut(**_statement(running_statement(partner, today))))


class PartnerSettlements(ApiView):
    scopes = {"GET": "partners:read"}
    for_partners = frozenset({"GET"})

    @extend_schema(
        operation_id="listPartnerSettlements",
        parameters=query_parameters(PageQuery),
        responses={200: PartnerSettlementPage},
    )
    def get(self, request: Request, partner_id: UUID) -> HttpResponse:
        """List the months that were closed, the last first."""
        query = read_query(request, PageQuery)
        partner = seen_partner(self, partner_id)
        shown = partial(settlement_out, kinds=kinds_of(partner))
        found = settlements_of(partner)
        page = paginate(request, found, query, ordering=["-pk"], row=shown)
        return answer(PartnerSettlementPage(**page))


def seen_partners(view: ApiView) -> QuerySet[Partner]:
    """A partner's key sees nobody else."""
    own = view.api_key.partner
    return partners() if own is None else partners().filter(pk=own)


def seen_partner(view: ApiView, public_id: UUID) -> Partner:
    """Raises NotFoundError."""
    found = seen_partners(view).filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such partner.")
    return found


def partner_out(partner: Partner) -> PartnerOut:
    return PartnerOut(
        id=partner.public_id, program=partner.account.program.code, code=partner.code,
        name=partner.account.name, status=partner.status, since=partner.since,
        summary=partner.summary, website=partner.website,
        rates=[
            PartnerRateOut(
                wallet_type=rate.wallet_type.code, from_on=rate.from_on,
                issued=plain_text(rate.issued), taken_in=plain_text(rate.taken_in),
            )
            for rate in partner.rates.all()
        ],
    )  # fmt: skip


def settlement_out(
    settlement: PartnerSettlement, kinds: Mapping[str, WalletType]
) -> PartnerSettlementOut:
    return PartnerSettlementOut(
        **_statement(closed_statement(settlement, kinds)), id=settlement.public_id,
        number=settlement.number, status=PartnerSettlement.Status(settlement.status),
        closed_at=settlement.closed_at, paid_on=settlement.paid_on,
        reference=settlement.reference,
    )  # fmt: skip


def _statement(found: Statement) -> dict[str, object]:
    return {
        "partner": found.partner.public_id, "since": found.since, "until": found.until,
        "currency": found.partner.account.program.currency, "issued": money_text(found.issued),
        "taken_in": money_text(found.taken_in), "net": money_text(found.net),
        "lines": [
            PartnerStatementLineOut(
                wallet_type=line.wallet_type.code, side=line.side,
                units=units_text(line.units, line.wallet_type.scale), rate=plain_text(line.rate),
                money=money_text(line.money), corrects=line.corrects, movements=line.movements,
            )
            for line in found.lines
        ],
    }  # fmt: skip
