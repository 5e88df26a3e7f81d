"""What the page of a promotion shows where members are offered different things, or are drawn."""

from __future__ import annotations

import datetime as dt
import uuid
from itertools import chain
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from campaigns.backoffice.campaigns import find_campaign
from campaigns.campaign_rules import template_of
from campaigns.models import Campaign
from campaigns.offer_words import gives_words, reason_words
from campaigns.selectors.offer_forecasts import forecast_offers
from campaigns.selectors.offer_picks import ranked
from campaigns.selectors.personal_offers import offered_by
from campaigns.selectors.surprises import draws_of, rehearse, tickets_of, wrong_in_draw
from loyalty.models import Membership
from loyalty.rule_words import units_in_words
from members.csv_files import csv_response
from members.errors import DomainError
from members.policy import staff_view

# So many candidates of a member are shown.
MOST = 5


def computed_panels(request: HttpRequest, found: Campaign, now: dt.datetime) -> dict[str, Any]:
    """Nothing for a promotion that is the same for everybody."""
    template = template_of(found)
    if template.personal:
        return _offers(request, found, now)
    return _draws(request, found, now) if template.surprise else {}


def candidates_of(found: Campaign, member: Membership, now: dt.datetime) -> dict[str, Any]:
    """What a member would be offered and why, best first."""
    if not template_of(found).personal:
        return {}
    picks = [
        {"gives": gives_words(found, one.name), "reason": reason_words(found, one),
         "score": one.score}
        for one in ranked(found, member.pk, now)[:MOST]
    ]  # fmt: skip
    given = found.personal_offers.filter(membership=member).order_by("-number").first()
    return {"picks": picks, "given_offer": given}


@require_safe
@staff_view("programs.view")
def campaign_draw_file(request: HttpRequest, public_id: uuid.UUID, number: int) -> HttpResponse:
    """Everybody who could be drawn, by the names on the list, for whoever wants to check it."""
    draw = get_object_or_404(
        find_campaign(public_id).surprise_draws, number=number, drawn_at__isnull=False
    )
    rows = ((name, proof, "1" if chosen else "0") for name, proof, chosen in tickets_of(draw))
    head = ("name", "number", "chosen")
    return csv_response(f"{draw.campaign.code}-draw-{number}.csv", chain([head], rows))


def _offers(request: HttpRequest, found: Campaign, now: dt.datetime) -> dict[str, Any]:
    context: dict[str, Any] = {"is_personal": True, "offered": offered_by(found, now)}
    if "forecast" in request.GET:
        try:
            forecast = forecast_offers(found, now)
        except DomainError as error:
            return {**context, "forecast_error": str(error.message)}
        context["forecast"] = forecast
        if forecast.units is not None:
            context["forecast_units"] = units_in_words(
                forecast.units, found.program.wallet_types.all()[0]
            )
    return context


def _draws(request: HttpRequest, found: Campaign, now: dt.datetime) -> dict[str, Any]:
    context: dict[str, Any] = {"is_surprise": True, "draws": list(draws_of(found))}
    if found.status in (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED):
        try:
            context["rehearsed"] = rehearse(found, now)
        except DomainError as error:
            return {**context, "forecast_error": str(error.message)}
        context["rehearsed_units"] = units_in_words(
            context["rehearsed"].units, context["rehearsed"].unit
        )
    for draw in context["draws"]:
        if request.GET.get("check") == str(draw.number) and draw.drawn_at:
            wrong = wrong_in_draw(draw)
            context["checked"] = {"draw": draw, "words": _checked(wrong), "holds": not wrong}
    return context


def _checked(wrong: str) -> str:
    """What somebody reads who had it worked out again."""
    return {
        "": _("Worked out again: the seed is the one that was committed to, the list is whole, and"
              " these were chosen."),
        "seed": _("The seed is not the one that was committed to."),
        "list": _("The list is not the one that was drawn from."),
        "numbers": _("Numbers do not follow from the seed."),
        "chosen": _("Others would have been chosen."),
    }[wrong]  # fmt: skip
