"""How many members a program has is kept by the database, whoever writes."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.db.models import Sum

from loyalty.ledger.checks import verify_ledger
from loyalty.models import Membership, MemberTally, Program
from loyalty.selectors.member_tallies import active_members_in, joined_between, members_in
from loyalty.selectors.programs import list_programs
from loyalty.services.tallies import fold_tallies, recount_tallies
from tests.loyalty.factories import make_program, make_wallet

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
CHECK = "a program has as many members as are counted"

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    found = make_program("beans")
    make_wallet(make_program("tea"))
    for number in ("c1", "c2", "c3"):
        make_wallet(found, number)
    return found


def tallies(program: Program) -> dict[str, int]:
    rows = MemberTally.objects.filter(program=program).order_by().values_list("status")
    return dict(rows.annotate(of=Sum("members")))


def test_it_follows_whoever_joins_leaves_and_is_removed(program: Program) -> None:
    assert (members_in(program), active_members_in(program)) == (3, 3)
    first, second, third = Membership.objects.filter(program=program).order_by("pk")
    Membership.objects.filter(pk=first.pk).update(status="left")
    Membership.objects.filter(pk=second.pk).update(status="merged", merged_into=third)
    assert tallies(program) == {"active": 1, "left": 1, "merged": 1}
    assert (members_in(program), active_members_in(program)) == (2, 1)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM loyalty_membership WHERE id = %s", [first.pk])
    assert (members_in(program), active_members_in(program)) == (1, 1)
    assert not [drift for drift in verify_ledger(NOW) if drift.check == CHECK]


def test_all_programs_are_counted_in_their_own_query(program: Program) -> None:
    make_program("empty")
    counted = {found.code: found.member_count for found in list_programs()}
    assert counted == {"beans": 3, "tea": 1, "empty": 0}


def test_a_change_of_something_else_adds_nothing(program: Program) -> None:
    before = MemberTally.objects.count()
    Membership.objects.filter(program=program).update(created_at=NOW)
    assert MemberTally.objects.count() == before


def test_folding_leaves_one_row_for_each_state_and_the_same_numbers(program: Program) -> None:
    assert MemberTally.objects.filter(program=program).count() == 3
    assert fold_tallies() == 1
    assert [(row.status, row.members) for row in MemberTally.objects.filter(program=program)] == [
        ("active", 3)
    ]
    # What stands alone already is left alone.
    before = set(MemberTally.objects.values_list("pk"))
    assert fold_tallies() == 0
    assert set(MemberTally.objects.values_list("pk")) == before
    assert members_in(program) == 3


def test_what_comes_to_nothing_is_gone_once_folded(program: Program) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM loyalty_membership WHERE program_id = %s", [program.pk])
    fold_tallies()
    assert not MemberTally.objects.filter(program=program).exists()


def test_what_is_wrong_is_counted_anew(program: Program) -> None:
    assert recount_tallies() == 0
    day = dt.date(2026, 1, 1)
    MemberTally.objects.create(program=program, status="active", joined_on=day, members=7)
    assert [drift.check for drift in verify_ledger(NOW)] == [CHECK]
    assert recount_tallies() == 1
    assert members_in(program) == 3
    assert verify_ledger(NOW) == []


def test_days_are_those_of_the_program_also_after_its_clock_changes(program: Program) -> None:
    late = dt.datetime(2026, 2, 3, 23, 30, tzinfo=dt.UTC)
    Membership.objects.filter(program=program).update(enrolled_at=late)
    third, fourth = dt.date(2026, 2, 3), dt.date(2026, 2, 4)
    assert (joined_between(program, third, third), joined_between(program, fourth, fourth)) == (
        3,
        0,
    )
    Program.objects.filter(pk=program.pk).update(time_zone="Asia/Kuala_Lumpur")
    assert (joined_between(program, third, third), joined_between(program, fourth, fourth)) == (
        0,
        3,
    )
    assert verify_ledger(NOW) == []
