"""Answers that browsers and caches may keep for a while."""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from rest_framework.request import Request

from members.api.bodies import Answer, answer


def kept_answer(request: Request, body: Answer, *, seconds: int) -> HttpResponse:
    """The model as JSON, kept for so long; who has it already is told that it is the same."""
    return kept(request._request, answer(body), seconds=seconds)  # noqa: SLF001


def kept(request: HttpRequest, response: HttpResponse, *, seconds: int) -> HttpResponse:
    """The response with its mark and how long it may be kept, or 304."""
    mark = quote_etag(hashlib.sha256(response.content).hexdigest()[:24])
    control = f"public, max-age={seconds}, stale-while-revalidate={10 * seconds}"
    found = get_conditional_response(request, etag=mark, response=response)
    assert found is not None
    result = HttpResponse(status=HTTPStatus.NOT_MODIFIED) if found.status_code == 304 else response
    result["ETag"] = mark
    result["Cache-Control"] = control
    return result
