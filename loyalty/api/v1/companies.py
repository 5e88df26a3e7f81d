"""/companies: businesses with several buyers and one wallet."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.company_bodies import (
    BuyerChange,
    BuyerIn,
    CompanyBuyerOut,
    CompanyChange,
    CompanyIn,
    CompanyOut,
    CompanyPage,
    buyer_out,
    company_brief,
    company_out,
)
from loyalty.api.v1.pools import member_named
from loyalty.models import Company, Pool, PoolMember, Transfer
from loyalty.selectors.companies import companies, get_company
from loyalty.selectors.memberships import with_id
from loyalty.selectors.pools import current_members
from loyalty.services.companies import change_company, create_company
from loyalty.services.company_rows import DETAILS
from loyalty.services.pool_leaving import close_pool, leave_pool
from loyalty.services.pools import PoolTerms, add_pool_member, change_pool_member
from members.api.bodies import PublicId, answer, read_body, read_query, refuse_field
from members.api.idempotency import idempotent
from members.api.pagination import PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError
from members.models import StaffMember
from members.selectors.identities import having_any
from members.selectors.merges import current_ids

SOURCE = Transfer.Source.API.value
TERMS = ("name", "contribution", "share", "spending", "leaving")


class CompanyQuery(PageQuery):
    program: str = Field("", max_length=64, description="Only those of the program with this code.")
    external_id: str = Field("", max_length=64, description="Only the one with this number.")
    vat_number: str = Field("", max_length=20, description="Only the one with this VAT number.")
    membership: PublicId | None = Field(None, description="Only the one this member buys for.")
    customer: str = Field(
        "", max_length=128, description="Only those that the customer with this number buys for."
    )
    manager: str = Field("", max_length=254, description="Only this account manager's, by e-mail.")


class Companies(ApiView):
    scopes = {"GET": "companies:read", "POST": "companies:write"}

    @extend_schema(
        operation_id="listCompanies",
        parameters=query_parameters(CompanyQuery),
        responses={200: CompanyPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List companies, newest first."""
        query = read_query(request, CompanyQuery)
        found = companies()
        for lookup, text in (
            ("program__code", query.program), ("external_id", query.external_id),
            ("vat_number", query.vat_number), ("manager__user__email__iexact", query.manager),
        ):  # fmt: skip
            if text:
                found = found.filter(**{lookup: text.replace("\x00", "\n")})
        if query.membership:
            found = found.filter(pool__in=_pools_of(membership__in=with_id(query.membership)))
        if query.customer:
            people = current_ids(having_any(external_ids=[query.customer.replace("\x00", "\n")]))
            found = found.filter(pool__in=_pools_of(membership__customer__in=people))
        page = paginate(request, found, query, ordering=["-pk"], row=company_brief)
        return answer(CompanyPage(**page))

    @extend_schema(operation_id="createCompany", request=CompanyIn, responses={201: CompanyOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Found a company. Its buyers' units go into one wallet, that of the pool with the same
        id. A member is in one company or household of a program (409 `already_in_pool`)."""
        body = read_body(request, CompanyIn)
        given = body.model_dump(include=set(TERMS))
        company = create_company(
            owner=member_named(body.owner, "owner"),
            terms=PoolTerms(**given, kind=Pool.Kind.COMPANY),
            details=_details(body, empty_too=False),
            bring=body.bring,
            actor=self.actor,
            source=SOURCE,
            now=timezone.now(),
        )
        return answer(company_out(get_company(company.pool.public_id)), HTTPStatus.CREATED)


class OneCompany(ApiView):
    scopes = {"GET": "companies:read", "PATCH": "companies:write", "DELETE": "companies:write"}

    @extend_schema(operation_id="getCompany", responses={200: CompanyOut})
    def get(self, request: Request, company_id: UUID) -> HttpResponse:
        """Read a company with its buyers. What it holds and what has moved is at `/pools/{id}`."""
        return answer(company_out(get_company(company_id)))

    @extend_schema(operation_id="changeCompany", request=CompanyChange, responses={200: CompanyOut})
    def patch(self, request: Request, company_id: UUID) -> HttpResponse:
        """Change a company from now on."""
        body = read_body(request, CompanyChange)
        terms = body.model_dump(include=set(TERMS), exclude_unset=True, exclude_none=True)
        change_company(
            company=get_company(company_id), changes=_details(body, empty_too=True), terms=terms,
            actor=self.actor,
        )  # fmt: skip
        return answer(company_out(get_company(company_id)))

    @extend_schema(operation_id="closeCompany", responses={200: CompanyOut})
    def delete(self, request: Request, company_id: UUID) -> HttpResponse:
        """Give everything back to the buyers and close the company. Closing it again changes
        nothing."""
        pool = get_company(company_id).pool
        if pool.status == Pool.Status.OPEN:
            close_pool(pool=pool, actor=self.actor, source=SOURCE, now=timezone.now())
        return answer(company_out(get_company(company_id)))


class Buyers(ApiView):
    scopes = {"POST": "companies:write"}

    @extend_schema(operation_id="addBuyer", request=BuyerIn, responses={201: CompanyBuyerOut})
    @idempotent()
    def post(self, request: Request, company_id: UUID) -> HttpResponse:
        """Let a member buy for a company. What they earn from now on goes into its wallet as the
        company says."""
        body = read_body(request, BuyerIn)
        added = add_pool_member(
            pool=get_company(company_id).pool,
            membership=member_named(body.membership, "membership"),
            role=body.role,
            bring=body.bring,
            actor=self.actor,
            source=SOURCE,
            now=timezone.now(),
        )
        return answer(buyer_out(buyer_named(added.pool, body.membership)), HTTPStatus.CREATED)


class OneBuyer(ApiView):
    scopes = {"PATCH": "companies:write", "DELETE": "companies:write"}

    @extend_schema(
        operation_id="changeBuyer", request=BuyerChange, responses={200: CompanyBuyerOut}
    )
    def patch(self, request: Request, company_id: UUID, membership_id: UUID) -> HttpResponse:
        """Change what somebody may do in a company."""
        body = read_body(request, BuyerChange)
        pool = get_company(company_id).pool
        change_pool_member(
            member=buyer_named(pool, membership_id), changes={"role": body.role.value},
            actor=self.actor,
        )  # fmt: skip
        return answer(buyer_out(buyer_named(pool, membership_id)))

    @extend_schema(operation_id="removeBuyer", responses={200: CompanyOut})
    def delete(self, request: Request, company_id: UUID, membership_id: UUID) -> HttpResponse:
        """Let somebody buy for a company no longer. They get back what the company's rule says, and
        what they have asked for is withdrawn."""
        member = buyer_named(get_company(company_id).pool, membership_id)
        leave_pool(member=member, actor=self.actor, source=SOURCE, now=timezone.now())
        return answer(company_out(get_company(company_id)))


def buyer_named(pool: Pool, membership_id: UUID) -> PoolMember:
    """Somebody who buys for the company now, by their membership. Raises NotFoundError."""
    keys = set(with_id(membership_id).values_list("pk", flat=True))
    for member in current_members(pool):
        if member.membership_id in keys:
            return member
    raise NotFoundError(_("This member does not buy for the company."))


def _pools_of(**whose: Any) -> Any:
    return PoolMember.objects.filter(left_at=None, **whose).values("pool")


def _details(body: CompanyIn | CompanyChange, *, empty_too: bool) -> dict[str, Any]:
    """What is said about the company itself; null is what there is none of."""
    said = body.model_dump(include=set(DETAILS) - {"manager"}, exclude_unset=True)
    if "manager" in body.model_fields_set:
        said["manager"] = _manager(body.manager) if body.manager else None
    blank = {
        field.name: [] if field.name == "tags" else ""
        for field in Company._meta.get_fields()
        if field.name in said and not getattr(field, "null", False)
    }
    for name in [name for name, value in said.items() if value is None and name in blank]:
        if empty_too and name not in ("period", "answer_days"):
            said[name] = blank[name]
        else:
            del said[name]
    return said


def _manager(email: str) -> StaffMember:
    found = StaffMember.objects.filter(user__email__iexact=email, user__is_active=True).first()
    if found is None:
        raise refuse_field("manager", _("Nobody of the staff has this address."), "not_found")
    return found
