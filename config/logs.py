"""Logs: one JSON object a line in production, plain text in development, never personal data."""

import logging
import logging.config
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest, HttpResponse
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="-")
requests_log = logging.getLogger("setia.requests")

# What PostgreSQL adds to an error quotes the row: `Key (email)=(ana@example.com) already exists.`
QUOTED_ROW = re.compile(r"^(DETAIL|CONTEXT|LINE \d+):.*$", re.MULTILINE)

type_of_middleware = Callable[[HttpRequest], HttpResponse]


class RequestIdFilter(logging.Filter):
    """Puts the id of the request being answered on every line written meanwhile."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class PrivateJsonFormatter(JsonFormatter):
    """JSON without the places where Python and PostgreSQL quote what people have entered."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Django attaches the request, whose text includes the query string.
        super().__init__(*args, reserved_attrs=[*RESERVED_ATTRS, "request"], **kwargs)

    def formatException(self, ei: Any) -> str:  # noqa: N802 (logging calls it so)
        return QUOTED_ROW.sub(r"\1: (withheld)", logging.Formatter.formatException(self, ei))


class RequestLogMiddleware:
    """Writes a line for each request: the route's pattern and not its path, which may name people.

    No query string, no body, no address, no user: what identifies a person is in the audit log,
    which only the staff may read.
    """

    def __init__(self, get_response: type_of_middleware) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request_id.set(uuid.uuid4().hex)
        began = time.monotonic()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id.get()
            level = logging.WARNING if response.status_code >= 500 else logging.INFO
            if requests_log.isEnabledFor(level):
                self._write(level, request, response, time.monotonic() - began)
            return response
        finally:
            request_id.reset(token)

    def _write(
        self, level: int, request: HttpRequest, response: HttpResponse, seconds: float
    ) -> None:
        route = route_of(request)
        requests_log.log(
            level,
            "%s %s %s",
            request.method,
            route,
            response.status_code,
            extra={
                "method": request.method,
                "route": route,
                "status": response.status_code,
                "milliseconds": round(seconds * 1000, 1),
            },
        )


def route_of(request: HttpRequest) -> str:
    """The URL pattern that was matched, for example `customers/<uuid:customer>/`."""
    match = request.resolver_match
    return f"/{match.route}" if match is not None else "(no route)"


def configuration(*, json: bool, level: str) -> dict[str, Any]:
    """A logging configuration that writes to standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestIdFilter}},
        "formatters": {
            "json": {
                "()": PrivateJsonFormatter,
                "format": "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s",
                "rename_fields": {
                    "asctime": "time",
                    "levelname": "level",
                    "name": "logger",
                },
            },
            "plain": {"format": "%(levelname)-7s %(name)s: %(message)s"},
        },
        "handlers": {
            "standard_error": {
                "class": "logging.StreamHandler",
                "filters": ["request_id"],
                "formatter": "json" if json else "plain",
            }
        },
        "root": {"handlers": ["standard_error"], "level": level},
        "loggers": {
            # Django repeats what the request log says, with the full path.
            "django.request": {"level": "ERROR"},
            # Whoever scans for open doors asks for hosts that are not here.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "django.server": {"handlers": [], "propagate": False},
            "mail.log": {"level": "WARNING"},
            # Each document on paper would be told in two hundred lines.
            "fontTools": {"level": "WARNING"},
            # Each request with its whole address, which may name a phone or a pass.
            "httpx2": {"level": "WARNING"},
            "setia.requests": {"level": "INFO" if json else "WARNING"},
        },
    }


def configure(settings: dict[str, Any]) -> None:
    logging.config.dictConfig(settings)
