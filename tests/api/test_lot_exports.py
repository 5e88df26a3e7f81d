"""/lot-exports: all lots of a program as a file, which /imports takes."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from loyalty.definitions import ProgramDefinition
from loyalty.models import Lot, Membership, Program
from loyalty.services.programs import apply_definition
from members.models import Job
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem, order_body

pytestmark = pytest.mark.usefixtures("beans_for_all")

Captured = Callable[..., Any]


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


@pytest.fixture
def worker(django_capture_on_commit_callbacks: Captured) -> Captured:
    """A worker does at once what it is asked to: `with worker(): …`."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def nuts(db: None) -> Program:
    definition = ProgramDefinition(
        code="nuts", name="Nut Club", currency="USD", status="live",
        wallet_types=[{}],  # type: ignore[arg-type]
    )  # fmt: skip
    return apply_definition(definition, actor=SYSTEM, now=timezone.now()).program


def fetched(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_file_goes_from_one_program_into_another_by_the_api_alone(
    api: ApiClient, membership: Membership, nuts: Program, worker: Captured, form: str
) -> None:
    api.post("/orders", order_body())
    kind = "text/csv" if form == "csv" else "application/x-ndjson"
    with worker():
        made = api.post("/lot-exports", {"program": "beans", "format": form})
    assert made.status_code == 202
    found = api.get(f"/lot-exports/{made.json()['id']}").json()
    assert (found["state"], found["lots"], found["program"]) == ("succeeded", 1, "beans")
    answer = api.get(f"/lot-exports/{found['id']}/file", Accept=kind)
    assert answer["Content-Type"] == kind
    with worker():
        tried = api.request(
            "POST", "/imports?kind=balances&program=nuts", raw=fetched(answer), Content_Type=kind,
            Idempotency_Key="k",
        ).json()  # fmt: skip
    shown = api.get(f"/imports/{tried['id']}").json()
    assert (shown["dry_run"], shown["outcomes"]["created"]) == (True, 1)
    assert shown["totals"] == [{"wallet_type": "points", "units": "12"}]
    assert Lot.objects.count() == 1
    with worker():
        booked = api.post(f"/imports/{tried['id']}/confirm").json()
    assert api.get(f"/imports/{booked['id']}").json()["outcomes"]["created"] == 1
    first, second = Lot.objects.order_by("pk")
    assert (first.remaining, first.earned_at, first.expires_at) == (
        second.remaining, second.earned_at, second.expires_at,
    )  # fmt: skip


def test_a_file_names_nobody_but_by_number(
    api: ApiClient, membership: Membership, worker: Captured
) -> None:
    api.post("/orders", order_body())
    with worker():
        made = api.post("/lot-exports", {"program": "beans"}).json()
    text = fetched(api.get(f"/lot-exports/{made['id']}/file")).decode()
    [row] = csv.DictReader(text.splitlines())
    assert (row["customer_id"], row["source_reference"]) == ("C-1", "shop/A-1001")
    assert "ann" not in text.lower()


def test_what_is_not_there_is_said(api: ApiClient, program: Program) -> None:
    wrong = api.post("/lot-exports", {"program": "nuts"})
    assert_problem(wrong, 422, "invalid_request", "program")
    wrong = api.post("/lot-exports", {"program": "beans", "wallet_type": "miles"})
    assert_problem(wrong, 422, "invalid_request", "wallet_type")
    assert_problem(api.post("/lot-exports", {"program": "beans", "format": "xml"}), 422,
                   "invalid_request", "format")  # fmt: skip
    made = api.post("/lot-exports", {"program": "beans"}).json()
    assert_problem(api.get(f"/lot-exports/{made['id']}/file"), 409, "not_ready")
    assert_problem(api.get(f"/lot-exports/{made['id'][:-4]}0000"), 404, "not_found")


def test_a_file_that_is_kept_no_more_is_gone(
    api: ApiClient, program: Program, worker: Captured
) -> None:
    with worker():
        made = api.post("/lot-exports", {"program": "beans"}).json()
    Path(Job.objects.get(public_id=made["id"]).params["lots"]).unlink()
    assert_problem(api.get(f"/lot-exports/{made['id']}/file"), 409, "files_gone")


def test_the_scope_is_that_of_balances(program: Program) -> None:
    _key, secret = create_api_key(actor=SYSTEM, name="orders", scopes=["orders:write"])
    refused = ApiClient(secret).post("/lot-exports", {"program": "beans"})
    assert_problem(refused, 403, "insufficient_scope")
