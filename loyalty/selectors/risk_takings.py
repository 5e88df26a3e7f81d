"""What the facts of a case brought to its member, how much of it is left, and what taking it back
would take from each wallet. With that of duplicates who were merged into them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from loyalty.ledger.balances import holdings
from loyalty.models import (
    Activity,
    ActivityAward,
    AdjustmentRequest,
    Lot,
    Membership,
    RiskCase,
    Transfer,
    Wallet,
)
from members.program_scope import of_all_programs

REASON = "fraud"


@dataclass(frozen=True, slots=True)
class Undue:
    """What one fact brought to a wallet, and is left of it. `transfer`: what brought it."""

    kind: str
    fact: int
    wallet: Wallet
    units: int
    label: str
    at: dt.datetime
    transfer: Transfer

    @property
    def key(self) -> str:
        """The fact's name."""
        return f"{self.kind}:{self.fact}"

    def is_seen(self, programs: Collection[int] | None) -> bool:
        """By who sees these programs only; None: all."""
        return programs is None or self.wallet.wallet_type.program_id in programs


@dataclass(frozen=True, slots=True)
class Taking:
    """What would be taken from a wallet, which has `spendable`: by taking activities back, by
    undoing what was given by hand, each as a whole, and of what orders earned by an adjustment.
    `adjustments`: those that this case has made before, and `taken_before`, what they took."""

    wallet: Wallet
    spendable: int
    by_activities: int
    by_hand: tuple[Transfer, ...]
    by_orders: int
    adjustments: tuple[Transfer, ...]
    taken_before: int

    @property
    def undone(self) -> list[Transfer]:
        """Of what was given by hand, as much as is there: an adjustment is undone as a whole."""
        left, found = self._left, []
        for transfer in self.by_hand:
            if transfer.amount <= left:
                found.append(transfer)
                left -= transfer.amount
        return found

    @property
    def by_undoing(self) -> int:
        return sum(transfer.amount for transfer in self.undone)

    @property
    def by_adjustment(self) -> int:
        """What orders earned and was not taken yet."""
        return max(self.by_orders - self.taken_before, 0)

    @property
    def taken(self) -> int:
        """By the adjustment."""
        return min(self.by_adjustment, self._left - self.by_undoing)

    @property
    def missing(self) -> int:
        given = sum(transfer.amount for transfer in self.by_hand)
        return given - self.by_undoing + self.by_adjustment - self.taken

    @property
    def moves(self) -> int:
        return self.by_activities + self.by_undoing + self.taken

    @property
    def _left(self) -> int:
        return max(self.spendable - self.by_activities, 0)


def undue_of(case: RiskCase, *, now: dt.datetime) -> list[Undue]:
    """What the facts of a case brought, as far as it is still there to be undone; the newest first.
    An activity may have brought something in several programs, and is taken back in all of them.
    """
    facts: dict[str, set[int]] = defaultdict(set)
    for item in case.signals:
        for fact in item["facts"]:
            facts[fact["kind"]].add(fact["id"])
    with of_all_programs():
        members = list(members_of(case.membership))
        found = [
            *_of_activities(members, facts["activity"]),
            *_of_transfers(members, facts["order"], facts["transfer"], now),
        ]
    return sorted(found, key=lambda one: (one.at, one.key), reverse=True)


def chosen_of(case: RiskCase, undue: Iterable[Undue]) -> list[Undue]:
    """Of these what is taken unless somebody says otherwise: all, or what was chosen when a second
    person was asked."""
    return [one for one in undue if not case.chosen or one.key in case.chosen]


def takings_of(case: RiskCase, undue: Iterable[Undue], *, now: dt.datetime) -> list[Taking]:
    """What it comes to for each wallet, as these are now."""
    by_wallet: dict[int, list[Undue]] = defaultdict(list)
    for one in undue:
        by_wallet[one.wallet.pk].append(one)
    with of_all_programs():
        wallets = Wallet.objects.select_related("wallet_type__program").in_bulk(list(by_wallet))
        held = holdings(wallets.values(), now)
        before = _adjusted(case, wallets.values())
        left = _left([row for rows in before.values() for row in rows])
    return [
        Taking(
            wallets[pk], held[pk].spendable,
            by_activities=sum(one.units for one in rows if one.kind == "activity"),
            by_hand=tuple(one.transfer for one in rows if one.kind == "transfer"),
            by_orders=sum(one.units for one in rows if one.kind == "order"),
            adjustments=tuple(before[pk]),
            taken_before=sum(left[row.pk] for row in before[pk]),
        )
        for pk, rows in sorted(by_wallet.items())
    ]  # fmt: skip


def members_of(membership: Membership) -> QuerySet[Membership]:
    """Themselves and the duplicates who were merged into them."""
    return Membership.objects.filter(Q(pk=membership.pk) | Q(merged_into=membership))


def requests_of(case: RiskCase, wallets: Iterable[Wallet]) -> QuerySet[AdjustmentRequest]:
    """What a second person was asked for by this case."""
    return AdjustmentRequest.objects.filter(
        wallet__in=list(wallets), key__startswith=f"risk:{case.public_id}:"
    )


def _adjusted(case: RiskCase, wallets: Iterable[Wallet]) -> dict[int, list[Transfer]]:
    """The adjustments that a case has made, by wallet."""
    found: dict[int, list[Transfer]] = defaultdict(list)
    rows = Transfer.objects.filter(
        wallet__in=list(wallets), kind=Transfer.Kind.ADJUSTMENT, occurred_at__gte=case.opened_at,
        key__startswith=f"risk:{case.public_id}:",
    )  # fmt: skip
    for row in rows.order_by("pk"):
        found[row.wallet_id].append(row)
    return found


def _of_activities(members: Collection[Membership], keys: Collection[int]) -> list[Undue]:
    own = ActivityAward.objects.filter(
        activity__in=keys, activity__state=Activity.State.APPROVED, membership__in=members,
        units__gt=0,
    ).values("activity")  # fmt: skip
    awards = ActivityAward.objects.filter(
        activity__in=own, units__gt=0, transfer__isnull=False
    ).select_related("activity__type", *_wallet_of("transfer__"))
    given = [(award, award.transfer) for award in awards.order_by("pk") if award.transfer]
    left = _left([transfer for _award, transfer in given])
    return [
        Undue(
            "activity", award.activity_id, _now(transfer.wallet), left[transfer.pk],
            str(award.activity.type), award.activity.occurred_at, transfer,
        )
        for award, transfer in given
        if left[transfer.pk]
    ]  # fmt: skip


def _of_transfers(
    members: Collection[Membership], orders: Collection[int], given: Collection[int],
    now: dt.datetime,
) -> list[Undue]:  # fmt: skip
    own = Transfer.objects.filter(
        wallet__account__membership__in=members, to_account=F("wallet__account")
    ).select_related("order", *_wallet_of())
    earned = list(own.filter(order__in=orders, kind=Transfer.Kind.ACCRUAL))
    by_hand = list(
        own.filter(pk__in=given, kind=Transfer.Kind.ADJUSTMENT).exclude(
            explanation__has_key="bulk"
        )
    )  # fmt: skip
    left = _left([*earned, *by_hand])
    waiting = _waiting(earned, now)
    return [
        *(
            Undue(
                "order", row.order_id, _now(row.wallet), left[row.pk] - waiting[row.pk],
                _("Order %s") % row.order.external_id, row.occurred_at, row,
            )
            for row in earned
            if left[row.pk] > waiting[row.pk]
        ),
        # An adjustment is undone as a whole, or not at all.
        *(
            Undue(
                "transfer", row.pk, _now(row.wallet), row.amount, _("Given by hand"),
                row.occurred_at, row,
            )
            for row in by_hand
            if left[row.pk] == row.amount
        ),
    ]  # fmt: skip


def _wallet_of(way: str = "") -> list[str]:
    return [
        f"{way}wallet__wallet_type__program", f"{way}wallet__merged_into__wallet_type__program",
    ]  # fmt: skip


def _now(wallet: Wallet) -> Wallet:
    """Where its units are since a merge."""
    return wallet.merged_into or wallet


def _waiting(transfers: Collection[Transfer], now: dt.datetime) -> dict[int, int]:
    """What of each cannot be spent yet, and no adjustment takes."""
    found: dict[int, int] = defaultdict(int)
    lots = Lot.objects.filter(
        wallet__in={_now(row.wallet).pk for row in transfers}, due_at__isnull=False,
        spendable_at__gt=now, origin__in=[row.pk for row in transfers],
    )  # fmt: skip
    for origin, units in lots.values_list("origin", "remaining"):
        found[origin] += units
    return found


def _left(transfers: Collection[Transfer]) -> dict[int, int]:
    """What was not taken back or corrected of each."""
    keys = [row.pk for row in transfers]
    gone: dict[int, int] = defaultdict(int)
    for name in ("corrects", "reverses"):
        rows = Transfer.objects.filter(**{f"{name}__in": keys}).values(name)
        for row in rows.annotate(units=Sum("amount")).order_by(name):
            gone[row[name]] += row["units"]
    return {row.pk: row.amount - gone[row.pk] for row in transfers}
