"""Answers that are a fragment for HTMX and a whole page or a redirect for everyone else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from django_htmx.middleware import HtmxDetails

from members.slow_figures import Figures, ask_figures

DIALOG_TARGET = "dialog-body"


def is_htmx(request: HttpRequest) -> bool:
    """Say whether only a fragment is asked for; a boosted link or a history miss wants a page."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not (htmx.boosted or htmx.history_restore_request)


def asks_figures(request: HttpRequest) -> bool:
    """Say whether what takes longer to work out is asked for as well: a page comes without it, and
    then asks for itself with it (`backoffice/loaded_later.html`)."""
    return "figures" in request.GET


def figures_for(request: HttpRequest, name: str, now: dt.datetime, **asked: Any) -> Figures | None:
    """Figures that look at very many rows (`members/slow_figures.py`): at once where they are soon
    worked out; None: the page is drawn without them and asks for itself with them."""
    return ask_figures(name, now=now, waits=asks_figures(request), **asked)


def is_dialog_request(request: HttpRequest) -> bool:
    """Say whether the answer will be put into the page's dialog."""
    return is_htmx(request) and request.htmx.target == DIALOG_TARGET  # type: ignore[attr-defined]


def htmx_redirect(request: HttpRequest, url: str) -> HttpResponse:
    """Go to another page, also when the request came from HTMX."""
    return HttpResponseClientRedirect(url) if is_htmx(request) else HttpResponseRedirect(url)


def dialog_done(
    request: HttpRequest,
    *,
    url: str,
    changed: str = "",
    message: str = "",
    undo_url: str = "",
) -> HttpResponse:
    """End a dialog: close it, say what happened, and let the panels that show it reload.

    `changed="wallet"` fires `wallet-changed` in the page. Without JavaScript the browser goes to
    `url` and reads the message there.
    """
    if not is_dialog_request(request):
        if message:
            messages.success(request, message, extra_tags=f"undo:{undo_url}" if undo_url else "")
        return htmx_redirect(request, url)
    response: HttpResponse = HttpResponse(status=204)
    trigger_client_event(response, "setia:dialog-close", {})
    if message:
        toast: dict[str, Any] = {"items": [{"level": "success", "text": message, "undo": undo_url}]}
        trigger_client_event(response, "setia:toast", toast)
    if changed:
        trigger_client_event(response, f"{changed}-changed", {})
    return response


def file_of_pieces(pieces: Iterable[bytes], name: str, content_type: str) -> HttpResponse:
    """A file to keep, sent piece by piece; no cache has it."""
    headers = {
        "Content-Disposition": str(content_disposition_header(True, name)),
        "Cache-Control": "no-store",
    }
    # Views may stream.
    return StreamingHttpResponse(  # type: ignore[return-value]
        pieces, content_type=content_type, headers=headers
    )
