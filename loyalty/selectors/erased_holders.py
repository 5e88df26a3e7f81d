"""Members and wallets of somebody erased: what they had is moved by nobody's hand any more."""

from __future__ import annotations

from django.db.models import Q

from loyalty.models import Membership, Transfer, Wallet
from members.models import Customer
from members.selectors.erased import erased_among, refuse_erased, was_erased


def refuse_erased_member(membership: Membership) -> None:
    """Raise ConflictError where a member was erased, also since the caller read who they are."""
    refuse_erased(Customer.objects.get(pk=membership.customer_id))


def refuse_erased_holder(wallet: Wallet, key: str = "", spender: Membership | None = None) -> None:
    """Raise ConflictError where the holder of a wallet was erased, or who spends from another's.
    Behind a pool's wallet or a gift card stands no member who could be; and what was moved by this
    key before is answered as ever."""
    named = Q(memberships__account=wallet.account_id)
    if spender is not None:
        named |= Q(pk=spender.customer_id)
    if not erased_among(Customer.objects.filter(named)):
        return
    if not key or not Transfer.objects.filter(key=key).exists():
        raise was_erased()
