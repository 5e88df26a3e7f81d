from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from django.db.models import Count, DecimalField, OuterRef, Prefetch, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from loyalty.models import Membership, Order, OrderLine, Refund, Transfer, WalletType
from loyalty.selectors.charities import round_ups
from members.errors import NotFoundError
from members.models import Customer


def orders() -> QuerySet[Order]:
    return Order.objects.select_related("customer", "partner__account").prefetch_related(
        "lines",
        "tenders",
        "refunds__lines",
        "conversions__program",
        "discounts__rule_version__rule__program",
        Prefetch("charity_entries", round_ups()),
        Prefetch(
            "transfers",
            Transfer.objects.select_related("wallet__wallet_type", "wallet_type__program"),
        ),
    )


def get_order(source: str, external_id: str) -> Order:
    """Raises NotFoundError, also for what no text of the database can be."""
    address = {"source": source, "external_id": external_id}
    order = None if "\x00" in source + external_id else orders().filter(**address).first()
    if order is None:
        raise NotFoundError(f"There is no order {external_id} from {source}.")
    return order


def list_order_rows(customer: Customer) -> QuerySet[Order]:
    """A customer's orders for a list, as `with_row_facts` has them."""
    return with_row_facts(Order.objects.filter(customer=customer))


def with_row_facts(found: QuerySet[Order]) -> QuerySet[Order]:
    """Orders for a list: `line_count`, `refunded` and, prefetched, what each earned."""
    lines = OrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order")
    refunds = Refund.objects.filter(order=OuterRef("pk")).order_by().values("order")
    money = DecimalField(max_digits=18, decimal_places=4)
    return found.annotate(
        line_count=Coalesce(Subquery(lines.annotate(n=Count("pk")).values("n")), 0),
        refunded=Coalesce(
            Subquery(refunds.annotate(sum=Sum("total")).values("sum"), output_field=money),
            Decimal(0),
            output_field=money,
        ),
    ).prefetch_related(
        Prefetch("transfers", Transfer.objects.select_related("wallet", "wallet_type"))
    )


def earned_in(order: Order, membership: Membership) -> dict[WalletType, int]:
    """What the ledger holds of an order, of a list, in a member's program, less what was taken
    back."""
    found: defaultdict[WalletType, int] = defaultdict(int)
    for transfer in order.transfers.all():
        kind = transfer.wallet_type
        if kind.program_id == membership.program_id and transfer.rule_version_id is not None:
            found[kind] += transfer.signed_amount
    return dict(found)
