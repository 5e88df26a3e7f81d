"""Who a condition would hold for, before it is saved: how many, and a few of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from members.errors import DomainError
from members.models import Customer
from members.query_limits import TookTooLongError, limited_queries
from members.selectors.segments import customers_matching, merchant_moment, read_condition

SAMPLE = 10
# Somebody is waiting; what takes longer is worked out by a worker when it is saved.
LONGEST = 3_000


@dataclass(frozen=True, slots=True)
class Preview:
    count: int
    total: int
    sample: list[Customer]


def preview_condition(
    said: Mapping[str, Any], *, now: dt.datetime, milliseconds: int = LONGEST
) -> Preview:
    """How many customers a condition holds for, and the newest ten of them."""
    found = customers_matching(read_condition(said), merchant_moment(now))
    try:
        with limited_queries(milliseconds):
            return Preview(
                found.count(),
                Customer.objects.filter(merged_into=None).count(),
                list(found.order_by("-pk")[:SAMPLE]),
            )
    except TookTooLongError as error:
        raise DomainError(
            _(
                "Counting takes too long to wait for. You can save the segment all the same: it is "
                "worked out in the background, and its page then shows who is in it."
            ),
            code="preview_too_slow",
        ) from error
