"""An order as staff see it: what was bought, how it was paid, what came back, what it earned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.backoffice.links import customer_crumbs
from loyalty.backoffice.lots import LotRow, lot_rows
from loyalty.backoffice.movements import movement_rows
from loyalty.backoffice.order_states import state_steps
from loyalty.models import Order, OrderEvaluation, Transfer, WalletType
from loyalty.selectors.charities import round_ups
from loyalty.selectors.discount_budgets import borne_of
from loyalty.selectors.given_back import paid_in_units
from loyalty.selectors.lots import lots_of_order
from loyalty.selectors.transfers import transfers
from loyalty.services.judgments import explain_order
from members.backoffice.audit import AuditRow
from members.policy import is_allowed, staff_view
from members.selectors.audit import entries_of
from members.states import state_label

ZERO = Decimal(0)
EARNED = (Transfer.Kind.ACCRUAL, Transfer.Kind.CLAWBACK)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order of a list, with the units that are left of what it earned."""

    order: Order
    earned: list[tuple[int, WalletType]]
    refunded: Decimal
    state: str


def order_rows(orders: Iterable[Order]) -> list[OrderRow]:
    """Rows for orders that come from `loyalty.selectors.orders.list_order_rows`."""
    return [
        OrderRow(
            order,
            earned_by(order.transfers.all()),
            order.refunded,  # type: ignore[attr-defined]
            order_state(order, order.refunded),  # type: ignore[attr-defined]
        )
        for order in orders
    ]


def earned_by(found: Iterable[Transfer]) -> list[tuple[int, WalletType]]:
    """What an order's movements come to, by wallet type; what it was paid with is left out."""
    sums: dict[int, int] = {}
    wallet_types: dict[int, WalletType] = {}
    for transfer in found:
        if transfer.kind not in EARNED:
            continue
        wallet_types[transfer.wallet_type_id] = transfer.wallet_type
        sums[transfer.wallet_type_id] = (
            sums.get(transfer.wallet_type_id, 0) + transfer.signed_amount
        )
    return [(units, wallet_types[pk]) for pk, units in sorted(sums.items())]


def order_state(order: Order, refunded: Decimal) -> str:
    """The order's status, or that (a part of) it was given back."""
    if refunded <= 0 or order.status == Order.Status.CANCELED:
        return order.status
    return "refunded" if refunded >= order.total else "partly_refunded"


@require_safe
@staff_view("customers.view")
def order_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One order with everything that followed from it."""
    orders = Order.objects.select_related("customer").prefetch_related(
        "lines",
        "tenders",
        "refunds__lines",
        "discounts__rule_version__rule__program",
        Prefetch("charity_entries", round_ups()),
        Prefetch(
            "evaluations",
            OrderEvaluation.objects.select_related("program", "membership"),
        ),
    )
    order = get_object_or_404(orders, pk=pk)
    # A checkout spends before its order is told, so that movement does not name it.
    prepaid = list(order.unit_tenders.values_list("transfer", flat=True))
    of_it = Q(order=order) | Q(pk__in=prepaid) if prepaid else Q(order=order)
    moved = list(transfers().filter(of_it).order_by("occurred_at", "pk"))
    refunded = sum((refund.total for refund in order.refunds.all()), ZERO)
    now = timezone.now()
    lots = lot_rows(lots_of_order(order, now), now)
    context = {
        "order": order,
        "state": state_label(order_state(order, refunded)),
        "paid_in_units": paid_in_units([order.pk]).get(order.pk, []),
        "goods": sum((line.total for line in order.lines.all()), ZERO),
        "borne": borne_of([order]).get(order.pk),
        "refunded": refunded,
        "kept": order.total - refunded,
        "may_refund": order.status not in Order.VOID and refunded < order.total,
        "steps": state_steps(order),
        "lots": lots,
        "acts": _acts(order, lots) if is_allowed(request.user, "orders.hold") else [],
        "entries": [AuditRow.of(entry) for entry in entries_of(order, limit=10)],
        "rows": movement_rows(moved, request.user),
        "judgments": explain_order(order) if order.customer else [],
        "earned": earned_by(moved),
        # What a partner paid for its goods is the partner's to know.
        "shows_costs": order.partner_id is None and is_allowed(request.user, "reports.view"),
        "may_assign": is_allowed(request.user, "customers.edit"),
        "breadcrumbs": customer_crumbs(order.customer) if order.customer else [],
        "title": _("Order %s") % order.external_id,
    }
    return render(request, "loyalty/backoffice/order_page.html", context)


def _acts(order: Order, lots: list[LotRow]) -> list[str]:
    """What may be done by hand about from when on its units can be spent."""
    if order.held_at is not None:
        return ["release"]
    if order.status in Order.VOID:
        return []
    waits = any(not row.spendable for row in lots)
    return ["confirm", "hold"] if waits and order.confirmed_at is None else ["hold"]
