"""The facts of a fraud case as links, each kind in one query. What the reader may not see, as it is
of another program, is not there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.backoffice.links import customer_url, order_url
from loyalty.models import Activity, AdjustmentRequest, Membership, Order, Transfer
from loyalty.risk_reasons import KeptFact, Reason
from members.formatting import format_units

# The newest of each signal; the counts are of all.
SHOWN = 12
# What facts of a kind are called and where their pages are, by key. One query.
Finder = Callable[[Collection[int]], Mapping[int, tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class FactLink:
    fact: KeptFact
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class ShownReason:
    reason: Reason
    links: list[FactLink]
    more: int


def register_fact_kind(kind: str, finder: Finder) -> None:
    """Called once, in AppConfig.ready."""
    _finders[kind] = finder


def shown_reasons(reasons: Sequence[Reason]) -> list[ShownReason]:
    """With their facts, in a constant number of queries."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for fact in _first(reasons):
        wanted[fact.kind].add(fact.id)
    known = {
        kind: _finders[kind](keys) if kind in _finders else {} for kind, keys in wanted.items()
    }
    return [
        ShownReason(
            reason,
            [
                FactLink(fact, *known[fact.kind][fact.id])
                for fact in reason.facts[:SHOWN]
                if fact.id in known[fact.kind]
            ],
            max(len(reason.facts) - SHOWN, 0),
        )
        for reason in reasons
    ]


def _first(reasons: Sequence[Reason]) -> Iterable[KeptFact]:
    return (fact for reason in reasons for fact in reason.facts[:SHOWN])


def _orders(keys: Collection[int]) -> dict[int, tuple[str, str]]:
    return {
        row.pk: (" · ".join(filter(None, (_("Order %s") % row, row.store))), order_url(row))
        for row in Order.objects.filter(pk__in=keys)
    }


def _members(keys: Collection[int]) -> dict[int, tuple[str, str]]:
    rows = Membership.objects.filter(pk__in=keys).select_related("customer")
    return {row.pk: (str(row.customer), customer_url(row.customer)) for row in rows}


def _activities(keys: Collection[int]) -> dict[int, tuple[str, str]]:
    rows = Activity.objects.filter(pk__in=keys).select_related("type", "customer")
    return {
        row.pk: (
            f"{row} · {row.customer}",
            reverse("loyalty_backoffice:activity", args=[row.public_id]),
        )
        for row in rows
    }


def _transfers(keys: Collection[int]) -> dict[int, tuple[str, str]]:
    rows = Transfer.objects.filter(pk__in=keys).select_related(
        "wallet_type", "wallet__account__membership__customer"
    )
    return {
        row.pk: (
            f"{row.get_kind_display()} · {format_units(row.amount, row.wallet_type)}",
            reverse(
                "loyalty_backoffice:movement_panel",
                args=[row.wallet.account.membership.customer.public_id],
            ),
        )
        for row in rows
    }


def _requests(keys: Collection[int]) -> dict[int, tuple[str, str]]:
    rows = AdjustmentRequest.objects.filter(pk__in=keys).select_related("wallet__wallet_type")
    return {
        row.pk: (
            _("Asked for %s") % format_units(row.units, row.wallet.wallet_type),
            reverse("loyalty_backoffice:approval", args=[row.public_id]),
        )
        for row in rows
    }


_finders: dict[str, Finder] = {
    "order": _orders, "member": _members, "activity": _activities, "transfer": _transfers,
    "request": _requests, "founding": _transfers,
}  # fmt: skip
