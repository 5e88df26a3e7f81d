"""/gifts, and undoing them over /transfers/{id}/reversal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Membership, Program, Transfer, Wallet
from loyalty.services.memberships import enroll_customer
from members.models import Customer, IdempotencyRecord
from members.services.audit import SYSTEM
from tests.api.conftest import (
    BEAN,
    ApiClient,
    Shared,
    assert_problem,
    make_beans,
    with_ann,
)
from tests.sharing import shared

# The ledger's refusals end a transaction: that of the test goes on.
refused = pytest.mark.usefixtures("undone_when_refused")


def with_giver() -> Shared:
    """Ann, who has 100; members may give to each other, 50 a day, and to a charity."""
    gifts = {"gifts": {"to_members": True, "most_per_day": 50}}
    charities = [{"code": "trees", "name": "Trees"}]
    own = with_ann(make_beans(wallet_types=[BEAN | gifts], charities=charities))
    assert own.membership is not None
    body = {"membership": str(own.membership.public_id), "units": "100", "reason": "goodwill"}
    made = ApiClient(own.secret).post("/transfers", body, Idempotency_Key="start")
    assert made.status_code == 201
    return own


ann_for_all = shared(with_giver)
pytestmark = pytest.mark.usefixtures("ann_for_all")


@pytest.fixture
def giver(membership: Membership) -> Membership:
    return membership


@pytest.fixture
def friend(program: Program) -> Membership:
    customer = Customer.objects.create(external_id="C-2", given_name="Bea")
    return enroll_customer(
        customer=customer, program=program, source="api", at=timezone.now(), actor=SYSTEM
    )[0]


def gift(giver: Membership, to: dict[str, str], **changes: Any) -> dict[str, Any]:
    return {"membership": str(giver.public_id), "to": to, "units": "20"} | changes


def balance(membership: Membership) -> int:
    return Wallet.objects.get(account=membership.account_id).balance


@pytest.mark.parametrize("by", ["membership", "card_number"])
def test_a_member_is_given_units(
    api: ApiClient, giver: Membership, friend: Membership, by: str
) -> None:
    to = {by: str(friend.public_id) if by == "membership" else friend.card_number}
    answer = api.post("/gifts", gift(giver, to, message="For you"), Idempotency_Key="g1")
    assert answer.status_code == 201
    made = answer.json()
    assert (made["kind"], made["units"], made["membership"]) == (
        "gift", "-20", str(giver.public_id),
    )  # fmt: skip
    assert made["explanation"] == {"title": "Gift to Bea", "steps": []}
    assert made["message"] == "For you"
    assert (balance(giver), balance(friend)) == (80, 20)
    came = api.get(f"/memberships/{friend.public_id}/transfers").json()["results"][0]
    assert (came["units"], came["explanation"]["title"]) == ("20", "Gift from Ann")


def test_a_charity_is_given_units(api: ApiClient, giver: Membership) -> None:
    answer = api.post("/gifts", gift(giver, {"charity": "trees"}), Idempotency_Key="g1")
    made = answer.json()
    assert (answer.status_code, made["kind"], made["explanation"]["title"]) == (
        201, "donation", "Given to Trees",
    )  # fmt: skip
    assert balance(giver) == 80
    assert api.get("/programs/beans").json()["charities"] == [{"code": "trees", "name": "Trees"}]


@refused
def test_a_repeat_gives_once_even_when_the_answer_is_forgotten(
    api: ApiClient, giver: Membership, friend: Membership
) -> None:
    body = gift(giver, {"membership": str(friend.public_id)}, units="50")
    first = api.post("/gifts", body, Idempotency_Key="g1").json()
    assert api.post("/gifts", body, Idempotency_Key="g1").json() == first
    IdempotencyRecord.objects.all().delete()
    assert api.post("/gifts", body, Idempotency_Key="g1").json()["id"] == first["id"]
    assert balance(friend) == 50
    more = api.post("/gifts", body | {"units": "1"}, Idempotency_Key="g2")
    assert_problem(more, 409, "daily_limit_exceeded", "units")


def test_a_key_is_required(api: ApiClient, giver: Membership) -> None:
    answer = api.post("/gifts", gift(giver, {"charity": "trees"}))
    assert_problem(answer, 400, "idempotency_key_required", "Idempotency-Key")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"units": "0"}, "units"),
        ({"units": "-5"}, "units"),
        ({"units": "1.5"}, "units"),
        ({"units": 20}, "units"),
        ({"to": {}}, "to"),
        ({"to": {"charity": "trees", "card_number": "1"}}, "to"),
        ({"to": {"charity": "seas"}}, "to.charity"),
        ({"to": {"card_number": "9999"}}, "to.card_number"),
        ({"to": {"membership": "8f1f54b6-0c1c-4d51-9d3b-5e8b1f9d1a11"}}, "to.membership"),
        ({"to": {"email": "a@b.c"}}, "to.email"),
        ({"membership": "8f1f54b6-0c1c-4d51-9d3b-5e8b1f9d1a11"}, "membership"),
        ({"wallet_type": "miles"}, "wallet_type"),
        ({"message": "Thanks"}, "message"),
        ({"message": "x" * 201}, "message"),
    ],
)
def test_what_is_wrong_is_named(
    api: ApiClient, giver: Membership, changes: dict[str, Any], field: str
) -> None:
    answer = api.post("/gifts", gift(giver, {"charity": "trees"}) | changes, Idempotency_Key="g1")
    assert_problem(answer, 422, "invalid_request", field)


@refused
def test_more_than_there_is_cannot_be_given(api: ApiClient, giver: Membership) -> None:
    body = gift(giver, {"charity": "trees"}, units="101")
    assert_problem(api.post("/gifts", body, Idempotency_Key="g1"), 409, "insufficient_balance")


def test_a_member_is_not_given_by_themselves(api: ApiClient, giver: Membership) -> None:
    body = gift(giver, {"membership": str(giver.public_id)})
    assert_problem(api.post("/gifts", body, Idempotency_Key="g1"), 409, "gift_refused", "to")


def test_what_is_left_of_a_gift_is_returned_once(
    api: ApiClient, giver: Membership, friend: Membership
) -> None:
    body = gift(giver, {"membership": str(friend.public_id)})
    made = api.post("/gifts", body, Idempotency_Key="g1").json()
    taken = {"membership": str(friend.public_id), "units": "-5", "reason": "other"}
    api.post("/transfers", taken, Idempotency_Key="t1")
    address = f"/transfers/{made['id']}/reversal"
    undone = api.post(address, {})
    assert undone.status_code == 201
    assert (undone.json()["units"], undone.json()["membership"]) == ("-15", str(friend.public_id))
    assert (balance(giver), balance(friend)) == (95, 0)
    assert api.get(f"/transfers/{made['id']}").json()["reversed"] is True
    back = api.get(f"/memberships/{giver.public_id}/transfers").json()["results"][0]
    assert (back["units"], back["reverses"]) == ("15", made["id"])
    assert api.post(address, {}).status_code == 200


def test_a_donation_is_undone(api: ApiClient, giver: Membership) -> None:
    made = api.post("/gifts", gift(giver, {"charity": "trees"}), Idempotency_Key="g1").json()
    assert api.post(f"/transfers/{made['id']}/reversal", {}).status_code == 201
    assert balance(giver) == 100


def test_who_may_not(
    outsider: ApiClient, key_with: Callable[..., ApiClient], giver: Membership
) -> None:
    assert_problem(outsider.post("/gifts", {}), 401, "unauthorized")
    body = gift(giver, {"charity": "trees"})
    answer = key_with("transfers:read").post("/gifts", body, Idempotency_Key="g1")
    assert_problem(answer, 403, "insufficient_scope")
    assert_problem(key_with("transfers:write").get("/gifts"), 405, "method_not_allowed")
    assert not Transfer.objects.filter(kind="donation").exists()
