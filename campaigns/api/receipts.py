"""/messages/receipts/{way}/: what became of messages, told by a gateway or a system of one's own.
Signed as the Standard Webhooks specification says, with the secret of the way."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from campaigns.services.receipts import take_receipt

LONGEST = 20_000


@csrf_exempt
@require_POST
def receive_receipt(request: HttpRequest, channel: str) -> HttpResponse:
    """204: noted, now or before."""
    if len(request.body) > LONGEST:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    answer = take_receipt(
        channel=channel, body=request.body, headers=request.headers, now=timezone.now()
    )
    return HttpResponse(status=answer)
