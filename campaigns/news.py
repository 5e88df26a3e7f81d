"""What somebody is to be told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loyalty.models import Membership
from members.models import Customer

# What happened longer ago is no news: it was only told late, or is of the past.
FRESH = dt.timedelta(days=3)


@dataclass(frozen=True, slots=True)
class News:
    """What somebody is to be told. `occurrence` names which one it was: told again, it is the same.
    `values` says it in the language that is active then; `link`: a path on the member's pages."""

    customer: Customer
    occurrence: str
    values: Callable[[], Mapping[str, str]]
    membership: Membership | None = None
    link: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
