"""/imports: files of orders, customers and balances, over the API."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from loyalty.models import Membership, Order, Program, Refund, Transfer
from loyalty.services import enrollment_files
from members.models import AuditEntry, Customer, Job
from members.services.api_keys import SCOPES, create_api_key
from members.services.audit import SYSTEM
from members.services.job_runs import run_job
from members.services.profile_questions import create_question
from tests.api.conftest import ApiClient, assert_problem, order_body
from tests.api.imports.sending import (
    CSV,
    NDJSON,
    ORDERS,
    errors,
    ndjson,
    send,
    send_parts,
    work,
    worked,
)

# The import of orders works in threads of its own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_csv_file_of_orders_comes_in_and_earns(api: ApiClient, program: Program) -> None:
    response = send(api, ORDERS, query="program=beans&name=March")
    assert response.json()["state"] == "queued"
    found = work(api, response)
    assert (found["state"], found["kind"], found["program"]) == ("succeeded", "orders", "beans")
    assert found["rows"] == {"total": 2, "done": 2, "failed": 0}
    assert found["outcomes"]["created"] == 2
    assert Membership.objects.count() == 2
    assert Transfer.objects.filter(source="import").count() == 2


def test_a_line_of_ndjson_is_what_one_order_or_refund_is(api: ApiClient, program: Program) -> None:
    back = {
        "external_id": "A-1001", "refunded_at": "2026-03-05T10:00:00+08:00", "currency": "USD",
        "total": "3.50", "order_external_id": "A-1001",
        "lines": [{"total": "3.50", "sku": "CUP-1"}],
    }  # fmt: skip
    lines = ndjson(back, order_body(channel="web", coupons=["SPRING"]))
    found = work(api, send(api, lines, NDJSON, query="program=beans"))
    assert found["outcomes"] == {"created": 2, "updated": 0, "unchanged": 0, "refused": 0}
    order = Order.objects.get()
    assert (order.channel, order.coupons, order.lines.count()) == ("web", ["SPRING"], 2)
    assert Refund.objects.get().order == order
    # The same over the single endpoint is the same order.
    assert api.post("/orders", order_body(channel="web", coupons=["SPRING"])).json()[
        "outcome"
    ] == "unchanged"  # fmt: skip


def test_wrong_lines_are_named_with_field_code_and_fix_and_the_rest_comes_in(
    api: ApiClient, program: Program
) -> None:
    lines = ndjson(
        order_body(),
        order_body(external_id="A-2", total="99.00"),
        order_body(external_id="A-3", currency="beans"),
        order_body(external_id="A-4", source="till-7"),
        order_body(),
        {"placed_at": "2026-03-01T12:30:00Z"},
        [1],
    ) + b'{"external_id": \n\n'  # fmt: skip
    found = work(api, send(api, lines, NDJSON, query="program=beans"))
    assert found["outcomes"]["created"] == 1
    assert found["rows"]["failed"] == 7
    assert errors(api, found) == [
        (2, "total", "total_mismatch"), (3, "currency", "invalid_format"), (4, "source", "invalid"),
        (5, "external_id", "duplicate"), (6, "external_id", "required"), (7, "", "malformed_json"),
        (8, "", "malformed_json"),
    ]  # fmt: skip
    first = api.get(f"/imports/{found['id']}/errors?limit=3").json()
    assert first["results"][0]["value"] == "99.00"
    assert "come to 12.50" in first["results"][0]["message"]
    assert len(api.get(first["next"]).json()["results"]) == 3


def test_errors_are_a_file_as_well(api: ApiClient, program: Program) -> None:
    found = work(api, send(api, ORDERS.replace("30.00", "=1+1"), query="program=beans"))
    as_csv = api.get(f"/imports/{found['id']}/errors.csv", Accept="text/csv")
    assert as_csv["Content-Type"] == "text/csv"
    said = b"".join(as_csv.streaming_content).decode().splitlines()
    assert said[0] == "file,line,field,value,code,message"
    assert said[1].startswith("orders,2,total,'=1+1,invalid,")
    as_json = api.get(f"/imports/{found['id']}/errors.ndjson", Accept=NDJSON)
    assert json.loads(b"".join(as_json.streaming_content))["line"] == 2


def test_a_dry_run_changes_nothing_and_is_confirmed(api: ApiClient, program: Program) -> None:
    tried = work(api, send(api, ORDERS, query="program=beans&dry_run=true"))
    assert (tried["dry_run"], tried["outcomes"]["created"]) == (True, 2)
    assert (Order.objects.count(), Customer.objects.count(), Transfer.objects.count()) == (0, 0, 0)
    assert_problem(api.post(f"/imports/{tried['id']}/undo", {"reason": "Why"}), 409, "nothing_kept")
    confirmed = api.post(f"/imports/{tried['id']}/confirm")
    found = work(api, confirmed)
    assert (found["dry_run"], found["id"] != tried["id"]) == (False, True)
    assert Order.objects.count() == 2


def test_an_import_is_undone_as_a_whole(api: ApiClient, program: Program) -> None:
    found = work(api, send(api, ORDERS, query="program=beans"))
    undone = api.post(f"/imports/{found['id']}/undo", {"reason": "The wrong file"})
    assert undone.status_code == 202
    assert undone.json()["undo_state"] == "queued"
    run_job(Job.objects.get(public_id=undone.json()["undo"]).pk)
    assert api.get(f"/imports/{found['id']}").json()["undo_state"] == "succeeded"
    assert set(Order.objects.values_list("status", flat=True)) == {"cancelled"}


def test_the_same_upload_with_the_same_key_is_the_same_import(
    api: ApiClient, program: Program, folders: Path
) -> None:
    first = send(api, ORDERS, query="program=beans")
    again = send(api, ORDERS, query="program=beans")
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert (Job.objects.count(), len(list(folders.iterdir()))) == (1, 1)
    other = send(api, ORDERS.replace("30.00", "31.00"), query="program=beans")
    assert_problem(other, 422, "idempotency_key_reused")
    assert_problem(send(api, ORDERS, query="program=beans&dry_run=true"), 422,
                   "idempotency_key_reused")  # fmt: skip
    assert len(list(folders.iterdir())) == 1


def test_the_same_file_under_another_key_is_found_unchanged(
    api: ApiClient, program: Program
) -> None:
    work(api, send(api, ORDERS, query="program=beans"))
    found = work(api, send(api, ORDERS, query="program=beans", key="k2"))
    assert found["outcomes"]["unchanged"] == 2


def test_a_canceled_import_goes_on(api: ApiClient, program: Program) -> None:
    made = send(api, ORDERS, query="program=beans").json()
    stopped = api.post(f"/imports/{made['id']}/cancel").json()
    assert stopped["state"] == "cancelled"
    assert Order.objects.count() == 0
    assert api.post(f"/imports/{made['id']}/resume").json()["state"] == "queued"
    assert worked(api, made["id"])["outcomes"]["created"] == 2
    assert_problem(api.post(f"/imports/{made['id']}/resume"), 409, "job_done")


class TestFiles:
    def test_what_is_sent_gzipped_is_unpacked(self, api: ApiClient, program: Program) -> None:
        packed = gzip.compress(ORDERS.encode())
        found = work(
            api, send(api, packed, query="program=beans", Content_Encoding="gzip")
        )  # fmt: skip
        assert found["outcomes"]["created"] == 2

    @override_settings(IMPORT_MOST_BYTES=1_000_000)
    def test_what_comes_to_too_much_unpacked_is_refused(
        self, api: ApiClient, program: Program, folders: Path
    ) -> None:
        bomb = gzip.compress(b"x" * 50_000_000)
        assert len(bomb) < 100_000
        for headers in ({"Content_Encoding": "gzip"}, {}):
            refused = send(api, bomb, query="program=beans", **headers)
            assert_problem(refused, 413, "too_large")
        assert list(folders.iterdir()) == []
        assert Job.objects.count() == 0

    @override_settings(IMPORT_MOST_SENT=50)
    def test_what_is_too_long_as_it_is_sent_is_refused(
        self, api: ApiClient, program: Program
    ) -> None:
        assert_problem(send(api, ORDERS, query="program=beans"), 413, "too_large")

    def test_a_file_that_is_not_whole_is_refused(self, api: ApiClient, program: Program) -> None:
        packed = gzip.compress(ORDERS.encode())
        for broken in (packed[:-9], ORDERS.encode()):
            refused = send(api, broken, query="program=beans", Content_Encoding="gzip")
            assert_problem(refused, 422, "not_gzip")
        nothing = send(api, gzip.compress(b""), query="program=beans", Content_Encoding="gzip")
        assert_problem(nothing, 422, "empty_file")

    @pytest.mark.parametrize(
        ("kind", "encoding"), [("application/json", ""), ("", ""), (CSV, "br")]
    )
    def test_other_content_is_refused(self, api: ApiClient, kind: str, encoding: str) -> None:
        headers = {"Content_Encoding": encoding} if encoding else {}
        assert_problem(send(api, ORDERS, kind, **headers), 415, "unsupported_media_type")

    def test_parts_bring_lines_and_say_what_the_file_calls_a_column(
        self, api: ApiClient, program: Program
    ) -> None:
        orders = ORDERS.replace("order_id", "Order no.").replace("total", "Paid")
        lines = "Order no.,line_no,sku,quantity,line_total\nA1,1,ESP,1,30.00\n"
        mapping = {"order_id": "order no.", "total": "Paid"}
        sent = {
            "file": SimpleUploadedFile("orders.csv", orders.encode()),
            "lines": SimpleUploadedFile("lines.csv", lines.encode()),
            "mapping": json.dumps(mapping),
        }
        found = work(api, send_parts(api, sent, query="kind=orders&program=beans"))
        assert found["outcomes"]["created"] == 2
        assert Order.objects.get(external_id="A1").lines.get().sku == "ESP"
        for parts, field in (
            ({"file": SimpleUploadedFile("a.csv", b"x"), "mapping": "[1]"}, "mapping"),
            ({"mapping": "{}"}, "file"),
            (
                {"file": SimpleUploadedFile("a.csv", b"x"), "mapping": '{"total": "a\\u0000"}'},
                "mapping",
            ),
            ({"file": SimpleUploadedFile("a.csv", b"x"), "mapping": '{"a\\n": "b"}'}, "mapping"),
            (
                {
                    "file": SimpleUploadedFile("a.csv", b"x"),
                    "lines": SimpleUploadedFile("l.ndjson", b"{}"),
                },
                "lines",
            ),
            (
                {
                    "file": SimpleUploadedFile("a.ndjson", b"{}"),
                    "lines": SimpleUploadedFile("l.csv", b"x"),
                },
                "lines",
            ),
            ({"file": SimpleUploadedFile("a.csv", b"x"), "other": "1"}, "other"),
        ):
            refused = send_parts(api, parts, query="kind=orders", key="k2")
            assert field in [item["field"] for item in refused.json()["errors"]]
        # Cut off in the middle.
        assert_problem(send(api, b"--x", "multipart/form-data", query="kind=orders"), 400,
                       "invalid_request")  # fmt: skip

    def test_a_file_without_the_columns_fails_as_a_whole(
        self, api: ApiClient, program: Program
    ) -> None:
        made = send(api, "order_id,total\nA1,3\n", query="program=beans").json()
        with pytest.raises(Exception, match="no column"):
            run_job(Job.objects.get(public_id=made["id"]).pk)
        found = api.get(f"/imports/{made['id']}").json()
        assert found["state"] == "failed"
        assert "has no column" in found["error"]


class TestKeys:
    @pytest.mark.parametrize(
        ("query", "scopes"),
        [
            ("kind=orders", {"orders:write"}),
            ("kind=customers", {"customers:write"}),
            ("kind=orders&program=beans", {"orders:write", "memberships:write"}),
            ("kind=customers&program=beans", {"customers:write", "memberships:write"}),
            (
                "kind=balances&program=beans",
                {"transfers:write", "customers:write", "memberships:write"},
            ),
        ],
    )
    def test_a_file_needs_the_scopes_of_all_that_it_brings(
        self, program: Program, query: str, scopes: set[str]
    ) -> None:
        every = {"orders:write", "customers:write", "transfers:write", "memberships:write"}
        for missing in sorted(every):
            _key, secret = create_api_key(
                actor=SYSTEM, name=missing, scopes=sorted(every - {missing})
            )
            answer = send(ApiClient(secret), ORDERS, query=query, key=missing)
            assert answer.status_code == (403 if missing in scopes else 202), missing
        _key, secret = create_api_key(actor=SYSTEM, name="just", scopes=sorted(scopes))
        made = send(ApiClient(secret), ORDERS, query=query, key="just")
        assert made.status_code == 202
        # So do its steps.
        _key, secret = create_api_key(
            actor=SYSTEM, name="less", scopes=sorted(every - {max(scopes)})
        )
        step = f"/imports/{made.json()['id']}/cancel"
        assert_problem(ApiClient(secret).post(step), 403, "insufficient_scope")

    def test_an_import_is_seen_by_who_may_read_what_it_brings(
        self, api: ApiClient, program: Program
    ) -> None:
        made = send(api, ORDERS, query="program=beans").json()
        _key, secret = create_api_key(actor=SYSTEM, name="people", scopes=["customers:read"])
        other = ApiClient(secret)
        assert other.get("/imports").json()["results"] == []
        assert_problem(other.get(f"/imports/{made['id']}"), 403, "insufficient_scope")
        assert_problem(other.get(f"/imports/{made['id']}/errors"), 403, "insufficient_scope")
        assert [item["id"] for item in api.get("/imports?kind=orders").json()["results"]] == [
            made["id"]
        ]
        assert_problem(api.get(f"/imports/{made['id'][:-4]}0000"), 404, "not_found")

    def test_erasing_people_with_an_undo_needs_its_own_scope(
        self, api: ApiClient, program: Program
    ) -> None:
        found = work(api, send(api, ORDERS, query="program=beans"))
        _key, secret = create_api_key(actor=SYSTEM, name="orders", scopes=["orders:write"])
        asked = {"reason": "Wrong", "erase": True}
        refused = ApiClient(secret).post(f"/imports/{found['id']}/undo", asked)
        assert_problem(refused, 403, "insufficient_scope")

    def test_taking_back_what_is_on_pools_needs_their_scope(
        self, api: ApiClient, program: Program
    ) -> None:
        rows = ndjson(
            {"reference": "P", "customer_id": "C-1", "holder": "pool", "pool": "P-1",
             "role": "owner"},
            {"reference": "S", "holder": "pool", "pool": "P-1", "units": "40"},
        )  # fmt: skip
        tried = work(api, send(api, rows, NDJSON, query="kind=balances&program=beans"))
        found = work(api, api.post(f"/imports/{tried['id']}/confirm"))
        assert found["outcomes"]["created"] == 2
        scopes = ["transfers:write", "customers:write", "memberships:write"]
        undo = f"/imports/{found['id']}/undo"
        _key, secret = create_api_key(actor=SYSTEM, name="less", scopes=scopes)
        refused = ApiClient(secret).post(undo, {"reason": "Wrong"})
        assert_problem(refused, 403, "insufficient_scope")
        _key, secret = create_api_key(actor=SYSTEM, name="more", scopes=[*scopes, "pools:write"])
        assert ApiClient(secret).post(undo, {"reason": "Wrong"}).status_code == 202

    def test_what_is_not_there_is_named(self, api: ApiClient, program: Program) -> None:
        assert_problem(send(api, ORDERS, query="program=nuts"), 422, "invalid_request", "program")
        assert_problem(send(api, ORDERS, query="kind=coins"), 400, "invalid_parameter", "kind")
        assert_problem(send(api, ORDERS, query="name=%00"), 400, "invalid_parameter", "name")
        assert_problem(send(api, ORDERS, query="kind=balances"), 422, "invalid_request", "program")


def test_a_key_that_is_limited_sees_what_it_has_begun_alone(
    api: ApiClient, program: Program
) -> None:
    told = work(api, send(api, ORDERS, query="name=March"))
    _key, secret = create_api_key(
        actor=SYSTEM, name="Beans alone", scopes=list(SCOPES), programs=[program.pk]
    )
    limited = ApiClient(secret)
    for address in (
        f"/imports/{told['id']}",
        f"/imports/{told['id']}/errors",
        f"/jobs/{told['id']}",
    ):
        assert api.get(address).status_code == 200
        assert limited.get(address).status_code == 404
    assert limited.post(f"/imports/{told['id']}/undo", {"reason": "x"}).status_code == 404
    own = send(limited, ORDERS.replace("A1", "B1"), query="name=April", key="own").json()
    for address in ("/imports", "/jobs"):
        assert [row["id"] for row in limited.get(address).json()["results"]] == [own["id"]]
        assert len(api.get(address).json()["results"]) == 2


class TestCustomers:
    LINES = (
        {"external_id": "C-7", "email": "ann@example.com", "tags": ["vip"], "country": "MY"},
        {"email": "no address"},
        {"external_id": "C-8", "surname": "Lee"},
        {"external_id": "C-9", "since": "2024-03-31", "attributes": {"shoe": 42}},
    )

    def test_a_line_is_what_one_customer_is(self, api: ApiClient, program: Program) -> None:
        query = "kind=customers&program=beans"
        found = work(api, send(api, ndjson(*self.LINES), NDJSON, query=query))
        assert found["outcomes"] == {"enrolled": 2, "refused": 2}
        assert errors(api, found) == [(2, "email", "invalid"), (3, "surname", "unknown")]
        ann = Customer.objects.get(external_id="C-7")
        assert (ann.tags, ann.country) == (["vip"], "MY")
        other = Membership.objects.get(customer__external_id="C-9")
        assert other.customer.attributes == {"shoe": 42}
        assert other.enrolled_at.year == 2024
        # As whoever sent it.
        entry = AuditEntry.objects.filter(action="customer.created").latest("pk")
        assert entry.actor_label.startswith("API key")

    def test_what_they_answered_comes_along_and_replaces_nothing(
        self, api: ApiClient, program: Program
    ) -> None:
        choices = [{"code": "dark", "text": "Dark"}, {"code": "milk", "text": "Milk"}]
        for code in ("taste", "gift"):
            create_question(code=code, kind="many", text=code, choices=choices, actor=SYSTEM)
        Customer.objects.create(external_id="C-1", answers={"taste": ["dark"]})
        rows = (
            "external_id,answer_taste,answer_gift\n"
            "C-1,milk,dark\nC-2,milk; dark,\nC-3,white,\nC-4,,\n"
        )
        found = work(api, send(api, rows, query="kind=customers"))
        assert found["outcomes"] == {"updated": 1, "created": 2, "refused": 1}
        assert errors(api, found) == [(4, "answers.taste", "invalid")]
        kept = dict(Customer.objects.values_list("external_id", "answers"))
        assert kept == {
            "C-1": {"taste": ["dark"], "gift": ["dark"]}, "C-2": {"taste": ["dark", "milk"]},
            "C-4": {},
        }  # fmt: skip

    def test_without_a_program_they_are_customers(self, api: ApiClient, program: Program) -> None:
        Customer.objects.create(external_id="C-1", given_name="Ann")
        rows = (
            "external_id,email,birthday,gender,tags\n"
            "C-1,ann@example.com,,,\nC-2,,1990-02-28,Male,a; b\n"
        )
        tried = work(api, send(api, rows, query="kind=customers&dry_run=true"))
        assert tried["outcomes"] == {"updated": 1, "created": 1}
        assert Customer.objects.count() == 1
        found = work(api, send(api, rows, query="kind=customers", key="k2"))
        assert found["outcomes"] == {"updated": 1, "created": 1}
        assert Membership.objects.count() == 0
        second = Customer.objects.get(external_id="C-2")
        assert (second.tags, second.gender) == (["a", "b"], "male")
        asked = {"reason": "Wrong", "erase": True}
        undone = api.post(f"/imports/{found['id']}/undo", asked).json()
        run_job(Job.objects.get(public_id=undone["undo"]).pk)
        # Their number stays, so that a corrected file finds them.
        assert Customer.objects.get(external_id="C-2").birthday is None


def test_a_worker_that_died_half_way_is_gone_on_from(
    api: ApiClient, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrollment_files, "PIECE", 2)
    rows = ndjson(*({"external_id": f"C-{number}"} for number in range(7)))
    made = send(api, rows, NDJSON, query="kind=customers&program=beans").json()
    enroll, seen = enrollment_files._enroll, []

    def dies(*arguments: Any) -> Any:
        seen.append(arguments)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return enroll(*arguments)

    monkeypatch.setattr(enrollment_files, "_enroll", dies)
    job = Job.objects.get(public_id=made["id"])
    with pytest.raises(KeyboardInterrupt):
        run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, Membership.objects.count()) == ("failed", 2, 2)
    assert api.post(f"/imports/{made['id']}/resume").status_code == 202
    found = worked(api, made["id"])
    assert (found["rows"]["done"], found["outcomes"]) == (7, {"enrolled": 7})
