"""One game: what came of it, its odds, what it would cost, and what can be done with it."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.backoffice.game_menu import NAMESPACE
from campaigns.backoffice.games import crumbs, find_game, game_url
from campaigns.game_odds import odd_rows
from campaigns.game_pictures import picture_of
from campaigns.game_words import ICONS, plays_words
from campaigns.models import Game
from campaigns.selectors.game_proofs import commitment_in_use
from campaigns.selectors.game_results import cost_of_a_play, result_of, trial_of
from campaigns.selectors.games import status_at, unit_of
from campaigns.selectors.guest_plays import guests_of
from campaigns.services.game_seeds import rotate_seed
from campaigns.services.games import (
    ask_to_publish,
    copy_game,
    delete_game,
    end_game,
    findings_of,
    may_not_publish,
    pause_game,
    publish_game,
    resume_game,
    send_back,
    withdraw_game,
)
from loyalty.rule_words import units_in_words
from members.errors import DomainError
from members.formatting import format_number
from members.policy import acting, is_allowed, staff_view
from rewards.texts import other_languages


@require_safe
@staff_view("programs.view")
def game(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Numbers first, then what it says."""
    found, now, user = find_game(public_id), timezone.now(), request.user
    draft = found.status == Game.Status.DRAFT
    context = {
        "title": found.name,
        "breadcrumbs": crumbs(),
        "game": found,
        "program": found.program,
        "icon": ICONS[found.kind],
        "picture": picture_of(found),
        "status": "waiting" if found.asked_at else status_at(found, now),
        "findings": findings_of(found, now) if draft else [],
        "result": None if draft else result_of(found),
        **_guests(found),
        "odds": odd_rows(found, now),
        "ways": [*plays_words(found), *_price(found)],
        "expected": cost_of_a_play(found),
        "trial": _trial(found) if request.GET.get("trial") else None,
        "budgets": _budgets(found),
        "commitment": commitment_in_use(found.pk),
        "may_edit": is_allowed(user, "rules.draft"),
        "may_publish": is_allowed(user, "rules.publish"),
        "why_not": may_not_publish(found, acting(request)) if found.program.four_eyes else "",
        "languages": other_languages("") if draft else [],
    }
    return render(request, "games/backoffice/game.html", context)


@require_POST
@staff_view("rules.draft")
def game_act(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Copy it, throw a draft away, ask somebody to publish it."""
    found, actor, now = find_game(public_id), acting(request), timezone.now()
    try:
        match request.POST.get("act"):
            case "copy":
                fresh = copy_game(game=found, actor=actor, now=now)
                messages.success(request, _("This is a copy. Change it as you like."))
                return redirect(game_url(fresh, "game_edit"))
            case "delete":
                delete_game(game=found, actor=actor)
                messages.success(request, _("%s was deleted.") % found.name)
                return redirect(f"{NAMESPACE}:game_list")
            case "ask":
                ask_to_publish(game=found, actor=actor, now=now)
                messages.success(request, _("Somebody else can publish it now."))
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, _said(error))
    return redirect(game_url(found))


@require_POST
@staff_view("rules.publish")
def game_state(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Publish it, send it back, pause it, go on with it, reveal its seed, end it."""
    found, now = find_game(public_id), timezone.now()
    actor = acting(request)
    try:
        match request.POST.get("do"):
            case "publish":
                row = publish_game(game=found, actor=actor, now=now)
                begun = row.status == Game.Status.LIVE
                messages.success(request, _("It is live.") if begun else _("It is planned."))
            case "send_back":
                note = request.POST.get("note", "").replace("\x00", "")
                send_back(game=found, actor=actor, note=note)
                messages.success(request, _("It was sent back."))
            case "withdraw":
                withdraw_game(game=found, actor=actor, now=now)
                messages.success(request, _("It is a draft again."))
            case "pause":
                pause_game(game=found, actor=actor)
                messages.success(request, _("It rests: nobody can play meanwhile."))
            case "resume":
                resume_game(game=found, actor=actor, now=now)
                messages.success(request, _("It goes on."))
            case "reveal":
                commitment = request.POST.get("commitment", "")
                rotate_seed(game=found, actor=actor, now=now, commitment=commitment)
                messages.success(request, _("The seed is revealed, and another one is in use."))
            case "end":
                end_game(game=found, actor=actor, now=now)
                messages.success(request, _("It has ended."))
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, _said(error))
    return redirect(game_url(found))


def _guests(found: Game) -> dict[str, Any]:
    if not found.guests or found.status == Game.Status.DRAFT:
        return {}
    guests = guests_of(found)
    words = _("%(claimed)s claimed, %(waiting)s waiting")
    said = {name: format_number(getattr(guests, name)) for name in ("claimed", "waiting")}
    return {"guests": guests, "guests_sub": words % said}


def _said(error: DomainError) -> str:
    return " ".join(str(item.message) for item in error.errors) or str(error.message)


def _price(found: Game) -> list[str]:
    if found.price is None:
        return []
    return [_("A play costs %s.") % units_in_words(found.price, unit_of(found.program))]


def _trial(found: Game) -> dict[str, Any] | None:
    """So many plays, drawn and thrown away."""
    prizes = list(found.prizes.all())
    if not prizes:
        return None
    trial = trial_of(found)
    rows = [
        {"prize": prize, "won": trial.won[prize.code], "cost": trial.won[prize.code] * prize.cost}
        for prize in prizes
    ]
    return {"plays": trial.plays, "cost": trial.cost, "rows": rows}


def _budgets(found: Game) -> list[dict[str, Any]]:
    """What may be won in all, and what was."""
    wholes = [
        (_("Units"), found.won_units, found.budget_units, ""),
        (_("Money"), found.won_money, found.budget_money, found.program.currency),
    ]
    return [
        {"label": label, "used": used, "whole": whole, "currency": currency,
         "percent": min(int(Decimal(used) * 100 / whole), 100)}
        for label, used, whole, currency in wholes if whole
    ]  # fmt: skip
