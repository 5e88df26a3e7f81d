"""What speaks for somebody taking advantage of a program, read for many members in a constant
number of queries. What it comes to is for `loyalty.risk_scores`."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from loyalty.models import (
    Activity,
    ActivityAward,
    AdjustmentRequest,
    FoundingGrant,
    Membership,
    Order,
    Refund,
    Transfer,
    Wallet,
)
from loyalty.ready_activities import OWN_SOURCE, SIGN_UP
from loyalty.risk_scores import MemberFacts
from loyalty.risk_signals import Fact, registered_sources

# Of so many orders that came last is it worked out how many usually come back.
USUAL_OF = 2_000
# Nobody needs more of one kind to be looked at.
MOST_FACTS = 500
# By their own hand: a file or a colleague lets many join at once.
BY_THEMSELVES = [
    Membership.Source.ACCOUNT, Membership.Source.CHECKOUT, Membership.Source.LINK,
    Membership.Source.SOCIAL,
]  # fmt: skip
# What an order earned was used by a redemption before its return.
_SPENT = """
    SELECT DISTINCT m.id, r.order_id
      FROM loyalty_refund r
      JOIN loyalty_transfer t ON t.order_id = r.order_id AND t.kind = 'accrual'
      JOIN loyalty_wallet w ON w.id = t.wallet_id
      JOIN loyalty_membership m ON m.account_id = w.account_id
      JOIN loyalty_lot l ON l.transfer_id = t.id
      JOIN loyalty_lotuse u ON u.lot_id = l.id AND u.amount > 0
      JOIN loyalty_transfer s
           ON s.id = u.transfer_id AND s.kind = 'redemption' AND s.occurred_at < r.refunded_at
     WHERE r.order_id = ANY(%(orders)s) AND m.id = ANY(%(members)s)
"""
# Who joined the same program in the same way within seconds of each.
_JOINED = """
    SELECT m.id, o.id, o.enrolled_at
      FROM loyalty_membership m
     CROSS JOIN LATERAL (
           SELECT x.id, x.enrolled_at FROM loyalty_membership x
            WHERE x.program_id = m.program_id AND x.source = m.source
              AND x.source_detail = m.source_detail
              AND x.enrolled_at BETWEEN m.enrolled_at - %(span)s * interval '1 second'
                   AND m.enrolled_at + %(span)s * interval '1 second'
            ORDER BY abs(extract(epoch FROM x.enrolled_at - m.enrolled_at)), x.id
            LIMIT %(most)s) o
     WHERE m.id = ANY(%(members)s) AND m.source = ANY(%(ways)s) AND m.enrolled_at >= %(since)s
"""


@dataclass(frozen=True, slots=True)
class Look:
    """At whom, and from when to when; `span`: within what time many join together. `similar`: the
    customers who look like the same person, by membership."""

    members: Sequence[Membership]
    since: dt.datetime
    now: dt.datetime
    span: dt.timedelta
    similar: Mapping[int, Sequence[int]]

    @property
    def ids(self) -> list[int]:
        return [member.pk for member in self.members]

    @property
    def customers(self) -> list[int]:
        return [member.customer_id for member in self.members]


def usual_returns() -> int:
    """Of how many of 100 orders something comes back, among those that came last."""
    last = list(Order.objects.order_by("-pk").values_list("pk", flat=True)[:USUAL_OF])
    return 100 * len(_came_back(last)) // len(last) if last else 0


def _came_back(orders: Sequence[int]) -> set[int]:
    """Those of which something came back, whatever the shop says of their state."""
    rows = Refund.objects.filter(order__in=orders).order_by()
    return set(rows.values_list("order", flat=True).distinct())


def facts_of(look: Look) -> dict[int, MemberFacts]:
    """What is known of each of these members."""
    orders, returned = _orders(look)
    activities = _activities(look)
    redemptions, adjustments = _movements(look)
    joined = _joined_together(look)
    spent = _spent_before(look, returned)
    twins = _twins(look)
    bonuses = _bonuses(look, twins)
    others = {
        key: source(look.members, look.since, look.now)
        for key, source in registered_sources().items()
    }
    return {
        member.pk: MemberFacts(
            duplicates=twins[member.pk],
            bonuses=bonuses[member.pk],
            orders=orders[member.customer_id],
            returned=frozenset(returned),
            spent_before_return=frozenset(spent[member.pk]),
            redemptions=redemptions[member.pk],
            activities=activities[member.customer_id],
            joined_together=joined[member.pk],
            adjustments=adjustments[member.pk],
            others={key: found.get(member.pk, ()) for key, found in others.items()},
        )
        for member in look.members
    }


def _orders(look: Look) -> tuple[dict[int, list[Fact]], dict[str, int]]:
    """By customer; and those of which something came back, by their names."""
    found: dict[int, list[Fact]] = defaultdict(list)
    rows = Order.objects.filter(
        customer__in=look.customers, placed_at__gte=look.since, placed_at__lte=look.now
    ).exclude(status=Order.Status.CANCELED)
    known = []
    for pk, customer, at, store in _newest(rows, "customer", "placed_at").values_list(
        "pk", "customer", "placed_at", "store"
    ):
        found[customer].append(Fact("order", pk, at, store))
        known.append(pk)
    return found, {f"order:{pk}": pk for pk in _came_back(known)}


def _spent_before(look: Look, returned: Mapping[str, int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    if returned:
        with connection.cursor() as cursor:
            cursor.execute(_SPENT, {"orders": list(returned.values()), "members": look.ids})
            for member, order in cursor.fetchall():
                found[member].append(f"order:{order}")
    return found


def _activities(look: Look) -> dict[int, list[Fact]]:
    """By customer; without what follows joining by itself."""
    found: dict[int, list[Fact]] = defaultdict(list)
    rows = Activity.objects.filter(
        customer__in=look.customers, occurred_at__gte=look.since, occurred_at__lte=look.now,
        state__in=Activity.COUNTED,
    ).exclude(source=OWN_SOURCE)  # fmt: skip
    newest = _newest(rows, "customer", "occurred_at")
    for pk, customer, at, source in newest.values_list("pk", "customer", "occurred_at", "source"):
        found[customer].append(Fact("activity", pk, at, source))
    return found


def _movements(look: Look) -> tuple[dict[int, list[Fact]], dict[int, list[Fact]]]:
    """What was redeemed, and what was given or asked for by hand."""
    account = {member.account_id: member.pk for member in look.members}
    wallets = dict(Wallet.objects.filter(account__in=account).values_list("pk", "account"))
    redeemed: dict[int, list[Fact]] = defaultdict(list)
    given: dict[int, list[Fact]] = defaultdict(list)
    rows = Transfer.objects.filter(
        Q(kind=Transfer.Kind.REDEMPTION)
        | Q(kind=Transfer.Kind.ADJUSTMENT, actor__isnull=False, to_account__in=list(account)),
        wallet__in=list(wallets), occurred_at__gte=look.since, occurred_at__lte=look.now,
    ).exclude(explanation__has_key="bulk")  # fmt: skip
    newest = _newest(rows, "wallet__account", "occurred_at", also="kind")
    for pk, wallet, kind, at in newest.values_list("pk", "wallet", "kind", "occurred_at"):
        place = redeemed if kind == Transfer.Kind.REDEMPTION else given
        place[account[wallets[wallet]]].append(Fact("transfer", pk, at))
    rows = AdjustmentRequest.objects.filter(
        wallet__in=list(wallets), units__gt=0, asked_at__gte=look.since
    ).exclude(state=AdjustmentRequest.State.APPROVED)
    asked = _newest(rows, "wallet__account", "asked_at")
    for pk, wallet, at in asked.values_list("pk", "wallet", "asked_at"):
        given[account[wallets[wallet]]].append(Fact("request", pk, at))
    return redeemed, given


def _joined_together(look: Look) -> dict[int, list[Fact]]:
    found: dict[int, list[Fact]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_JOINED, {
            "members": look.ids, "span": int(look.span.total_seconds()), "ways": BY_THEMSELVES,
            "since": look.since, "most": MOST_FACTS,
        })  # fmt: skip
        for member, other, at in cursor.fetchall():
            found[member].append(Fact("member", other, at))
    return found


def _twins(look: Look) -> dict[int, list[Fact]]:
    """Members of the same program who look like the same person, as they are now."""
    named = {pk for similar in look.similar.values() for pk in similar}
    rows = Membership.objects.filter(
        customer__in=named, customer__merged_into=None, merged_into=None
    ) if named else Membership.objects.none()  # fmt: skip
    by_place = {
        (customer, program): Fact("member", pk, at)
        for pk, customer, program, at in rows.values_list(
            "pk", "customer", "program", "enrolled_at"
        )
    }
    return {
        member.pk: _there(
            by_place.get((pk, member.program_id)) for pk in look.similar.get(member.pk, ())
        )
        for member in look.members
    }


def _bonuses(look: Look, twins: Mapping[int, Sequence[Fact]]) -> dict[int, list[list[Fact]]]:
    """What joining brought to them, and to those who look like them: as an activity, or as to
    founding members."""
    named = {fact.id for facts in twins.values() for fact in facts} | set(look.ids)
    awards = ActivityAward.objects.filter(
        activity__customer__in=Membership.objects.filter(pk__in=named).values("customer"),
        activity__type__code=SIGN_UP, activity__state=Activity.State.APPROVED,
        membership__in=named, units__gt=0,
    ).annotate(at=F("activity__occurred_at"))  # fmt: skip
    taken: dict[int, dict[str, Fact]] = defaultdict(dict)
    for activity, member, at in awards.values_list("activity", "membership", "at").distinct():
        taken[member].setdefault("activity", Fact("activity", activity, at))
    grants = FoundingGrant.objects.filter(membership__in=named)
    for transfer, member, at in grants.values_list("transfer", "membership", "granted_at"):
        taken[member]["founding"] = Fact("founding", transfer, at)
    return {
        member.pk: [
            list(taken[pk].values())
            for pk in (member.pk, *(twin.id for twin in twins[member.pk]))
            if pk in taken
        ]
        for member in look.members
    }


def _newest(rows: QuerySet[Any], whose: str, at: str, also: str = "") -> QuerySet[Any]:
    """No more of each than anybody needs, those that came last, from the oldest on."""
    parts = [F(whose), *([F(also)] if also else [])]
    place = Window(RowNumber(), partition_by=parts, order_by=[F(at).desc(), F("pk").desc()])
    found: QuerySet[Any] = rows.annotate(nth=place).filter(nth__lte=MOST_FACTS)
    return found.order_by(at, "pk")


def _there(facts: Iterable[Fact | None]) -> list[Fact]:
    return [fact for fact in facts if fact is not None]
