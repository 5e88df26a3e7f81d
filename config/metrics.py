"""What Prometheus reads of an installation: `/metrics`, for whoever has its token.

How long requests take is counted by each web process in files of a folder that all of them share
(multiprocess mode of prometheus_client): whichever process is asked answers for all. Queues are
read when they are asked for.
"""

from __future__ import annotations

import hmac
import os
import shutil
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.backups.backup import list_backups
from config.logs import route_of
from members.gauges import gauges

PATH = "/metrics"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BOUNDS = (0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10)


def folder() -> Path:
    found: Path = settings.VAR_DIR / "metrics"
    return found


def begin_anew() -> None:
    """What former web processes have counted; before the first of new ones begins."""
    shutil.rmtree(folder(), ignore_errors=True)


if settings.METRICS_TOKEN:
    # Read when the library is first imported.
    folder().mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(folder()))

from prometheus_client import CollectorRegistry, Histogram, generate_latest  # noqa: E402
from prometheus_client.core import GaugeMetricFamily  # noqa: E402
from prometheus_client.exposition import CONTENT_TYPE_LATEST  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402

REQUESTS = Histogram(
    "setia_http_request_seconds", "How long requests take, by the address's pattern.",
    ("method", "route", "status"), buckets=BOUNDS,
)  # fmt: skip


class MetricsMiddleware:
    """Answers `/metrics` before hosts and HTTPS are looked at, as the probes are, and counts all
    other requests. Without METRICS_TOKEN it does neither."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.METRICS_TOKEN:
            return self.get_response(request)
        if request.path == PATH:
            return answer(request)
        began = time.monotonic()
        response = self.get_response(request)
        # Whatever a client calls its request is no series of its own.
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route_of(request), response.status_code).observe(
            time.monotonic() - began
        )
        return response


def answer(request: HttpRequest) -> HttpResponse:
    """All that is counted and what waits, in the text format of Prometheus."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    known = hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    if scheme.lower() != "bearer" or not known:
        refused = HttpResponse(status=HTTPStatus.UNAUTHORIZED, content_type="text/plain")
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REQUESTS)
    registry.register(Queues())
    found = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    found["Cache-Control"] = "no-store"
    return found


class Queues:
    """What the applications say of themselves, and the last backup."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = timezone.now()
        for gauge in gauges():
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in gauge.read(now).items():
                family.add_metric(labels, value)
            yield family
        family = GaugeMetricFamily(
            "setia_backup_seconds", "How long ago the last backup in its folder was made."
        )
        if latest := next(iter(list_backups()), None):
            family.add_metric((), max(now.timestamp() - latest.stat().st_mtime, 0.0))
        yield family
