"""/messages/receipts/{way}/: what became of messages, told by a gateway or a system of one's own,
signed as the Standard Webhooks specification says, or by a provider, as it signs."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.links import absolute
from campaigns.services.provider_receipts import take_told, word_of_meta

LONGEST = 200_000
LONGEST_CHALLENGE = 200


@csrf_exempt
@require_http_methods(["GET", "POST"])
def receive_receipt(request: HttpRequest, channel: str) -> HttpResponse:
    """204: noted, now or before. Meta asks first whether the address is the merchant's."""
    if request.method == "GET":
        return _answer_meta(request, channel)
    if len(request.body) > LONGEST:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    answer = take_told(
        channel=channel, url=absolute(request.get_full_path()), body=request.body,
        content_type=request.content_type or "", headers=request.headers, now=timezone.now(),
    )  # fmt: skip
    return HttpResponse(status=answer)


def _answer_meta(request: HttpRequest, channel: str) -> HttpResponse:
    challenge = request.GET.get("hub.challenge", "")[:LONGEST_CHALLENGE]
    if not word_of_meta(channel=channel, given=request.GET.get("hub.verify_token", "")):
        return HttpResponse(status=HTTPStatus.FORBIDDEN)
    return HttpResponse(challenge, content_type="text/plain; charset=utf-8")
