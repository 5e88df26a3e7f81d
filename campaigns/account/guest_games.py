"""Playing before joining: a visitor plays once, sees what it is, and joins to get it."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from campaigns.game_odds import odd_rows
from campaigns.game_pictures import picture_of
from campaigns.game_words import VERBS, instead_words, outcome_words, told_game
from campaigns.models import Game, GuestDraw
from campaigns.referral_traces import digest_of
from campaigns.selectors.games import games, playable_games
from campaigns.selectors.guest_plays import guest_draws
from campaigns.services.guest_plays import claim_code, claim_guest_draw, play_as_guest
from loyalty.account.joining import JoinForm
from loyalty.models import Membership, Transfer
from loyalty.services.join_requests import request_to_join
from loyalty.services.joining import join_program
from members.account.access import signed_in_customer
from members.errors import DomainError
from members.forms import errors_on, posted
from members.models import Customer, User
from members.services.audit import Actor

COOKIE, SALT = "setia_guest", "guest-play"
KEPT = dt.timedelta(days=400)
# A field that nobody sees: whoever fills it in is a program.
TRAP = "website"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def guest(request: HttpRequest, game_id: uuid.UUID) -> HttpResponse:
    """The game for who is no member yet. Opening the page plays nothing; the browser that has
    opened it plays once."""
    now, token = timezone.now(), _token(request)
    found = games().exclude(odds="").filter(public_id=game_id, guests=True).first()
    drawn = _drawn(found, token) if found is not None else None
    if found is None or not (drawn or playable_games(now).filter(pk=found.pk).exists()):
        raise Http404("Guests do not play this.")
    form = None
    if request.method == "POST":
        answer = _act(request, found, drawn, token, now)
        if isinstance(answer, HttpResponse):
            return answer
        form = answer
    response = _page(request, found, drawn, form, now)
    if not token:
        response.set_signed_cookie(
            COOKIE, secrets.token_urlsafe(24), salt=SALT, max_age=KEPT, httponly=True,
            samesite="Lax", secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip
    return response


def _token(request: HttpRequest) -> str:
    """What tells this browser apart; empty: it has not been here."""
    return request.get_signed_cookie(COOKIE, "", salt=SALT) or ""


def _browser(token: str) -> bytes:
    return digest_of("browser", token)


def _drawn(found: Game, token: str) -> GuestDraw | None:
    if not token:
        return None
    return guest_draws().filter(game=found, browser=_browser(token)).first()


def _act(
    request: HttpRequest, found: Game, drawn: GuestDraw | None, token: str, now: dt.datetime
) -> HttpResponse | JoinForm | None:
    """What was asked for; a form with what is wrong in it, where that is so."""
    customer, act = signed_in_customer(request), request.POST.get("act", "")
    try:
        if act == "play":
            _play(request, found, token, now)
        elif drawn is not None and customer is not None:
            return _claim(request, drawn, customer, now)
        elif drawn is not None:
            return _ask(request, drawn, now)
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(request.path)


def _play(request: HttpRequest, found: Game, token: str, now: dt.datetime) -> None:
    """Not a second time, not without having seen the page, and not many from one place."""
    if not token or request.POST.get(TRAP):
        messages.error(request, _("Please open the page again."))
    elif not ratelimit.consume(request, action="guest_play"):
        messages.error(request, _("That was a lot at once. Please wait a minute and try again."))
    else:
        play_as_guest(game=found, browser=_browser(token), nonce="", now=now)


def _claim(
    request: HttpRequest, drawn: GuestDraw, customer: Customer, now: dt.datetime
) -> HttpResponse:
    """Of somebody who has signed in: join first, who has not yet."""
    assert isinstance(request.user, User)
    member = _member(drawn.game, customer)
    if member is None:
        joined = join_program(
            customer=customer, program=drawn.game.program, source=Membership.Source.LINK,
            detail=claim_code(drawn), at=now, actor=Actor.of_user(request.user),
        )  # fmt: skip
        member = joined.membership
    if member is None:
        return redirect("programs:program", drawn.game.program.code)
    made = claim_guest_draw(
        guest=drawn, membership=member, source=Transfer.Source.ACCOUNT.value, now=now
    )
    messages.success(request, outcome_words(made))
    return redirect("mypage:home_of", member.public_id)


def _ask(request: HttpRequest, drawn: GuestDraw, now: dt.datetime) -> HttpResponse | JoinForm:
    """Have the mail sent that makes them a member, wherever they read it."""
    form, program = JoinForm(posted(request)), drawn.game.program
    if not form.is_valid():
        return form
    if not ratelimit.consume(request, action="join"):
        form.add_error(None, _("That was a lot at once. Please wait a minute and try again."))
        return form
    with errors_on(form):
        request_to_join(
            program=program, **{name: form.cleaned_data[name] for name in JoinForm.base_fields},
            detail=claim_code(drawn), locale=translation.get_language() or "", now=now,
            said=form.said(),
        )  # fmt: skip
    if form.errors:
        return form
    context = {"program": program, "email": form.cleaned_data["email"]}
    return render(request, "programs/sent.html", context)


def _page(
    request: HttpRequest, found: Game, drawn: GuestDraw | None, form: JoinForm | None,
    now: dt.datetime,
) -> HttpResponse:  # fmt: skip
    customer, told = signed_in_customer(request), told_game(found)
    waits = drawn is not None and drawn.state == GuestDraw.State.WAITING
    context: dict[str, Any] = {
        "title": told.title, "told": told, "game": found, "program": found.program,
        "picture": picture_of(found, drawn), "verb": VERBS[found.kind], "drawn": drawn,
        "words": outcome_words(drawn) if drawn else "",
        "instead": instead_words(drawn) if drawn else "",
        "waits": waits and drawn is not None and drawn.claim_until > now,
        "odds": odd_rows(found, now), "customer": customer, "trap": TRAP,
        "member": _member(found, customer) if customer else None, "form": form or JoinForm(),
        "joinable": found.program.joinable,
    }  # fmt: skip
    return render(request, "games/public/guest.html", context, status=422 if form else 200)


def _member(found: Game, customer: Customer) -> Membership | None:
    members = Membership.objects.filter(program=found.program_id, customer=customer)
    return members.filter(status=Membership.Status.ACTIVE).first()
