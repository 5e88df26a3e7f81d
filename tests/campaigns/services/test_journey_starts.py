"""Who begins a journey, as time goes by and balances grow; each once."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Message, Passage
from campaigns.selectors.journeys import live_journeys, version_in_force
from campaigns.services.journey_starts import find_starts, run_starts
from campaigns.services.journey_steps import take_due
from loyalty.services.facts import write_facts
from loyalty.services.member_tiers import rebuild_tiers
from members.services.audit import SYSTEM
from members.services.job_runs import start_work
from members.services.outbox import deliver_waiting
from tests.campaigns.journeys import TELL, TIERS, go_on, live, starts
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    make_program,
    make_wallet,
    order,
    record,
    wallet_of,
)
from tests.rewards.factories import make_member, offer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]


def test_balances_that_are_reached_lead_in_once_and_those_from_before_do_not() -> None:
    member = make_member(600)
    journey = live(member, TELL, trigger="balance", again=0, at=day(1),
                   start={"balances": [500, 1000, 2500]})  # fmt: skip
    wallet = wallet_of(member.account_id)
    assert starts(day(1.1)) == 0
    adjust(wallet, 2000, "more", now=day(1.15))
    assert starts(day(1.2)) == 1
    assert Passage.objects.get(journey=journey).occurrence == "balance:2500"
    go_on(day(1.2))
    assert starts(day(1.3)) == 0


def test_what_is_recorded_late_or_while_it_was_looked_leads_in_too() -> None:
    member = make_member(0)
    live(member, TELL, trigger="balance", again=0, start={"balances": [500, 1000]})
    assert starts(day(0.1)) == 0
    record(order("A1", "600", at=day(0.05)), now=day(0.15))
    assert starts(day(0.2)) == 1
    adjust(wallet_of(member.account_id), 400, "b", now=day(0.2) - dt.timedelta(minutes=2))
    go_on(day(0.2))
    assert starts(day(0.3)) == 1


def test_the_first_reward_and_what_is_nearly_reached_lead_in() -> None:
    member = make_member(0)
    offer(member.program)
    wallet = wallet_of(member.account_id)
    live(member, TELL, trigger="reachable")
    live(member, TELL, trigger="near", again=0)
    adjust(wallet, 85, "a", now=day(0.1))
    starts(day(0.2))
    assert [row.occurrence.split(":")[0] for row in Passage.objects.all()] == ["reward"]
    adjust(wallet, 20, "b", now=day(0.3))
    starts(day(0.4))
    assert Passage.objects.filter(occurrence="reachable").count() == 1


def test_the_job_looks_for_everybody_and_then_rests() -> None:
    member = make_member()
    live(member, TELL, trigger="month", again=0)
    at = dt.datetime(2024, 4, 1, 6, tzinfo=dt.UTC)
    assert find_starts(at) is not None
    job = start_work(kind="journey_starts", actor=SYSTEM, now=at)
    assert job is not None
    done = run_starts(job.pk)
    assert done is not None
    assert done.result == {"began": 1}
    assert find_starts(at) is None


def test_journeys_in_which_nobody_is_due_cost_nothing_each(django_assert_num_queries: Any) -> None:
    member = make_member()
    for _number in range(4):
        live(member, TELL)
    for count in (1, 2):
        journey = live(member, {"kind": "wait", "days": count}, TELL)
    with django_assert_num_queries(2):
        found = live_journeys()
    assert len(found) == 6
    assert found[-1] == version_in_force(journey)
    with django_assert_num_queries(1):
        assert take_due(clock=lambda: NOW) == 0


def test_who_has_come_near_the_next_tier_begins_once_for_each() -> None:
    today = timezone.now()
    program = make_program(at=today - dt.timedelta(days=9), tiers=TIERS)
    member = make_wallet(program, at=today - dt.timedelta(days=8)).account.membership
    live(member, {**TELL, "message": "near_tier"}, trigger="near_tier", again=0, at=today)

    def buys(number: str, total: str) -> list[str]:
        now = timezone.now()
        record(order(number, total, at=now), now=now)
        while deliver_waiting():
            pass
        take_due()
        return list(Message.objects.order_by("pk").values_list("occasion", flat=True))

    assert buys("A", "79") == []
    assert buys("B", "1") == ["near_tier"]
    assert buys("C", "5") == ["near_tier"]
    told = Message.objects.get().values["tier_words"]
    assert "20" in told
    assert "Gold" in told
    # They have it, and the next one is far.
    assert buys("D", "30") == ["near_tier"]
    assert buys("E", "700") == ["near_tier", "near_tier"]
    assert "Top" in Message.objects.order_by("-pk")[0].values["tier_words"]
    occurrences = Passage.objects.order_by("pk").values_list("occurrence", flat=True)
    assert [name.split(":")[1] for name in occurrences] == ["gold", "top"]


def test_who_falls_back_at_the_end_of_a_window_is_near_what_they_lost() -> None:
    """Time alone does it: nothing is ordered meanwhile."""
    today = timezone.now()
    tiers = {**TIERS, "window": "rolling_12_months", "downgrade": "immediate"}
    program = make_program(at=today - dt.timedelta(days=500), tiers=tiers)
    member = make_wallet(program, at=today - dt.timedelta(days=450)).account.membership
    for number, total, ago in (("A", "20", 366), ("B", "90", 100)):
        at = today - dt.timedelta(days=ago)
        record(order(number, total, at=at), now=at)
    while deliver_waiting():
        pass
    live(member, {**TELL, "message": "near_tier"}, trigger="near_tier", again=0,
         at=today - dt.timedelta(minutes=1))  # fmt: skip
    assert Passage.objects.count() == 0
    rebuild_tiers(now=today)
    while deliver_waiting():
        pass
    take_due()
    assert Passage.objects.get().occurrence.startswith("near:gold:")
    assert [message.occasion for message in Message.objects.all()] == ["near_tier"]


def test_the_day_of_the_first_order_comes_back_every_year() -> None:
    """That of 29 February is kept on the 28th; an order that came to nothing is none."""
    member = make_member(0)
    first = dt.datetime(2024, 2, 29, 15, tzinfo=dt.UTC)
    record(order("A", at=first), now=first)
    record(order("B", at=first - dt.timedelta(days=40), status="cancelled"), now=first)
    write_facts([member.customer_id], now=NOW)
    live(member, TELL, trigger="first_order", again=0, at=dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    days = [dt.datetime(2027, month, day, 12, tzinfo=dt.UTC)
            for month, day in ((1, 20), (2, 27), (2, 28), (2, 28), (3, 1))]  # fmt: skip
    assert [starts(at) for at in days] == [0, 0, 1, 0, 0]
    assert Passage.objects.get().day == dt.date(2027, 2, 28)
