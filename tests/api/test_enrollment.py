"""/memberships with a launch, /till/memberships, /invitations, /candidates, …/launch, and orders
that ask to join."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import ConsentChange
from loyalty.launch_definitions import LaunchDefinition
from loyalty.models import Membership, Program
from loyalty.services.launches import plan_launch
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from tests.api.conftest import ApiClient, assert_problem, count_queries, order_body

pytestmark = pytest.mark.usefixtures("beans_for_all")

TILL = {"program": "beans", "phone": "+12125550123", "given_name": "Maya"}


def open_later(program: Program) -> None:
    """Nobody may join before tomorrow."""
    tomorrow = (timezone.now() + dt.timedelta(days=2)).date()
    launch = LaunchDefinition.model_validate(
        {
            "phases": [{"kind": "everyone", "starts_on": tomorrow}],
            "founding": {"units": 200, "days": 30, "most_members": 10},
        }
    )
    plan_launch(program=program, launch=launch, actor=SYSTEM, now=timezone.now())


def explicit(program: Program) -> None:
    Program.objects.filter(pk=program.pk).update(enrollment="explicit", revision=99)


class TestTill:
    def test_somebody_new_gets_a_card_number(self, api: ApiClient, program: Program) -> None:
        response = api.post("/till/memberships", TILL | {"store": "Downtown"})
        assert response.status_code == 201
        body = response.json()
        assert (body["source"], body["source_detail"]) == ("till", "Downtown")
        assert len(body["card_number"]) == 16
        assert Customer.objects.get().phone == "+12125550123"

    def test_the_same_person_again_keeps_the_card(self, api: ApiClient, program: Program) -> None:
        first = api.post("/till/memberships", TILL).json()
        again = api.post("/till/memberships", TILL | {"email": "maya@example.com"})
        assert (again.status_code, again.json()["card_number"]) == (200, first["card_number"])
        assert Customer.objects.get().email == "maya@example.com"

    def test_a_printed_card_is_handed_out_once(self, api: ApiClient, program: Program) -> None:
        card = {"card_number": "CARD-0001"}
        assert api.post("/till/memberships", TILL | card).json()["card_number"] == "CARD-0001"
        other = TILL | card | {"phone": "+12125550124"}
        assert_problem(api.post("/till/memberships", other), 409, "card_taken", "card_number")
        assert Customer.objects.count() == 1

    def test_details_of_two_people_name_nobody(self, api: ApiClient, program: Program) -> None:
        Customer.objects.create(phone="+12125550123")
        Customer.objects.create(email="ann@example.com")
        answer = api.post("/till/memberships", TILL | {"email": "ann@example.com"})
        assert_problem(answer, 409, "several_customers")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"phone": ""}, "phone"),
            ({"phone": "555"}, "phone"),
            ({"program": "tea"}, "program"),
            ({"email": "nobody"}, "email"),
            ({"color": "red"}, "color"),
        ],
    )
    def test_what_is_wrong_is_named(
        self, api: ApiClient, program: Program, changes: dict[str, Any], field: str
    ) -> None:
        answer = api.post("/till/memberships", TILL | changes)
        assert_problem(answer, 422, "invalid_request", field)

    def test_it_needs_the_scope(
        self, key_with: Callable[..., ApiClient], program: Program, outsider: ApiClient
    ) -> None:
        answer = key_with("memberships:read").post("/till/memberships", TILL)
        assert_problem(answer, 403, "insufficient_scope")
        assert outsider.post("/till/memberships", TILL).status_code == 401


class TestLaunch:
    def test_who_is_not_admitted_yet_waits(
        self, api: ApiClient, program: Program, customer: Customer
    ) -> None:
        open_later(program)
        body = {"program": "beans", "customer": {"external_id": "C-1"}}
        response = api.post("/memberships", body)
        assert (response.status_code, response.json()["state"]) == (202, "waiting")
        assert api.post("/memberships", body).json() == response.json()
        assert api.post("/till/memberships", TILL).status_code == 202
        listed = api.get("/candidates?program=beans&state=waiting").json()["results"]
        assert [item["source"] for item in listed] == ["till", "api"]
        assert not Membership.objects.exists()

    def test_the_launch_can_be_read(self, api: ApiClient, program: Program) -> None:
        assert api.get("/programs/beans/launch").json() == {
            "program": "beans", "phases": [], "phase": None, "stopped_at": None,
            "founding_bonus": None,
        }  # fmt: skip
        open_later(program)
        body = api.get("/programs/beans/launch").json()
        assert ([phase["kind"] for phase in body["phases"]], body["phase"]) == (["everyone"], None)
        assert (body["founding_bonus"]["units"], body["founding_bonus"]["left"]) == ("200", 10)
        assert api.get("/programs/tea/launch").status_code == 404

    def test_the_list_takes_as_many_queries_for_many(
        self, api: ApiClient, program: Program, customer: Customer
    ) -> None:
        open_later(program)

        def listed() -> None:
            assert api.get("/candidates").status_code == 200

        api.post("/memberships", {"program": "beans", "customer": {"external_id": "C-1"}})
        one = count_queries(listed)
        for number in range(4):
            api.post("/till/memberships", TILL | {"phone": f"+1212555010{number}"})
        assert count_queries(listed) == one


class TestInvitations:
    def test_a_customer_is_invited_by_mail(
        self, api: ApiClient, program: Program, customer: Customer, mailoutbox: list[Any]
    ) -> None:
        body = {"program": "beans", "customer": {"external_id": "C-1"}, "detail": "vip"}
        response = api.post("/invitations", body)
        assert response.status_code == 201
        told = response.json()
        assert (told["state"], told["source"], told["source_detail"]) == (
            "invited", "invitation", "vip",
        )  # fmt: skip
        while deliver_waiting():
            pass
        assert mailoutbox[-1].to == ["ann@example.com"]
        assert not [key for key in told if "token" in key]

    def test_a_member_is_not_invited(
        self, api: ApiClient, membership: Membership, program: Program
    ) -> None:
        answer = api.post("/invitations", {"program": "beans", "customer": {"external_id": "C-1"}})
        assert_problem(answer, 409, "member_already")

    def test_it_needs_the_scope(
        self, key_with: Callable[..., ApiClient], program: Program, customer: Customer
    ) -> None:
        body = {"program": "beans", "customer": {"external_id": "C-1"}}
        answer = key_with("memberships:read").post("/invitations", body)
        assert_problem(answer, 403, "insufficient_scope")


class TestCheckout:
    def test_an_order_that_asks_makes_a_member_and_earns(
        self, api: ApiClient, program: Program, customer: Customer
    ) -> None:
        explicit(program)
        receipt = api.post("/orders", order_body(enroll=True)).json()
        assert len(receipt["awards"]) == 1
        assert Membership.objects.get().source == "checkout"

    def test_without_asking_nobody_joins(
        self, api: ApiClient, program: Program, customer: Customer
    ) -> None:
        explicit(program)
        assert api.post("/orders", order_body()).json()["awards"] == []
        assert not Membership.objects.exists()

    def test_asking_is_no_other_content(
        self, api: ApiClient, program: Program, customer: Customer
    ) -> None:
        api.post("/orders", order_body())
        assert api.post("/orders", order_body(enroll=True)).json()["outcome"] == "unchanged"


def test_an_account_over_the_api_is_a_member_where_the_program_says_so(
    api: ApiClient, program: Program
) -> None:
    Program.objects.filter(pk=program.pk).update(enrollment="account")
    api.post("/customers", {"external_id": "C-9"})
    while deliver_waiting():
        pass
    assert Membership.objects.get().source == "account"


def test_enrolling_notes_what_they_want_to_be_told(api: ApiClient, program: Program) -> None:
    said = [{"channel": "email", "topic": "offers", "wanted": True}]
    api.post("/till/memberships", TILL | {"email": "maya@example.com", "consents": said})
    customer = Customer.objects.get()
    assert ConsentChange.objects.get().source == "till"
    said[0]["wanted"] = False
    body = {"program": "beans", "customer": {"id": str(customer.public_id)}, "consents": said}
    assert api.post("/memberships", body).status_code == 200
    assert ConsentChange.objects.first().became == "denied"
