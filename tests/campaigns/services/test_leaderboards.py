"""Leaderboards: whoever wants to be seen, by another name, as far as what they did says."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from campaigns.board_checks import CHECKS
from campaigns.challenge_levels import STANDARD, standing_of
from campaigns.models import BoardName, BoardScore, Challenge
from campaigns.selectors.challenge_levels import level_of
from campaigns.selectors.leaderboards import board_of
from campaigns.services import leaderboards
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.challenges import join_challenge, leave_challenge
from campaigns.services.leaderboards import (
    hide_name,
    join_leaderboards,
    leave_leaderboards,
    let_choose,
)
from loyalty.ledger.checks import check_rule
from loyalty.models import Program
from loyalty.services.leaving import leave_program
from members.errors import ConflictError, DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.merging import merge_customers, undo_merge
from tests.campaigns.challenges import DAY, launch, member
from tests.loyalty.factories import NOW, give_back, make_program, make_wallet, order, record, refund
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
[RULE] = CHECKS


def make_world() -> Program:
    made = make_program(time_zone="Europe/Athens", earning_rules=[])
    for who in ("c1", "c2", "c3"):
        make_wallet(made, who)
    return made


made_once = shared(make_world)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def be_seen(who: str, name: str = "") -> BoardName:
    return join_leaderboards(membership=member(who), name=name or f"Name of {who}", now=NOW)


def buy(number: str, total: str, who: str, at: dt.datetime = NOW + HOUR) -> None:
    record(order(number, total, at=at, buyer=who))
    measure(at)


def measure(at: dt.datetime) -> None:
    measure_customers(list(Customer.objects.values_list("pk", flat=True)), now=at)


def take_part(challenge: Challenge, *people: str, at: dt.datetime = NOW) -> None:
    for who in people:
        join_challenge(challenge=challenge, membership=member(who), now=at)


def do(who: str, *totals: int) -> None:
    """An order of each total; one of 50 is one time."""
    for number, total in enumerate(totals):
        buy(f"{who}-{number}-{total}-{BoardScore.objects.count()}", str(total), who)


def places(program: Program, **which: Any) -> list[tuple[int | None, str, int]]:
    found = board_of(program, **which)
    return [(place.rank, place.name[-2:], place.score) for place in found.places]


@pytest.mark.parametrize("name", ["Support", "\u0430dmin", "s.e.t.i.a"])
def test_nobody_is_called_as_staff_there_either(program: Program, name: str) -> None:
    with pytest.raises(DomainError, match="cannot be used"):
        be_seen("c1", name)
    assert not BoardName.objects.exists()


def test_only_who_wants_to_is_seen_and_whoever_is_as_far_shares_a_place(program: Program) -> None:
    challenge = launch(program, times=3)
    take_part(challenge, "c1", "c2", "c3")
    for who in ("c1", "c2"):
        be_seen(who)
    do("c1", 50)
    do("c2", 50, 50, 10)
    do("c3", 50, 50, 50)
    month = {"month": "2024-03"}
    assert places(program, **month) == [(1, "c2", 2), (2, "c1", 1)]
    be_seen("c3")
    assert places(program, **month) == [(1, "c3", 3), (2, "c2", 2), (3, "c1", 1)]
    do("c1", 50, 10)
    assert places(program, **month) == [(1, "c3", 3), (2, "c1", 2), (2, "c2", 2)]
    assert places(program) == places(program, **month)
    assert places(program, month="2024-04") == []
    # Of one challenge how far the next time is counts as well.
    assert places(program, challenge=challenge) == [
        (1, "c3", 300), (2, "c1", 220), (2, "c2", 220)
    ]  # fmt: skip
    leave_leaderboards(membership=member("c3"))
    assert places(program, **month) == [(1, "c1", 2), (1, "c2", 2)]
    assert check_rule(RULE, NOW) is None


def test_what_comes_back_and_what_is_left_counts_no_more(program: Program) -> None:
    challenge, other = launch(program), launch(program, name="Other")
    be_seen("c1")
    take_part(challenge, "c1")
    buy("A", "60", "c1")
    take_part(other, "c1", at=NOW + 2 * HOUR)
    buy("B", "20", "c1", NOW + 2 * HOUR)
    assert places(program, challenge=other) == [(1, "c1", 40)]
    entry = member("c1").challenge_entries.get(challenge=other)
    leave_challenge(entry=entry, now=NOW + 3 * HOUR)
    assert places(program, challenge=other) == []
    give_back(refund("R", "60", of="A", at=NOW + DAY))
    measure(NOW + DAY)
    assert places(program) == []
    assert check_rule(RULE, NOW) is None


def test_ones_own_place_is_told_wherever_it_is_in_a_constant_number_of_queries(
    program: Program,
) -> None:
    people = [f"m{number}" for number in range(14)]
    challenge = launch(program)
    for who in people:
        make_wallet(program, who)
        be_seen(who)
    take_part(challenge, *people)
    for number, who in enumerate(people):
        record(order(f"O{number}", str(40 - number), at=NOW + HOUR, buyer=who))
    counted = []
    for shown in (3, 14):
        if shown == 14:
            measure(NOW + HOUR)
        else:
            measure_customers([member(who).customer_id for who in people[:3]], now=NOW + HOUR)
        with CaptureQueriesContext(connection) as queries:
            board = board_of(program, challenge=challenge, member=member("m13"))
        counted.append(len(queries))
    assert board.own is not None
    assert (board.own.rank, board.own.name, board.own.score) == (14, "Name of m13", 54)
    assert len(board.places) == 10
    assert counted[1] - counted[0] <= 1  # the own place is counted once it is there


def test_a_name_is_ones_own_choice_and_nobody_elses(program: Program) -> None:
    given = join_leaderboards(membership=member("c1"), name="", now=NOW)
    assert given.name
    assert be_seen("c1", "  Night   Owl ").name == "Night Owl"
    Customer.objects.filter(external_id="c2").update(given_name="Ann", family_name="Field")
    own = ("Ann Field", "field ann", "FIELD", "Ann of Field")
    for wrong in ("night owl", "me@shop.test", "x", "Call 5551234", "a" * 25, *own):
        with pytest.raises(DomainError) as refused:
            be_seen("c2", wrong)
        assert refused.value.errors[0].field == "name"
    with pytest.raises(IntegrityError), transaction.atomic():
        BoardName.objects.create(membership=member("c2"), program=program, name="NIGHT OWL")
    assert be_seen("c2", "Ann of the Fields").name == "Ann of the Fields"
    # Of another program it is another one.
    other = make_program("other", earning_rules=[])
    make_wallet(other, "d1")
    assert be_seen("d1", "Night Owl").program == other


def test_where_short_names_are_used_up_one_has_two_words(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboards, "_GIVEN", ("Otter",))
    chance = SimpleNamespace(choice=lambda words: words[0], randbelow=lambda _below: 0)
    monkeypatch.setattr(leaderboards, "secrets", chance)
    names = [
        join_leaderboards(membership=member(who), name="", now=NOW).name for who in ("c1", "c2")
    ]
    assert names == ["Otter 1000", "Otter Otter 1000"]


def test_staff_hide_a_name_and_let_somebody_choose_again(program: Program) -> None:
    row = hide_name(row=be_seen("c1", "Rude One"), actor=SYSTEM, now=NOW)
    assert row.name != "Rude One"
    with pytest.raises(ConflictError) as refused:
        be_seen("c1", "Ruder One")
    assert refused.value.code == "name_hidden"
    leave_leaderboards(membership=member("c1"))
    assert join_leaderboards(membership=member("c1"), name="", now=NOW).name == row.name
    let_choose(row=row, actor=SYSTEM)
    assert be_seen("c1", "Kind One").name == "Kind One"


def test_who_leaves_or_is_erased_is_seen_no_more(program: Program) -> None:
    challenge = launch(program)
    for who in ("c1", "c2"):
        be_seen(who)
        take_part(challenge, who)
        buy(f"{who}A", "60", who)
    leave_program(membership=member("c1"), actor=SYSTEM, now=NOW + 2 * HOUR)
    assert places(program) == [(1, "c2", 1)]
    erase_customer_details(customer=member("c2").customer, actor=SYSTEM)
    assert places(program) == []
    assert not BoardName.objects.filter(membership=member("c2")).exists()
    assert check_rule(RULE, NOW) is None


def test_of_two_who_are_one_what_both_did_counts_for_who_is_seen(program: Program) -> None:
    challenge, other = launch(program), launch(program, name="Other")
    for who, one in (("c1", challenge), ("c2", other)):
        be_seen(who)
        take_part(one, who)
        buy(f"{who}A", "60", who)
    kept, merged = (Customer.objects.get(external_id=name) for name in ("c1", "c2"))
    how = {"actor": SYSTEM, "source": "api"}
    merge, _again = merge_customers(kept=kept, merged=merged, now=NOW + DAY, **how)  # type: ignore[arg-type]
    assert places(program) == [(1, "c1", 2)]
    assert check_rule(RULE, NOW) is None
    undo_merge(merge=merge, now=NOW + 2 * DAY, **how)  # type: ignore[arg-type]
    assert places(program) == [(1, "c1", 1), (1, "c2", 1)]
    assert check_rule(RULE, NOW) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE campaigns_boardscore SET score = score + 1",
        "DELETE FROM campaigns_boardscore WHERE challenge_id IS NULL",
        "UPDATE campaigns_boardname SET since = NULL",
        "UPDATE campaigns_boardscore SET month = '2020-01' WHERE month <> ''",
    ],
)
def test_a_score_that_is_wrong_is_found_and_rebuilt(program: Program, statement: str) -> None:
    be_seen("c1")
    take_part(launch(program), "c1")
    buy("A", "60", "c1")
    before = set(BoardScore.objects.values_list("challenge", "month", "score"))
    assert len(before) == 3
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert check_rule(RULE, NOW) is not None
    call_command("rebuild_leaderboards")
    assert check_rule(RULE, NOW) is None
    if "boardname" not in statement:
        assert set(BoardScore.objects.values_list("challenge", "month", "score")) == before


def test_levels_follow_what_was_done(program: Program) -> None:
    challenge = launch(program, times=5)
    take_part(challenge, "c1")
    do("c1", 50, 50, 50)
    found = level_of(member("c1"))
    assert found.level is not None
    assert (found.level.number, found.done, found.missing) == (2, 3, 5)
    assert standing_of(0, STANDARD).level is None
    assert standing_of(999, STANDARD).next is None
    assert [level.needs for level in STANDARD] == sorted({level.needs for level in STANDARD})
