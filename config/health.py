"""Whether the installation is alive (`/healthz`) and able to serve (`/readyz`)."""

from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse


class HealthMiddleware:
    """Answers the two probes before hosts, HTTPS, sessions and anything else are looked at.

    A load balancer asks by address and without TLS; neither may turn a healthy process away.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return never_stored(JsonResponse({"status": "alive"}))
        if request.path == "/readyz":
            return never_stored(readiness())
        return self.get_response(request)


def readiness() -> JsonResponse:
    """200 when everything a request needs is there; otherwise 503 and what is wrong."""
    checks = {"database": database(), "cache": answering_cache()}
    # Without a database there is no telling which migrations it has.
    if checks["database"] == "ok":
        checks["migrations"] = migrations()
    ready = all(result == "ok" for result in checks.values())
    return JsonResponse(
        {"status": "ready" if ready else "not ready", "checks": checks},
        status=200 if ready else 503,
    )


def database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:  # whatever it is, the answer is 503 and not 500
        return f"unreachable: {type(error).__name__}"
    return "ok"


def answering_cache() -> str:
    try:
        cache.set("readyz", "ok", timeout=10)
        answer = cache.get("readyz")
    except Exception as error:  # as above
        return f"unreachable: {type(error).__name__}"
    return "ok" if answer == "ok" else "does not keep what it is given"


def migrations() -> str:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "ok" if not plan else f"{len(plan)} not applied"


def never_stored(response: JsonResponse) -> JsonResponse:
    response["Cache-Control"] = "no-store"
    return response
