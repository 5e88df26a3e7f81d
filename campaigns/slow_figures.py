"""Figures of messages, journeys and promotions that look at very many rows."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from campaigns.broadcast_definitions import definition_of_broadcast
from campaigns.experiment_plans import Plan
from campaigns.models import Broadcast, Campaign, Challenge, Journey, Survey
from campaigns.selectors import (
    broadcast_results,
    campaign_results,
    journey_results,
    referral_results,
    survey_results,
)
from campaigns.selectors.challenge_results import (
    ChallengeResult,
    challenge_result,
    parts_of_the_way,
)
from campaigns.selectors.consents import Answered, said_of_topics
from campaigns.selectors.experiment_plans import plan_of
from campaigns.selectors.experiment_results import ExperimentResult, experiment_result
from campaigns.selectors.experiments import experiments
from campaigns.selectors.figures import (
    Counts,
    Measured,
    figures_by_journey,
    figures_by_occasion,
    figures_of_journey,
    figures_of_occasion,
)
from campaigns.selectors.messages import CountedWay, figures_since
from campaigns.selectors.outlooks import RunOut, quarter_outlooks
from campaigns.selectors.peaks import Peak, suggested_peaks
from campaigns.selectors.seasons import Quarter, quarters
from campaigns.services import broadcast_reach
from loyalty.models import Program
from members.slow_figures import register_figures

LATELY = "what became of messages lately"
ALL, OCCASION, JOURNEY = "messages", "messages of an occasion", "messages of a journey"
JOURNEY_RESULT, CAMPAIGN_RESULT = "result of a journey", "result of a campaign"
YEAR, SURVEY_RESULT = "sold in a year", "result of a survey"
BROADCAST_REACH, BROADCAST_RESULT = "reach of a broadcast", "result of a broadcast"
EXPERIMENT = "plan or result of an experiment"
CHALLENGE_RESULT, REFERRAL_RESULT = "result of a challenge", "result of referrals"
TOPICS_SAID = "what was said of topics"


@dataclass(frozen=True, slots=True)
class Told:
    """All messages by their occasion, and journeys by their key."""

    occasions: dict[str, Counts]
    journeys: dict[int, Counts]


@dataclass(frozen=True, slots=True)
class ToldByJourney:
    """What a journey has told, and what it brought; None before it was live."""

    measured: Measured
    result: journey_results.Result | None


@dataclass(frozen=True, slots=True)
class ChallengeFigures:
    """What it gave, who takes part, and how many are how far."""

    result: campaign_results.CampaignResult
    own: ChallengeResult
    way: list[int]


@dataclass(frozen=True, slots=True)
class ExperimentFigures:
    """What a draft takes, or what the arms of one that was started have done."""

    plan: Plan | None
    result: ExperimentResult | None


@dataclass(frozen=True, slots=True)
class SoldInYear:
    """What was sold in each quarter, when what its campaigns share runs out, and in which days
    members bought more than usual."""

    quarters: list[Quarter]
    outlooks: list[RunOut | None]
    peaks: list[Peak]


def lately(*, occasion: str, days: int, now: dt.datetime) -> list[CountedWay]:
    """Of one occasion, or of all if it is empty."""
    return figures_since(now - dt.timedelta(days=days), occasion=occasion)


def told(*, days: int, now: dt.datetime) -> Told:
    return Told(figures_by_occasion(days=days, now=now), figures_by_journey(days=days, now=now))


def told_of_occasion(*, occasion: str, days: int, now: dt.datetime) -> Measured:
    return figures_of_occasion(occasion, days=days, now=now)


def told_of_journey(*, journey: int, days: int, now: dt.datetime) -> ToldByJourney:
    found = Journey.objects.select_related("program").get(pk=journey)
    measured = figures_of_journey(found, days=days, now=now)
    result = journey_results.result_of(found, measured.order_days, now) if found.since else None
    return ToldByJourney(measured, result)


def journey_result(*, journey: int, days: int, now: dt.datetime) -> journey_results.Result:
    found = Journey.objects.select_related("program").get(pk=journey)
    return journey_results.result_of(found, days, now)


def reach_asked(broadcast: Broadcast) -> dict[str, Any]:
    """With what `BROADCAST_REACH` is asked."""
    said = definition_of_broadcast(broadcast).model_dump(mode="json")
    return {"broadcast": broadcast.pk, "said": json.dumps(said, sort_keys=True)}


def broadcast_reach_now(*, broadcast: int, said: str, now: dt.datetime) -> broadcast_reach.Reach:
    """`said`: what it says of itself, so that another saying is another thing to work out."""
    found = Broadcast.objects.select_related("program").get(pk=broadcast)
    return broadcast_reach.reach_of(found, now)


def broadcast_result(*, broadcast: int, now: dt.datetime) -> broadcast_results.BroadcastResult:
    found = Broadcast.objects.select_related("program").get(pk=broadcast)
    return broadcast_results.result_of(found, now)


def campaign_result(*, campaign: int, now: dt.datetime) -> campaign_results.CampaignResult:
    found = Campaign.objects.select_related("program").get(pk=campaign)
    return campaign_results.result_of(found, now)


def figures_of_challenge(*, challenge: int, now: dt.datetime) -> ChallengeFigures:
    found = Challenge.objects.select_related("campaign__program").get(pk=challenge)
    return ChallengeFigures(
        campaign_results.result_of(found.campaign, now), challenge_result(found),
        parts_of_the_way(found),
    )  # fmt: skip


def figures_of_experiment(*, experiment: int, revision: int, now: dt.datetime) -> ExperimentFigures:
    """`revision`: what is changed is another thing to work out."""
    found = experiments().get(pk=experiment)
    if found.started_at is None:
        return ExperimentFigures(plan_of(found, now), None)
    return ExperimentFigures(None, experiment_result(found, now))


def sold_in_year(*, program: int, year: int, plans: list[str], now: dt.datetime) -> SoldInYear:
    """`plans`: what is planned, so that another plan is another thing to work out."""
    found = Program.objects.get(pk=program)
    return SoldInYear(
        quarters(found, year),
        quarter_outlooks(found, year, now),
        suggested_peaks(found, now.astimezone(found.zone).date()),
    )


def survey_result(*, survey: int, removed: int, now: dt.datetime) -> survey_results.Results:
    """What was answered until now, whatever `now` is. `removed`: how many texts were taken out, so
    that what was worked out with one that is gone is not shown again."""
    found = Survey.objects.select_related("program").get(pk=survey)
    return survey_results.results_of(found)


def referral_result(*, program: int, now: dt.datetime) -> referral_results.Results:
    return referral_results.results_of(Program.objects.get(pk=program))


def topics_said(*, now: dt.datetime) -> dict[str, Answered]:
    """How many said yes and no to each topic."""
    return said_of_topics()


def register() -> None:
    """Called once, when the application is ready."""
    register_figures(LATELY, lately)
    register_figures(ALL, told)
    register_figures(OCCASION, told_of_occasion)
    register_figures(JOURNEY, told_of_journey)
    register_figures(JOURNEY_RESULT, journey_result)
    register_figures(BROADCAST_REACH, broadcast_reach_now)
    register_figures(BROADCAST_RESULT, broadcast_result)
    register_figures(CAMPAIGN_RESULT, campaign_result)
    register_figures(YEAR, sold_in_year)
    register_figures(EXPERIMENT, figures_of_experiment)
    register_figures(CHALLENGE_RESULT, figures_of_challenge)
    register_figures(REFERRAL_RESULT, referral_result)
    register_figures(SURVEY_RESULT, survey_result)
    register_figures(TOPICS_SAID, topics_said)
