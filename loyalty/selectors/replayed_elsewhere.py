"""What higher applications knew of buyers at each of their orders, for what is tried on them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loyalty.asked_elsewhere import BuyerAsked, asked_scopes, facts_of
from loyalty.models import Program
from loyalty.rules.events import Event, Sale

Known = dict[str, dict[dt.datetime, Any]]


def known_elsewhere(
    program: Program, scopes: Iterable[str], events: Mapping[int, Sequence[Event]]
) -> defaultdict[int, Known]:
    """By customer, scope and the moment of each order. Nobody is known to a program that there is
    not yet."""
    found: defaultdict[int, Known] = defaultdict(dict)
    wanted = [
        BuyerAsked(program.pk, customer_id, event.at)
        for customer_id, own in events.items()
        for event in own
        if program.pk and isinstance(event, Sale)
    ]
    for scope in asked_scopes(scopes):
        for asked, facts in zip(wanted, facts_of(scope, wanted), strict=True):
            found[asked.customer_id].setdefault(scope, {})[asked.at] = facts
    return found
