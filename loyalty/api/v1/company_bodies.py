"""What is said about companies, their buyers and what these ask for."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from pydantic import Field

from loyalty.api.v1.amounts import Units, UnitsAboveZero, units_text
from loyalty.api.v1.pools import Name, Share
from loyalty.models import Company, Membership, Pool, PoolMember, SpendRequest
from loyalty.selectors.pools import current_members
from members.api.bodies import TEXT, Answer, Body, Email, PublicId
from members.api.pagination import Page

Limit = Annotated[int, Field(ge=0, le=10**12)]
Number = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]
Tag = Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)]
Note = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class _Details(Body):
    """How a business is registered, who looks after it, and what its buyers spend by themselves."""

    external_id: Number | None = Field(None, description="As your own system calls it.")
    legal_name: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] | None = None
    registration_number: Number | None = Field(None, description="Looked at for its form.")
    vat_number: Number | None = Field(None, description="Looked at for its form: DE123456789.")
    billing_email: Email | None = None
    address: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] | None = None
    employees: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    tags: list[Tag] | None = Field(None, max_length=20, description="What rules may ask about.")
    manager: Email | None = Field(
        None, description="The account manager: the e-mail address of somebody of the staff."
    )
    most_at_once: Limit | None = Field(
        None, description="So many whole units a buyer spends at once without an approver."
    )
    most_in_period: Limit | None = Field(None, description="And so many in a period.")
    period: Company.Period | None = None
    answer_days: Annotated[int, Field(ge=1, le=90)] | None = Field(
        None, description="So many days approvers have to answer."
    )


class CompanyIn(_Details):
    """A new company, with the member to whom it belongs first. Limits that are left out are those
    that the program has for new companies."""

    owner: PublicId = Field(description="The owner's membership; its program is the company's.")
    name: Name
    contribution: Pool.Contribution = Pool.Contribution.ALL
    share: Share | None = Field(None, description="With contribution share: how many percent.")
    spending: Pool.Spending = Pool.Spending.EVERYONE
    leaving: Pool.Leaving = Pool.Leaving.STAYS
    bring: bool = Field(False, description="What the owner holds already goes into it too.")


class CompanyChange(_Details):
    """What is to be different; what is left out stays. null: there is none any more."""

    name: Name | None = None
    contribution: Pool.Contribution | None = None
    share: Share | None = None
    spending: Pool.Spending | None = None
    leaving: Pool.Leaving | None = None


class BuyerIn(Body):
    membership: PublicId
    role: PoolMember.Role = Field(
        PoolMember.Role.BUYER, description="owner, approver or buyer; member is a buyer."
    )
    bring: bool = Field(False, description="What they hold goes into the company's wallet too.")


class BuyerChange(Body):
    role: PoolMember.Role


class CompanyBuyerOut(Answer):
    membership: UUID
    role: PoolMember.Role
    may_spend: bool = Field(description="Whether they may spend without asking, up to the limits.")
    may_decide: bool = Field(description="Whether they decide what others ask for.")
    joined_at: dt.datetime


class ManagerOut(Answer):
    """Whom the company's buyers turn to."""

    name: str
    email: str
    phone: str


class CompanyBrief(Answer):
    id: UUID
    program: str
    name: str
    status: Pool.Status
    external_id: str
    legal_name: str
    registration_number: str
    vat_number: str
    billing_email: str
    address: str
    employees: int | None
    tags: list[str]
    manager: ManagerOut | None
    most_at_once: int | None
    most_in_period: int | None
    period: Company.Period
    answer_days: int
    buyer_count: int
    waiting_requests: int
    created_at: dt.datetime


class CompanyOut(CompanyBrief):
    contribution: Pool.Contribution
    share: int | None
    spending: Pool.Spending
    leaving: Pool.Leaving
    buyers: list[CompanyBuyerOut]


class CompanyPage(Page):
    results: list[CompanyBrief]


class SpendRequestIn(Body):
    """What a buyer wants to spend from the company's wallet, and what for."""

    membership: PublicId
    wallet_type: Annotated[str, Field(max_length=64, pattern=TEXT)] = Field(
        "points", description="The wallet type's code."
    )
    units: UnitsAboveZero
    note: Note = Field(description="What for; approvers read it.")


class SpendDecisionIn(Body):
    approver: PublicId = Field(description="The membership of whoever decides.")
    note: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = Field(
        "", description="For whoever asked; to say no it is needed."
    )


class SpendWithdrawalIn(Body):
    membership: PublicId = Field(description="Whoever asked.")


class SpendRequestOut(Answer):
    id: UUID
    company: UUID
    state: SpendRequest.State
    asked_by: UUID
    wallet_type: str
    decimals: int
    units: Units
    note: str
    asked_at: dt.datetime
    expires_at: dt.datetime
    decided_by: UUID | None
    decided_at: dt.datetime | None
    decision_note: str
    transfer: str | None = Field(description="The redemption, once it was approved.")


class SpendRequestPage(Page):
    results: list[SpendRequestOut]


def company_out(company: Company) -> CompanyOut:
    pool = company.pool
    return CompanyOut(
        **company_brief(company).model_dump(),
        contribution=Pool.Contribution(pool.contribution),
        share=pool.share,
        spending=Pool.Spending(pool.spending),
        leaving=Pool.Leaving(pool.leaving),
        buyers=[buyer_out(member) for member in current_members(pool)],
    )


def company_brief(company: Company) -> CompanyBrief:
    """Of a row that `loyalty.selectors.companies.companies` found."""
    told = {
        name: getattr(company, name)
        for name in CompanyBrief.model_fields
        if hasattr(company, name) and name not in ("id", "program", "manager")
    }
    manager = company.manager
    return CompanyBrief(
        **told,
        id=company.pool.public_id,
        program=company.pool.program.code,
        name=company.pool.name,
        status=Pool.Status(company.pool.status),
        waiting_requests=company.waiting_count,  # type: ignore[attr-defined]
        manager=ManagerOut(name=manager.user.name, email=manager.user.email, phone=manager.phone)
        if manager
        else None,
    )


def buyer_out(member: PoolMember) -> CompanyBuyerOut:
    active = member.membership.status == Membership.Status.ACTIVE
    return CompanyBuyerOut(
        membership=member.membership.public_id,
        role=PoolMember.Role(member.role),
        may_spend=active and member.can_spend,
        may_decide=active and member.decides,
        joined_at=member.joined_at,
    )


def request_out(request: SpendRequest) -> SpendRequestOut:
    wallet_type = request.wallet_type
    decider = request.decided_by
    return SpendRequestOut(
        id=request.public_id,
        company=request.company.pool.public_id,
        state=SpendRequest.State(request.state),
        asked_by=request.asked_by.membership.public_id,
        wallet_type=wallet_type.code,
        decimals=wallet_type.scale,
        units=units_text(request.units, wallet_type.scale),
        note=request.note,
        asked_at=request.asked_at,
        expires_at=request.expires_at,
        decided_by=decider.membership.public_id if decider else None,
        decided_at=request.decided_at,
        decision_note=request.decision_note,
        transfer=str(request.transfer_id) if request.transfer_id else None,
    )
