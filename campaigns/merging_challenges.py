"""The challenges of two customers who turn out to be one person: what was begun under either name
goes on, and what was won under either name is won once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from campaigns.models import ChallengeEntry, ChallengeWin
from loyalty.models import Membership
from members.merging import MergeHandler, MergeSection, Merging, Record, register_merge_handler
from members.models import Customer, CustomerMerge


def merge_challenges(merging: Merging) -> Record:
    """Entries of the duplicate go to the membership that counts, if that has none of the same
    challenge; else what was won by it counts as won by that one."""
    entries: list[list[int]] = []
    wins: list[list[int]] = []
    rows = ChallengeEntry.objects.filter(
        membership__customer=merging.merged, membership__merged_into__isnull=False
    ).exclude(state=ChallengeEntry.State.LEFT)  # fmt: skip
    for entry in rows.select_related("membership").order_by("pk"):
        kept: Membership | None = entry.membership.merged_into
        assert kept is not None
        known = ChallengeEntry.objects.filter(challenge=entry.challenge_id, membership=kept)
        other = known.exclude(state=ChallengeEntry.State.LEFT).order_by("starts_at").first()
        taken = known.filter(starts_at=entry.starts_at).exists()
        if other is None and not taken:
            entries.append([entry.pk, entry.membership_id])
            entry.membership = kept
            entry.save(update_fields=["membership"])
        elif other is not None:
            wins += _take_wins(entry, other)
    return {"entries": entries, "wins": wins}


def part_challenges(merging: Merging, record: Record) -> None:
    """Each is where it was."""
    for pk, membership in record["entries"]:
        ChallengeEntry.objects.filter(pk=pk).update(membership=membership)
    for pk, entry in record["wins"]:
        ChallengeWin.objects.filter(pk=pk).update(entry=entry)


def nothing_to_say(_kept: Customer, _merged: Customer, _now: datetime) -> Sequence[MergeSection]:
    return ()


def nothing_to_undo(
    _merge: CustomerMerge, _record: Record, _now: datetime
) -> Sequence[MergeSection]:
    return ()


def register() -> None:
    """After memberships know which of them counts; called once, when the application is ready."""
    register_merge_handler(
        "challenges",
        MergeHandler(
            fields=(), preview=nothing_to_say, merge=merge_challenges, undo=part_challenges,
            preview_undo=nothing_to_undo,
        ),
        order=85,
    )  # fmt: skip


def _take_wins(entry: ChallengeEntry, other: ChallengeEntry) -> list[list[int]]:
    known = set(other.wins.values_list("number", flat=True))
    moved = []
    for win in entry.wins.exclude(number__in=known):
        moved.append([win.pk, entry.pk])
        win.entry = other
        win.save(update_fields=["entry"])
    return moved
