"""/companies, their buyers, and what these ask their approvers for."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Company, Membership, Program, SpendRequest, Transfer, Wallet
from loyalty.services.adjustments import adjust_units
from loyalty.services.memberships import enroll_customer
from loyalty.services.pool_moves import put_into_pool
from members.models import Customer
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem
from tests.factories import StaffMemberFactory

pytestmark = pytest.mark.usefixtures("ann_for_all")

# The ledger's refusals end a transaction: that of the test goes on.
refused = pytest.mark.usefixtures("undone_when_refused")
VAT = "DE123456789"


def member(program: Program, number: str) -> Membership:
    customer, _made = Customer.objects.get_or_create(external_id=number)
    return enroll_customer(
        customer=customer, program=program, source="api", at=timezone.now(), actor=SYSTEM
    )[0]


def found(api: ApiClient, owner: Membership, **changes: Any) -> dict[str, Any]:
    body = {"owner": str(owner.public_id), "name": "Hart Supplies"} | changes
    answer = api.post("/companies", body)
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def ann(membership: Membership) -> Membership:
    return membership


@pytest.fixture
def ben(program: Program) -> Membership:
    return member(program, "C-2")


@pytest.fixture
def company(api: ApiClient, ann: Membership, ben: Membership, program: Program) -> dict[str, Any]:
    """Ann's with 1,000 in it; Ben buys up to 100 at once, Cid and Dan approve."""
    made = found(api, ann, most_at_once=100, external_id="K-1")
    address = f"/companies/{made['id']}/buyers"
    for someone, role in (
        (ben, "buyer"), (member(program, "C-3"), "approver"), (member(program, "C-4"), "approver")
    ):  # fmt: skip
        body = {"membership": str(someone.public_id), "role": role}
        assert api.post(address, body).status_code == 201
    how: dict[str, Any] = {"actor": SYSTEM, "source": "backoffice", "now": timezone.now()}
    wallet = Wallet.objects.get(account=ann.account_id)
    adjust_units(wallet=wallet, units=1000, reason="goodwill", note="", key="start", **how)
    put_into_pool(
        member=ann.pool_members.get(), wallet_type=wallet.wallet_type, units=1000, key="in", **how
    )
    return api.get(f"/companies/{made['id']}").json()


def who(company: dict[str, Any], role: str, number: int = 0) -> str:
    return str([item["membership"] for item in company["buyers"] if item["role"] == role][number])


def ask(api: ApiClient, company: dict[str, Any], units: str = "400", key: str = "q1") -> Any:
    body = {"membership": who(company, "buyer"), "units": units, "note": "Toner"}
    return api.post(f"/companies/{company['id']}/spend-requests", body, Idempotency_Key=key)


def decide(api: ApiClient, request: dict[str, Any], act: str, key: str, **body: Any) -> Any:
    return api.post(f"/spend-requests/{request['id']}/{act}", body, Idempotency_Key=key)


def in_pool(api: ApiClient, company: dict[str, Any]) -> str:
    (held,) = api.get(f"/pools/{company['id']}/balances").json()["balances"]
    return str(held["spendable"])


def test_a_company_is_founded_read_and_listed(
    api: ApiClient, ann: Membership, ben: Membership
) -> None:
    mia = StaffMemberFactory(
        user__email="mia@example.com", user__name="Mia Okonkwo", phone="+4930123456"
    )
    made = found(
        api, ann, external_id="K-17", vat_number="de 123 456 789", tags=["Office"], employees=12,
        manager="Mia@example.com", legal_name="Hart Supplies GmbH",
    )  # fmt: skip
    assert (made["vat_number"], made["tags"], made["leaving"]) == (VAT, ["office"], "stays")
    assert made["manager"] == {
        "name": "Mia Okonkwo", "email": mia.user.email, "phone": "+4930123456",
    }  # fmt: skip
    assert [(item["role"], item["may_decide"]) for item in made["buyers"]] == [("owner", True)]
    assert api.get(f"/companies/{made['id']}").json() == made
    found(api, ben, name="Tailor & Co")
    for query in (
        "program=beans&external_id=K-17", f"vat_number={VAT}", f"membership={ann.public_id}",
        "customer=C-1", "manager=mia@example.com",
    ):  # fmt: skip
        listed = api.get(f"/companies?{query}").json()["results"]
        assert [item["name"] for item in listed] == ["Hart Supplies"], query
    page = api.get("/companies?limit=1").json()
    assert [item["name"] for item in page["results"]] == ["Tailor & Co"]
    assert page["next"]
    assert api.get("/companies?customer=nobody").json()["results"] == []
    # The pool with the same id has what they hold.
    assert api.get(f"/pools/{made['id']}").json()["kind"] == "company"


def test_founding_again_with_the_same_key_founds_once(api: ApiClient, ann: Membership) -> None:
    body = {"owner": str(ann.public_id), "name": "Hart Supplies"}
    first, again = (api.post("/companies", body, Idempotency_Key="f") for _ in range(2))
    assert (first.json(), again.status_code) == (again.json(), 201)
    assert Company.objects.count() == 1


def test_what_is_changed_changes_and_null_takes_away(
    api: ApiClient, company: dict[str, Any]
) -> None:
    address = f"/companies/{company['id']}"
    changed = api.patch(address, {"employees": 9, "most_at_once": None, "external_id": None,
                                  "name": "Harts", "tags": ["b", "a"]})  # fmt: skip
    assert changed.status_code == 200, changed.content
    wanted = {"employees": 9, "most_at_once": None, "external_id": "", "name": "Harts",
              "tags": ["a", "b"], "answer_days": 7}  # fmt: skip
    assert {name: changed.json()[name] for name in wanted} == wanted
    assert api.patch(address, {"tags": None}).json()["tags"] == []


@refused
def test_what_cannot_be_is_refused_at_its_field(
    api: ApiClient, ann: Membership, ben: Membership
) -> None:
    found(api, ann, vat_number=VAT)
    body = {"owner": str(ben.public_id), "name": "Other"}
    for more, status, code, field in (
        ({"vat_number": VAT}, 409, "taken", "vat_number"),
        ({"vat_number": "DE1"}, 422, "invalid_request", "vat_number"),
        ({"manager": "nobody@example.com"}, 422, "invalid_request", "manager"),
        ({"owner": str(ann.public_id)}, 409, "already_in_pool", "membership"),
        ({"owner": "00000000-0000-4000-8000-000000000000"}, 422, "invalid_request", "owner"),
    ):  # fmt: skip
        problem = assert_problem(api.post("/companies", body | more), status, code)
        assert [error["field"] for error in problem["errors"]] == [field]


def test_roles_of_buyers_are_changed_and_told_on_both_sides(
    api: ApiClient, company: dict[str, Any], ben: Membership
) -> None:
    address = f"/companies/{company['id']}/buyers/{ben.public_id}"
    changed = api.patch(address, {"role": "approver"}).json()
    assert (changed["role"], changed["may_decide"]) == ("approver", True)
    pool = api.get(f"/pools/{company['id']}").json()
    assert sorted(item["role"] for item in pool["members"]) == ["member"] * 3 + ["owner"]
    gone = api.request("DELETE", address)
    assert (gone.status_code, len(gone.json()["buyers"])) == (200, 3)
    assert_problem(api.patch(address, {"role": "buyer"}), 404, "not_found")
    closed = api.request("DELETE", f"/companies/{company['id']}").json()
    assert (closed["status"], closed["buyers"]) == ("closed", [])
    assert api.request("DELETE", f"/companies/{company['id']}").status_code == 200


@refused
def test_a_buyer_over_the_limit_asks_and_an_approver_allows_it(
    api: ApiClient, company: dict[str, Any], ben: Membership
) -> None:
    spend = {"membership": str(ben.public_id), "units": "400", "from_pool": True}
    too_much = api.post("/redemptions", spend, Idempotency_Key="r")
    assert_problem(too_much, 409, "approval_needed")
    asked = ask(api, company)
    assert asked.status_code == 201, asked.content
    assert ask(api, company).json() == asked.json()
    request = asked.json()
    assert (request["state"], request["units"], request["transfer"]) == ("waiting", "400", None)
    assert api.get(f"/companies/{company['id']}").json()["waiting_requests"] == 1
    approver = who(company, "approver")
    answer = decide(api, request, "approve", "a1", approver=approver, note="Fine")
    assert answer.status_code == 200, answer.content
    assert decide(api, request, "approve", "a1", approver=approver, note="Fine").json() == (
        answer.json()
    )
    told = answer.json()
    assert (told["state"], told["decided_by"], told["decision_note"]) == (
        "approved", approver, "Fine",
    )  # fmt: skip
    assert in_pool(api, company) == "600"
    moved = api.get(f"/transfers/{told['transfer']}").json()
    assert (moved["units"], moved["pool"]) == ("-400", company["id"])
    again = decide(api, request, "reject", "x", approver=who(company, "approver", 1), note="No")
    assert_problem(again, 409, "already_decided")
    assert Transfer.objects.filter(kind="redemption").count() == 1


@refused
def test_only_others_decide_and_only_who_asked_withdraws(
    api: ApiClient, company: dict[str, Any]
) -> None:
    request, buyer = ask(api, company).json(), who(company, "buyer")
    own = decide(api, request, "approve", "a", approver=buyer)
    assert_problem(own, 403, "may_not_decide")
    silent = decide(api, request, "reject", "b", approver=who(company, "approver"))
    assert_problem(silent, 422, "invalid_request")
    foreign = decide(api, request, "withdraw", "c", membership=who(company, "approver"))
    assert_problem(foreign, 403, "not_yours")
    nobody = decide(api, request, "approve", "d", approver="00000000-0000-4000-8000-000000000000")
    assert_problem(nobody, 422, "invalid_request")
    done = decide(api, request, "withdraw", "e", membership=buyer)
    assert done.json()["state"] == "withdrawn"
    listed = api.get(f"/companies/{company['id']}/spend-requests?state=withdrawn").json()
    assert [item["id"] for item in listed["results"]] == [request["id"]]
    assert api.get(f"/companies/{company['id']}/spend-requests?state=waiting").json() == {
        "results": [], "next": None, "previous": None,
    }  # fmt: skip
    assert api.get(f"/spend-requests/{request['id']}").json() == done.json()
    assert SpendRequest.objects.count() == 1


@refused
def test_what_is_not_there_cannot_be_asked_for(api: ApiClient, company: dict[str, Any]) -> None:
    assert_problem(ask(api, company, "1001"), 409, "insufficient_balance")
    body = {"membership": who(company, "buyer"), "units": "1", "note": "x", "wallet_type": "tea"}
    address = f"/companies/{company['id']}/spend-requests"
    assert_problem(api.post(address, body, Idempotency_Key="w"), 422, "invalid_request")
    assert_problem(api.post(address, body), 400, "idempotency_key_required")


def test_scopes_keep_reading_and_writing_apart(
    api: ApiClient, key_with: Any, company: dict[str, Any], ann: Membership
) -> None:
    reader, writer = key_with("companies:read"), key_with("companies:write")
    assert reader.get(f"/companies/{company['id']}").status_code == 200
    assert_problem(reader.patch(f"/companies/{company['id']}", {}), 403, "insufficient_scope")
    assert_problem(writer.get("/companies"), 403, "insufficient_scope")
