"""The units that came with a payment for a paid plan, and are still there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet, Sum

from loyalty.models import Lot, PlanCharge, PlanCredit, WalletType
from loyalty.selectors.subscriptions import owner_of


@dataclass(frozen=True, slots=True)
class Unused:
    """Units of a payment that are still there."""

    wallet_type: WalletType
    units: int

    @property
    def whole(self) -> Decimal:
        """As people count them."""
        return Decimal(self.units).scaleb(-self.wallet_type.scale)


def unused_credits(charge: PlanCharge, *, now: dt.datetime) -> list[Unused]:
    """What giving the payment back would take, by kind of unit."""
    found: dict[int, Unused] = {}
    for credit in withdrawable(charge):
        wallet_type = credit.transfer.wallet_type
        units = left_of(credit, charge, now)
        if units:
            before = found[wallet_type.pk].units if wallet_type.pk in found else 0
            found[wallet_type.pk] = Unused(wallet_type, before + units)
    return list(found.values())


def withdrawable(charge: PlanCharge) -> QuerySet[PlanCredit]:
    """Of which nothing was taken back yet."""
    return (
        charge.credits.filter(withdrawal=None)
        .select_related("transfer__wallet_type")
        .order_by("number")
    )


def left_of(credit: PlanCredit, charge: PlanCharge, now: dt.datetime) -> int:
    """In the member's own wallet; what they gave away is somebody else's."""
    account = owner_of(charge.subscription).account_id
    lots = Lot.objects.filter(
        origin=credit.transfer_id, wallet__account=account, due_at__gt=now, remaining__gt=0
    )
    return int(lots.aggregate(units=Sum("remaining", default=0))["units"])
