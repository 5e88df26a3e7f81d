"""How games draw, for everybody: the odds of a game, and each step of a past draw."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from campaigns.game_odds import odd_rows
from campaigns.game_words import instead_words, told_game, told_prize
from campaigns.selectors.game_proofs import (
    commitment_in_use,
    get_draw,
    proof_of,
    revealed_seeds,
)
from campaigns.selectors.games import games
from members.errors import NotFoundError

CHECKS: dict[str, str | Promise] = {
    "commitment": gettext_lazy("The seed is the one whose hash was published before"),
    "proof": gettext_lazy("The proof is the HMAC-SHA-256 of the text under the seed"),
    "passed": gettext_lazy("No number was passed over that should not have been"),
    "odds": gettext_lazy("The weights are those whose hash is in the text"),
    "number": gettext_lazy("The number is the rest of the proof’s first six bytes"),
    "prize": gettext_lazy("The number falls on the prize that was drawn"),
    "given": gettext_lazy("This prize was given, or the one that catches others"),
}


@require_safe
def game(request: HttpRequest, game_id: uuid.UUID) -> HttpResponse:
    """How likely what is, and what its draws were committed to."""
    found = games().exclude(odds="").filter(public_id=game_id).first()
    if found is None:
        raise Http404("There is no such game.")
    told = told_game(found)
    context = {
        "title": told.title, "told": told, "game": found, "odds": odd_rows(found, timezone.now()),
        "commitment": commitment_in_use(found.pk), "seeds": revealed_seeds(found.pk),
    }  # fmt: skip
    return render(request, "games/public/game.html", context)


@require_safe
def draw(request: HttpRequest, draw_id: uuid.UUID) -> HttpResponse:
    """Each step of a draw, with what it was worked out from."""
    try:
        found = get_draw(draw_id)
    except NotFoundError as error:
        raise Http404("There is no such draw.") from error
    proof = proof_of(found)
    context = {
        "title": _("How this was drawn"),
        "draw": found,
        "game": found.game,
        "told": told_game(found.game),
        "drawn": told_prize(found.drawn),
        "prize": told_prize(found.prize),
        "instead": instead_words(found),
        "proof": proof,
        "value": int(found.proof[:12], 16),
        "checks": [(CHECKS[check.code], check) for check in proof.checks],
    }
    return render(request, "games/public/draw.html", context)
