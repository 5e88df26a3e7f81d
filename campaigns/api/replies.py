"""/messages/replies/{way}/{secret}/: what providers tell that members answered."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from campaigns.services.replies import note_reply, way_of_token

LONGEST = 20_000
# As providers name who wrote, and what; the first that there is.
_SENDERS = ("From", "from", "sender", "msisdn", "phone", "originator")
_TEXTS = ("Body", "body", "text", "message", "content")


@csrf_exempt
@require_POST
def receive_reply(request: HttpRequest, channel: str, token: str) -> HttpResponse:
    """Whoever wants nothing more is told nothing more. Everything else is not ours to read."""
    found = way_of_token(channel, token)
    if found is None:
        raise Http404("There is no such address.")
    if len(request.body) > LONGEST:
        return HttpResponse(status=413)
    told = _told(request)
    sender, text = _first(told, _SENDERS), _first(told, _TEXTS)
    if not sender:
        return HttpResponse(status=400)
    way, setting = found
    note_reply(channel=way, setting=setting, sender=sender, text=text, now=timezone.now())
    # Says to providers that nothing is to be answered.
    return HttpResponse("<Response/>", content_type="text/xml; charset=utf-8")


def _told(request: HttpRequest) -> dict[str, Any]:
    if (request.content_type or "").lower() != "application/json":
        return request.POST.dict()
    try:
        told = json.loads(request.body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _first(told: dict[str, Any], names: tuple[str, ...]) -> str:
    values = (told.get(name) for name in names)
    return next((str(value)[:500] for value in values if isinstance(value, str | int)), "")
