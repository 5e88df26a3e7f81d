"""What buyers want to be told and did with messages, as rules ask for it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from campaigns.models import Consent, Delivery
from loyalty.asked_elsewhere import BuyerAsked


@dataclass(frozen=True, slots=True)
class Told:
    """`said`: by channel and topic; `opened_at`, `clicked_at`: the last time before the moment."""

    said: Mapping[tuple[str, str], str]
    opened_at: dt.datetime | None
    clicked_at: dt.datetime | None


def told_to(asked: Sequence[BuyerAsked]) -> list[Told | None]:
    """Of each buyer (`loyalty.asked_elsewhere`); two queries. Of nobody nothing is known."""
    people = {item.customer_id for item in asked} - {0}
    said: defaultdict[int, dict[tuple[str, str], str]] = defaultdict(dict)
    for row in Consent.objects.filter(customer__in=people):
        said[row.customer_id][row.channel, row.topic] = row.state
    opened: defaultdict[int, list[dt.datetime]] = defaultdict(list)
    clicked: defaultdict[int, list[dt.datetime]] = defaultdict(list)
    rows = Delivery.objects.filter(message__customer__in=people).exclude(
        opened_at=None, clicked_at=None
    )
    for key, opened_at, clicked_at in rows.values_list(
        "message__customer", "opened_at", "clicked_at"
    ):
        if opened_at:
            opened[key].append(opened_at)
        if clicked_at:
            clicked[key].append(clicked_at)
    return [
        Told(
            said[item.customer_id], _latest(opened[item.customer_id], item.at),
            _latest(clicked[item.customer_id], item.at),
        ) if item.customer_id else None
        for item in asked
    ]  # fmt: skip


def _latest(times: Sequence[dt.datetime], before: dt.datetime) -> dt.datetime | None:
    return max((at for at in times if at < before), default=None)
