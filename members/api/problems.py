"""Every refusal as problem+json (RFC 9457), with a stable code and the fields at fault."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import psycopg
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, MethodNotAllowed

from members.errors import DomainError, FieldError

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
# What PostgreSQL says about values that no column can hold.
OUT_OF_RANGE, UNTRANSLATABLE = "22003", "22021"
_CODES = {
    HTTPStatus.BAD_REQUEST: "invalid_request",
    HTTPStatus.UNAUTHORIZED: "unauthorized",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.NOT_ACCEPTABLE: "not_acceptable",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limited",
}


class ApiError(DomainError):
    """A refusal by the interface itself; `headers` go with the answer."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str | Promise,
        *,
        code: str = "",
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        code = code or _CODES[status]
        super().__init__(message, code=code, status=status, errors=errors)
        self.headers = dict(headers or {})


def problem(error: DomainError) -> HttpResponse:
    """The answer that tells of an error."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": int(error.status),
        "detail": str(error.message),
        "code": error.code,
    }
    if error.errors:
        body["errors"] = [
            {"field": item.field, "message": str(item.message), "code": item.code}
            for item in error.errors
        ]
    headers = error.headers if isinstance(error, ApiError) else None
    return HttpResponse(
        orjson.dumps(body), status=error.status, headers=headers, content_type=CONTENT_TYPE
    )


def handle_exception(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """What the REST framework calls with whatever a view raised."""
    if isinstance(error, DomainError):
        return problem(error)
    known = _known(error)
    if known is not None:
        return problem(known)
    request = context.get("request")
    logger.error("unexpected error in the API", exc_info=error)
    # Whoever watches for errors hears of it as of one that nobody caught; a test fails by it.
    got_request_exception.send(sender=None, request=getattr(request, "_request", request))
    if isinstance(error, OperationalError | InterfaceError):
        return problem(
            ApiError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                _("The database cannot be reached. Try again."),
                code="unavailable",
                headers={"Retry-After": "5"},
            )
        )
    return problem(
        ApiError(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            _("Something went wrong on our side. Nothing was changed."),
            code="internal_error",
        )
    )


def no_such_address(request: HttpRequest) -> HttpResponse:
    """The answer to every address below /api/ that does not exist."""
    return problem(ApiError(HTTPStatus.NOT_FOUND, _("There is nothing at this address.")))


def _known(error: Exception) -> ApiError | None:
    if isinstance(error, Http404):
        return ApiError(HTTPStatus.NOT_FOUND, _("There is no such object."))
    if isinstance(error, PermissionDenied):
        return ApiError(HTTPStatus.FORBIDDEN, _("This is not allowed."))
    if isinstance(error, RequestDataTooBig):
        return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("Send less in one request."))
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return ApiError(HTTPStatus.BAD_REQUEST, _("The request cannot be read."))
    if isinstance(error, MethodNotAllowed):
        return ApiError(HTTPStatus.METHOD_NOT_ALLOWED, str(error.detail))
    if isinstance(error, APIException):
        status = HTTPStatus(error.status_code)
        return ApiError(status, str(error.detail), code=_CODES.get(status, "invalid_request"))
    if isinstance(error, DataError):
        return _unstorable(error)
    return None


def _unstorable(error: DataError) -> ApiError | None:
    """The last resort behind the checks of fields: sums of good numbers can be too large."""
    cause = error.__cause__
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    if state not in {OUT_OF_RANGE, UNTRANSLATABLE}:
        return None
    return ApiError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        _("A number is too large, or a text has characters that cannot be kept."),
        code="out_of_range",
    )
