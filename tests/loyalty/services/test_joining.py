"""Ways to join: each keeps its source, twice is once, and nothing counts before."""

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.db import DatabaseError, transaction

from loyalty.launch_definitions import LaunchDefinition
from loyalty.models import Candidate, JoinRequest, Membership, Program
from loyalty.services.invitations import (
    accept_invitation,
    decline_invitation,
    find_invitation,
    invite_customer,
)
from loyalty.services.join_requests import (
    confirm_request,
    find_request,
    forget_requests,
    request_to_join,
)
from loyalty.services.joining import join_program
from loyalty.services.launches import plan_launch
from members.errors import ConflictError
from members.models import Customer, OutboxEvent
from members.services.audit import SYSTEM
from members.services.customers import create_customer
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import (
    NOW,
    day,
    make_program,
    make_type,
    order,
    record,
    reward,
    spendable,
    tell,
    told,
)

pytestmark = pytest.mark.django_db


def person(number: str = "c1", **values: Any) -> Customer:
    return Customer.objects.create(
        external_id=number, email=f"{number}@example.com", given_name=number, **values
    )


def member(number: str = "c1") -> Membership:
    return Membership.objects.get(customer__external_id=number)


def token_of_last_mail() -> str:
    while deliver_waiting():
        pass
    link = next(line for line in mail.outbox[-1].body.splitlines() if "/programs/" in line)
    return link.rstrip("/").rpartition("/")[2]


def ask(program: Program, email: str = "ann@example.com", **changes: Any) -> None:
    values: dict[str, Any] = {
        "given_name": "Ann", "family_name": "Lee", "detail": "spring", "locale": "en", "now": NOW,
    }  # fmt: skip
    request_to_join(program=program, email=email, **(values | changes))


def join(customer: Customer, program: Program, source: str = "till", **changes: Any) -> Any:
    values: dict[str, Any] = {"at": NOW, "actor": SYSTEM, "detail": "Downtown"}
    return join_program(customer=customer, program=program, source=source, **(values | changes))


class TestByOneself:
    def test_joining_twice_changes_nothing(self) -> None:
        program, customer = make_program(enrollment="explicit"), person()
        first, second = join(customer, program), join(customer, program, "link", detail="summer")
        assert (first.new, second.new) == (True, False)
        assert (member().source, member().source_detail) == ("till", "Downtown")

    def test_nobody_can_write_another_source_over_the_first(self) -> None:
        join(person(), make_program(enrollment="explicit"))
        with pytest.raises(DatabaseError, match="does not change"), transaction.atomic():
            Membership.objects.update(source="link")
        with pytest.raises(DatabaseError, match="does not change"), transaction.atomic():
            Membership.objects.update(source_detail="elsewhere")

    def test_who_had_left_takes_part_again_and_keeps_their_source(self) -> None:
        program, customer = make_program(enrollment="explicit"), person()
        join(customer, program)
        Membership.objects.update(status="left")
        assert join(customer, program, "link").new
        assert (member().status, member().source) == ("active", "till")

    def test_what_was_bought_before_earns_nothing_also_when_it_is_told_later(self) -> None:
        program, customer = make_program(enrollment="explicit"), person()
        record(order("A1", "10", at=day(-2)))
        join(customer, program)
        record(order("A2", "20", at=day(-1)), now=day(1))
        record(order("A1", "15", at=day(-2), status="completed"), now=day(1))
        assert spendable("c1", day(2)) == 0
        record(order("A3", "30", at=day(1)))
        assert spendable("c1", day(2)) == 30

    def test_what_was_done_before_earns_nothing(self) -> None:
        make_type()
        program = make_program(enrollment="explicit", earning_rules=[reward()])
        join(person(), program)
        tell(told("V1", at=day(-1)), now=day(1))
        assert spendable("c1", day(2)) == 0
        tell(told("V2", at=day(1)))
        assert spendable("c1", day(2)) == 50

    def test_a_program_that_is_not_live_cannot_be_joined(self) -> None:
        program = make_program(status="draft")
        with pytest.raises(ConflictError):
            join(person(), program)


class TestAtTheCheckout:
    def test_the_order_that_asks_earns_already(self) -> None:
        make_program(enrollment="explicit")
        record(order("A1", "10", enroll=True))
        assert (member().source, spendable()) == ("checkout", 10)

    def test_without_asking_nobody_joins(self) -> None:
        make_program(enrollment="explicit")
        record(order("A1", "10"))
        assert not Membership.objects.exists()

    def test_the_same_order_again_changes_nothing(self) -> None:
        make_program(enrollment="explicit")
        for _time in range(2):
            results = record(order("A1", "10", enroll=True))
        assert results[0].outcome == "unchanged"
        assert (Membership.objects.count(), spendable()) == (1, 10)

    def test_a_program_that_is_not_joined_by_oneself_is_left_out(self) -> None:
        make_program(enrollment="explicit", joinable=False)
        record(order("A1", "10", enroll=True))
        assert not Membership.objects.exists()

    def test_who_had_left_is_back_with_this_order(self) -> None:
        join(person(), make_program(enrollment="explicit"))
        Membership.objects.update(status="left")
        record(order("A1", "10", at=day(1), enroll=True))
        assert (member().status, spendable("c1", day(2))) == ("active", 10)


class TestWithTheShopAccount:
    def test_a_new_account_is_a_member_without_any_order(self) -> None:
        make_program(enrollment="account")
        customer = create_customer(actor=SYSTEM, registered=True, external_id="c1")
        while deliver_waiting():
            pass
        assert (member().source, member().enrolled_at) == ("account", customer.created_at)

    def test_a_customer_whom_staff_wrote_down_is_none(self) -> None:
        make_program(enrollment="account")
        create_customer(actor=SYSTEM, external_id="c1")
        while deliver_waiting():
            pass
        assert not Membership.objects.exists()

    def test_other_programs_do_not_follow_accounts(self) -> None:
        make_program(enrollment="automatic")
        create_customer(actor=SYSTEM, registered=True, external_id="c1")
        while deliver_waiting():
            pass
        assert not Membership.objects.exists()

    def test_a_first_order_makes_a_member_too(self) -> None:
        make_program(enrollment="account")
        record(order("A1", "10"))
        assert (member().source, spendable()) == ("order", 10)


class TestByLink:
    def test_the_link_in_the_mail_makes_a_customer_and_a_member(self) -> None:
        program = make_program(enrollment="explicit")
        ask(program)
        assert not Customer.objects.exists()
        request = find_request(program, token_of_last_mail(), day(1))
        assert request is not None
        joined = confirm_request(request=request, now=day(1))
        assert joined.new
        found = Membership.objects.get()
        assert (found.source, found.source_detail) == ("link", "spring")
        assert (found.customer.email, found.customer.given_name) == ("ann@example.com", "Ann")
        assert mail.outbox[-1].to == ["ann@example.com"]

    def test_opening_the_link_again_changes_nothing(self) -> None:
        program = make_program(enrollment="explicit")
        ask(program)
        request = find_request(program, token_of_last_mail(), day(1))
        assert request is not None
        confirm_request(request=request, now=day(1))
        assert not confirm_request(request=request, now=day(1)).new
        assert Membership.objects.count() == Customer.objects.count() == 1

    def test_a_known_address_keeps_its_customer_and_their_name(self) -> None:
        program, customer = make_program(enrollment="explicit"), person("ann")
        ask(program, "ANN@example.com", given_name="Somebody else")
        request = find_request(program, token_of_last_mail(), day(1))
        assert request is not None
        confirm_request(request=request, now=day(1))
        customer.refresh_from_db()
        assert (member("ann").customer, customer.given_name) == (customer, "ann")

    def test_a_link_works_two_days_and_only_its_hash_is_kept(self) -> None:
        program = make_program(enrollment="explicit")
        ask(program)
        token = token_of_last_mail()
        assert find_request(program, token, day(2)) is None
        assert find_request(program, token + "x", day(1)) is None
        assert token.encode() not in bytes(JoinRequest.objects.get().token_hash)

    def test_what_was_not_confirmed_is_forgotten(self) -> None:
        program = make_program(enrollment="explicit")
        ask(program)
        ask(program, "bob@example.com", now=day(1))
        assert forget_requests(now=day(2)) == 1
        assert [request.email for request in JoinRequest.objects.all()] == ["bob@example.com"]

    def test_one_address_gets_three_mails_in_an_hour(self) -> None:
        program = make_program(enrollment="explicit")
        for _time in range(5):
            ask(program)
        assert OutboxEvent.objects.filter(kind="mail.queued").count() == 3

    def test_no_strange_text_gets_into_the_mail(self) -> None:
        ask(make_program(enrollment="explicit"), given_name="Visit evil.example now")
        token_of_last_mail()
        assert "evil" not in mail.outbox[-1].body + mail.outbox[-1].subject

    def test_a_program_that_is_closed_sends_nothing(self) -> None:
        with pytest.raises(ConflictError):
            ask(make_program(joinable=False))


class TestByInvitation:
    def test_an_invited_customer_earns_nothing_before_they_accept(self) -> None:
        """Also where a program takes in everybody: they were asked, and answer themselves."""
        program, customer = make_program(), person()
        invite_customer(customer=customer, program=program, actor=SYSTEM, now=NOW)
        record(order("A1", "10", at=day(1)))
        assert not Membership.objects.exists()
        candidate = find_invitation(program, token_of_last_mail(), day(2))
        assert candidate is not None
        accept_invitation(candidate=candidate, actor=SYSTEM, now=day(2))
        record(order("A2", "20", at=day(1)), now=day(3))
        assert spendable("c1", day(4)) == 0
        record(order("A3", "30", at=day(3)))
        assert (spendable("c1", day(4)), member().source) == (30, "invitation")
        candidate.refresh_from_db()
        assert (candidate.state, candidate.token_hash) == ("joined", None)

    def test_who_declined_is_no_member_by_an_order_and_can_still_join(self) -> None:
        program, customer = make_program(), person()
        candidate = invite_customer(customer=customer, program=program, actor=SYSTEM, now=NOW)
        assert decline_invitation(candidate=candidate, actor=SYSTEM, now=day(1))
        assert not decline_invitation(candidate=candidate, actor=SYSTEM, now=day(1))
        record(order("A1", "10", at=day(2)))
        assert not Membership.objects.exists()
        assert join(customer, program, at=day(3)).membership is not None
        assert Candidate.objects.get().state == "joined"

    def test_an_invitation_that_has_passed_leaves_the_usual_way(self) -> None:
        program, customer = make_program(), person()
        invite_customer(customer=customer, program=program, actor=SYSTEM, now=NOW)
        token = token_of_last_mail()
        assert find_invitation(program, token, day(30)) is None
        record(order("A1", "10", at=day(31)))
        assert (member().source, spendable("c1", day(32))) == ("order", 10)

    def test_inviting_again_makes_the_former_link_useless(self) -> None:
        program, customer = make_program(enrollment="explicit"), person()
        invite_customer(customer=customer, program=program, actor=SYSTEM, now=NOW)
        before = token_of_last_mail()
        invite_customer(customer=customer, program=program, actor=SYSTEM, now=day(1))
        assert find_invitation(program, before, day(2)) is None
        assert find_invitation(program, token_of_last_mail(), day(2)) is not None
        assert Candidate.objects.count() == 1

    def test_members_and_people_without_address_are_not_invited(self) -> None:
        program = make_program(enrollment="explicit")
        join(person("c1"), program)
        for customer in (Customer.objects.get(), Customer.objects.create(external_id="c2")):
            with pytest.raises(ConflictError):
                invite_customer(customer=customer, program=program, actor=SYSTEM, now=NOW)


class TestWaiting:
    def launch(self, program: Program, opens: dt.datetime) -> None:
        launch = LaunchDefinition.model_validate(
            {"phases": [{"kind": "everyone", "starts_on": opens.date()}]}
        )
        plan_launch(program=program, launch=launch, actor=SYSTEM, now=NOW)

    def test_who_waits_earns_nothing_and_is_a_member_with_the_first_order_after_the_day(
        self,
    ) -> None:
        program, customer = make_program(), person()
        self.launch(program, day(5))
        waiting = join(customer, program, "link", detail="spring")
        assert (waiting.membership, waiting.candidate.state) == (None, "waiting")
        assert not join(customer, program, "till").new
        record(order("A1", "10", at=day(1)))
        assert not Membership.objects.exists()
        record(order("A2", "20", at=day(6)))
        record(order("A3", "40", at=day(2)), now=day(7))
        assert spendable("c1", day(8)) == 20
        assert (member().source, member().source_detail) == ("link", "spring")
        assert Candidate.objects.get().state == "joined"

    def test_at_the_checkout_one_waits_too(self) -> None:
        self.launch(make_program(enrollment="explicit"), day(5))
        record(order("A1", "10", at=day(1), enroll=True))
        assert not Membership.objects.exists()
        assert (Candidate.objects.get().state, Candidate.objects.get().source) == (
            "waiting", "checkout",
        )  # fmt: skip

    def test_orders_of_one_phase_count_in_whatever_order_they_are_told(self) -> None:
        self.launch(make_program(), day(5))
        record(order("A2", "20", at=day(8)))
        record(order("A1", "10", at=day(6)), now=day(9))
        record(order("A0", "40", at=day(4)), now=day(9))
        assert spendable("c1", day(10)) == 30
