"""What the facts of a case brought to its member, how much of it is left, and what taking it back
would take from each wallet. With that of duplicates who were merged into them."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from loyalty.ledger.balances import holdings
from loyalty.models import (
    Activity,
    ActivityAward,
    AdjustmentRequest,
    Membership,
    RiskCase,
    Transfer,
    Wallet,
)
from loyalty.selectors.order_takings import PREFIX, Place, places_of, taken_of
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
    # Of an order: what this case has taken of it already.
    taken: int = 0

    @property
    def key(self) -> str:
        """The fact's name."""
        return f"{self.kind}:{self.fact}"

    @property
    def by_adjustment(self) -> bool:
        """Whether an adjustment takes it."""
        return self.kind in ("order", "founding")

    def is_seen(self, programs: Collection[int] | None) -> bool:
        """By who sees these programs only; None: all."""
        return programs is None or self.wallet.wallet_type.program_id in programs


@dataclass(frozen=True, slots=True)
class Taking:
    """What would be taken from a wallet, which has `spendable`: by taking activities back, by
    undoing what was given by hand, each as a whole, and of what orders earned by an adjustment.
    `place`: where that is now. `parts`: what of it is left of each accrual, the newest first.
    `taken_before`: what this case took of it already; `adjustments`: how many it has made."""

    wallet: Wallet
    spendable: int
    by_activities: int
    by_hand: tuple[Transfer, ...]
    by_orders: int
    adjustments: int
    taken_before: int
    place: Place
    parts: tuple[tuple[int, int], ...]

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
        """By the adjustment: what they can spend, and what is left of these orders elsewhere."""
        beyond = self.place.waiting + self.place.pooled
        return min(self.by_adjustment, beyond + self._left - self.by_undoing)

    @property
    def waiting(self) -> int:
        """What of it cannot be spent yet."""
        return min(self.taken, self.place.waiting)

    @property
    def pooled(self) -> int:
        """What of it comes back from their pool."""
        return max(min(self.place.pooled, self.taken - self.place.held), 0)

    @property
    def taken_parts(self) -> list[tuple[int, int]]:
        """What is taken of each accrual: of those first of which something is there."""
        there = self.place.by_accrual
        rest, found = self.taken, dict.fromkeys((key for key, _left in self.parts), 0)
        for most in ({key: min(left, there.get(key, 0)) for key, left in self.parts},
                     dict(self.parts)):  # fmt: skip
            for key, units in most.items():
                part = min(units - found[key], rest)
                found[key] += max(part, 0)
                rest -= max(part, 0)
        return [(key, units) for key, units in found.items() if units]

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
            *_of_transfers(case, members, facts),
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
        earned = {pk: [one for one in rows if one.by_adjustment] for pk, rows in
                  by_wallet.items()}  # fmt: skip
        places = places_of(
            {pk: [one.transfer.pk for one in rows] for pk, rows in earned.items()}, now
        )
    return [
        Taking(
            wallets[pk], held[pk].spendable,
            by_activities=sum(one.units for one in rows if one.kind == "activity"),
            by_hand=tuple(one.transfer for one in rows if one.kind == "transfer"),
            by_orders=sum(one.units for one in earned[pk]),
            adjustments=before[pk],
            taken_before=sum(one.taken for one in earned[pk]),
            place=places[pk],
            parts=tuple((one.transfer.pk, one.units - one.taken) for one in earned[pk]),
        )
        for pk, rows in sorted(by_wallet.items())
    ]  # fmt: skip


def members_of(membership: Membership) -> QuerySet[Membership]:
    """Themselves and the duplicates who were merged into them."""
    return Membership.objects.filter(Q(pk=membership.pk) | Q(merged_into=membership))


def requests_of(case: RiskCase, wallets: Iterable[Wallet]) -> QuerySet[AdjustmentRequest]:
    """What a second person was asked for by this case."""
    return AdjustmentRequest.objects.filter(
        wallet__in=list(wallets), key__startswith=f"{PREFIX}{case.public_id}:"
    )


def _adjusted(case: RiskCase, wallets: Iterable[Wallet]) -> Counter[int]:
    """How many adjustments a case has made, by wallet."""
    rows = Transfer.objects.filter(
        wallet__in=list(wallets), kind=Transfer.Kind.ADJUSTMENT, occurred_at__gte=case.opened_at,
        key__startswith=f"{PREFIX}{case.public_id}:",
    )  # fmt: skip
    return Counter(rows.values_list("wallet", flat=True))


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
    case: RiskCase, members: Collection[Membership], facts: Mapping[str, Collection[int]]
) -> list[Undue]:  # fmt: skip
    own = Transfer.objects.filter(
        wallet__account__membership__in=members, to_account=F("wallet__account")
    ).select_related("order", *_wallet_of())
    earned = list(
        own.filter(
            Q(order__in=facts["order"]) | Q(order=None, pk__in=facts["founding"]),
            kind=Transfer.Kind.ACCRUAL,
        )
    )
    by_hand = list(
        own.filter(pk__in=facts["transfer"], kind=Transfer.Kind.ADJUSTMENT).exclude(
            explanation__has_key="bulk"
        )
    )  # fmt: skip
    left = _left([*earned, *by_hand])
    here, elsewhere = _taken(case, earned)
    return [
        *(
            Undue(
                *(("order", row.order_id) if row.order_id else ("founding", row.pk)),
                _now(row.wallet), left[row.pk] - elsewhere[row.pk],
                _("Order %s") % row.order.external_id if row.order_id else _("Founding bonus"),
                row.occurred_at, row, here[row.pk],
            )
            for row in earned
            if left[row.pk] > elsewhere[row.pk]
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


def _taken(
    case: RiskCase, transfers: Collection[Transfer]
) -> tuple[Counter[int], Counter[int]]:  # fmt: skip
    """What of each was taken by this case, and by others."""
    here, elsewhere = Counter[int](), Counter[int]()
    for key, rows in taken_of(row.pk for row in transfers).items():
        for row in rows:
            own = row.key.startswith(f"{PREFIX}{case.public_id}:")
            (here if own else elsewhere)[key] += row.units
    return here, elsewhere


def _left(transfers: Collection[Transfer]) -> dict[int, int]:
    """What was not taken back or corrected of each."""
    keys = [row.pk for row in transfers]
    gone: dict[int, int] = defaultdict(int)
    for name in ("corrects", "reverses"):
        rows = Transfer.objects.filter(**{f"{name}__in": keys}).values(name)
        for row in rows.annotate(units=Sum("amount")).order_by(name):
            gone[row[name]] += row["units"]
    return {row.pk: row.amount - gone[row.pk] for row in transfers}
