"""The history of wallets, newest first, page by page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, JSONObject

from loyalty.models import Lot, LotUse, Membership, Transfer, Wallet
from loyalty.selectors.memberships import accounts_with_merged

# What corrects a movement in part because somebody, or the order, gave its units back.
GIVEN_BACK = (Transfer.Kind.REVERSAL, Transfer.Kind.REINSTATEMENT)
Cursor = tuple[dt.datetime, int]
# As the member sees it: into the wallet or out of it; empty: both.
Direction = Literal["", "in", "out"]


def transfers() -> QuerySet[Transfer]:
    """With all that showing a movement needs. `given_back`: how many of its units were given back
    or brought back in parts; `is_reversed`: whether it was undone, at once or by and by, a gift as
    far as something was left; `counterpart`: whose the wallet on the other side is; `expired_lot`:
    of an expiry, when its units were earned, and with which order if they came from nobody else."""
    here = OuterRef("pk")
    parts = Transfer.objects.filter(corrects=here, kind__in=GIVEN_BACK).order_by()
    units = parts.values("corrects").annotate(units=Sum("amount")).values("units")
    whole = Exists(Transfer.objects.filter(reverses=here))
    gift = Exists(
        Transfer.objects.filter(
            corrects=here, corrects__kind=Transfer.Kind.GIFT, kind=Transfer.Kind.REVERSAL
        )
    )
    other = Transfer.objects.filter(Q(pair=here) | Q(pk=OuterRef("pair")))
    owner = "wallet__account__membership__customer__"
    names = JSONObject(
        given=f"{owner}given_name", family=f"{owner}family_name", pool="wallet__account__pool__name"
    )
    expired = LotUse.objects.filter(transfer=here).values(
        lot_told=JSONObject(
            earned_at="lot__earned_at",
            order=Case(
                When(lot__parent=None, then="lot__transfer__order__external_id"), default=Value("")
            ),
        )
    )
    found: QuerySet[Transfer] = (
        Transfer.objects.select_related(
            "wallet", "wallet_type__program", "order", "refund", "actor"
        )
        .annotate(given_back=Coalesce(Subquery(units), 0, output_field=BigIntegerField()))
        .annotate(
            is_reversed=Q(whole) | Q(gift) | Q(given_back__gte=F("amount")),
            counterpart=Subquery(other.values(names=names)[:1]),
            expired_lot=Case(When(kind=Transfer.Kind.EXPIRY, then=Subquery(expired[:1]))),
        )
    )
    return found


def history_of(memberships: Iterable[Membership]) -> QuerySet[Transfer]:
    """Movements of these members' wallets, and of those that were merged into them. What only went
    between these is left out: together they read as one history."""
    accounts = accounts_with_merged(membership.account_id for membership in memberships)
    found_wallets = Wallet.objects.filter(account__in=accounts)
    wallets = dict(found_wallets.values_list("pk", "merged_into"))
    found = transfers().filter(wallet__in=list(wallets))
    if any(wallets.values()):
        between = Q(pair__wallet__in=list(wallets)) | Q(
            Exists(Transfer.objects.filter(pair=OuterRef("pk"), wallet__in=list(wallets)))
        )
        found = found.exclude(Q(kind=Transfer.Kind.MERGE) & between)
    return found


def movements_of(
    memberships: Iterable[Membership], direction: Direction = ""
) -> QuerySet[Transfer]:
    """The history of these members with the lots that each movement brought; `direction` leaves
    only one way."""
    lots = Prefetch("lots", Lot.objects.select_related("policy"))
    found = history_of(memberships).prefetch_related(lots)
    if direction == "in":
        return found.filter(to_account=F("wallet__account"))
    if direction == "out":
        return found.filter(from_account=F("wallet__account"))
    return found
