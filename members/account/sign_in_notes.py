"""Notes where people sign in, that they are still there, and that they have left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.signals import user_logged_in
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from members.models import User
from members.services.sign_ins import note_seen, note_sign_in, note_sign_out

# In the session: which sign-in began it, under which key, and when it was last noted as used.
MARK = "sign_in"
NOTED_EVERY = 300.0
WATCHED = ("/backoffice/", "/me/")


@receiver(user_logged_in)
def note_after_sign_in(request: HttpRequest, user: User, **details: Any) -> None:
    if not request.session.session_key:
        request.session.save()
    key = str(request.session.session_key)
    row = note_sign_in(
        user=user,
        session_key=key,
        user_agent=request.META.get("HTTP_USER_AGENT", ""),
        address=get_adapter().get_client_ip(request),
        now=timezone.now(),
    )
    request.session[MARK] = [row.pk, key, time.time()]


@receiver(user_logged_out)
def note_after_sign_out(request: HttpRequest, **details: Any) -> None:
    mark = request.session.get(MARK) if hasattr(request, "session") else None
    if mark:
        note_sign_out(pk=mark[0], now=timezone.now())


class SignInMiddleware:
    """Notes every five minutes that a sign-in is in use, with the session that is saved anyway."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(WATCHED):
            self._note(request)
        return self.get_response(request)

    def _note(self, request: HttpRequest) -> None:
        mark = request.session.get(MARK)
        if not mark:
            return
        pk, key, seen = mark
        current, now = request.session.session_key, time.time()
        if current and (key != current or now - seen > NOTED_EVERY):
            note_seen(pk=pk, session_key=current, now=timezone.now())
            request.session[MARK] = [pk, current, now]
