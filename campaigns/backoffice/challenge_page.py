"""One challenge: what it asks, who takes part, what it gave, and what can be done with it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_POST, require_safe

from campaigns.backoffice.challenge_menu import NAMESPACE
from campaigns.backoffice.challenges import challenge_url, crumbs, find_challenge
from campaigns.challenge_cards import challenge_card
from campaigns.challenge_sentences import challenge_sentences
from campaigns.models import Campaign, Challenge
from campaigns.selectors.campaigns import status_at, units_budgets
from campaigns.selectors.challenge_outlooks import challenge_outlook, may_be_forecast
from campaigns.selectors.challenge_results import labels_of_the_way
from campaigns.selectors.challenges import as_anybody_sees
from campaigns.services.campaigns import (
    ask_to_publish,
    delete_campaign,
    end_campaign,
    findings_of,
    may_not_publish,
    pause_campaign,
    publish_campaign,
    resume_campaign,
    send_back,
    withdraw_campaign,
)
from campaigns.services.challenge_forecasts import forecast_challenge
from campaigns.services.challenges import copy_challenge
from campaigns.slow_figures import CHALLENGE_RESULT, ChallengeFigures
from loyalty.rule_words import units_in_words
from members.backoffice.jobs import hand_over
from members.errors import DomainError
from members.models import Job
from members.policy import acting, is_allowed, staff_view
from members.responses import figures_for
from members.slow_figures import Figures
from rewards.texts import other_languages

# By what is asked: what is done, and what is said then.
_STATES: dict[str, tuple[Callable[..., Campaign], Any]] = {
    "withdraw": (withdraw_campaign, _l("It is a draft again.")),
    "pause": (pause_campaign, _l("It rests: what is bought from now on does not count.")),
    "resume": (resume_campaign, _l("It goes on.")),
    "end": (end_campaign, _l("It has ended.")),
}


@require_safe
@staff_view("programs.view")
def challenge(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Numbers first, then what it says."""
    found, now = find_challenge(public_id), timezone.now()
    campaign = found.campaign
    draft = campaign.status == Campaign.Status.DRAFT
    budget, shown = units_budgets([campaign]).get(campaign.pk), as_anybody_sees(found, now)
    figures = figures_for(request, CHALLENGE_RESULT, now, challenge=found.pk)
    context = {
        "title": campaign.name, "breadcrumbs": crumbs(), "challenge": found,
        "campaign": campaign, "program": campaign.program,
        "status": "waiting" if campaign.asked_at else status_at(campaign, now),
        "sentences": challenge_sentences(found),
        "findings": findings_of(campaign, now) if draft else [],
        "figures": figures, "budget": budget, **_result(figures),
        "may_edit": is_allowed(request.user, "rules.draft"),
        "may_publish": is_allowed(request.user, "rules.publish"),
        "why_not": may_not_publish(campaign, acting(request)) if campaign.program.four_eyes else "",
        "languages": other_languages("") if draft else [],
        "card": challenge_card(shown, now) if shown else None,
        "may_forecast": is_allowed(request.user, "backtests.run") and may_be_forecast(found),
        "outlook": challenge_outlook(found),
        **_budget_words(found, budget),
    }  # fmt: skip
    return render(request, "challenges/backoffice/challenge.html", context)


def _result(figures: Figures | None) -> dict[str, Any]:
    """What it gave and how far they are; nothing before it is worked out."""
    if figures is None:
        return {"result": None}
    found: ChallengeFigures = figures.value
    given = found.result.given
    units = units_in_words(given.units, given.unit) if given.unit else ""
    return {
        "result": found.result, "own": found.own, "given_units": units,
        "way": list(zip(labels_of_the_way(), found.way, strict=True)),
    }  # fmt: skip


@require_POST
@staff_view("rules.draft")
def challenge_act(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Copy it, throw a draft away, ask somebody to publish it."""
    found, actor, now = find_challenge(public_id), acting(request), timezone.now()
    try:
        match request.POST.get("act"):
            case "copy":
                fresh = copy_challenge(challenge=found, actor=actor, now=now)
                messages.success(request, _("This is a copy. Change it as you like."))
                return redirect(challenge_url(fresh, "challenge_edit"))
            case "delete":
                delete_campaign(campaign=found.campaign, actor=actor)
                messages.success(request, _("%s was deleted.") % found.campaign.name)
                return redirect(f"{NAMESPACE}:challenge_list")
            case "ask":
                ask_to_publish(campaign=found.campaign, actor=actor, now=now)
                messages.success(request, _("Somebody else can publish it now."))
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(challenge_url(found))


@require_POST
@staff_view("rules.publish")
def challenge_state(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Publish it, send it back, take it back, pause it, go on with it, end it."""
    found, asked = find_challenge(public_id), request.POST.get("do", "")
    how: dict[str, Any] = {"campaign": found.campaign, "actor": acting(request)}
    try:
        if asked == "publish":
            row = publish_campaign(**how, now=timezone.now())
            begun = row.status == Campaign.Status.LIVE
            messages.success(request, _("It is live.") if begun else _("It is planned."))
        elif asked == "send_back":
            send_back(**how, note=request.POST.get("note", "").replace("\x00", ""))
            messages.success(request, _("It was sent back."))
        elif asked in _STATES:
            do, words = _STATES[asked]
            do(**how, now=timezone.now())
            messages.success(request, words)
        else:
            raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(challenge_url(found))


@require_POST
@staff_view("backtests.run")
def challenge_forecast(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """How often it would have been done, by what was bought in the last weeks."""
    found = find_challenge(public_id)
    try:
        forecast = forecast_challenge(challenge=found, actor=acting(request), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(challenge_url(found))
    if forecast.job is not None and forecast.job.state == Job.State.QUEUED:
        hand_over(request, forecast.job)
    return redirect(challenge_url(found))


def _budget_words(found: Challenge, budget: Any) -> dict[str, Any]:
    if budget is None or budget.unit is None or found.units is None:
        return {"budget_words": ()}
    return {
        "budget_words": [
            units_in_words(amount, budget.unit) for amount in (budget.given, budget.whole)
        ]
    }
