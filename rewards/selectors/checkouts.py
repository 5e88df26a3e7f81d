"""Carts, and what they keep."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from loyalty.models import Membership
from loyalty.selectors.selves import selves
from members.errors import NotFoundError
from rewards.models import Checkout


def checkouts() -> QuerySet[Checkout]:
    """With all that is shown of them."""
    return Checkout.objects.select_related(
        "membership__customer", "membership__program"
    ).prefetch_related(
        "units__wallet_type", "units__transfer", "rewards__redemption__reward__wallet_type",
        "rewards__redemption__voucher", "vouchers__voucher", "gift_cards__gift_card",
    )  # fmt: skip


def get_checkout(public_id: UUID | str) -> Checkout:
    """Raises NotFoundError."""
    found = checkouts().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such checkout.")
    return found


def checkouts_of(members: Sequence[Membership]) -> QuerySet[Checkout]:
    """Theirs, also under accounts that were merged into theirs."""
    return checkouts().filter(membership__in=selves(members))
