"""/connections/{id}/: what shops and tools tell by themselves, signed by them."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from campaigns.selectors.connections import get_connection
from campaigns.services.inbound import receive
from members.errors import NotFoundError

LONGEST = 5_000_000


@csrf_exempt
@require_POST
def receive_message(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Keep it and answer at once; a worker takes it in. What is not signed as it should is refused
    and counted, without its content."""
    try:
        connection = get_connection(public_id)
    except NotFoundError as error:
        raise Http404(str(error)) from error
    try:
        body = request.body
    except RequestDataTooBig:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if len(body) > LONGEST:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    kind = (request.content_type or "").lower()
    status = receive(
        connection=connection, body=body, headers=request.headers, content_type=kind,
        now=timezone.now(),
    )  # fmt: skip
    return HttpResponse(status=status)
