"""Members and wallets of somebody erased: what they had is moved by nobody's hand any more."""

from __future__ import annotations

from collections.abc import Collection

from loyalty.models import Membership, Transfer, Wallet
from members.models import Customer
from members.prepared import KeptQuery
from members.selectors.erased import erased_among, refuse_erased, was_erased

_HOLDERS: KeptQuery[Membership] = KeptQuery(
    lambda account: Membership.objects.only("customer").filter(account=account)
)
_CUSTOMERS: KeptQuery[Customer] = KeptQuery(lambda ids: Customer.objects.filter(pk__among=ids))


def refuse_erased_member(membership: Membership) -> None:
    """Raise ConflictError where a member was erased, also since the caller read who they are."""
    refuse_erased(_CUSTOMERS.one([membership.customer_id]))


def accounts_of_erased(accounts: Collection[int]) -> set[int]:
    """Those of these accounts whose member was erased."""
    held = Membership.objects.filter(account__in=accounts).select_related("customer")
    members = list(held)
    erased = erased_among(member.customer for member in members)
    return {member.account_id for member in members if member.customer_id in erased}


def refuse_erased_holder(wallet: Wallet, key: str = "", spender: Membership | None = None) -> None:
    """Raise ConflictError where the holder of a wallet was erased, or who spends from another's.
    Behind a pool's wallet or a gift card stands no member who could be; and what was moved by this
    key before is answered as ever."""
    # By their keys: an outer join would read all customers while the wallet is locked.
    named = {member.customer_id for member in _HOLDERS.rows(wallet.account_id)}
    if spender is not None:
        named.add(spender.customer_id)
    if not erased_among(_CUSTOMERS.rows(list(named))):
        return
    if not key or not Transfer.objects.filter(key=key).exists():
        raise was_erased()
