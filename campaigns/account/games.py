"""Games on the member's own page: what they may play, playing, and what they have drawn."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.game_odds import odd_rows
from campaigns.game_pictures import picture_of
from campaigns.game_words import (
    ICONS,
    VERBS,
    instead_words,
    outcome_words,
    plays_words,
    told_game,
)
from campaigns.models import Game, GameDraw
from campaigns.selectors.game_proofs import commitment_in_use
from campaigns.selectors.games import (
    PlaysLeft,
    draws_of,
    games,
    is_for,
    playable_games,
    plays_left,
    shown_to,
    unit_of,
)
from campaigns.selectors.open_kinds import open_kinds
from campaigns.services.game_draws import LONGEST_NONCE, play_game
from campaigns.services.game_plays import buy_play
from loyalty.account.chosen import choose_membership
from loyalty.account.earn_cards import EarnCard
from loyalty.account.home_cards import HomeCard
from loyalty.account.pages import no_membership, render_page
from loyalty.models import Membership, Transfer
from loyalty.rule_words import units_in_words
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.read_once import read_once
from members.services.audit import Actor

CARD = "games/account/home_card.html"
MOST_DRAWS = 20


@dataclass(frozen=True, slots=True)
class GameCard:
    """A game as a member finds it."""

    title: str
    text: str
    icon: str
    url: str
    verb: str
    left: PlaysLeft
    # Of a play, in words; empty: it is not sold.
    price: str


@dataclass(frozen=True, slots=True)
class DrawRow:
    """A draw of the member's. `url`: how it came about."""

    draw: GameDraw
    game: str
    words: str
    instead: str
    url: str


def game_card(membership: Membership, now: dt.datetime) -> HomeCard | None:
    """For the home page: the first that can be played at once."""
    card = _first_card(membership, now)
    return HomeCard(CARD, card) if card else None


def game_earn_card(membership: Membership, now: dt.datetime) -> EarnCard | None:
    """For the page of ways to earn: the same."""
    card = _first_card(membership, now)
    return EarnCard(CARD, card) if card else None


def _first_card(membership: Membership, now: dt.datetime) -> GameCard | None:
    if not open_kinds(membership, now).games:
        return None
    playable = (item for item in shown_to(membership, now) if item[1].now)
    return next((_card(game, left, membership) for game, left in playable), None)


@require_safe
@customer_view
def game_list(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """What they may play, and what came of it."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member, now = chosen.membership, timezone.now()
    context = {
        "title": _("Games"),
        "tabs": chosen.tabs("games_account:games_of"),
        "cards": [_card(game, left, member) for game, left in shown_to(member, now)],
        "draws": draw_rows(draws_of(member)[:MOST_DRAWS]),
    }
    return render_page(request, "games/account/game_list.html", chosen, context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def game(request: CustomerRequest, public_id: uuid.UUID, game_id: uuid.UUID) -> HttpResponse:
    """The game; playing it leads back here, with what came of it."""
    chosen = choose_membership(request, public_id)
    assert chosen is not None  # somebody else's, or none, is 404 already
    member, now = chosen.membership, timezone.now()
    mine = draws_of(member).filter(game__public_id=game_id)
    found = games().exclude(odds="").filter(public_id=game_id, program=member.program_id).first()
    if found is None or not (_is_theirs(found, member, now) or mine.exists()):
        raise Http404("This member has no such game.")
    if request.method == "POST":
        return _act(request, found, member, now)
    shown = _uuid(request.GET.get("draw", ""))
    draw = mine.filter(public_id=shown).first() if shown else None
    left, told = plays_left(found, member, now), told_game(found)
    open_now = playable_games(now).filter(pk=found.pk).exists()
    context = {
        "title": told.title, "game": found, "told": told, "left": left, "open": open_now,
        "verb": VERBS[found.kind], "picture": picture_of(found, draw),
        "draw": next(iter(draw_rows([draw])), None) if draw else None,
        "draws": draw_rows(mine[:MOST_DRAWS]), "odds": odd_rows(found, now),
        "commitment": commitment_in_use(found.pk), "ways": plays_words(found),
        "price": _price(found), "form_id": uuid.uuid4(), "longest": LONGEST_NONCE,
        "public": reverse("games:game", args=[found.public_id]), "breadcrumbs": _crumbs(member),
    }  # fmt: skip
    return render_page(request, "games/account/game.html", chosen, context)


def draw_rows(found: Iterable[GameDraw]) -> list[DrawRow]:
    return [
        DrawRow(
            item, told_game(item.game).title, outcome_words(item), instead_words(item),
            reverse("games:draw", args=[item.public_id]),
        )
        for item in found
    ]  # fmt: skip


def _act(
    request: CustomerRequest, found: Game, member: Membership, now: dt.datetime
) -> HttpResponseRedirect:
    """Play, or buy a play. The form sent twice is one draw, or one play."""
    form, here = _uuid(request.POST.get("form", "")), request.path
    if form is None:
        messages.error(request, _("Please open the page again."))
        return HttpResponseRedirect(here)
    source = Transfer.Source.ACCOUNT.value
    try:
        if request.POST.get("act") == "buy":
            buy_play(
                game=found, membership=member, key=f"page:{form}", source=source,
                actor=Actor.of_user(request.user), now=now,
            )  # fmt: skip
            messages.success(request, _("You have one more play."))
            return HttpResponseRedirect(here)
        played = play_game(
            game=found, membership=member, key=f"page:{form}", source=source, now=now,
            nonce=request.POST.get("nonce", "").strip()[: LONGEST_NONCE + 1],
        )  # fmt: skip
    except DomainError as error:
        said = error.errors[0].message if error.errors else error.message
        messages.error(request, str(said))
        return HttpResponseRedirect(here)
    return HttpResponseRedirect(f"{here}?draw={played.draw.public_id}")


def _is_theirs(found: Game, member: Membership, now: dt.datetime) -> bool:
    active = member.status == Membership.Status.ACTIVE
    return (
        active
        and found in playable_games(now).filter(pk=found.pk)
        and (is_for(found, member, now) or bool(plays_left(found, member, now).granted))
    )


def _card(found: Game, left: PlaysLeft, member: Membership) -> GameCard:
    told = told_game(found)
    url = reverse("games_account:game", args=[member.public_id, found.public_id])
    return GameCard(told.title, told.text, ICONS[found.kind], url, str(VERBS[found.kind]), left,
                    _price(found))  # fmt: skip


def _price(found: Game) -> str:
    """In words; empty: it is not sold."""
    if not found.price:
        return ""
    unit = read_once(("unit of games", found.program_id), lambda: unit_of(found.program))
    return units_in_words(found.price, unit)


def _crumbs(member: Membership) -> list[tuple[str, str]]:
    return [(_("Games"), reverse("games_account:games_of", args=[member.public_id]))]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
