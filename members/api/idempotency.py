"""`Idempotency-Key`: a request that comes again gets the answer it got the first time.

The record is written in the same transaction as the work: either both exist or neither, so a crash
at any point leaves nothing half done. A refused request wrote nothing; it may be corrected and sent
again under the same key.

What asks somebody outside for money cannot be one transaction: it commits what it is about to do
first. There the record follows the work, and whoever is killed before it runs the work again, which
does nothing twice by itself.
"""

from __future__ import annotations

import functools
import hashlib
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.request import Request

from members.api.problems import ApiError
from members.errors import FieldError
from members.models import ApiKey, IdempotencyRecord
from members.prepared import KeptQuery, insert_row, run_prepared
from members.program_scope import limited_to
from members.services.transactions import run_atomically

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST_KEY = 255

Handler = Callable[..., HttpResponse]
Teller = Callable[[dict[str, Any]], dict[str, Any]]

_known = KeptQuery(
    lambda api_key, name: IdempotencyRecord.objects.filter(api_key=api_key, key=name)
)


def idempotent(
    *, required: bool = False, commits: bool = False, told_apart: Teller | None = None
) -> Callable[[Handler], Handler]:
    """A handler method that heeds the header; `required`: it refuses to work without one.
    `commits`: it commits by itself, and does nothing twice when it is run again. `told_apart` puts
    into the answer, the first and a repeated one, what is not kept with it: a secret."""

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def run(view: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            name = require_key(request) if required else read_key(request)
            if name is None:
                return handler(view, request, *args, **kwargs)

            def once() -> HttpResponse:
                # The transaction around it sees all programs: whoever asks does not.
                with limited_to(view.programs):
                    return handler(view, request, *args, **kwargs)

            key, kept_as = view.idempotency_record(name)
            # Before the transaction, which may be tried again: a body is received only once.
            digest = _digest(view, request)
            if commits:
                response = _once_committing(key, kept_as, digest, once)
            else:
                response = run_atomically(lambda: _once(key, kept_as, digest, once))
            if told_apart is not None:
                response.content = orjson.dumps(told_apart(orjson.loads(response.content)))
            return response

        run.idempotency = "required" if required else "optional"  # type: ignore[attr-defined]
        return run

    return decorate


def read_key(request: Request) -> str | None:
    """The header's value, if it was sent."""
    name: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if name is None:
        return None
    if not 0 < len(name) <= LONGEST_KEY or not name.isascii() or not name.isprintable():
        raise _bad_key(_("An Idempotency-Key has 1 to 255 printable ASCII characters."), "invalid")
    return name


def require_key(request: Request) -> str:
    """The header's value, where what is asked for could otherwise be done twice."""
    name = read_key(request)
    if name is None:
        raise _bad_key(_("Send the header Idempotency-Key."), "required")
    return name


def number_of(view: Any, request: Request) -> uuid.UUID:
    """The same for the same request under the same key, and for no other: what a handler that
    commits by itself makes, under this number, is found by whoever asks again."""
    key, kept_as = view.idempotency_record(require_key(request))
    digest = hashlib.sha256(f"{key.pk}:{kept_as}\n".encode() + _digest(view, request)).digest()
    return uuid.UUID(bytes=digest[:16], version=5)


def _once(
    key: ApiKey, name: str, digest: bytes, handler: Callable[[], HttpResponse]
) -> HttpResponse:
    _take_turn("pg_try_advisory_xact_lock", key, name)
    return _answer_once(key, name, digest, handler)


def _once_committing(
    key: ApiKey, name: str, digest: bytes, handler: Callable[[], HttpResponse]
) -> HttpResponse:
    _take_turn("pg_try_advisory_lock", key, name)
    try:
        return _answer_once(key, name, digest, handler)
    finally:
        run_prepared("SELECT pg_advisory_unlock(%s::bigint)", [_lock(key, name)])


def _take_turn(lock: str, key: ApiKey, name: str) -> None:
    if not run_prepared(f"SELECT {lock}(%s::bigint)", [_lock(key, name)])[0][0]:
        raise ApiError(
            HTTPStatus.CONFLICT,
            _("The first request with this key is still running."),
            code="idempotency_key_in_use",
            headers={"Retry-After": "1"},
        )


def _lock(key: ApiKey, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{key.pk}:{name}".encode()).digest()[:8], signed=True)


def _answer_once(
    key: ApiKey, name: str, digest: bytes, handler: Callable[[], HttpResponse]
) -> HttpResponse:
    # After the lock: by a statement of its own, so that it sees what the first request wrote.
    record = _known.first(key.pk, name)
    if record is not None:
        return _replay(record, digest)
    response = handler()
    record = IdempotencyRecord(
        api_key=key,
        key=name,
        request_hash=digest,
        status=response.status_code,
        body=orjson.loads(response.content),
    )
    insert_row(record)
    return response


def _replay(record: IdempotencyRecord, digest: bytes) -> HttpResponse:
    if bytes(record.request_hash) != digest:
        raise ApiError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            _("This key was used for another request. Take a new key for new content."),
            code="idempotency_key_reused",
            errors=[FieldError(HEADER, _("Used for another request."), "reused")],
        )
    return HttpResponse(
        orjson.dumps(record.body),
        status=record.status,
        content_type="application/json",
        headers={REPLAYED: "true"},
    )


def _digest(view: Any, request: Request) -> bytes:
    address = f"{request.method} {request.path}\n".encode()
    return hashlib.sha256(address + view.content_of(request)).digest()


def _bad_key(message: str, code: str) -> ApiError:
    return ApiError(
        HTTPStatus.BAD_REQUEST,
        message,
        code=f"idempotency_key_{code}",
        errors=[FieldError(HEADER, message, code)],
    )
