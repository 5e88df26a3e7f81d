"""/memberships/{id}/statement and /me/…/statement: a month or a year, as data and on paper."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.own_memberships import own_membership
from loyalty.explanations import explain_transfer
from loyalty.models import Membership
from loyalty.selectors.memberships import get_membership
from loyalty.selectors.statements import (
    PERIOD,
    Statement,
    StatementLine,
    WalletStatement,
    make_statement,
    parse_period,
)
from loyalty.statement_files import count_paper, statement_response
from loyalty.statement_words import told_statement
from members.api.bodies import Answer, Query, answer, read_query
from members.api.member_views import MEMBER, MemberView
from members.api.schema import query_parameters
from members.api.views import ApiView


class StatementQuery(Query):
    period: str = Field(
        pattern=PERIOD,
        description='A month ("2026-10") or a year ("2026") in the program\'s time zone.',
        examples=["2026-10"],
    )


class StatementLineOut(Answer):
    transfer: str = Field(description="The movement's id.")
    occurred_at: dt.datetime
    title: str = Field(description="What it was, in the language of Accept-Language.")
    units: Units = Field(description="Below zero where units left.")
    balance: Units = Field(description="What was held after it.")


class WalletStatementOut(Answer):
    """opening + added − taken + unwritten = closing; of what is held, what is owed is taken off."""

    wallet_type: str
    decimals: int
    opening: Units = Field(description="Held before the first instant of the period.")
    added: Units
    taken: Units
    unwritten: Units = Field(
        description="Below zero: expired, and not written down yet. Above: expired units that got"
        " more time."
    )
    closing: Units
    lines: list[StatementLineOut]


class StatementOut(Answer):
    period: str
    first_day: dt.date
    last_day: dt.date
    until: dt.datetime = Field(description="The closing figures are of this instant.")
    runs: bool = Field(description="Whether the period still goes on.")
    wallets: list[WalletStatementOut] = Field(description="Those that held or moved something.")


STATEMENT = query_parameters(StatementQuery)
PDF = {(200, "application/pdf"): OpenApiTypes.BINARY}


class MembershipStatement(ApiView):
    scopes = {"GET": "transfers:read"}

    @extend_schema(operation_id="getStatement", parameters=STATEMENT, responses={200: StatementOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read a month or a year of a member: what each wallet held, every movement, and what it
        held in the end."""
        return answer(_out(_asked(request, get_membership(membership_id))))


class MembershipStatementFile(ApiView):
    scopes = {"GET": "transfers:read"}

    @extend_schema(operation_id="getStatementFile", parameters=STATEMENT, responses=PDF)
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read the statement as a document to print (PDF), in the language of Accept-Language."""
        return _file(_asked(request, get_membership(membership_id)))


class OwnStatement(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(
        operation_id="getOwnStatement", parameters=STATEMENT, responses={200: StatementOut}
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read a month or a year of what is the member's own."""
        return answer(_out(_asked(request, own_membership(self, membership_id))))


class OwnStatementFile(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnStatementFile", parameters=STATEMENT, responses=PDF)
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read it as a document to print (PDF): six in a minute."""
        member = own_membership(self, membership_id)
        asked = _asked(request, member)
        count_paper(member)
        return _file(asked)


def _asked(request: Request, membership: Membership) -> Statement:
    period = parse_period(read_query(request, StatementQuery).period)
    return make_statement(membership, period, timezone.now())


def _file(statement: Statement) -> HttpResponse:
    return statement_response(told_statement(statement), period=statement.period.key)


def _out(statement: Statement) -> StatementOut:
    period = statement.period
    return StatementOut(
        period=period.key,
        first_day=period.first,
        last_day=period.last,
        until=statement.until,
        runs=statement.runs,
        wallets=[_wallet_out(item) for item in statement.wallets],
    )


def _wallet_out(item: WalletStatement) -> WalletStatementOut:
    scale = item.wallet_type.scale
    return WalletStatementOut(
        wallet_type=item.wallet_type.code,
        decimals=scale,
        opening=units_text(item.opening, scale),
        added=units_text(item.added, scale),
        taken=units_text(item.taken, scale),
        unwritten=units_text(item.unwritten, scale),
        closing=units_text(item.closing, scale),
        lines=[_line_out(line, scale) for line in item.lines],
    )


def _line_out(line: StatementLine, scale: int) -> StatementLineOut:
    transfer = line.transfer
    return StatementLineOut(
        transfer=str(transfer.pk),
        occurred_at=transfer.occurred_at,
        title=explain_transfer(transfer).title,
        units=units_text(transfer.signed_amount, scale),
        balance=units_text(line.balance, scale),
    )
