"""The history of wallets, newest first, page by page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal

from django.db.models import (
    BigIntegerField,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce, JSONObject

from loyalty.models import Lot, Membership, Transfer, Wallet

# What corrects a movement in part because somebody, or the order, gave its units back.
GIVEN_BACK = (Transfer.Kind.REVERSAL, Transfer.Kind.REINSTATEMENT)
Cursor = tuple[dt.datetime, int]
# As the member sees it: into the wallet or out of it; empty: both.
Direction = Literal["", "in", "out"]


def transfers() -> QuerySet[Transfer]:
    """With all that showing a movement needs. `given_back`: how many of its units were given back
    or brought back in parts; `is_reversed`: whether it was undone, at once or by and by, a gift as
    far as something was left; `counterpart`: whose the wallet on the other side is."""
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
    found: QuerySet[Transfer] = (
        Transfer.objects.select_related(
            "wallet", "wallet_type__program", "order", "refund", "actor"
        )
        .annotate(given_back=Coalesce(Subquery(units), 0, output_field=BigIntegerField()))
        .annotate(
            is_reversed=Q(whole) | Q(gift) | Q(given_back__gte=F("amount")),
            counterpart=Subquery(other.values(names=names)[:1]),
        )
    )
    return found


def list_transfers(
    wallet_ids: Sequence[int], *, before: Cursor | None = None, limit: int = 50
) -> list[Transfer]:
    """Movements of these wallets, newest business time first; `before` is the last one seen."""
    found = transfers().filter(wallet__in=wallet_ids)
    if before is not None:
        at, pk = before
        found = found.filter(Q(occurred_at__lt=at) | Q(occurred_at=at, pk__lt=pk))
    return list(found.order_by("-occurred_at", "-pk")[:limit])


def history_of(memberships: Iterable[Membership]) -> QuerySet[Transfer]:
    """Movements of these members' wallets, and of those that were merged into them. What only went
    between these is left out: together they read as one history."""
    own = [membership.account_id for membership in memberships]
    accounts = Q(account__in=own) | Q(account__membership__merged_into__account__in=own)
    wallets = dict(Wallet.objects.filter(accounts).values_list("pk", "merged_into"))
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
