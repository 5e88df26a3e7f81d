"""Whether what members' earlier facts were found to come to is what they come to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext_noop as _

from loyalty.ledger.checks import SHOWN, Drift
from loyalty.models import Membership, TierCheckpoint
from loyalty.selectors.member_tiers import standings
from loyalty.selectors.rulebooks import fresh_terms

# As rules of the books are named.
TIER_RULE = _("a tier that is gone on with is the one that is worked out from the first fact on")
PIECE = 100


def next_checkpoints(after: int) -> list[int]:
    """The next memberships that have one, by key."""
    rows = TierCheckpoint.objects.filter(pk__gt=after).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:PIECE])


def wrong_checkpoints(memberships: Sequence[int], now: dt.datetime) -> list[int]:
    """Those of them that lead to another tier, history or total than all facts do. Looked at
    twice: something may have been told in between."""
    return _wrong(_wrong(memberships, now), now)


def verify_tiers(now: dt.datetime) -> Drift | None:
    """Everybody's; None: the rule holds."""
    after, wrong = 0, list[int]()
    while members := next_checkpoints(after):
        after = members[-1]
        wrong += wrong_checkpoints(members, now)
    return tier_drift(wrong)


def tier_drift(wrong: Sequence[int]) -> Drift | None:
    """As a rule that does not hold; None: it does."""
    rows = tuple(f"membership {pk}" for pk in wrong[:SHOWN])
    return Drift(TIER_RULE, rows, len(wrong)) if wrong else None


def _wrong(memberships: Sequence[int], now: dt.datetime) -> list[int]:
    if not memberships:
        return []
    rows = Membership.objects.filter(pk__in=memberships).exclude(status=Membership.Status.MERGED)
    wrong = []
    for program in fresh_terms().programs:
        own = [member for member in rows if member.program_id == program.id]
        kept, fresh = (
            standings(program, own, at=now, from_the_first=first) for first in (False, True)
        )
        wrong += [
            pk
            for pk, stands in fresh.items()
            if replace(kept[pk], checkpoint=None) != replace(stands, checkpoint=None)
        ]
    return sorted(wrong)
