"""Messages that arise in an HTMX request reach the reader as toasts of the page that is open."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.messages import get_messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse
from django_htmx.http import trigger_client_event

from members.responses import is_htmx

UNDO = "undo:"


def undo_url(message: Message | None) -> str:
    """Return where a message's Undo button posts to, or nothing."""
    for tag in (getattr(message, "extra_tags", "") or "").split():
        if tag.startswith(UNDO):
            return tag.removeprefix(UNDO)
    return ""


class ToastMiddleware:
    """Hands pending messages to the page by an event, unless the answer shows another page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        moves_on = any(
            response.has_header(name) for name in ("HX-Redirect", "HX-Refresh", "HX-Location")
        )
        if not is_htmx(request) or moves_on or 300 <= response.status_code < 400:
            return response
        items = [
            {"level": message.level_tag, "text": str(message), "undo": undo_url(message)}
            for message in get_messages(request)
        ]
        if items:
            trigger_client_event(response, "setia:toast", {"items": items})
        return response
