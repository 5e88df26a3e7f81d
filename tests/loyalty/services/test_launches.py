"""A launch in phases: who may join is decided by the phase in force, without anything running."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import DatabaseError, connection, transaction

from loyalty.launch_definitions import LaunchDefinition
from loyalty.models import Candidate, Launch, LaunchPhase, LaunchPlace, Membership, Program
from loyalty.selectors.admissions import admissions
from loyalty.selectors.launches import get_launch, phase_at, preview_phases
from loyalty.selectors.programs import definition_of
from loyalty.services.joining import join_program
from loyalty.services.launch_invitations import find_invitations, run_invitations, write_to_some
from loyalty.services.launches import draw_up_list, plan_launch, resume_launch, stop_launch
from loyalty.services.programs import apply_definition
from loyalty.services.quotes import quote_order
from members.errors import ConflictError
from members.models import Customer, CustomerFacts, Job
from members.services.audit import SYSTEM
from members.services.job_runs import start_work
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import NOW, day, make_program, order, record, spendable

pytestmark = pytest.mark.django_db

TOP, INVITED, EVERYONE = day(10), day(20), day(30)


def on(at: dt.datetime) -> str:
    return at.date().isoformat()


def phases(**changes: Any) -> LaunchDefinition:
    """The best tenth, the better half, everyone; ten days each. `changes`: other first days."""
    days = {"top": on(TOP), "invited": on(INVITED), "everyone": on(EVERYONE)} | changes
    shares = {"top": 10, "invited": 50, "everyone": None}
    return LaunchDefinition.model_validate(
        {
            "phases": [
                {"kind": kind, "percent": shares[kind], "starts_on": first}
                for kind, first in days.items()
                if first
            ]
        }
    )


def buyers(count: int = 20) -> list[Customer]:
    """The first spent most; the last has never bought."""
    found = [
        Customer.objects.create(external_id=f"c{number}", email=f"c{number}@example.com")
        for number in range(1, count + 2)
    ]
    CustomerFacts.objects.bulk_create(
        CustomerFacts(customer=person, orders=1, ordered=Decimal(1000 - rank), as_of=NOW)
        for rank, person in enumerate(found[:-1])
    )
    return found


def plan(program: Program, launch: LaunchDefinition | None = None, at: dt.datetime = NOW) -> None:
    plan_launch(program=program, launch=launch or phases(), actor=SYSTEM, now=at)


def admitted(program: Program, at: dt.datetime) -> int:
    people = dict.fromkeys(Customer.objects.values_list("pk", flat=True), at)
    return sum(item.admitted for item in admissions(program_id=program.pk, moments=people).values())


class TestWhoMayJoin:
    def test_the_phase_in_force_decides(self) -> None:
        program = make_program(enrollment="explicit")
        buyers()
        plan(program)
        first = dt.datetime.combine(TOP.date(), dt.time(), dt.UTC)
        assert admitted(program, first - dt.timedelta(microseconds=1)) == 0
        assert admitted(program, first) == 2
        assert admitted(program, INVITED) == 10
        assert admitted(program, EVERYONE) == 21

    def test_without_phases_everyone_may(self) -> None:
        program = make_program()
        buyers()
        assert admitted(program, NOW) == 21
        plan(program, LaunchDefinition.model_validate({"founding": {"units": 5}}))
        assert admitted(program, NOW) == 21

    def test_a_program_that_takes_in_everybody_takes_in_whom_the_phase_admits(self) -> None:
        program = make_program()
        buyers()
        plan(program)
        record(order("A1", "10", at=day(11), buyer="c1"), order("A2", "10", at=day(11), buyer="c3"))
        assert [found.customer.external_id for found in Membership.objects.all()] == ["c1"]
        record(order("A3", "10", at=day(21), buyer="c3"))
        record(order("A4", "10", at=day(12), buyer="c3"), now=day(22))
        assert spendable("c3", day(23)) == 10

    def test_a_quote_earns_only_where_the_order_would(self) -> None:
        program = make_program()
        buyers()
        plan(program)
        for at, buyer, quotes in ((9, "c1", 0), (11, "c1", 1), (11, "c3", 0), (31, "c3", 1)):
            assert len(quote_order(order("Q", "10", at=day(at), buyer=buyer))) == quotes

    def test_the_list_stays_whatever_is_bought_later(self) -> None:
        program = make_program(enrollment="explicit")
        people = buyers()
        plan(program)
        CustomerFacts.objects.filter(customer=people[-2]).update(ordered=99_999)
        moments = {people[0].pk: TOP, people[-2].pk: TOP}
        found = admissions(program_id=program.pk, moments=moments)
        assert [found[people[0].pk].admitted, found[people[-2].pk].admitted] == [True, False]
        assert LaunchPlace.objects.filter(position=1).count() == 2

    def test_what_phases_take_in_is_previewed(self) -> None:
        buyers()
        shown = preview_phases([10, 50, None])
        assert [(item.customers, item.least_spend) for item in shown] == [
            (2, Decimal(999)), (10, Decimal(991)), (20, Decimal(981)),
        ]  # fmt: skip


class TestPlanning:
    def test_dates_to_come_can_be_moved_and_those_that_passed_cannot(self) -> None:
        program = make_program(enrollment="explicit")
        buyers()
        plan(program)
        plan(program, phases(everyone=on(day(40))), at=day(11))
        assert admitted(program, day(35)) == 10
        with pytest.raises(ConflictError):
            plan(program, phases(top=on(day(12))), at=day(11))
        with pytest.raises(ConflictError):
            plan(program, phases(everyone=on(day(22))), at=day(25))
        assert admitted(program, TOP) == 2

    def test_the_list_is_drawn_up_anew_until_the_first_phase_begins(self) -> None:
        program = make_program(enrollment="explicit")
        people = buyers()
        plan(program)
        CustomerFacts.objects.filter(customer=people[-2]).update(ordered=99_999)
        assert draw_up_list(program=program, actor=SYSTEM, now=day(1)) == 10
        assert LaunchPlace.objects.get(rank=1).customer == people[-2]
        with pytest.raises(ConflictError):
            draw_up_list(program=program, actor=SYSTEM, now=day(11))

    def test_a_launch_that_was_stopped_goes_no_further_until_it_is_resumed(self) -> None:
        program = make_program(enrollment="explicit")
        buyers()
        plan(program)
        assert stop_launch(program=program, actor=SYSTEM, now=day(15))
        assert not stop_launch(program=program, actor=SYSTEM, now=day(16))
        assert (admitted(program, day(15)), admitted(program, day(31))) == (2, 2)
        with pytest.raises(ConflictError):
            resume_launch(program=program, actor=SYSTEM, now=day(25))
        plan(program, phases(invited=on(day(26)), everyone=on(day(40))), at=day(25))
        assert resume_launch(program=program, actor=SYSTEM, now=day(25))
        assert [admitted(program, day(at)) for at in (25, 27, 41)] == [2, 10, 21]

    @pytest.mark.parametrize(
        "wrong",
        [
            [("everyone", None, 3), ("top", 10, 5)],
            [("top", 10, 3)],
            [("top", 10, 5), ("everyone", None, 5)],
            [("top", 50, 3), ("invited", 50, 4), ("everyone", None, 5)],
            [("top", None, 3), ("everyone", None, 4)],
            [("everyone", 10, 3)],
        ],
    )
    def test_phases_that_make_no_sense_are_refused(self, wrong: list[Any]) -> None:
        items = [
            {"kind": kind, "percent": percent, "starts_on": on(day(offset))}
            for kind, percent, offset in wrong
        ]
        with pytest.raises(ValueError, match=r"phase|percent"):
            LaunchDefinition.model_validate({"phases": items})

    def test_the_database_keeps_phases_in_order(self) -> None:
        program = make_program()
        launch = Launch.objects.create(program=program, created_at=NOW)
        LaunchPhase.objects.create(
            launch=launch, position=1, kind="top", percent=10, starts_at=day(5)
        )
        LaunchPhase.objects.create(launch=launch, position=2, kind="everyone", starts_at=day(4))
        with (
            pytest.raises(DatabaseError, match="begins later"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        LaunchPhase.objects.all().delete()

    def test_a_program_file_says_it_and_applying_it_again_changes_nothing(self) -> None:
        program = make_program(
            launch={**phases().model_dump(), "founding": {"units": "50", "days": 14}}
        )
        definition = definition_of(program, NOW)
        assert definition.launch is not None
        assert [phase.kind for phase in definition.launch.phases] == ["top", "invited", "everyone"]
        assert apply_definition(definition, actor=SYSTEM, now=day(1)).changes == []
        without = definition.model_copy(update={"launch": None})
        assert len(apply_definition(without, actor=SYSTEM, now=day(1)).changes) == 2
        assert not Launch.objects.exists()


class TestInvitations:
    def run(self, at: dt.datetime) -> Job:
        job = start_work(kind="launch_invitations", actor=SYSTEM, now=at)
        assert job is not None
        run_invitations(job.pk)
        job.refresh_from_db()
        return job

    def test_a_phase_invites_its_own_once(self) -> None:
        program = make_program(enrollment="explicit")
        buyers()
        plan(program)
        assert find_invitations(day(9)) is None
        assert self.run(day(11)).result == {"invited": 2, "let_in": 0}
        assert find_invitations(day(12)) is None
        assert self.run(day(21)).result == {"invited": 8, "let_in": 0}
        while deliver_waiting():
            pass
        assert len({message.to[0] for message in mail.outbox}) == 10
        assert find_invitations(day(31)) is None

    def test_members_and_people_without_an_address_are_left_out(self) -> None:
        program = make_program(enrollment="explicit")
        people = buyers()
        plan(program)
        join_program(customer=people[0], program=program, source="api", at=TOP, actor=SYSTEM)
        Customer.objects.filter(pk=people[1].pk).update(email="")
        assert find_invitations(day(11)) is None

    def test_who_waited_is_let_in_without_being_asked_again(self) -> None:
        program = make_program(enrollment="explicit")
        people = buyers()
        plan(program)
        for person in (people[0], people[-1]):
            join_program(
                customer=person, program=program, source="link", detail="spring", at=NOW,
                actor=SYSTEM,
            )  # fmt: skip
        assert self.run(day(11)).result == {"invited": 1, "let_in": 1}
        assert self.run(day(31)).result == {"invited": 0, "let_in": 1}
        members = Membership.objects.order_by("pk")
        assert [(found.source, found.source_detail) for found in members] == [
            ("link", "spring"), ("link", "spring"),
        ]  # fmt: skip
        assert set(Candidate.objects.values_list("state", flat=True)) == {"joined", "invited"}

    def test_a_run_that_was_killed_half_way_goes_on(self) -> None:
        program = make_program(enrollment="explicit")
        buyers()
        plan(program)
        program_launch = get_launch(program)
        assert program_launch is not None
        assert phase_at(program_launch, day(11)) is not None
        write_to_some(program, day(11))
        self_made = Candidate.objects.count()
        assert self_made == 2
        assert write_to_some(program, day(11)) == (0, 0)
