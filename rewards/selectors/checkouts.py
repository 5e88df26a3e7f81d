"""Carts, and what they keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from loyalty.codes_asked import cart_holder
from loyalty.models import Membership
from loyalty.selectors.selves import selves
from members.errors import NotFoundError
from members.prepared import KeptQuery, put_related
from rewards.models import (
    Checkout,
    CheckoutGiftCard,
    CheckoutReward,
    CheckoutUnits,
    CheckoutVoucher,
)


def checkouts() -> QuerySet[Checkout]:
    """With all that is shown of them."""
    return Checkout.objects.select_related(
        "membership__customer", "membership__program"
    ).prefetch_related(
        "units__wallet_type", "units__transfer", "rewards__redemption__reward__wallet_type",
        "rewards__redemption__voucher", "vouchers__voucher", "gift_cards__gift_card",
    )  # fmt: skip


def get_checkout(public_id: UUID | str) -> Checkout:
    """With all that is shown of it. Raises NotFoundError."""
    found = _whole.first(UUID(str(public_id)))
    if found is None:
        raise NotFoundError("There is no such checkout.")
    for name, query in _PARTS.items():
        there = getattr(found, f"has_{name}")
        put_related(found, name, query.rows(found.pk) if there else ())
    return found


def find_checkout(public_id: UUID) -> Checkout:
    """Its row, without what it keeps. Raises NotFoundError."""
    found = _row.first(public_id)
    if found is None:
        raise NotFoundError("There is no such checkout.")
    return found


def locked_checkout(pk: int) -> Checkout:
    """With its member, as it is now that nobody else can change it."""
    return _locked.one(pk)


def holders_of(member: Membership, cart: tuple[str, str] | None = None) -> QuerySet[Checkout, str]:
    """What the member's reserved carts are known by to those who keep something for them, or the
    one of this source and name: a query within theirs."""
    own = Membership.objects.filter(Q(pk=member.pk) | Q(merged_into=member.pk))
    rows = Checkout.objects.filter(membership__in=own.values("pk"), status=Checkout.Status.RESERVED)
    if cart is not None:
        rows = rows.filter(source=cart[0], cart=cart[1])
    name = Concat(Value(cart_holder("")), "source", Value("/"), "cart")
    return rows.order_by().values_list(name, flat=True)


def checkouts_of(members: Sequence[Membership]) -> QuerySet[Checkout]:
    """Theirs, also under accounts that were merged into theirs."""
    return checkouts().filter(membership__in=selves(members))


def _with_member() -> QuerySet[Checkout]:
    return Checkout.objects.select_related("membership__customer", "membership__program")


def _with_what_there_is(public_id: UUID) -> QuerySet[Checkout]:
    """Most carts keep one or two kinds of things, and the others are not asked for."""
    own = OuterRef("pk")
    return (
        _with_member()
        .filter(public_id=public_id)
        .annotate(
            has_units=Exists(CheckoutUnits.objects.filter(checkout=own)),
            has_rewards=Exists(CheckoutReward.objects.filter(checkout=own)),
            has_vouchers=Exists(CheckoutVoucher.objects.filter(checkout=own)),
            has_gift_cards=Exists(CheckoutGiftCard.objects.filter(checkout=own)),
        )
    )


_whole = KeptQuery(_with_what_there_is)
_row = KeptQuery(lambda public_id: Checkout.objects.filter(public_id=public_id))
_locked = KeptQuery(lambda pk: _with_member().select_for_update(of=("self",)).filter(pk=pk))
_PARTS: dict[str, KeptQuery[Any]] = {
    "units": KeptQuery(
        lambda pk: (
            CheckoutUnits.objects.select_related("wallet_type", "transfer")
            .filter(checkout=pk)
            .order_by("pk")
        )
    ),
    "rewards": KeptQuery(
        lambda pk: (
            CheckoutReward.objects.select_related(
                "redemption__reward__wallet_type", "redemption__voucher"
            )
            .filter(checkout=pk)
            .order_by("pk")
        )
    ),
    "vouchers": KeptQuery(
        lambda pk: (
            CheckoutVoucher.objects.select_related("voucher").filter(checkout=pk).order_by("pk")
        )
    ),
    "gift_cards": KeptQuery(
        lambda pk: (
            CheckoutGiftCard.objects.select_related("gift_card").filter(checkout=pk).order_by("pk")
        )
    ),
}
