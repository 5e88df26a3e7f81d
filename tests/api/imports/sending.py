"""Files that are sent to the API, and what becomes of them."""

from __future__ import annotations

from typing import Any

import orjson
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from members.models import Job
from members.services.job_runs import run_job
from tests.api.conftest import ApiClient

CSV, NDJSON = "text/csv", "application/x-ndjson"
ORDERS = (
    "order_id,customer_id,placed_at,currency,total\n"
    "A1,C-1,2026-03-01T10:00:00,USD,30.00\n"
    "A2,C-2,2026-03-02T10:00:00,USD,20.00\n"
)


def ndjson(*objects: Any) -> bytes:
    return b"".join(orjson.dumps(item) + b"\n" for item in objects)


def send(
    api: ApiClient, content: bytes | str, kind: str = CSV, *, key: str = "k1", query: str = "",
    **headers: str,
) -> Any:  # fmt: skip
    raw = content.encode() if isinstance(content, str) else content
    address = f"/imports?kind=orders&{query}" if "kind=" not in query else f"/imports?{query}"
    return api.request("POST", address, raw=raw, Content_Type=kind, Idempotency_Key=key, **headers)


def send_parts(api: ApiClient, parts: dict[str, Any], *, query: str, key: str = "k1") -> Any:
    raw = encode_multipart(BOUNDARY, parts)
    return send(api, raw, MULTIPART_CONTENT, query=query, key=key)


def work(api: ApiClient, response: Any) -> dict[str, Any]:
    """The import once a worker is through with it."""
    assert response.status_code == 202, response.content
    return worked(api, response.json()["id"])


def worked(api: ApiClient, import_id: str) -> dict[str, Any]:
    run_job(Job.objects.get(public_id=import_id).pk)
    found: dict[str, Any] = api.get(f"/imports/{import_id}").json()
    return found


def errors(api: ApiClient, found: dict[str, Any]) -> list[tuple[int, str, str]]:
    listed = api.get(f"/imports/{found['id']}/errors").json()["results"]
    return [(item["line"], item["field"], item["code"]) for item in listed]
