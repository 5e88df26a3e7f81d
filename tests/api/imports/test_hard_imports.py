"""/imports: what is hard on those who take the files in, and what must not be."""

from __future__ import annotations

import datetime as dt
import io
import tracemalloc
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from loyalty.api.v1 import imports
from loyalty.models import Program
from loyalty.services import enrollment_undoing, row_errors
from loyalty.services import imports as order_imports
from loyalty.services.csv_records import records
from members.errors import DomainError
from members.models import AuditEntry, Customer, Job
from members.services.job_runs import run_job
from tests.api.conftest import ApiClient, count_queries, order_body
from tests.api.imports.sending import NDJSON, ORDERS, errors, ndjson, send, work, worked

# The import of orders works in threads of its own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00"])
def test_a_time_beyond_the_calendar_refuses_its_line_and_no_other(
    api: ApiClient, program: Program, at: str
) -> None:
    lines = ndjson(order_body(external_id="A-1", placed_at=at), order_body(external_id="A-2"))
    found = work(api, send(api, lines, NDJSON, query="program=beans"))
    assert (found["state"], found["outcomes"]["created"]) == ("succeeded", 1)
    assert [(line, field) for line, field, _code in errors(api, found)] == [(1, "placed_at")]


def test_a_file_is_received_before_the_transaction_and_once_however_often_that_is_tried(
    api: ApiClient, program: Program, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, begin, stored, begun = imports.store_upload, imports.begin_import, [], []

    def stores(*arguments: Any, **said: Any) -> Any:
        stored.append(connection.in_atomic_block)
        return store(*arguments, **said)

    def loses_the_first_race(**said: Any) -> Any:
        begun.append(begin(**said))
        if len(begun) == 1:
            raise OperationalError from psycopg.errors.SerializationFailure()
        return begun[-1]

    monkeypatch.setattr(imports, "store_upload", stores)
    monkeypatch.setattr(imports, "begin_import", loses_the_first_race)
    found = work(api, send(api, ndjson(order_body()), NDJSON, query="program=beans"))
    assert found["outcomes"]["created"] == 1
    assert (stored, len(begun), len(list(folders.iterdir()))) == ([False], 2, 1)


@pytest.mark.parametrize(
    ("query", "head", "row"),
    [
        (
            "kind=orders&program=beans",
            "order_id,customer_id,placed_at,currency,total",
            "A2,C-2,2026-03-02T10:00:00,USD,20.00",
        ),
        ("kind=customers&program=beans", "external_id,email", "C-1,"),
    ],
)
def test_a_row_without_an_end_is_refused_and_no_other(
    api: ApiClient, program: Program, query: str, head: str, row: str
) -> None:
    file = f"{head}\n{'x,' * (2 << 20)}\n{row}\n"
    found = work(api, send(api, file, query=query))
    assert (found["state"], found["rows"]["failed"]) == ("succeeded", 1)
    assert found["outcomes"].get("created", 0) + found["outcomes"].get("enrolled", 0) == 1
    refused = api.get(f"/imports/{found['id']}/errors").json()["results"]
    assert (refused[0]["line"], refused[0]["code"]) == (2, "unreadable")
    assert "one megabyte" in refused[0]["message"]


@pytest.mark.parametrize("odd", ["x," * (8 << 20), '"x\n",' * (1 << 20)], ids=["line", "lines"])
def test_of_a_row_without_an_end_only_a_piece_is_in_memory(odd: str) -> None:
    stream = io.BytesIO(odd.encode())
    tracemalloc.start()
    read = records(stream, first=2, undecodable="strict", nul="")
    number, cells, wrong = next(read)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (number, cells) == (2, [])
    assert "one megabyte" in wrong
    # Of two bytes each cell is a text of some fifty, in a list.
    assert most < 40 << 20


@pytest.mark.parametrize(
    ("kind", "lines"),
    [("orders", b"[1]\n" * 4), ("customers", b"[1]\n" * 4),
     ("balances", ndjson({"reference": "1"}) * 5),
     ("orders", ndjson(order_body()) * 5)],
    ids=["orders", "customers", "the same balance", "the same order"],
)  # fmt: skip
def test_a_file_of_errors_only_fails_as_a_whole(
    api: ApiClient, program: Program, kind: str, lines: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_errors, "MOST", 3)
    made = send(api, lines, NDJSON, query=f"kind={kind}&program=beans").json()
    with pytest.raises(DomainError, match="More than 3 rows are not right"):
        run_job(Job.objects.get(public_id=made["id"]).pk)
    found = api.get(f"/imports/{made['id']}").json()
    assert (found["state"], found["outcomes"]) == ("failed", {})


def test_an_order_that_is_refused_without_a_field_is_named_as_its_line_names_it(
    api: ApiClient, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_orders: Any, **_said: Any) -> Any:
        raise DomainError("Not today.", code="not_today")

    monkeypatch.setattr(order_imports, "record_rows", refuses)
    found = work(api, send(api, ndjson(order_body()), NDJSON, query="program=beans"))
    assert errors(api, found) == [(1, "external_id", "not_today")]
    refused = api.get(f"/imports/{found['id']}/errors").json()["results"]
    assert refused[0]["value"] == order_body()["external_id"]


def test_a_list_of_imports_takes_as_many_queries_however_long_it_is(
    api: ApiClient, program: Program
) -> None:
    counts = []
    for number in range(3):
        for kind, file in (
            ("orders", ORDERS),
            ("balances", f"reference,customer_id,units\n{number},C-1,9\n"),
        ):
            made = send(
                api,
                file,
                query=f"kind={kind}&program=beans&source=s{number}",
                key=f"{kind}{number}",
            )
            work(api, made)
        undone = api.post(f"/imports/{made.json()['id']}/confirm").json()
        assert worked(api, undone["id"])["totals"] == [{"wallet_type": "points", "units": "9"}]
        api.post(f"/imports/{undone['id']}/undo", {"reason": "Wrong"})
        send(api, ORDERS, query=f"program=beans&source=t{number}", key=f"waiting{number}")
        counts.append(count_queries(lambda: api.get("/imports")))
    assert counts[0] == counts[1] == counts[2]
    listed = api.get("/imports").json()["results"]
    assert len(listed) == 12
    assert [item["undo_state"] for item in listed[:2]] == ["", "queued"]
    assert {item["program"] for item in listed} == {"beans"}


def test_the_log_says_which_key_an_import_was_undone_by(
    api: ApiClient, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine writes nobody's details in two moments here.
    monkeypatch.setattr(enrollment_undoing, "ONE_WRITE", dt.timedelta(minutes=1))
    people = ndjson({"external_id": "C-1", "gender": "female"}, {"external_id": "C-2"})
    found = work(api, send(api, people, NDJSON, query="kind=customers&program=beans"))
    assert Customer.objects.get(external_id="C-1").gender == "female"
    asked = {"reason": "The wrong file", "erase": True}
    undone = api.post(f"/imports/{found['id']}/undo", asked).json()
    run_job(Job.objects.get(public_id=undone["undo"]).pk)
    since = AuditEntry.objects.filter(action="import.undone").get().pk
    told = AuditEntry.objects.filter(pk__gt=since).exclude(action__startswith="job.")
    assert {entry.action for entry in told} == {"customer.erased", "membership.left"}
    assert {entry.actor_label[:7] for entry in told} == {"API key"}
