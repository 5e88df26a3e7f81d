"""What members' orders brought so far to the windows of rules."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from loyalty.models import WindowPart
from loyalty.rules.bodies import WindowedBody
from loyalty.rules.bonus import Part, window_start
from loyalty.rules.engine import RuleVersion


@dataclass(frozen=True, slots=True)
class Wanted:
    """A member and a rule that may have windows, in a program's time zone."""

    membership_id: int
    version: RuleVersion
    zone: zoneinfo.ZoneInfo


def window_parts(wanted: Iterable[Wanted], at: dt.datetime) -> dict[tuple[int, int], list[Part]]:
    """By membership and version, to the windows that this moment is in, in one query. Versions
    without windows, and those to which nothing came, are not there."""
    asked = {
        (item.membership_id, item.version.id): item
        for item in wanted
        if item.membership_id
        and isinstance(item.version.body, WindowedBody)
        and item.version.body.windowed
    }
    if not asked:
        return {}
    starts = {
        pair: window_start(item.version.body, at, item.zone)
        for pair, item in asked.items()
        if isinstance(item.version.body, WindowedBody)
    }
    rows = (
        WindowPart.objects.filter(
            award__membership__in={member for member, _version in asked},
            award__rule_version__in={version for _member, version in asked},
            award__window_start__in=set(starts.values()),
        )
        .order_by("order__placed_at", "order_id")
        .values_list(
            "award__membership", "award__rule_version", "award__window_start",
            "order__placed_at", "amount",
        )
    )  # fmt: skip
    found: defaultdict[tuple[int, int], list[Part]] = defaultdict(list)
    for member, version, start, placed_at, amount in rows:
        pair = member, version
        if starts.get(pair) == start:
            found[pair].append((placed_at.astimezone(asked[pair].zone), amount))
    return found
