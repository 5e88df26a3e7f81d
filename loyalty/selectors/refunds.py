from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from loyalty.models import Membership, Refund, Transfer, Wallet
from members.errors import NotFoundError


def get_refund(source: str, external_id: str) -> Refund:
    """With its lines and customer. Raises NotFoundError."""
    found = Refund.objects.select_related("customer", "order").prefetch_related("lines")
    refund = found.filter(source=source, external_id=external_id).first()
    if refund is None:
        raise NotFoundError(
            _("There is no refund %(number)s from %(source)s.")
            % {"number": external_id, "source": source}
        )
    return refund


def transfers_of_refund(refund: Refund) -> list[Transfer]:
    """What the refund moved, found through its order or its customer's wallets (indexed)."""
    found = Transfer.objects.filter(refund=refund).select_related("wallet", "wallet_type__program")
    if refund.order_id is not None:
        found = found.filter(order=refund.order_id)
    else:
        members = Membership.objects.filter(
            Q(customer=refund.customer_id) | Q(merged_into__customer=refund.customer_id)
        )
        wallets = Wallet.objects.filter(account__in=members.values("account"))
        found = found.filter(wallet__in=list(wallets.values_list("pk", flat=True)))
    return list(found.order_by("pk"))
