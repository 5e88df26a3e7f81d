"""Writing what a broadcast says, by way and language, in the editor of messages."""

from __future__ import annotations

from uuid import UUID

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.backoffice.broadcasts import (
    EDIT,
    broadcast_crumbs,
    broadcast_url,
    find_broadcast,
)
from campaigns.backoffice.editor import (
    Place,
    archive_page,
    preview_page,
    test_page,
    words_page,
)
from campaigns.backoffice.places import NAMESPACE
from campaigns.models import Broadcast
from campaigns.selectors.broadcasts import ways_of_broadcast
from campaigns.services.broadcast_occasion import occasion_of
from campaigns.services.broadcasts import put_words_away, write_words
from members.policy import acting, is_allowed, require, staff_view


@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def broadcast_words(
    request: HttpRequest, public_id: UUID, channel: str, locale: str
) -> HttpResponse:
    """The words, with what they may use beside them, and as they will be read."""
    if request.method == "POST":
        require(request.user, EDIT)
    return words_page(request, _place(request, public_id, channel, locale))


@xframe_options_sameorigin
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def broadcast_preview(
    request: HttpRequest, public_id: UUID, channel: str, locale: str
) -> HttpResponse:
    """What is in use, or what is being written, as it will be read."""
    return preview_page(request, _place(request, public_id, channel, locale))


@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
@require_POST
@staff_view(EDIT)
def broadcast_test(
    request: HttpRequest, public_id: UUID, channel: str, locale: str
) -> HttpResponse:
    """Send what is being written to oneself; nothing is saved."""
    return test_page(request, _place(request, public_id, channel, locale))


@require_POST
@staff_view(EDIT)
def broadcast_words_archive(
    request: HttpRequest, public_id: UUID, channel: str, locale: str
) -> HttpResponse:
    """It does not say this any more."""
    return archive_page(request, _place(request, public_id, channel, locale))


@require_POST
@staff_view(EDIT)
def broadcast_language(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Begin words by a way, in a language."""
    found = find_broadcast(public_id)
    channel = request.POST.get("channel", "")
    locale = request.POST.get("locale", "").strip().lower()[:16]
    if not locale.replace("-", "").isalnum() or channel not in found.channels:
        messages.error(request, _("Write a language like en or pt-br."))
        return redirect(broadcast_url(found))
    return redirect(reverse(f"{NAMESPACE}:broadcast_words", args=[public_id, channel, locale]))


def _place(request: HttpRequest, public_id: UUID, channel: str, locale: str) -> Place:
    found = find_broadcast(public_id)
    way = next((way for way in ways_of_broadcast(found) if way.key == channel), None)
    if way is None:
        raise Http404("It is not told by this way.")
    pages = {"archive": "words_archive"}
    return Place(
        occasion_of(found), way, locale,
        is_allowed(request.user, EDIT) and found.status not in Broadcast.BEGUN,
        lambda page, of: reverse(
            f"{NAMESPACE}:broadcast_{pages.get(page, page)}", args=[public_id, way.key, of]
        ),
        broadcast_url(found), broadcast_crumbs(found),
        save=lambda words: write_words(
            broadcast=found, channel=way.key, locale=locale, words=words, actor=acting(request),
            now=timezone.now(),
        ),
        put_away=lambda template: put_words_away(
            broadcast=found, template=template, actor=acting(request), now=timezone.now()
        ),
        program=found.program,
    )  # fmt: skip
