"""What a customer held at a moment of the past, lot by lot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.backoffice.links import customer_crumbs
from loyalty.backoffice.moments import MomentForm
from loyalty.backoffice.statements import statement_periods
from loyalty.models import Membership, Wallet
from loyalty.selectors.memberships import list_memberships
from loyalty.selectors.past_balances import (
    PastBalance,
    PastLot,
    balances_then,
    past_balances,
    with_origins,
)
from members.models import Customer
from members.paging import page_of
from members.policy import staff_view

SHOWN_LOTS, LOTS_ON_A_PAGE = 8, 50


@dataclass(frozen=True, slots=True)
class PastWallet:
    """A wallet as it was, with the lots that the page has room for."""

    balance: PastBalance
    lots: Sequence[PastLot]


@dataclass(frozen=True, slots=True)
class PastMembership:
    """A membership with what it held, at the moment as its program's time zone has it; `periods`:
    the months and years that there are statements of, with their words."""

    membership: Membership
    at: dt.datetime
    wallets: Sequence[PastWallet]
    periods: Sequence[tuple[str, str]]

    @property
    def joined_later(self) -> bool:
        return self.membership.enrolled_at > self.at and not any(
            item.balance.lots or item.balance.held.owed for item in self.wallets
        )


@require_safe
@staff_view("customers.view")
def customer_past(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Balances and lots as of the moment in the address; without one, as of now."""
    customer = get_object_or_404(Customer, public_id=public_id)
    form = MomentForm(request.GET or None)
    now = timezone.now()
    context = {
        "customer": customer,
        "title": _("Balance as of a moment"),
        "breadcrumbs": customer_crumbs(customer),
        "form": form,
        "found": [_past(membership, form, now) for membership in list_memberships(customer)],
        "chosen": form.is_bound and form.is_valid() and form.cleaned_data["day"],
    }
    return render(request, "loyalty/backoffice/customer_past.html", context)


@require_safe
@staff_view("customers.view")
def wallet_lots(request: HttpRequest, pk: int) -> HttpResponse:
    """All lots of a wallet as of the moment in the address, page by page."""
    wallet = get_object_or_404(
        Wallet.objects.select_related("wallet_type__program", "account__membership__customer"),
        pk=pk,
        account__membership__isnull=False,
    )
    customer, program = wallet.account.membership.customer, wallet.wallet_type.program
    form = MomentForm(request.GET or None)
    at = form.instant(program.zone) or timezone.now()
    [balance] = balances_then(Wallet.objects.filter(pk=pk), at)
    page = page_of(balance.lots, request=request, per_page=LOTS_ON_A_PAGE)
    context = {
        "title": _("Lots of %s") % wallet.wallet_type.plural,
        "breadcrumbs": [
            *customer_crumbs(customer),
            (_("Balance as of a moment"), customer_past_url(customer, request)),
        ],
        "form": form,
        "program": program,
        "wallet_type": wallet.wallet_type,
        "balance": balance,
        "page": page,
        "lots": with_origins(page.items),
    }
    return render(request, "loyalty/backoffice/wallet_lots.html", context)


def customer_past_url(customer: Customer, request: HttpRequest) -> str:
    """The same moment for all that the customer has."""
    moment = {name: value for name in ("day", "time") if (value := request.GET.get(name))}
    address = reverse("loyalty_backoffice:customer_past", args=[customer.public_id])
    return f"{address}?{urlencode(moment)}" if moment else address


def _past(membership: Membership, form: MomentForm, now: dt.datetime) -> PastMembership:
    at = form.instant(membership.program.zone) or now
    found = past_balances(membership, at)
    shown = iter(with_origins([lot for item in found for lot in item.lots[:SHOWN_LOTS]]))
    return PastMembership(
        membership,
        at,
        [PastWallet(item, [next(shown) for _lot in item.lots[:SHOWN_LOTS]]) for item in found],
        statement_periods(membership, now),
    )
