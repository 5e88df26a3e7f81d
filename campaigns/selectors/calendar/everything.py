"""All sources of the calendar, put together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from campaigns.calendar_entries import Entry, Span
from campaigns.selectors.calendar import of_campaigns, of_loyalty, of_rewards
from campaigns.selectors.seasons import of_seasons
from loyalty.models import Program

Source = Callable[[Sequence[Program], Span, dt.datetime], Iterator[Entry]]
# Which kinds each brings.
SOURCES: Mapping[Source, frozenset[str]] = {
    of_seasons: frozenset({"season"}),
    of_campaigns.of_campaigns: frozenset({"promotion", "challenge", "message"}),
    of_campaigns.of_games: frozenset({"game"}),
    of_campaigns.of_surveys: frozenset({"survey", "message"}),
    of_campaigns.of_broadcasts: frozenset({"broadcast"}),
    of_campaigns.of_journeys: frozenset({"journey"}),
    of_campaigns.of_referrals: frozenset({"referral"}),
    of_campaigns.of_posts: frozenset({"post", "message"}),
    of_campaigns.of_experiments: frozenset({"experiment"}),
    of_rewards.of_events: frozenset({"event"}),
    of_rewards.of_openings: frozenset({"opening"}),
    of_rewards.of_rewards: frozenset({"reward"}),
    of_loyalty.of_rules: frozenset({"rule"}),
    of_loyalty.of_days: frozenset({"tier", "expiry"}),
    of_loyalty.of_plans: frozenset({"plan"}),
    of_loyalty.of_settlements: frozenset({"settlement"}),
    of_loyalty.of_programs: frozenset({"program"}),
}


def entries(
    programs: Sequence[Program], span: Span, now: dt.datetime, kinds: Collection[str] = ()
) -> list[Entry]:
    """What meets the days, of the kinds that are named or of all; by their beginnings."""
    found = [
        entry
        for source, brought in SOURCES.items()
        if not kinds or brought & set(kinds)
        for entry in source(programs, span, now)
        if entry.meets(span) and (not kinds or entry.kind in kinds)
    ]
    return sorted(found, key=lambda item: (item.starts_at, item.kind != "season", item.title))
