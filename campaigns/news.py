"""What somebody is to be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loyalty.models import Membership
from members.models import Customer


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
