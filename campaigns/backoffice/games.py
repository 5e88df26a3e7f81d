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

from campaigns.backoffice.galleries import Gallery, begin_from, show_gallery
from campaigns.backoffice.game_forms import (
    GameForm,
    GameTextsForm,
    PrizeFormSet,
    prizes_said,
    prizes_shown,
)
from campaigns.backoffice.game_menu import NAMESPACE
from campaigns.backoffice.list_filter import ListFilter
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

ORDERINGS = {
    "newest": ("-created_at", "-pk"), "name": ("name", "pk"), "-name": ("-name", "-pk"),
}  # fmt: skip


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
    chosen = ListFilter.of(request)
    found = games().filter(chosen.condition(now, begins_by_itself=False))
    page = paginate(found, request=request, orderings=ORDERINGS, default="newest")
    context = {
        "title": _("Games"),
        "page": page,
        "filter": chosen,
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
    gallery = Gallery(
        title=_("New game"),
        before=_("Nobody can play it before you publish it."),
        breadcrumbs=crumbs(),
        cards="games/backoffice/gallery.html",
        templates=[(ICONS[item.kind], item) for item in TEMPLATES.values()],
        create_url=reverse(f"{NAMESPACE}:game_create"),
        icon="dice",
        none_live=_("A game is for the members of a program. Put one live first."),
    )
    return show_gallery(request, gallery)


@require_POST
@staff_view("rules.draft")
def game_create(request: HttpRequest) -> HttpResponse:
    """A draft from a template."""

    def create(program: Program, code: str) -> str:
        template = TEMPLATES.get(code)
        if template is None:
            raise DomainError(_("Choose what to begin from."), code="no_template")
        said = said_by(template, unit_of(program))
        made = create_game(
            program=program, definition=GameDefinition.model_validate(said),
            actor=acting(request), now=timezone.now(), code=template.code,
        )  # fmt: skip
        return game_url(made, "game_edit")

    return begin_from(request, create, gallery=f"{NAMESPACE}:game_gallery")


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
