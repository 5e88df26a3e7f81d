"""One promotion: what it says, what it gives and brings, and what can be done with it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.backoffice.campaign_codes import code_panel
from campaigns.backoffice.campaign_extras import candidates_of, computed_panels
from campaigns.backoffice.campaign_menu import NAMESPACE
from campaigns.backoffice.campaigns import campaign_url, crumbs, find_campaign
from campaigns.campaign_cards import CampaignCard, card_of
from campaigns.campaign_rules import template_of
from campaigns.campaign_templates import CHALLENGE
from campaigns.campaign_words import campaign_sentences
from campaigns.models import Campaign
from campaigns.selectors.campaigns import Budget, campaigns, is_for, is_kept_aside, status_at
from campaigns.selectors.experiments import experiment_with
from campaigns.selectors.money_budgets import budget_of
from campaigns.selectors.outlooks import may_be_forecast, outlook_of
from campaigns.services.campaign_forecasts import forecast_campaign
from campaigns.services.campaigns import (
    ask_to_publish,
    copy_campaign,
    delete_campaign,
    end_campaign,
    findings_of,
    pause_campaign,
    publish_campaign,
    resume_campaign,
    second_person_missing,
    send_back,
    withdraw_campaign,
)
from campaigns.slow_figures import CAMPAIGN_RESULT
from loyalty.models import Membership
from loyalty.rule_words import units_in_words
from members.backoffice.jobs import hand_over
from members.errors import DomainError
from members.formatting import format_money
from members.languages import locale_of
from members.models import Job
from members.policy import acting, is_allowed, staff_view
from members.responses import figures_for
from members.selectors.customer_search import search_customers
from members.services.audit import Actor
from members.slow_figures import Figures
from rewards.texts import other_languages


@require_safe
@staff_view("programs.view")
def campaign(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Numbers first, then what it says."""
    if campaigns().filter(public_id=public_id, template=CHALLENGE).exists():
        # The log names what happened to either in the same way.
        return redirect("challenges_backoffice:challenge", public_id)
    found, now = find_campaign(public_id), timezone.now()
    draft = found.status == Campaign.Status.DRAFT
    user, budget = request.user, None if draft else budget_of(found)
    may_try = is_allowed(user, "backtests.run")
    figures = figures_for(request, CAMPAIGN_RESULT, now, campaign=found.pk)
    context = {
        "title": found.name,
        "breadcrumbs": crumbs(),
        "campaign": found,
        "experiment": experiment_with(found),
        "program": found.program,
        "template": template_of(found),
        "status": "waiting" if found.asked_at else status_at(found, now),
        "sentences": campaign_sentences(found),
        "findings": findings_of(found, now) if draft else [],
        "figures": figures,
        **result_context(figures),
        "budget": budget,
        "budget_words": _budget_words(budget, found) if budget else (),
        "may_edit": is_allowed(user, "rules.draft"),
        "may_publish": is_allowed(user, "rules.publish"),
        "may_forecast": may_try and may_be_forecast(found),
        "may_see_backtests": may_try,
        "why_not": why_not(found, acting(request), now),
        "languages": other_languages("") if draft else [],
        "outlook": outlook_of(found, now) if may_be_forecast(found) else None,
        "codes": code_panel(found, may_edit=is_allowed(user, "rules.draft")),
        "may_see_customers": is_allowed(user, "customers.view"),
        "member_asked": request.GET.get("member", ""),
        **_preview(request, found, now),
        **computed_panels(request, found, now),
    }
    return render(request, "campaigns/backoffice/campaign.html", context)


@require_POST
@staff_view("rules.draft")
def campaign_act(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Copy it, throw a draft away, ask somebody to publish it."""
    found, actor, now = find_campaign(public_id), acting(request), timezone.now()
    try:
        match request.POST.get("act"):
            case "copy":
                fresh = copy_campaign(campaign=found, actor=actor, now=now)
                messages.success(request, _("This is a copy. Change it as you like."))
                return redirect(campaign_url(fresh, "campaign_edit"))
            case "delete":
                delete_campaign(campaign=found, actor=actor)
                messages.success(request, _("%s was deleted.") % found.name)
                return redirect(f"{NAMESPACE}:campaign_list")
            case "ask":
                ask_to_publish(campaign=found, actor=actor, now=now)
                messages.success(request, _("Somebody else can publish it now."))
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(campaign_url(found))


@require_POST
@staff_view("rules.publish")
def campaign_state(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Publish it, send it back, take it back, pause it, go on with it, end it."""
    found = find_campaign(public_id)
    how: dict[str, Any] = {"campaign": found, "actor": acting(request), "now": timezone.now()}
    try:
        match request.POST.get("do"):
            case "publish":
                row = publish_campaign(**how)
                begun = row.status == Campaign.Status.LIVE
                messages.success(request, _("It is live.") if begun else _("It is planned."))
            case "send_back":
                note = request.POST.get("note", "").replace("\x00", "")
                send_back(campaign=found, actor=how["actor"], note=note)
                messages.success(request, _("It was sent back."))
            case "withdraw":
                withdraw_campaign(**how)
                messages.success(request, _("It is a draft again."))
            case "pause":
                pause_campaign(**how)
                messages.success(request, _("It rests: orders from now on get nothing by it."))
            case "resume":
                resume_campaign(**how)
                messages.success(request, _("It goes on."))
            case "end":
                end_campaign(**how)
                messages.success(request, _("It has ended."))
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(campaign_url(found))


@require_POST
@staff_view("backtests.run")
def campaign_forecast(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """What it would have given for the orders of the last days, by a backtest."""
    found = find_campaign(public_id)
    try:
        backtest = forecast_campaign(campaign=found, actor=acting(request), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(campaign_url(found))
    if backtest.job is not None and backtest.job.state == Job.State.QUEUED:
        hand_over(request, backtest.job)
    return redirect("loyalty_backoffice:backtest_page", backtest.public_id)


def result_context(figures: Figures | None) -> dict[str, Any]:
    """What was given and what came of it, in words; nothing before it is worked out."""
    if figures is None:
        return {"result": None}
    given = figures.value.given
    units = units_in_words(given.units, given.unit) if given.unit else ""
    return {"result": figures.value, "given_units": units}


def why_not(found: Campaign, actor: Actor, now: dt.datetime) -> str:
    """Why this person must not publish a draft alone; nothing where something else is missing."""
    if found.status != Campaign.Status.DRAFT:
        return ""
    try:
        return second_person_missing(found, actor, now)
    except DomainError:
        return ""


def _budget_words(budget: Budget, found: Campaign) -> list[str]:
    """What was given, and the whole."""
    if budget.unit is not None:
        return [units_in_words(amount, budget.unit) for amount in (budget.given, budget.whole)]
    currency = found.program.currency
    return [format_money(amount, currency) for amount in (budget.given, budget.whole)]


def _preview(request: HttpRequest, found: Campaign, now: dt.datetime) -> dict[str, Any]:
    """For a real member, by those who may see customers; else as anybody reads it."""
    card: CampaignCard | None = card_of(found, now) if found.starts_at and found.ends_at else None
    text = request.GET.get("member", "").replace("\x00", "").strip()
    if not text or not is_allowed(request.user, "customers.view"):
        return {"card": card}
    hits = search_customers(text, limit=1)
    member = Membership.objects.filter(
        customer__in=[hit.customer for hit in hits], program=found.program,
        status=Membership.Status.ACTIVE,
    ).select_related("program", "customer").first()  # fmt: skip
    if member is None:
        return {"card": card, "nobody": True}
    return {
        "card": card_of(found, now, locale_of(member.customer)) if card else None, "member": member,
        "is_theirs": is_for(found, member, now), "is_aside": is_kept_aside(found, member),
        **candidates_of(found, member, now),
    }  # fmt: skip
