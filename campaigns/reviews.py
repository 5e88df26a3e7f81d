"""What this application adds to reviews of programs: promotions, challenges, journeys and games
that nobody takes part in, what a promotion's orders cost, and what members said in surveys."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from campaigns.campaign_rules import template_of
from campaigns.models import (
    Campaign,
    Challenge,
    Game,
    GamePlay,
    Journey,
    Passage,
    SurveyAnswer,
    SurveyQuestion,
    SurveyResponse,
)
from campaigns.selectors.campaign_results import Brought, brought_by_source
from campaigns.selectors.controls import measured_cost
from campaigns.selectors.survey_results import score_from
from loyalty.models import Program
from loyalty.quarters import Quarter
from loyalty.review_registry import (
    Opinion,
    Use,
    UseKind,
    register_opinions,
    register_uses,
)
from loyalty.rules.calendar import end_of_day, start_of_day
from loyalty.selectors.review_uses import days_in, what_an_order_leaves

CAMPAIGN = UseKind(
    "campaign", _("Promotion"),
    unused=_("Nobody had anything of the promotion “%(name)s” in %(days)s days."),
    unused_advice=_("See whom it is for and whether they were told, or end it."),
    dear=_("Each order with the promotion “%(name)s” was given %(cost)s; an average order leaves "
           "%(limit)s."),
    dear_measured=_("Each order that there would not have been without “%(name)s” cost %(cost)s; "
                    "an average order leaves %(limit)s."),
    dear_advice=_("Give less, ask for more, or give it only to those who would not have come: keep "
                  "a share of them aside to see it."),
)  # fmt: skip
CHALLENGE = UseKind(
    "challenge",
    _("Challenge"),
    unused=_("Nobody began the challenge “%(name)s” in %(days)s days."),
    unused_advice=_("Make its first step smaller, tell members of it, or end it."),
)
JOURNEY = UseKind(
    "journey",
    _("Journey"),
    unused=_("Nobody came into the journey “%(name)s” in %(days)s days."),
    unused_advice=_("See whether what it waits for happens at all; else end it."),
)
GAME = UseKind(
    "game",
    _("Game"),
    unused=_("Nobody played “%(name)s” in %(days)s days."),
    unused_advice=_("Let more things bring a play, or end it."),
)


def register() -> None:
    """Called once, when the application is ready."""
    register_uses(CAMPAIGN, campaign_uses)
    register_uses(CHALLENGE, challenge_uses)
    register_uses(JOURNEY, journey_uses)
    register_uses(GAME, game_uses)
    register_opinions("surveys", opinions, did_answer, "surveys_backoffice:survey_create")


def campaign_uses(program: Program, quarter: Quarter, day: dt.date) -> list[Use]:
    """Of promotions that ran in it, by what their rules brought. A constant number of queries, and
    two for each that keeps members aside."""
    leaves = what_an_order_leaves(program, quarter)
    brought = brought_by_source(program, quarter.first, day)
    return [
        _campaign(item, brought.get(item.source, Brought()), leaves, quarter, day)
        for item in _ran(program, quarter, day).filter(challenge=None)
        if not template_of(item).own_pages
    ]


def challenge_uses(program: Program, quarter: Quarter, day: dt.date) -> list[Use]:
    """By who took part in it: who began, or did it."""
    begun = Challenge.objects.filter(campaign__in=_ran(program, quarter, day)).annotate(
        begun=Count("entries", filter=_between("entries__created_at", program, quarter, day))
    )
    return [
        Use(
            CHALLENGE.code, item.campaign.code, item.campaign.name, item.begun,
            _days(item.campaign, quarter, day), "challenges_backoffice:challenge",
            str(item.campaign.public_id), ended=_is_over(_end(item.campaign), program, day),
        )
        for item in begun.select_related("campaign__program")
    ]  # fmt: skip


def journey_uses(program: Program, quarter: Quarter, day: dt.date) -> list[Use]:
    """Those that were live for some time in it."""
    rows = Journey.objects.filter(program=program).annotate(
        begun=Min("versions__published_at"), over=F("ended_at")
    )
    rows = _in_it(rows, program, quarter, day)
    came = Passage.objects.filter(journey__program=program)
    came = came.filter(_between("entered_at", program, quarter, day))
    times = dict(came.order_by().values_list("journey").annotate(Count("pk")))
    return [
        Use(
            JOURNEY.code, str(item.public_id), item.name, times.get(item.pk, 0),
            days_in(quarter, _went_on(item, program, day), item.over, program, day),
            "messages_backoffice:journey", str(item.public_id),
            ended=_is_over(item.over, program, day),
        )
        for item in rows.order_by("pk")
    ]  # fmt: skip


def game_uses(program: Program, quarter: Quarter, day: dt.date) -> list[Use]:
    """Those that were live for some time in it."""
    rows = Game.objects.filter(program=program).annotate(
        begun=F("live_at"), over=Coalesce(F("ended_at"), F("ends_at"))
    )
    rows = _in_it(rows, program, quarter, day)
    played = GamePlay.objects.filter(game__program=program)
    played = played.filter(_between("used_at", program, quarter, day))
    times = dict(played.order_by().values_list("game").annotate(Count("pk")))
    return [
        Use(
            GAME.code, item.code, item.name, times.get(item.pk, 0),
            days_in(quarter, item.begun, item.over, program, day),
            "games_backoffice:game", str(item.public_id),
            ended=_is_over(item.over, program, day),
        )
        for item in rows.order_by("pk")
    ]  # fmt: skip


def opinions(program: Program, quarter: Quarter, day: dt.date) -> list[Opinion]:
    """What members gave to questions with a scale; never what they wrote. Two queries."""
    rows = SurveyAnswer.objects.filter(
        question__survey__program=program, question__kind__in=list(SurveyQuestion.SCALES),
        response__membership__isnull=False,
    ).filter(_between("response__answered_at", program, quarter, day))  # fmt: skip
    spreads: dict[int, dict[int, int]] = {}
    counted = rows.order_by().values_list("question", Coalesce("number", 0))
    for question, number, times in counted.annotate(times=Count("pk")):
        spreads.setdefault(question, {})[number] = times
    asked = SurveyQuestion.objects.filter(pk__in=spreads).select_related("survey")
    return [
        _opinion(item, spreads[item.pk]) for item in asked.order_by("survey__live_at", "position")
    ]


def did_answer(program: Program, quarter: Quarter, day: dt.date) -> bool:
    """Whether members answered any survey, be it in their own words alone. One query."""
    rows = SurveyResponse.objects.filter(survey__program=program, membership__isnull=False)
    return rows.filter(_between("answered_at", program, quarter, day)).exists()


def _campaign(
    item: Campaign, brought: Brought, leaves: Decimal | None, quarter: Quarter, day: dt.date
) -> Use:
    measured = measured_cost(item, end_of_day(day, item.program.zone)) if item.holdout else None
    each = brought.money / brought.orders if brought.orders and brought.money else None
    return Use(
        CAMPAIGN.code, item.code, item.name, brought.times, _days(item, quarter, day),
        "campaigns_backoffice:campaign", str(item.public_id), cost=measured or each,
        limit=leaves, measured=measured is not None,
        ended=_is_over(_end(item), item.program, day),
    )  # fmt: skip


def _opinion(question: SurveyQuestion, spread: dict[int, int]) -> Opinion:
    scale = "nps" if question.kind == SurveyQuestion.Kind.NPS else "mean"
    score = score_from(question.kind, spread)
    return Opinion(
        key=f"{question.survey.public_id}:{question.code}", survey=question.survey.title,
        question=question.text, scale=scale, score=Decimal(str(score.value or 0)),
        answers=score.count, most=max(SurveyQuestion.SCALES[SurveyQuestion.Kind(question.kind)]),
        place="surveys_backoffice:survey", place_key=str(question.survey.public_id),
    )  # fmt: skip


def _ran(program: Program, quarter: Quarter, day: dt.date) -> QuerySet[Campaign]:
    """Promotions that were live for some time in it."""
    rows = Campaign.objects.filter(program=program).annotate(
        begun=F("live_at"), over=Coalesce(F("ended_at"), F("ends_at"))
    )
    return _in_it(rows, program, quarter, day).select_related("program").order_by("pk")


def _in_it(rows: QuerySet[Any], program: Program, quarter: Quarter, day: dt.date) -> QuerySet[Any]:
    """By when each had `begun` and was `over`: how it stands today says nothing of then."""
    since, until = start_of_day(quarter.first, program.zone), end_of_day(day, program.zone)
    return rows.filter(Q(over=None) | Q(over__gt=since), begun__lt=until)


def _went_on(item: Any, program: Program, day: dt.date) -> dt.datetime:
    """Since when a journey was live: when it was put so, or resumed by then."""
    resumed = item.since is not None and item.since < end_of_day(day, program.zone)
    found: dt.datetime = item.since if resumed else item.begun
    return found


def _days(item: Campaign, quarter: Quarter, day: dt.date) -> int:
    return days_in(quarter, item.live_at, _end(item), item.program, day)


def _end(item: Campaign) -> dt.datetime | None:
    return item.ended_at or item.ends_at


def _is_over(over: dt.datetime | None, program: Program, day: dt.date) -> bool:
    return over is not None and over < end_of_day(day, program.zone)


def _between(field: str, program: Program, quarter: Quarter, day: dt.date) -> Q:
    since, until = start_of_day(quarter.first, program.zone), end_of_day(day, program.zone)
    return Q(**{f"{field}__gte": since, f"{field}__lt": until})
