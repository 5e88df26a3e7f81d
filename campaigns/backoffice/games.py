"""Games: which there are, beginning one from a template, writing it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.game_forms import (
    GameForm,
    GameTextsForm,
    PrizeFormSet,
    prizes_said,
    prizes_shown,
)
from campaigns.backoffice.game_menu import NAMESPACE
from campaigns.game_definitions import GameDefinition
from campaigns.game_templates import TEMPLATES, said_by
from campaigns.game_words import ICONS
from campaigns.models import Game
from campaigns.selectors.games import games, status_at, unit_of
from campaigns.services.games import change_game, create_game
from loyalty.backoffice.links import Crumbs
from loyalty.models import Program
from members.errors import DomainError
from members.forms import errors_on, posted
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from rewards.texts import LANGUAGES

ORDERINGS = {"newest": ("-created_at", "-pk")}


def find_game(public_id: uuid.UUID) -> Game:
    return get_object_or_404(games(), public_id=public_id)


def game_url(game: Game, name: str = "game") -> str:
    return reverse(f"{NAMESPACE}:{name}", args=[game.public_id])


def crumbs(game: Game | None = None) -> Crumbs:
    found = [(_("Games"), reverse(f"{NAMESPACE}:game_list"))]
    return [*found, (game.name, game_url(game))] if game else found


@require_safe
@staff_view("programs.view")
def game_list(request: HttpRequest) -> HttpResponse:
    """All of them, newest first."""
    now = timezone.now()
    page = paginate(games(), request=request, orderings=ORDERINGS, default="newest")
    context = {
        "title": _("Games"),
        "page": page,
        "rows": [
            {"game": item, "icon": ICONS[item.kind],
             "status": "waiting" if item.asked_at else status_at(item, now)}
            for item in page.items
        ],
        "may_edit": is_allowed(request.user, "rules.draft"),
    }  # fmt: skip
    return render(request, "games/backoffice/game_list.html", context)


@require_safe
@staff_view("rules.draft")
def game_gallery(request: HttpRequest) -> HttpResponse:
    """What to begin from."""
    context = {
        "title": _("New game"),
        "breadcrumbs": crumbs(),
        "templates": [(ICONS[item.kind], item) for item in TEMPLATES.values()],
        "programs": list(Program.objects.filter(status=Program.Status.LIVE).order_by("name")),
        "chosen": request.GET.get("program", ""),
    }
    return render(request, "games/backoffice/game_gallery.html", context)


@require_POST
@staff_view("rules.draft")
def game_create(request: HttpRequest) -> HttpResponse:
    """A draft from a template."""
    code = request.POST.get("program", "").replace("\x00", "")
    program = Program.objects.filter(code=code).first()
    template = TEMPLATES.get(request.POST.get("template", ""))
    if program is None or template is None:
        messages.error(request, _("Choose a program."))
        return redirect(f"{NAMESPACE}:game_gallery")
    try:
        said = said_by(template, unit_of(program))
        made = create_game(
            program=program, definition=GameDefinition.model_validate(said),
            actor=acting(request), now=timezone.now(), code=template.code,
        )  # fmt: skip
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(f"{NAMESPACE}:game_gallery")
    return redirect(game_url(made, "game_edit"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def game_edit(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A draft, with its prizes."""
    game = find_game(public_id)
    if game.status != Game.Status.DRAFT:
        messages.error(request, _("It is published, and stays as it is. Copy it instead."))
        return redirect(game_url(game))
    data = posted(request)
    form = GameForm(data, game=game)
    prizes = PrizeFormSet(
        data, initial=prizes_shown(game), prefix="prizes", form_kwargs={"game": game}
    )
    if request.method == "POST" and _save(request, form, prizes, game):
        if request.POST.get("more"):
            return redirect(f"{game_url(game, 'game_edit')}#prizes")
        messages.success(request, _("Saved. Nobody can play it before it is published."))
        return redirect(game_url(game))
    context = {
        "title": _("Change %s") % game.name, "form": form, "prizes": prizes, "game": game,
        "breadcrumbs": crumbs(game), "back": game_url(game), "program": game.program,
    }  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render(request, "games/backoffice/game_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def game_texts(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """What members read in another language."""
    game, language = find_game(public_id), request.GET.get("language", "")
    if language not in LANGUAGES or game.status != Game.Status.DRAFT:
        raise Http404("There is no such language, or it is not to be written any more.")
    form = GameTextsForm(posted(request), game=game, language=language)
    if form.is_valid():
        with errors_on(form):
            change_game(
                game=game, definition=form.definition(), actor=acting(request), now=timezone.now()
            )
            messages.success(request, _("The texts were saved."))
            return redirect(game_url(game))
    context = {
        "title": _("%(name)s in another language: %(language)s")
        % {"name": game.name, "language": LANGUAGES[language]},
        "form": form, "back": game_url(game), "breadcrumbs": crumbs(game),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "campaigns/backoffice/campaign_texts.html", context, status=status)


def _save(request: HttpRequest, form: GameForm, prizes: Any, game: Game) -> bool:
    if not (form.is_valid() and prizes.is_valid()):
        return False
    definition = form.definition(prizes_said(prizes, game))
    if definition is None:
        return False
    with errors_on(form):
        change_game(game=game, definition=definition, actor=acting(request), now=timezone.now())
    return not form.errors
