"""What members are recognized by: their tier, beside what they say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from loyalty.models import Membership
from loyalty.selectors.member_tiers import member_standings


def badges_of(members: Sequence[Membership], now: dt.datetime) -> dict[int, str]:
    """The name of the tier of each, by membership; nothing where the program has none."""
    return {pk: stands.tier.name for pk, stands in member_standings(members, now).items()}
