"""A customer's games: what they may still play, and what came of what they played."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from campaigns.game_words import instead_words, plays_words, told_prize
from campaigns.models import Game, GameDraw, GamePrize
from campaigns.selectors.games import Odd, PlaysLeft, odds_of, shown_to
from loyalty.backoffice.links import customer_crumbs
from loyalty.models import Membership
from loyalty.selectors.selves import selves
from members.formatting import format_number, format_percent
from members.models import Customer
from members.paging import paginate
from members.policy import staff_view

ORDERINGS = {"": ("-drawn_at", "-pk")}
PER_PANEL = 5


@require_safe
@staff_view("customers.view")
def customer_games(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """How often they may play what there is, and each play with why it brought what it did."""
    customer = get_object_or_404(Customer, public_id=public_id)
    members = list(Membership.objects.filter(customer=customer, merged_into=None))
    now = timezone.now()
    page = paginate(
        _draws(members), request=request, orderings=ORDERINGS, default="", per_page=PER_PANEL
    )
    odds = _odds({draw.game for draw in page.items}, now)
    context = {
        "customer": customer,
        "title": _("Games"),
        "panel_id": "games",
        "panel_icon": "dice",
        "panel_flush": True,
        "breadcrumbs": customer_crumbs(customer),
        "page": page,
        "rows": [_row(draw, odds) for draw in page.items],
        "open": list(_open(members, now)),
    }
    return render(request, "games/backoffice/customer_games.html", context)


def has_games() -> bool:
    return Game.objects.exclude(status=Game.Status.DRAFT).exists()


def _draws(members: list[Membership]) -> QuerySet[GameDraw]:
    found = GameDraw.objects.filter(membership__in=selves(members))
    return found.select_related("game__program", "prize", "drawn", "play")


def _odds(found: set[Game], now: dt.datetime) -> dict[int, Odd]:
    """By prize: as they are published, which is how they were."""
    return {odd.prize.pk: odd for game in found for odd in odds_of(game, now)}


def _row(draw: GameDraw, odds: dict[int, Odd]) -> dict[str, Any]:
    odd = odds.get(draw.drawn_id)
    return {
        "draw": draw,
        "outcome": told_prize(draw.prize),
        "won": draw.prize.kind != GamePrize.Kind.NOTHING,
        "why": instead_words(draw) or (_chance(odd) if odd else ""),
    }


def _chance(odd: Odd) -> str:
    return _("By chance: %s of all plays come to this.") % format_percent(odd.share, digits=1)


def _open(members: list[Membership], now: dt.datetime) -> Iterator[dict[str, Any]]:
    for member in members:
        for game, left in shown_to(member, now):
            yield {"game": game, "left": _left_words(left), "how": plays_words(game)}


def _left_words(left: PlaysLeft) -> str:
    if left.now:
        words = ngettext("%s play now", "%s plays now", left.now)
        return words % format_number(left.now)
    return _("no more today") if left.granted or left.free else _("none left")
