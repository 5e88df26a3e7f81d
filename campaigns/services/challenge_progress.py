"""How far members are in challenges, kept up to date: for those who bought, or whose orders
changed, and nobody else."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from campaigns.challenge_definitions import window_of
from campaigns.challenges.progress import NEAR, Progress
from campaigns.models import Challenge, ChallengeEntry
from campaigns.selectors.campaigns import audience_of, is_kept_aside
from campaigns.selectors.challenge_purchases import Bought, purchases_of
from campaigns.selectors.challenges import (
    automatic,
    begins_by_itself,
    entries_to_measure,
    entry_progress,
    partners_of,
    span_for,
    with_teams,
)
from campaigns.services.challenge_wins import settle_wins
from campaigns.services.leaderboards import keep_scores
from campaigns.services.told_challenges import follow_begun, follow_entries
from loyalty.models import Membership
from members.models import OutboxEvent
from members.models.changes import CHANGED
from members.outbox import register_consumer
from members.prepared import KeptQuery

State = ChallengeEntry.State
# So many customers are worked out together.
AT_ONCE = 500
_KEPT = ("state", "rounds", "percent", "reached")


def follow_changes(events: Sequence[OutboxEvent]) -> None:
    """Outbox consumer of `customers.changed`: those customers' challenges."""
    changed = sorted({pk for event in events for pk in event.payload["customers"]})
    now = timezone.now()
    for first in range(0, len(changed), AT_ONCE):
        measure_customers(changed[first : first + AT_ONCE], now=now)


def register() -> None:
    """Called once, when the application is ready."""
    register_consumer(CHANGED, follow_changes)


@transaction.atomic
def measure_customers(customers: Sequence[int], *, now: dt.datetime) -> int:
    """Bring what these customers take part in to what they bought, and give what they have won by
    that. Doing it twice changes nothing. Returns how many entries were not so. A constant number of
    queries, besides those for what is won."""
    _begin_automatic(customers, now)
    return measure_entries(entries_to_measure(customers, now), now=now)


@transaction.atomic
def measure_entries(keys: Iterable[int], *, now: dt.datetime) -> int:
    """The same of some entries."""
    asked = set(keys)
    rows = list(_locked(with_teams(asked)))
    changed: list[ChallengeEntry] = []
    moved: list[int] = []
    reached: list[tuple[ChallengeEntry, Progress]] = []
    for entry, progress in _measured(rows):
        # Who is no member any more only helps the others.
        if entry.pk not in asked and entry.membership.status != Membership.Status.ACTIVE:
            continue
        was = entry.state
        before = [getattr(entry, name) for name in _KEPT]
        _put(entry, progress, now)
        if before != [getattr(entry, name) for name in _KEPT]:
            changed.append(entry)
        if was != entry.state:
            moved.append(entry.pk)
        reached.append((entry, progress))
    ChallengeEntry.objects.bulk_update(changed, list(_KEPT), batch_size=1000)
    settle_wins([(entry, progress.rounds) for entry, progress in reached], now=now)
    keep_scores(entry.membership_id for entry, _progress in reached)
    follow_entries(moved, now)
    return len(changed)


def state_of(entry: ChallengeEntry, progress: Progress, now: dt.datetime) -> str:
    """Done stays done whatever the time; what is not ends with its time."""
    if progress.is_done:
        return State.WON
    window = window_of(entry)
    if now > window.ends_at or (now == window.ends_at and not window.inclusive):
        return State.ENDED
    return State.NEAR if progress.percent >= NEAR else State.OPEN


def _put(entry: ChallengeEntry, progress: Progress, now: dt.datetime) -> None:
    entry.state = state_of(entry, progress, now)
    entry.rounds, entry.percent = len(progress.rounds), progress.percent
    entry.reached = [
        [f"{item.got.normalize():f}", f"{item.goal.normalize():f}"] for item in progress.reached
    ]


def _measured(rows: Sequence[ChallengeEntry]) -> Iterable[tuple[ChallengeEntry, Progress]]:
    """One reading of orders for each program."""
    by_program: defaultdict[int, list[ChallengeEntry]] = defaultdict(list)
    for entry in rows:
        by_program[entry.membership.program_id].append(entry)
    for found in by_program.values():
        bought = _bought(found)
        for entry in found:
            yield entry, entry_progress(entry, partners_of(entry, found), bought)


def _bought(found: Sequence[ChallengeEntry]) -> Bought:
    windows = [window_of(entry) for entry in found]
    return purchases_of(
        found[0].membership.program, {entry.membership.customer_id for entry in found},
        min(window.starts_at for window in windows), max(window.ends_at for window in windows),
    )  # fmt: skip


def _locked(keys: Iterable[int]) -> Iterable[ChallengeEntry]:
    """In the order of their keys, so that two workers take turns."""
    named = list(keys)
    return _HELD.rows(named, State.LEFT) if named else []


def _to_hold(keys: list[int], left: str) -> QuerySet[ChallengeEntry]:
    rows = ChallengeEntry.objects.select_related(
        "challenge__campaign__program", "challenge__reward", "membership__customer",
        "membership__program",
    )  # fmt: skip
    rows = rows.filter(pk__among=keys).exclude(state=left)
    return rows.prefetch_related("membership__absences").order_by("pk")


_HELD: KeptQuery[ChallengeEntry] = KeptQuery(
    _to_hold, ending=' FOR UPDATE OF "campaigns_challengeentry"'
)


def _begin_automatic(customers: Sequence[int], now: dt.datetime) -> None:
    """Who bought begins what everybody takes part in. Who has not bought has no entry."""
    for challenge in automatic(now):
        fresh = _newcomers(challenge, customers, now)
        ChallengeEntry.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=1000)
        if fresh:
            begun = challenge.entries.filter(membership__in=[row.membership_id for row in fresh])
            follow_begun(begun.values_list("pk", flat=True), now)


def _newcomers(
    challenge: Challenge, customers: Sequence[int], now: dt.datetime
) -> list[ChallengeEntry]:
    campaign = challenge.campaign
    members = audience_of(campaign, now).filter(customer__in=customers)
    members = members.exclude(challenge_entries__challenge=challenge)
    spans: list[tuple[Membership, dt.datetime, dt.datetime]] = []
    members = members.select_related("customer", "program").prefetch_related("absences")
    for member in members:
        begins = begins_by_itself(challenge, member)
        if begins is None or is_kept_aside(campaign, member):
            continue
        spans.append((member, *span_for(challenge, begins)))
    if not spans:
        return []
    bought = purchases_of(
        campaign.program, [member.customer_id for member, *_span in spans],
        min(start for _member, start, _end in spans), max(end for *_rest, end in spans),
    )  # fmt: skip
    found = []
    for member, starts_at, ends_at in spans:
        entry = ChallengeEntry(
            challenge=challenge, membership=member, starts_at=starts_at, ends_at=ends_at,
            created_at=now,
        )  # fmt: skip
        if any(window_of(entry).holds(item.at) for item in bought.get(member.customer_id, ())):
            found.append(entry)
    return found
