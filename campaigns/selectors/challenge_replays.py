"""A challenge as if it had been on in the past: what members bought then, counted as in life."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from campaigns.challenge_definitions import window_of
from campaigns.challenges.purchases import Purchase
from campaigns.models import Campaign, Challenge, ChallengeEntry
from campaigns.selectors.campaigns import audience_of, is_kept_aside
from campaigns.selectors.challenge_purchases import purchases_of
from campaigns.selectors.challenges import begins_by_itself, entry_progress, span_for
from loyalty.models import Membership
from loyalty.rules.calendar import start_of_day

WEEK = 7
# So far back, and so many stretches at most.
LONGEST, MOST = 92, 8
# Where its time is not said yet.
USUAL = dt.timedelta(days=28)
# From when to when.
Stretch = tuple[dt.datetime, dt.datetime]


def past_stretches(campaign: Campaign, now: dt.datetime) -> list[Stretch]:
    """As long as it lasts and from the same weekday and hour on, the latest that is over first; as
    many as fit into three months, one at least."""
    zone = campaign.program.zone
    ends_at = campaign.ends_at or start_of_day(now.astimezone(zone).date(), zone)
    starts_at = campaign.starts_at or ends_at - USUAL
    weeks = max(-((starts_at - ends_at) // dt.timedelta(days=WEEK)), 1)
    step = dt.timedelta(days=weeks * WEEK)
    first = max(-((now - ends_at) // step), 0)
    times = [at.astimezone(zone) for at in (starts_at, ends_at)]
    # By the clocks of the program.
    return [
        (times[0] - number * step, times[1] - number * step)
        for number in range(first, first + max(min(LONGEST // step.days, MOST), 1))
    ]


@dataclass(slots=True)
class Tally:
    """Of one stretch: how many bought anything that counts in time, how many of them did it, and
    how often it was done, by the day on which it was."""

    buyers: int = 0
    members: int = 0
    wins: Counter[str] = field(default_factory=Counter)

    def merge(self, other: Tally) -> None:
        self.buyers += other.buyers
        self.members += other.members
        self.wins.update(other.wins)

    def as_json(self) -> dict[str, Any]:
        return {"buyers": self.buyers, "members": self.members, "wins": dict(self.wins)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Tally:
        return cls(kept["buyers"], kept["members"], Counter(kept["wins"]))


def tally_stretches(
    challenge: Challenge, stretches: Sequence[Stretch], first: int, last: int, now: dt.datetime
) -> list[Tally]:
    """Of the customers from `first` to `last` whom it is for as of now. Who would have to join did
    so as it began, or as they became members; where each has days of their own, with their first
    order. A constant number of queries."""
    campaign = challenge.campaign
    rows = audience_of(campaign, now).filter(customer__gte=first, customer__lte=last)
    rows = rows.select_related("customer", "program").prefetch_related("absences")
    members = [row for row in rows.order_by("pk") if not is_kept_aside(campaign, row)]
    bought = purchases_of(
        campaign.program, [row.customer_id for row in members],
        min(start for start, _end in stretches), max(end for _start, end in stretches),
    )  # fmt: skip
    found = []
    for stretch in stretches:
        moved, tally = _moved(challenge, stretch), Tally()
        for member in members:
            entry = _entry(moved, member, bought.get(member.customer_id, ()))
            if entry is not None:
                _count(tally, entry, bought)
        found.append(tally)
    return found


def _moved(challenge: Challenge, stretch: Stretch) -> Challenge:
    """The same, as if this were its time. It is not to be saved."""
    campaign, moved = copy(challenge.campaign), copy(challenge)
    campaign.starts_at, campaign.ends_at = stretch
    campaign.ended_at = None
    moved.campaign, moved.pauses = campaign, []
    return moved


def _entry(
    challenge: Challenge, member: Membership, bought: Sequence[Purchase]
) -> ChallengeEntry | None:
    """What it would have been for a member; None: it was not for them."""
    campaign = challenge.campaign
    assert campaign.starts_at is not None
    assert campaign.ends_at is not None
    member_from = max(campaign.starts_at, member.enrolled_at)
    if member_from >= campaign.ends_at:
        return None
    begins: dt.datetime | None = member_from
    if not challenge.opt_in:
        begins = begins_by_itself(challenge, member)
    elif challenge.days is not None:
        begins = next((item.at for item in bought if member_from <= item.at), None)
    if begins is None or begins >= campaign.ends_at:
        return None
    starts_at, ends_at = span_for(challenge, begins)
    return ChallengeEntry(
        challenge=challenge, membership=member, starts_at=starts_at, ends_at=ends_at,
        created_at=begins,
    )  # fmt: skip


def _count(tally: Tally, entry: ChallengeEntry, bought: Mapping[int, Sequence[Purchase]]) -> None:
    member, window = entry.membership, window_of(entry)
    if not any(window.holds(item.at) for item in bought.get(member.customer_id, ())):
        return
    zone = member.program.zone
    rounds = entry_progress(entry, [entry], bought).rounds
    tally.buyers += 1
    tally.members += bool(rounds)
    tally.wins.update(at.astimezone(zone).date().isoformat() for at in rounds)
