"""A challenge as members see it: what is to be done, how far they are, what it brings."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from campaigns.campaign_words import told_campaign
from campaigns.challenge_definitions import plan_of
from campaigns.challenge_words import brings, reached_words, step_words, time_words
from campaigns.models import ChallengeTeam
from campaigns.selectors.challenges import Standing


@dataclass(frozen=True, slots=True)
class StepCard:
    """One of the things to be done. `names`: of what is collected, what is there."""

    text: str
    reached: str
    percent: int
    done: bool
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChallengeCard:
    """`won`: so often by now, of `times`; `waits`: joining comes first."""

    id: UUID
    title: str
    text: str
    icon: str
    brings: tuple[str, ...]
    steps: tuple[StepCard, ...]
    in_order: bool
    percent: int
    done: bool
    won: int
    times: int
    ends_at: dt.datetime
    counts_down: bool
    may_join: bool
    may_leave: bool
    days: str
    team: ChallengeTeam | None
    team_size: int
    together: int


def challenge_card(standing: Standing, now: dt.datetime, locale: str = "") -> ChallengeCard:
    challenge, progress = standing.challenge, standing.progress
    campaign = challenge.campaign
    told, currency = told_campaign(campaign, locale), campaign.program.currency
    steps = tuple(
        StepCard(
            step_words(step, currency), reached_words(step, item, currency), int(item.share * 100),
            item.done, item.names,
        )
        for step, item in zip(plan_of(challenge).steps, progress.reached, strict=True)
    )  # fmt: skip
    return ChallengeCard(
        id=campaign.public_id, title=told.title, text=told.text, icon=challenge.badge_icon,
        brings=tuple(brings(challenge)), steps=steps, in_order=challenge.in_order,
        percent=progress.percent, done=progress.is_done, won=len(progress.rounds),
        times=challenge.times, ends_at=standing.ends_at,
        counts_down=standing.ends_at - now < dt.timedelta(days=2),
        may_join=standing.may_join, may_leave=standing.may_leave,
        days=time_words(challenge) if standing.may_join else "",
        team=standing.entry.team if standing.entry else None,
        team_size=challenge.team_size or 0, together=standing.together,
    )  # fmt: skip
