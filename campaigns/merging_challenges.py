"""The challenges of two customers who turn out to be one person: what was begun under either name
goes on, and what was won under either name is won once."""

from __future__ import annotations

from campaigns.models import ChallengeEntry, ChallengeWin
from campaigns.services.leaderboards import keep_scores
from loyalty.models import Membership
from members.merging import MergeHandler, Merging, Record, register_merge_handler
from members.models import Customer

Won = ChallengeWin.State


def merge_challenges(merging: Merging) -> Record:
    """Entries of the duplicate go to the membership that counts, if that has none of the same
    challenge; of two the one goes on that holds what was done in both, and what was won in the
    other counts as won in it."""
    entries: list[list[int]] = []
    wins: list[list[int]] = []
    rows = ChallengeEntry.objects.filter(
        membership__customer=merging.merged, membership__merged_into__isnull=False
    ).exclude(state=ChallengeEntry.State.LEFT)  # fmt: skip
    for entry in rows.select_related("challenge", "membership").order_by("pk"):
        kept: Membership | None = entry.membership.merged_into
        assert kept is not None
        known = ChallengeEntry.objects.filter(challenge=entry.challenge_id, membership=kept)
        other = known.exclude(state=ChallengeEntry.State.LEFT).order_by("starts_at").first()
        taken = known.filter(starts_at=entry.starts_at).exists()
        if other is None and not taken:
            entries.append([entry.pk, entry.membership_id])
            entry.membership = kept
            entry.save(update_fields=["membership"])
        elif other is not None and not taken and _holds_more(entry, other):
            entries += _change_places(entry, other)
            wins += _take_wins(other, entry)
        elif other is not None:
            wins += _take_wins(entry, other)
    _keep_scores(merging.merged, merging.kept)
    return {"entries": entries, "wins": wins}


def part_challenges(merging: Merging, record: Record) -> None:
    """Each is where it was."""
    for pk, membership in record["entries"]:
        ChallengeEntry.objects.filter(pk=pk).update(membership=membership)
    for pk, entry in record["wins"]:
        ChallengeWin.objects.filter(pk=pk).update(entry=entry)
    _keep_scores(merging.merged, merging.kept)


def _keep_scores(*people: Customer) -> None:
    """Of both: what they did is somebody else's now."""
    rows = Membership.objects.filter(customer__in=people)
    keep_scores(rows.values_list("pk", flat=True))


def register() -> None:
    """After memberships know which of them counts; called once, when the application is ready."""
    register_merge_handler(
        "challenges",
        MergeHandler(
            fields=(), merge=merge_challenges, undo=part_challenges,
        ),
        order=85,
    )  # fmt: skip


def _holds_more(entry: ChallengeEntry, other: ChallengeEntry) -> bool:
    """What began first holds all that the other does, unless each has days of their own, or is in
    a team: then it is the one that was won more often, or lasts longer."""
    challenge = entry.challenge
    if challenge.days is None and challenge.team_size is None:
        return entry.starts_at < other.starts_at
    found = [(item.wins.filter(state=Won.WON).count(), item.ends_at) for item in (entry, other)]
    return found[0] > found[1]


def _change_places(entry: ChallengeEntry, other: ChallengeEntry) -> list[list[int]]:
    """Each goes to the other's membership. Returns whose they were."""
    before = [[entry.pk, entry.membership_id], [other.pk, other.membership_id]]
    entry.membership, other.membership = other.membership, entry.membership
    for item in (other, entry):
        item.save(update_fields=["membership"])
    return before


def _take_wins(entry: ChallengeEntry, other: ChallengeEntry) -> list[list[int]]:
    known = set(other.wins.values_list("number", flat=True))
    moved = []
    for win in entry.wins.exclude(number__in=known):
        moved.append([win.pk, entry.pk])
        win.entry = other
        win.save(update_fields=["entry"])
    return moved
