"""Challenges: who takes part, since when and for how long, and two who turn out to be one."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.models import ChallengeEntry
from campaigns.selectors.campaigns import is_kept_aside
from campaigns.services.challenges import ChallengeClosedError, give_challenge, leave_challenge
from loyalty.models import Membership, Program
from members.errors import ConflictError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from tests.campaigns.challenges import (
    DAY,
    fresh,
    join,
    launch,
    measure,
    member,
    program_of_challenges,
    wins,
)
from tests.campaigns.factories import follow
from tests.loyalty.factories import NOW, make_wallet, order, record, spendable
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
HOUR = dt.timedelta(hours=1)
State = ChallengeEntry.State


made_once = shared(program_of_challenges)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_what_needs_no_joining_begins_with_the_first_order_and_only_for_who_bought(program):
    make_wallet(program, "c2")
    launch(program, opt_in=False)
    record(order("A", "60", at=NOW))
    measure(NOW)
    assert ChallengeEntry.objects.get().membership == member()
    assert spendable() == 100


def test_who_is_not_in_the_audience_or_is_kept_aside_takes_no_part(program):
    audience = {"field": "customer.country", "op": "is", "value": "GR"}
    challenge, other = launch(program, audience=audience), launch(program, holdout=50, opt_in=False)
    with pytest.raises(ChallengeClosedError):
        join(challenge)
    for number in range(30):
        make_wallet(program, f"d{number}")
        record(order(f"O{number}", "60", at=NOW, buyer=f"d{number}"))
    measure(NOW)
    members = Membership.objects.select_related("customer")
    aside = {one.pk for one in members if is_kept_aside(other.campaign, one)}
    taking = set(ChallengeEntry.objects.values_list("membership", flat=True))
    assert taking
    assert aside
    assert not aside & taking


def test_joining_twice_is_joining_once_and_leaving_counts_from_anew(program):
    challenge = launch(program)
    entry = join(challenge)
    assert join(challenge, at=NOW + HOUR) == entry
    record(order("A", "30", at=NOW + HOUR))
    measure(NOW + HOUR)
    leave_challenge(entry=entry, now=NOW + 2 * HOUR)
    again = join(challenge, at=NOW + 3 * HOUR)
    measure(NOW + 3 * HOUR)
    assert (again.pk != entry.pk, fresh(again).percent) == (True, 0)


def test_what_was_won_cannot_be_left(program):
    entry = join(launch(program))
    record(order("A", "60", at=NOW + HOUR))
    measure(NOW + HOUR)
    with pytest.raises(ConflictError):
        leave_challenge(entry=entry, now=NOW + HOUR)


@pytest.mark.parametrize("at", [NOW - 2 * HOUR, NOW + 7 * DAY])
def test_it_is_joined_while_it_is_on(program, at):
    with pytest.raises(ChallengeClosedError):
        join(launch(program), at=at)


@pytest.mark.parametrize(("after", "won"), [(3 * DAY, 1), (3 * DAY + dt.timedelta(seconds=1), 0)])
def test_its_days_run_from_when_it_was_received_to_their_last_instant(program, after, won):
    challenge = launch(program, days=3)
    entry, again = give_challenge(challenge=challenge, membership=member(), at=NOW, now=NOW)
    assert not again
    record(order("A", "60", at=NOW + after))
    measure(NOW + after)
    assert fresh(entry).rounds == won
    assert give_challenge(challenge=challenge, membership=member(), at=NOW, now=NOW)[1]


def test_received_twice_it_can_be_won_twice_by_one_order(program):
    challenge = launch(program, days=3)
    for at in (NOW, NOW + HOUR):
        give_challenge(challenge=challenge, membership=member(), at=at, now=NOW + HOUR)
    record(order("A", "60", at=NOW + DAY))
    measure(NOW + DAY)
    assert spendable(at=NOW + DAY) == 200


def test_given_from_a_time_in_the_past_what_was_bought_since_then_counts_at_once(program):
    challenge = launch(program)
    record(order("A", "60", at=NOW + HOUR))
    follow()
    entry, _again = give_challenge(
        challenge=challenge, membership=member(), at=NOW, now=NOW + 2 * HOUR
    )
    follow()
    assert (fresh(entry).state, wins()) == (State.WON, [(1, "won", 1)])


def test_a_welcome_challenge_runs_from_each_members_joining(program):
    launch(program, opt_in=False, days=2)
    make_wallet(program, "new", at=NOW + DAY)
    record(order("A", "60", at=NOW + 2 * DAY, buyer="new"), order("B", "60", at=NOW + 2 * DAY))
    measure(NOW + 2 * DAY)
    assert (spendable("new", at=NOW + 2 * DAY), ChallengeEntry.objects.count()) == (100, 2)


# Two who are one


def test_who_was_two_people_goes_on_and_has_won_once(program):
    challenge = launch(program)
    make_wallet(program, "c2")
    other = join(challenge, "c2")
    record(order("A", "30", at=NOW + HOUR, buyer="c2"))
    measure(NOW + HOUR)
    kept, merged = Customer.objects.get(external_id="c1"), Customer.objects.get(external_id="c2")
    merge, _again = merge_customers(
        kept=kept, merged=merged, actor=SYSTEM, source="api", now=NOW + DAY
    )
    record(order("B", "20", at=NOW + DAY))
    measure(NOW + DAY)
    assert (fresh(other).membership, fresh(other).state) == (member(), State.WON)
    assert spendable(at=NOW + DAY) == 100
    undo_merge(merge=merge, actor=SYSTEM, source="api", now=NOW + 2 * DAY)
    measure(NOW + 2 * DAY)
    assert fresh(other).membership == member("c2")


def test_both_had_won_and_together_it_is_won_once_more_not_at_all(program):
    challenge = launch(program)
    make_wallet(program, "c2")
    for who in ("c1", "c2"):
        join(challenge, who)
    record(order("A", "60", at=NOW + HOUR, buyer="c2"))
    measure(NOW + HOUR)
    kept, merged = Customer.objects.get(external_id="c1"), Customer.objects.get(external_id="c2")
    merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="api", now=NOW + DAY)
    measure(NOW + DAY)
    assert spendable(at=NOW + DAY) == 100
    assert wins() == [(1, "won", 1)]


@pytest.mark.parametrize("first", ["c1", "c2"])
def test_what_was_won_by_whom_began_first_stays_won(program, first):
    challenge = launch(program)
    make_wallet(program, "c2")
    second = {"c1": "c2", "c2": "c1"}[first]
    entry = join(challenge, first)
    record(order("A", "60", at=NOW + HOUR, buyer=first))
    measure(NOW + HOUR)
    later = join(challenge, second, at=NOW + 2 * HOUR)
    kept, merged = Customer.objects.get(external_id="c1"), Customer.objects.get(external_id="c2")
    merge, _again = merge_customers(
        kept=kept, merged=merged, actor=SYSTEM, source="api", now=NOW + DAY
    )
    measure(NOW + DAY)
    assert (fresh(entry).membership, spendable(at=NOW + DAY)) == (member("c1"), 100)
    assert wins() == [(1, "won", 1)]
    undo_merge(merge=merge, actor=SYSTEM, source="api", now=NOW + 2 * DAY)
    measure(NOW + 2 * DAY)
    assert [fresh(item).membership for item in (entry, later)] == [member(first), member(second)]
    assert wins(entry=entry) == [(1, "won", 1)]


def test_of_days_of_their_own_what_was_won_goes_on(program):
    challenge = launch(program, days=2)
    make_wallet(program, "c2")
    won = join(challenge, "c2")
    record(order("A", "60", at=NOW + HOUR, buyer="c2"))
    measure(NOW + HOUR)
    join(challenge, "c1", at=NOW + 3 * DAY)
    kept, merged = Customer.objects.get(external_id="c1"), Customer.objects.get(external_id="c2")
    merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="api", now=NOW + 4 * DAY)
    measure(NOW + 4 * DAY)
    assert (fresh(won).membership, wins()) == (member("c1"), [(1, "won", 1)])
