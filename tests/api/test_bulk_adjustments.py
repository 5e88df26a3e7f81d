"""/bulk-adjustments: made and checked, looked at, posted, undone."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import AdjustmentReason, BulkAdjustment, Membership, Program, Transfer, Wallet
from loyalty.services.adjustments import adjust_units
from loyalty.services.memberships import enroll_customer
from members.models import Customer, IdempotencyRecord
from members.services.audit import SYSTEM
from members.services.merging import merge_customers
from tests.api.conftest import ApiClient, assert_problem, count_queries
from tests.loyalty.conftest import assert_ledger_coherent

pytestmark = pytest.mark.usefixtures("beans_for_all")

Captured = Callable[..., Any]
PATH = "/bulk-adjustments"


@pytest.fixture(autouse=True)
def _coherent(db: None) -> Iterator[None]:
    yield
    assert_ledger_coherent()


@pytest.fixture
def worker(django_capture_on_commit_callbacks: Captured) -> Captured:
    """A worker does at once what it is asked to: `with worker(): …`."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def members(program: Program) -> list[Membership]:
    """Three members; the first has 50."""
    found = []
    for number in range(1, 4):
        customer = Customer.objects.create(external_id=f"C-{number}", email=f"c{number}@shop.test")
        found.append(
            enroll_customer(
                customer=customer, program=program, source="api", at=timezone.now(), actor=SYSTEM
            )[0]
        )
    adjust_units(
        wallet=Wallet.objects.select_related("wallet_type__program").get(
            account=found[0].account_id
        ),
        units=50, reason="goodwill", note="", actor=SYSTEM, key="start", source="api",
        now=timezone.now(),
    )  # fmt: skip
    return found


def body(*units: str, **changes: Any) -> dict[str, Any]:
    rows = [{"customer_id": f"C-{row}", "units": given} for row, given in enumerate(units, start=1)]
    given = {"program": "beans", "name": "March", "reason": "goodwill", "rows": rows}
    return given | changes


def gift(*names: str, **changes: Any) -> dict[str, Any]:
    rows = [{"customer_id": name} for name in names]
    return body(rows=rows, kind="grant", reason="surprise", units="25") | changes


def make(api: ApiClient, given: dict[str, Any], key: str = "b1") -> Any:
    return api.post(PATH, given, Idempotency_Key=key)


@pytest.fixture
def checked(api: ApiClient, members: list[Membership], worker: Captured) -> dict[str, Any]:
    """20 for the first, 30 from the second, who has nothing, 7 for the third."""
    with worker():
        made = make(api, body("-20", "-30", "7")).json()
    found: dict[str, Any] = api.get(f"{PATH}/{made['id']}").json()
    return found


def balances() -> list[int]:
    return list(Wallet.objects.order_by("pk").values_list("balance", flat=True))


def test_rows_are_checked_before_anything_moves(
    api: ApiClient, members: list[Membership], worker: Captured
) -> None:
    with worker():
        response = make(api, body("-20", "-30", "7", note="Recount"))
    assert (response.status_code, response.json()["state"]) == (201, "checking")
    assert response.json()["row_states"]["new"] == 3
    found = api.get(f"{PATH}/{response.json()['id']}").json()
    assert (found["state"], found["source"], found["note"]) == ("checked", "api", "Recount")
    assert (found["rows"], found["members"], found["given"], found["taken"]) == (3, 2, "7", "20")
    # The daily totals, which follow a moment later, know of nothing yet.
    assert (found["outstanding"], found["job_state"]) == ("0", "succeeded")
    assert api.get(f"/jobs/{found['job']}").json()["kind"] == "bulk_check"
    assert balances() == [50, 0, 0]


def test_the_rows_say_what_is_wrong_and_what_they_would_do(
    api: ApiClient, members: list[Membership], checked: dict[str, Any]
) -> None:
    rows = api.get(f"{PATH}/{checked['id']}/rows").json()["results"]
    assert [(row["row"], row["state"], row["units"]) for row in rows] == [
        (1, "good", "-20"), (2, "wrong", None), (3, "good", "7"),
    ]  # fmt: skip
    assert [(row["spendable_before"], row["spendable_after"]) for row in rows] == [
        ("50", "30"), (None, None), ("0", "7"),
    ]  # fmt: skip
    assert rows[0]["membership"] == str(members[0].public_id)
    (problem,) = rows[1]["problems"]
    assert (problem["field"], problem["value"]) == ("units", "-30")
    assert problem["message"].startswith("Only 0")
    wrong = api.get(f"{PATH}/{checked['id']}/rows?state=wrong").json()["results"]
    assert [row["row"] for row in wrong] == [2]
    first = api.get(f"{PATH}/{checked['id']}/rows?limit=2").json()
    assert [row["row"] for row in api.get(first["next"]).json()["results"]] == [3]


def test_what_is_good_is_posted_once(
    api: ApiClient, checked: dict[str, Any], worker: Captured
) -> None:
    address = f"{PATH}/{checked['id']}"
    for _again in range(2):
        with worker():
            answer = api.post(f"{address}/post", {})
        assert answer.status_code == 200, answer.content
    found = api.get(address).json()
    assert (found["state"], found["row_states"]["posted"]) == ("posted", 2)
    assert balances() == [30, 0, 7]
    rows = api.get(f"{address}/rows?state=posted").json()["results"]
    moved = api.get(f"/transfers/{rows[0]['transfer']}").json()
    assert (moved["units"], moved["kind"], moved["source"], moved["reason"]) == (
        "-20", "adjustment", "api", "goodwill",
    )  # fmt: skip
    assert Transfer.objects.filter(kind="adjustment").count() == 3


def test_it_is_undone_as_a_whole_but_for_what_was_spent(
    api: ApiClient, checked: dict[str, Any], members: list[Membership], worker: Captured
) -> None:
    address = f"{PATH}/{checked['id']}"
    with worker():
        api.post(f"{address}/post", {})
    spent = {"membership": str(members[2].public_id), "units": "5"}
    assert api.post("/redemptions", spent, Idempotency_Key="r1").status_code == 201
    for _again in range(2):
        with worker():
            assert api.post(f"{address}/undo", {}).status_code == 200
    found = api.get(address).json()
    assert (found["state"], found["row_states"]["undone"], found["row_states"]["kept"]) == (
        "undone", 1, 1,
    )  # fmt: skip
    assert balances() == [50, 0, 2]
    kept = api.get(f"{address}/rows?state=kept").json()["results"]
    assert [(row["row"], row["problems"][0]["field"]) for row in kept] == [(3, "units")]
    assert Transfer.objects.filter(kind="reversal", source="api").count() == 1
    assert_problem(api.post(f"{address}/post", {}), 409, "past_this_step")


def test_a_gift_is_the_same_for_each_and_they_read_why(
    api: ApiClient, members: list[Membership], worker: Captured
) -> None:
    with worker():
        made = make(api, gift("C-1", "C-3", budget="60", message="Thank you")).json()
    assert (made["units"], made["budget"]) == ("25", "60")
    with worker():
        api.post(f"{PATH}/{made['id']}/post", {})
    assert balances() == [75, 0, 25]
    history = api.get(f"/memberships/{members[2].public_id}/transfers").json()["results"]
    assert (history[0]["message"], history[0]["units"]) == ("Thank you", "25")


def test_a_gift_beyond_its_budget_is_not_posted(
    api: ApiClient, members: list[Membership], worker: Captured
) -> None:
    with worker():
        made = make(api, gift("C-1", "C-3", budget="49")).json()
    assert_problem(api.post(f"{PATH}/{made['id']}/post", {}), 409, "over_budget")
    assert balances() == [50, 0, 0]


def test_members_are_named_in_many_ways_and_a_merged_one_is_whom_they_are_now(
    api: ApiClient, members: list[Membership], worker: Captured
) -> None:
    merge_customers(
        kept=members[1].customer, merged=members[2].customer, actor=SYSTEM, source="api",
        now=timezone.now(),
    )  # fmt: skip
    rows = [
        {"membership": str(members[2].public_id).upper(), "units": "1"},
        {"email": "C1@shop.test", "customer_id": "C-1", "units": "2"},
        {"card_number": members[1].card_number, "units": "4"},
        {"membership": str(uuid.uuid4()), "units": "8"},
        {"units": "16"},
    ]
    with worker():
        made = make(api, body(rows=rows)).json()
    found = api.get(f"{PATH}/{made['id']}/rows").json()["results"]
    assert [row["state"] for row in found] == ["good", "good", "wrong", "wrong", "wrong"]
    assert found[0]["membership"] == str(members[1].public_id)
    assert [row["problems"][0]["field"] for row in found[2:]] == [
        "card_number", "membership", "customer_id",
    ]  # fmt: skip


def test_the_very_same_rows_are_posted_again_only_if_one_insists(
    api: ApiClient, checked: dict[str, Any], worker: Captured
) -> None:
    with worker():
        api.post(f"{PATH}/{checked['id']}/post", {})
    with worker():
        again = make(api, body("-20", "-30", "7"), "b2").json()
    assert again["same_rows"] == checked["id"]
    address = f"{PATH}/{again['id']}/post"
    assert_problem(api.post(address, {}), 409, "same_rows")
    with worker():
        assert api.post(address, {"again": True}).status_code == 200
    assert balances() == [10, 0, 14]


def test_a_repeated_request_makes_one(
    api: ApiClient, members: list[Membership], worker: Captured
) -> None:
    first = make(api, body("5"))
    again = make(api, body("5"))
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    assert_problem(make(api, body("6")), 422, "idempotency_key_reused")
    assert_problem(api.post(PATH, body("5")), 400, "idempotency_key_required", "Idempotency-Key")
    assert BulkAdjustment.objects.count() == 1
    IdempotencyRecord.objects.all().delete()
    # Forgotten, it makes another one: that moves nothing, and says that the rows are the same.
    with worker():
        api.post(f"{PATH}/{first.json()['id']}/resume", {})
    with worker():
        api.post(f"{PATH}/{first.json()['id']}/post", {})
    assert make(api, body("5")).json()["same_rows"] == first.json()["id"]


def test_what_nobody_wants_is_withdrawn(
    api: ApiClient, checked: dict[str, Any], worker: Captured
) -> None:
    address = f"{PATH}/{checked['id']}"
    for _again in range(2):
        assert api.post(f"{address}/withdraw", {}).json()["state"] == "withdrawn"
    assert_problem(api.post(f"{address}/post", {}), 409, "past_this_step")
    assert_problem(api.post(f"{address}/undo", {}), 409, "past_this_step")
    assert balances() == [50, 0, 0]


def test_only_the_key_that_made_it_posts_or_withdraws_it(
    key_with: Callable[..., ApiClient], checked: dict[str, Any], worker: Captured
) -> None:
    other = key_with("transfers:write")
    for step in ("post", "withdraw"):
        assert_problem(other.post(f"{PATH}/{checked['id']}/{step}", {}), 403, "not_yours")


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        (body(), ["rows"]),
        (body("1", rows=[{"customer_id": "C-1"}]), ["rows[0].units"]),
        (body("1", "x"), ["rows[1].units"]),
        (body("1", rows=[{"customer": "C-1", "units": "1"}]), ["rows[0].customer"]),
        (body("1", name=""), ["name"]),
        (body("1", units="5"), ["units"]),
        (body("1", budget="5", message="Hello"), ["budget", "message"]),
        (gift("C-1", units=None), ["units"]),
        (gift("C-1", units="0.5"), ["units"]),
        (gift("C-1", budget="24"), ["budget"]),
        (gift("C-1", rows=[{"customer_id": "C-1", "units": "5"}]), ["rows[0].units"]),
        (body("1", program="tea"), ["program"]),
        (body("1", wallet_type="miles"), ["wallet_type"]),
        (body("1", reason="whim"), ["reason"]),
        (body("1", kind="present"), ["kind"]),
    ],
)
def test_what_is_wrong_is_named(
    api: ApiClient, members: list[Membership], given: dict[str, Any], fields: list[str]
) -> None:
    assert_problem(make(api, given), 422, "invalid_request", *fields)
    assert not BulkAdjustment.objects.exists()


def test_a_reason_that_wants_a_note_wants_one_for_each_row(
    api: ApiClient, members: list[Membership], worker: Captured
) -> None:
    AdjustmentReason.objects.filter(code="goodwill").update(note_required=True)
    rows = [{"customer_id": "C-1", "units": "1", "note": "Broken"},
            {"customer_id": "C-2", "units": "1"}]  # fmt: skip
    with worker():
        made = make(api, body(rows=rows)).json()
    found = api.get(f"{PATH}/{made['id']}/rows").json()["results"]
    assert [(row["state"], row["note"]) for row in found] == [("good", "Broken"), ("wrong", "")]


def test_the_limits_of_roles_do_not_hold_for_keys(
    api: ApiClient, members: list[Membership], worker: Captured
) -> None:
    with worker():
        made = make(api, body("999999", "999999")).json()
    with worker():
        api.post(f"{PATH}/{made['id']}/post", {})
    assert api.get(f"{PATH}/{made['id']}").json()["state"] == "posted"


def test_they_are_listed_newest_first_and_by_program(
    api: ApiClient, checked: dict[str, Any], worker: Captured
) -> None:
    newer = make(api, gift("C-2", name="Spring"), "b2").json()
    listed = api.get(PATH).json()["results"]
    assert [item["name"] for item in listed] == ["Spring", "March"]
    assert listed[0] == {name: newer[name] for name in listed[0]}
    assert len(api.get(f"{PATH}?program=beans").json()["results"]) == 2
    assert api.get(f"{PATH}?program=tea").json()["results"] == []


def test_rows_are_read_in_a_constant_number_of_queries(
    api: ApiClient, checked: dict[str, Any], worker: Captured
) -> None:
    with worker():
        one = make(api, body("1"), "b2").json()
    address = f"{PATH}/{one['id']}/rows"
    few = count_queries(lambda: api.get(address))
    many = count_queries(lambda: api.get(f"{PATH}/{checked['id']}/rows"))
    assert few == many


def test_who_may_not(
    outsider: ApiClient, key_with: Callable[..., ApiClient], checked: dict[str, Any]
) -> None:
    address = f"{PATH}/{checked['id']}"
    assert_problem(outsider.get(PATH), 401, "unauthorized")
    reader, writer = key_with("transfers:read"), key_with("transfers:write")
    assert reader.get(address).status_code == 200
    for path in (PATH, address, f"{address}/rows"):
        assert_problem(writer.get(path), 403, "insufficient_scope")
    assert_problem(make(reader, body("1")), 403, "insufficient_scope")
    for step in ("post", "undo", "withdraw", "resume"):
        assert_problem(reader.post(f"{address}/{step}", {}), 403, "insufficient_scope")


def test_one_that_is_not_there_and_a_wrong_method(api: ApiClient, db: None) -> None:
    nothing = f"{PATH}/{uuid.uuid4()}"
    for answer in (api.get(nothing), api.get(f"{nothing}/rows"), api.post(f"{nothing}/post", {})):
        assert_problem(answer, 404, "not_found")
    assert_problem(api.put(nothing, {}), 405, "method_not_allowed")
