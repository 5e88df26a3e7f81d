"""What a merge does to the caps that count for each member: one person has used what both did."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q

from loyalty.models import ActivityAward, CapCounter, Membership, Program, Transfer
from loyalty.rules.bodies import parse_body
from loyalty.rules.body_parts import AnyBody
from loyalty.rules.calendar import period_start

# Rule, period and its first day, as JSON holds them.
Counted = tuple[int, str, str]
# The same with the units used.
Used = list[tuple[int, str, str, int]]


def join_caps(giver: Membership, taker: Membership) -> Used:
    """Add what the merged member has used to the other's counters."""
    theirs = CapCounter.objects.filter(membership=giver, used__gt=0).order_by("pk")
    used = [
        (item.rule_id, item.period, item.period_start.isoformat(), item.used) for item in theirs
    ]
    for rule_id, period, start, units in used:
        _change(taker, rule_id, period, start, units)
    return used


def part_caps(
    giver: Membership,
    taker: Membership,
    joined: Sequence[Sequence[Any]],
    *,
    orders: Sequence[int],
    activities: Sequence[int],
    after: int,
) -> None:
    """Take it out again, with what the orders and activities that go back have used more or less
    since."""
    used: defaultdict[Counted, int] = defaultdict(int)
    for rule_id, period, start, units in (_with_period(giver, item) for item in joined):
        used[rule_id, period, start] += units
    for key, units in _used_since(giver.program, orders, after).items():
        used[key] += units
    for key, units in _used_by_activities(giver.program, activities, after).items():
        used[key] += units
    for counted, units in sorted(used.items()):
        theirs = _counter(giver, *counted)
        theirs.used = max(units, 0)
        theirs.save(update_fields=["used"])
        _change(taker, *counted, -theirs.used)


def _with_period(giver: Membership, joined: Sequence[Any]) -> Sequence[Any]:
    """As merges were noted when a rule had one period only: it is that of the counter it was read
    from, which nothing has changed since."""
    if len(joined) == 4:
        return joined
    rule_id, start, units = joined
    known = CapCounter.objects.filter(rule=rule_id, membership=giver, period_start=start)
    return rule_id, known.values_list("period", flat=True).first() or "lifetime", start, units


def _counter(membership: Membership, rule_id: int, period: str, start: str) -> CapCounter:
    counter, _created = CapCounter.objects.get_or_create(
        rule_id=rule_id, membership=membership, period=period,
        period_start=dt.date.fromisoformat(start),
    )  # fmt: skip
    return counter


def _change(membership: Membership, rule_id: int, period: str, start: str, units: int) -> None:
    counter = _counter(membership, rule_id, period, start)
    counter.used = max(counter.used + units, 0)
    counter.save(update_fields=["used"])


def _used_since(program: Program, orders: Sequence[int], after: int) -> dict[Counted, int]:
    """Units that these orders got or lost by rules with such a cap, since the merge."""
    found = Transfer.objects.filter(
        order__in=orders, rule_version__rule__program=program, pk__gt=after
    ).select_related("order", "rule_version__rule")
    return _sums((transfer, transfer.order.placed_at, program) for transfer in found)


def _used_by_activities(
    program: Program, activities: Sequence[int], after: int
) -> dict[Counted, int]:
    """Units that these activities got, or lost again, since the merge."""
    awards = ActivityAward.objects.filter(
        activity__in=activities, rule_version__rule__program=program, units__gt=0
    )
    when = dict(awards.values_list("transfer", "activity__occurred_at"))
    found = Transfer.objects.filter(Q(pk__in=when) | Q(corrects__in=when), pk__gt=after)
    return _sums(
        (transfer, when[transfer.corrects_id or transfer.pk], program)
        for transfer in found.select_related("rule_version__rule")
        if transfer.rule_version is not None
    )


def _sums(
    found: Iterable[tuple[Transfer, dt.datetime, Program]],
) -> dict[Counted, int]:
    used: defaultdict[Counted, int] = defaultdict(int)
    for transfer, at, program in found:
        assert transfer.rule_version is not None
        body = parse_body(transfer.rule_version.body)
        # What moved units is no discount.
        assert isinstance(body, AnyBody)
        rule = transfer.rule_version.rule
        for period, _most in body.caps.per_member.said:
            start = period_start(period, at, program.zone).isoformat()
            key = (rule.budget_rule_id or rule.pk, period, start)
            if transfer.kind == Transfer.Kind.ACCRUAL:
                used[key] += transfer.amount
            elif transfer.corrects_id is not None:
                used[key] -= transfer.amount
    return used
