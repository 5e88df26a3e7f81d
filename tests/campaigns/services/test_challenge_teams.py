"""Challenges of teams: what they buy together, who may join, and who leaves."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from pydantic import ValidationError

from campaigns.models import ChallengeEntry
from campaigns.selectors.challenges import open_to
from campaigns.services import challenge_wins
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.challenges import join_challenge, leave_challenge
from loyalty.models import Program, Wallet
from loyalty.services.leaving import leave_program
from members.errors import DomainError
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from tests.campaigns.challenges import (
    DAY,
    draft,
    fresh,
    launch,
    measure,
    member,
    program_of_challenges,
)
from tests.loyalty.factories import (
    NOW,
    give_back,
    make_wallet,
    order,
    record,
    refund,
    spendable,
)
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
HOUR = dt.timedelta(hours=1)


made_once = shared(program_of_challenges)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def team(program: Program) -> list[ChallengeEntry]:
    """c1 made it, c2 and c3 joined it by its code."""
    challenge = launch(program, team_size=3)
    first = join_challenge(
        challenge=challenge, membership=member(), now=NOW, team_name="  The  Beans "
    )
    assert first.team is not None
    assert first.team.name == "The Beans"
    found = [first]
    for who in ("c2", "c3"):
        make_wallet(program, who)
        entry = join_challenge(
            challenge=challenge, membership=member(who), now=NOW + HOUR,
            team_code=first.team.code.lower(),
        )  # fmt: skip
        found.append(entry)
    return found


def test_what_a_team_buys_counts_together_and_each_gets_the_reward(team):
    record(order("A", "20", at=NOW + 2 * HOUR), order("B", "15", at=NOW + 3 * HOUR, buyer="c2"))
    # Before they joined.
    record(order("0", "30", at=NOW + HOUR / 2, buyer="c2"))
    measure_customers([member("c2").customer_id], now=NOW + 3 * HOUR)
    assert [fresh(entry).percent for entry in team] == [70, 70, 70]
    record(order("C", "15", at=NOW + 4 * HOUR, buyer="c3"))
    measure_customers([member("c3").customer_id], now=NOW + 4 * HOUR)
    assert [spendable(who, at=NOW + DAY) for who in ("c1", "c2", "c3")] == [100, 100, 100]
    give_back(refund("R", "20", of="A", at=NOW + DAY))
    measure_customers([member("c1").customer_id], now=NOW + DAY)
    assert [spendable(who, at=NOW + DAY) for who in ("c1", "c2", "c3")] == [0, 0, 0]


def test_the_page_of_a_member_shows_what_the_team_has_done(team):
    record(order("B", "25", at=NOW + 3 * HOUR, buyer="c2"))
    (found,) = open_to(member("c3"), NOW + 3 * HOUR)
    assert (found.progress.percent, found.together) == (50, 3)


@pytest.mark.parametrize(
    ("said", "field"),
    [({"team_code": "XXXXXX"}, "team_code"), ({}, "team_name"), ({"team_name": " "}, "team_name")],
)
def test_a_team_has_a_name_or_is_known(program, said, field):
    challenge = launch(program, team_size=3)
    with pytest.raises(DomainError) as wrong:
        join_challenge(challenge=challenge, membership=member(), now=NOW, **said)
    assert [error.field for error in wrong.value.errors] == [field]


def test_a_full_team_and_one_that_is_done_take_nobody(program, team):
    make_wallet(program, "c4")
    assert team[0].team is not None
    how = {"challenge": team[0].challenge, "membership": member("c4"),
           "team_code": team[0].team.code}  # fmt: skip
    with pytest.raises(DomainError, match="full"):
        join_challenge(now=NOW + HOUR, **how)
    leave_challenge(entry=team[1], now=NOW + HOUR)
    record(order("A", "60", at=NOW + 2 * HOUR))
    measure(NOW + 2 * HOUR)
    with pytest.raises(DomainError, match="already"):
        join_challenge(now=NOW + 2 * HOUR, **how)
    assert spendable("c2", at=NOW + DAY) == 0


def test_who_leaves_takes_what_they_bought_with_them(team):
    record(order("A", "20", at=NOW + 2 * HOUR), order("B", "20", at=NOW + 2 * HOUR, buyer="c2"))
    measure(NOW + 2 * HOUR)
    leave_challenge(entry=team[1], now=NOW + 3 * HOUR)
    assert fresh(team[0]).percent == 40


def test_a_team_never_has_too_many(program, transactional_db):
    challenge = launch(program, team_size=3)
    first = join_challenge(challenge=challenge, membership=member(), now=NOW, team_name="Beans")
    assert first.team is not None
    code, found = first.team.code, [f"t{number}" for number in range(6)]
    for who in found:
        make_wallet(program, who)

    def go(who: str) -> bool:
        try:
            join_challenge(challenge=challenge, membership=member(who), now=NOW, team_code=code)
            return True
        except DomainError:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(go, found)) == 2


def test_who_leaves_the_program_takes_nothing_from_the_others_and_helps_them_no_more(team):
    record(order("A", "20", at=NOW + 2 * HOUR), order("B", "25", at=NOW + 3 * HOUR, buyer="c2"))
    measure(NOW + 3 * HOUR)
    leave_program(membership=member("c2"), actor=SYSTEM, now=NOW + 4 * HOUR)
    record(order("C", "5", at=NOW + 5 * HOUR, buyer="c2"))
    measure(NOW + 5 * HOUR)
    (found,) = open_to(member("c3"), NOW + 5 * HOUR)
    assert (fresh(team[0]).percent, found.progress.percent, found.together) == (90, 90, 2)
    record(order("D", "5", at=NOW + 6 * HOUR))
    measure_customers([member().customer_id], now=NOW + 6 * HOUR)
    assert [spendable(who, at=NOW + DAY) for who in ("c1", "c2", "c3")] == [100, 0, 100]


@pytest.mark.parametrize("said", [{"opt_in": False}, {"days": 3}])
def test_a_team_joins_and_has_the_whole_time(program, said):
    with pytest.raises(ValidationError):
        draft(program, team_size=3, **said)


def test_the_wallets_of_all_are_locked_before_the_first_is_given_anything(team, monkeypatch):
    done: list[object] = []
    real = (challenge_wins.lock_wallets, challenge_wins.record_activities)

    def lock(keys: list[int]) -> None:
        done.append(sorted(keys))
        real[0](keys)

    def give(*said: Any, **how: Any) -> Any:
        done.append("units")
        return real[1](*said, **how)

    monkeypatch.setattr(challenge_wins, "lock_wallets", lock)
    monkeypatch.setattr(challenge_wins, "record_activities", give)
    record(order("A", "50", at=NOW + 2 * HOUR))
    measure_customers([member().customer_id], now=NOW + 2 * HOUR)
    wallets = Wallet.objects.filter(account__in=[entry.membership.account_id for entry in team])
    assert done == [sorted(wallets.values_list("pk", flat=True)), "units", "units", "units"]


def test_who_is_erased_leaves_no_name_of_a_team_that_they_made(team):
    made = team[0].team
    erase_customer_details(customer=member("c2").customer, actor=SYSTEM)
    made.refresh_from_db()
    assert made.name == "The Beans"
    erase_customer_details(customer=member().customer, actor=SYSTEM)
    made.refresh_from_db()
    assert made.name == made.code
