"""What is opened from a message that is counted: a link leads on to where it is signed to lead, a
short one to where it is kept to lead, a picture of one dot says that the mail was opened. None of
them asks for or leaves a cookie."""

from __future__ import annotations

import logging
from base64 import b64decode
from typing import TypeVar

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from campaigns.account.links import broken
from campaigns.automatic_readers import fetches_everything, is_automatic
from campaigns.click_links import ClickLink, read_click_token, read_open_token
from campaigns.models import ShortLink
from campaigns.services.measuring import note_click, note_open
from campaigns.short_links import is_code

logger = logging.getLogger(__name__)
_DOT = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
Answer = TypeVar("Answer", bound=HttpResponse)


@never_cache
@require_safe
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """On to where the link leads, whether or not it can be counted."""
    return _on(request, read_click_token(token))


@never_cache
@require_safe
def follow_short(request: HttpRequest, code: str) -> HttpResponse:
    """The same for the link of a text."""
    rows = ShortLink.objects.select_related("delivery")
    kept = rows.filter(pk=code).first() if is_code(code) else None
    return _on(request, ClickLink(kept.delivery.public_id, kept.target) if kept else None)


def _on(request: HttpRequest, link: ClickLink | None) -> HttpResponse:
    if link is None:
        return broken(request)
    if request.method == "GET" and not is_automatic(request.headers):
        try:
            note_click(delivery=link.delivery, target=link.target, now=timezone.now())
        except DatabaseError:
            logger.exception("a click was not counted")
    return _unseen(HttpResponseRedirect(link.target))


@never_cache
@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """One dot that is not seen, for every token."""
    delivery = read_open_token(token)
    if delivery and request.method == "GET" and not fetches_everything(request.headers):
        note_open(delivery=delivery, now=timezone.now())
    return _unseen(HttpResponse(_DOT, content_type="image/gif"))


def _unseen(answer: Answer) -> Answer:
    """Where they go learns nothing of where they come from."""
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer
