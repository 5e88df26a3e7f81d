from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db.models import QuerySet

from loyalty.models import Membership, Wallet
from members.errors import NotFoundError
from members.models import Customer


def memberships() -> QuerySet[Membership]:
    return Membership.objects.select_related("program", "customer")


def list_memberships(customer: Customer) -> list[Membership]:
    """A customer's memberships, the longest first."""
    return list(memberships().filter(customer=customer).order_by("enrolled_at", "pk"))


def wallet_ids(memberships: Iterable[Membership]) -> list[int]:
    """The keys of all wallets of these memberships."""
    accounts = [membership.account_id for membership in memberships]
    return list(Wallet.objects.filter(account__in=accounts).values_list("pk", flat=True))


def get_membership(public_id: uuid.UUID | str) -> Membership:
    """Raises NotFoundError."""
    membership = memberships().filter(public_id=public_id).first()
    if membership is None:
        raise NotFoundError("There is no such membership.")
    return membership
