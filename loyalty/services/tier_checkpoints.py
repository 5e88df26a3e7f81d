"""Keeping what members' facts come to, so that the next order need not go through all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from loyalty.models import MemberTier, TierCheckpoint
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.selectors.tier_checkpoints import row_of
from loyalty.selectors.tier_checks import next_checkpoints, wrong_checkpoints
from loyalty.tiers.progress import Standing

_FIELDS = [field.attname for field in TierCheckpoint._meta.concrete_fields if not field.primary_key]


def keep_checkpoints(program: ProgramTerms, found: Mapping[int, Standing]) -> None:
    """Those that the courses have just come by. The caller holds the members' wallets: what is
    told of one meanwhile waits, and drops the checkpoint then if it is older (see
    `loyalty.models.checkpoint_triggers`)."""
    rows = [
        row_of(pk, program, stands.checkpoint)
        for pk, stands in sorted(found.items())
        if stands.checkpoint is not None
    ]
    if rows:
        TierCheckpoint.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["membership"], update_fields=_FIELDS
        )


def mend_checkpoints(*, now: dt.datetime) -> int:
    """Drop those that are not what the facts come to, so that these are gone through again. How
    many there were."""
    after, mended = 0, 0
    while members := next_checkpoints(after):
        after = members[-1]
        wrong = wrong_checkpoints(members, now)
        TierCheckpoint.objects.filter(pk__in=wrong).delete()
        MemberTier.objects.filter(pk__in=wrong).update(
            changes_at=now, by_clock=False, turn=None, due=None, landing=0
        )
        mended += len(wrong)
    return mended
