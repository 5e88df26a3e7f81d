"""Companies: the list of them, an account manager's own, and one as a page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.links import Crumbs
from loyalty.backoffice.movements import movement_rows
from loyalty.backoffice.orders import order_rows
from loyalty.backoffice.pools import pool_changes, pool_url
from loyalty.models import Company, Pool, Program, SpendRequest
from loyalty.pool_words import describe_limits, describe_pool
from loyalty.selectors.balances import Balance
from loyalty.selectors.companies import (
    BuyerSpend,
    companies,
    company_orders,
    managers,
    open_requests,
    search_companies,
    spend_by_buyer,
    spend_requests,
    spend_this_year,
    year_start,
)
from loyalty.selectors.orders import with_row_facts
from loyalty.selectors.pools import (
    balances_by_pool,
    current_members,
    pool_balances,
    pool_transfers,
)
from members.charts import Chart, Series
from members.formatting import format_money
from members.list_files import ListFile, hand_out
from members.navigation import Tab
from members.paging import paginate
from members.policy import is_allowed, staff_view
from members.responses import is_htmx
from members.selectors.erased import erased_among

MINE, NOBODY = "mine", "nobody"
SHOWN_BUYERS = 12
SHOWN_REQUESTS = 5


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """A company in the list: what it holds, and what was bought for it this year."""

    company: Company
    balances: list[Balance]
    spent: Decimal


ORDERINGS = {"name": ("pool__name", "pk"), "-name": ("-pool__name", "-pk")}
FILE: ListFile[Company] = ListFile(
    "companies",
    {
        "id": lambda row: row.pool.public_id,
        "company": lambda row: row.external_id,
        "name": lambda row: row.pool.name,
        "program": lambda row: row.pool.program.code,
        "legal_name": lambda row: row.legal_name,
        "registration_number": lambda row: row.registration_number,
        "vat_number": lambda row: row.vat_number,
        "billing_email": lambda row: row.billing_email,
        "address": lambda row: row.address,
        "employees": lambda row: row.employees,
        "manager": lambda row: row.manager.user.email if row.manager else "",
        "buyers": lambda row: row.buyer_count,  # type: ignore[attr-defined]
        "since": lambda row: row.created_at,
    },
    personal=True,
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.view")
def company_list(request: HttpRequest) -> HttpResponse:
    """Every company by name; those that somebody looks after, and closed ones, on tabs of their
    own."""
    show, manager = request.GET.get("show", ""), request.GET.get("manager", "")
    found = _shown(request, show, manager)
    text = request.GET.get("q", "").replace("\x00", "").strip()
    found = search_companies(found, text)
    if request.method == "POST":
        return hand_out(request, FILE, found, orderings=ORDERINGS, default="name")
    page = paginate(found, request=request, orderings=ORDERINGS, default="name")
    context = {
        "page": page,
        "rows": _rows(list(page), timezone.now()),
        "show": show,
        "query": text,
        "file": FILE.offered(request),
        "manager": manager,
        "managers": managers(),
        "filtered": bool(text or manager),
        "may_edit": is_allowed(request.user, "pools.edit"),
        "may_import": is_allowed(request.user, "imports.run"),
        "programs": _programs(request),
        "tabs": _tabs(show),
    }
    template = "loyalty/backoffice/company_list.html"
    return render(request, f"{template}#results" if is_htmx(request) else template, context)


def _programs(request: HttpRequest) -> list[Program]:
    """Those of which may be said what their new companies begin with."""
    if not is_allowed(request.user, "programs.edit"):
        return []
    return list(Program.objects.exclude(status=Program.Status.ARCHIVED).order_by("name"))


@require_safe
@staff_view("customers.view")
def company_page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Who buys for a company, what it holds and bought, what waits, and how it works."""
    company = company_or_404(public_id)
    pool, now = company.pool, timezone.now()
    spent = spend_by_buyer(pool, year_start(pool, now), now)
    by_place = {item.member.pk: item for item in spent}
    members = current_members(pool)
    page = paginate(
        pool_transfers(pool),
        request=request,
        orderings={"": ("-occurred_at", "-pk")},
        default="",
        per_page=8,
    )
    decided = spend_requests().filter(company=company).exclude(state=SpendRequest.State.WAITING)
    context = {
        "company": company,
        "pool": pool,
        "title": pool.name,
        "breadcrumbs": company_crumbs(),
        "balances": pool_balances(pool, now),
        "members": [(member, by_place.get(member.pk)) for member in members],
        "erased": erased_among(member.membership.customer for member in members),
        "spent": sum((item.spent for item in spent), Decimal(0)),
        "order_count": sum(item.orders for item in spent),
        "chart": _chart(pool, spent, now),
        "waiting": list(open_requests(company, now)),
        "decided": list(decided.order_by("-decided_at", "-pk")[:SHOWN_REQUESTS]),
        "sentences": [
            *describe_pool(pool),
            *describe_limits(company, pool.program.wallet_types.earliest("pk")),
        ],
        "page": page,
        "rows": movement_rows(page, request.user),
        "may_edit": pool.status == Pool.Status.OPEN and is_allowed(request.user, "pools.edit"),
        "changes": pool_changes(pool),
    }
    return render(request, "loyalty/backoffice/company_page.html", context)


@require_safe
@staff_view("customers.view")
def company_orders_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What all buyers ordered for a company, newest first."""
    company = company_or_404(public_id)
    page = paginate(
        with_row_facts(company_orders(company.pool)),
        request=request,
        orderings={"": ("-placed_at", "-pk")},
        default="",
        per_page=8,
    )
    context = {
        "company": company,
        "title": _("Orders"),
        "panel_id": "company-orders",
        "panel_icon": "receipt",
        "panel_flush": True,
        "breadcrumbs": company_crumbs(company),
        "page": page,
        "rows": order_rows(page),
    }
    return render(request, "loyalty/backoffice/company_orders.html", context)


def company_crumbs(company: Company | None = None) -> Crumbs:
    """From the list of companies down to one of them."""
    crumbs = [(_("Companies"), reverse("loyalty_backoffice:company_list"))]
    return [*crumbs, (company.pool.name, pool_url(company.pool))] if company else crumbs


def company_or_404(public_id: UUID) -> Company:
    return get_object_or_404(companies(), pool__public_id=public_id)


def open_company_or_404(public_id: UUID) -> Company:
    company = company_or_404(public_id)
    if company.pool.status != Pool.Status.OPEN:
        raise Http404("This company was closed.")
    return company


def _shown(request: HttpRequest, show: str, manager: str) -> QuerySet[Company]:
    status = Pool.Status.CLOSED if show == "closed" else Pool.Status.OPEN
    found = companies().filter(pool__status=status)
    if show == MINE:
        return found.filter(manager__user=request.user.pk)
    if manager == NOBODY:
        return found.filter(manager=None)
    if manager.isdecimal() and len(manager) < 10:
        return found.filter(manager=int(manager))
    return found


def _tabs(show: str) -> list[Tab]:
    path = reverse("loyalty_backoffice:company_list")
    return [
        Tab(_("All"), path, current=show not in (MINE, "closed")),
        Tab(_("I look after"), f"{path}?show={MINE}", current=show == MINE),
        Tab(_("Closed"), f"{path}?show=closed", current=show == "closed"),
    ]


def _rows(found: list[Company], now: dt.datetime) -> list[CompanyRow]:
    balances = balances_by_pool([company.pool for company in found], now)
    spent = spend_this_year([company.pool for company in found], now)
    return [
        CompanyRow(company, balances[company.pool_id], spent[company.pool_id]) for company in found
    ]


def _chart(pool: Pool, spent: list[BuyerSpend], now: dt.datetime) -> Chart | None:
    """This year by buyer; those who bought least together, where there are many."""
    bought = [item for item in spent if item.spent]
    if not bought:
        return None
    shown, rest = bought[:SHOWN_BUYERS], bought[SHOWN_BUYERS:]
    labels = [str(item.member.membership.customer) for item in shown]
    values = [item.spent for item in shown]
    if rest:
        labels.append(_("All others"))
        values.append(sum((item.spent for item in rest), Decimal(0)))
    most = format_money(values[0], pool.program.currency)
    words = {"name": labels[0], "money": most, "year": now.astimezone(pool.program.zone).year}
    return Chart(
        "company-spend",
        _("Bought this year, by buyer"),
        labels,
        [Series(_("Bought"), values)],
        kind="bar",
        unit=pool.program.currency,
        summary=_("In %(year)s %(name)s bought most, for %(money)s.") % words,
        x_label=_("Buyer"),
    )
