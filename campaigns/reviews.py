"""What this application adds to reviews of programs: promotions, challenges, journeys and games
that nobody takes part in, what a promotion's orders cost, and what members said in surveys."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db.models import Count, F, Q, QuerySet
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
)
from campaigns.selectors.controls import measured_cost
from campaigns.selectors.survey_results import score_from
from loyalty.models import EarningRule, Program
from loyalty.quarters import Quarter
from loyalty.review_registry import (
    Opinion,
    Use,
    UseKind,
    register_opinions,
    register_uses,
)
from loyalty.rules.calendar import end_of_day, start_of_day
from loyalty.selectors.review_uses import (
    Brought,
    brought_by_rules,
    days_in,
    what_an_order_leaves,
)

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
    register_opinions("surveys", opinions, "surveys_backoffice:survey_create")


def campaign_uses(program: Program, quarter: Quarter, day: dt.date) -> list[Use]:
    """Of promotions that ran in it, by what their rules brought. A constant number of queries, and
    two for each that keeps members aside."""
    leaves, brought = what_an_order_leaves(program, quarter), _by_source(program, quarter, day)
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
            str(item.campaign.public_id), ended=_is_over(item.campaign, day),
        )
        for item in begun.select_related("campaign__program")
    ]  # fmt: skip


def journey_uses(program: Program, quarter: Quarter, day: dt.date) -> list[Use]:
    rows = Journey.objects.filter(program=program, status=Journey.Status.LIVE)
    came = Passage.objects.filter(journey__in=rows)
    came = came.filter(_between("entered_at", program, quarter, day))
    times = dict(came.order_by().values_list("journey").annotate(Count("pk")))
    return [
        Use(
            JOURNEY.code, str(item.public_id), item.name, times.get(item.pk, 0),
            days_in(quarter, item.since or item.created_at, None, program, day),
            "messages_backoffice:journey", str(item.public_id),
        )
        for item in rows.order_by("pk")
    ]  # fmt: skip


def game_uses(program: Program, quarter: Quarter, day: dt.date) -> list[Use]:
    rows = Game.objects.filter(program=program, status=Game.Status.LIVE)
    played = GamePlay.objects.filter(game__in=rows)
    played = played.filter(_between("used_at", program, quarter, day))
    times = dict(played.order_by().values_list("game").annotate(Count("pk")))
    return [
        Use(
            GAME.code, item.code, item.name, times.get(item.pk, 0),
            days_in(quarter, item.live_at, item.ends_at, program, day),
            "games_backoffice:game", str(item.public_id),
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


def _campaign(
    item: Campaign, brought: Brought, leaves: Decimal | None, quarter: Quarter, day: dt.date
) -> Use:
    measured = measured_cost(item, end_of_day(day, item.program.zone)) if item.holdout else None
    each = brought.money / brought.orders if brought.orders and brought.money else None
    return Use(
        CAMPAIGN.code, item.code, item.name, brought.times, _days(item, quarter, day),
        "campaigns_backoffice:campaign", str(item.public_id), cost=measured or each,
        limit=leaves, measured=measured is not None, ended=_is_over(item, day),
    )  # fmt: skip


def _opinion(question: SurveyQuestion, spread: dict[int, int]) -> Opinion:
    scale = "nps" if question.kind == SurveyQuestion.Kind.NPS else "mean"
    score = score_from(question.kind, spread)
    return Opinion(
        key=f"{question.survey.public_id}:{question.code}"[:100], survey=question.survey.title,
        question=question.text, scale=scale, score=Decimal(str(score.value or 0)),
        answers=score.count, most=max(SurveyQuestion.SCALES[SurveyQuestion.Kind(question.kind)]),
        place="surveys_backoffice:survey", place_key=str(question.survey.public_id),
    )  # fmt: skip


def _ran(program: Program, quarter: Quarter, day: dt.date) -> QuerySet[Campaign]:
    """Promotions that were live for some time in it."""
    since, until = start_of_day(quarter.first, program.zone), end_of_day(day, program.zone)
    rows = Campaign.objects.filter(program=program, live_at__lt=until).annotate(
        over=Coalesce(F("ended_at"), F("ends_at"))
    )
    return rows.filter(Q(over=None) | Q(over__gt=since)).select_related("program").order_by("pk")


def _days(item: Campaign, quarter: Quarter, day: dt.date) -> int:
    return days_in(quarter, item.live_at, item.ended_at or item.ends_at, item.program, day)


def _is_over(item: Campaign, day: dt.date) -> bool:
    over = item.ended_at or item.ends_at
    return over is not None and over < end_of_day(day, item.program.zone)


def _by_source(program: Program, quarter: Quarter, day: dt.date) -> dict[str, Brought]:
    found: dict[str, Brought] = {}
    brought = brought_by_rules(program, quarter.first, day)
    rules = EarningRule.objects.filter(program=program, pk__in=brought).exclude(source="")
    for rule, source in rules.values_list("pk", "source"):
        known, more = found.get(source, Brought()), brought[rule]
        found[source] = Brought(
            known.times + more.times, known.orders + more.orders, known.money + more.money
        )
    return found


def _between(field: str, program: Program, quarter: Quarter, day: dt.date) -> Q:
    since, until = start_of_day(quarter.first, program.zone), end_of_day(day, program.zone)
    return Q(**{f"{field}__gte": since, f"{field}__lt": until})
