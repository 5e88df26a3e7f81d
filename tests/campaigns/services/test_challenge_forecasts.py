"""What a challenge would bring and cost: past stretches counted, and held to what the same orders
brought in life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign, Challenge, ChallengeEntry, ChallengeForecast, ChallengeWin
from campaigns.selectors.challenge_outlooks import challenge_outlook
from campaigns.selectors.challenge_replays import past_stretches
from campaigns.selectors.challenges import challenges
from campaigns.services import challenge_forecasts
from campaigns.services.challenge_forecasts import forecast_challenge, run_forecast
from loyalty.models import Order, Program, Transfer
from loyalty.services.order_inputs import OrderInput
from members.errors import DomainError
from members.models import Customer, Job
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from rewards.models import Redemption
from tests.campaigns.challenges import DAY, draft, join, launch, measure
from tests.loyalty.factories import (
    NOW,
    enroll_all,
    give_back,
    line,
    make_program,
    order,
    record,
)
from tests.loyalty.factories import refund as refunded
from tests.rewards.factories import offer
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
START = NOW - 29 * DAY
LIVED = {"starts_at": START, "ends_at": NOW - DAY}
# Four weeks later, to the instant.
AHEAD = {"starts_at": NOW - DAY, "ends_at": NOW + 27 * DAY}
STUDENTS = {"all": [{"field": "customer.tags", "op": "has_any", "value": ["student"]}]}
COFFEE = {"only": {"categories": ["Coffee"]}}
KINDS = ("Coffee", "Tea", "Cups")


def five_buyers() -> Program:
    """Five members buy on every other day or less often, each something else; one joins late."""
    made = make_program(at=NOW - 90 * DAY, time_zone="Europe/Athens", earning_rules=[],
                        unit={"unit_value": "0.01"})  # fmt: skip
    enroll_all(made, (f"b{number}" for number in range(4)), NOW - 80 * DAY)
    enroll_all(made, ["b4"], NOW - 18 * DAY)
    Customer.objects.filter(external_id__in=["b0", "b1"]).update(tags=["student"])
    return made


made_once = shared(five_buyers)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def bought_on(day: int, number: int) -> OrderInput:
    kind, total = KINDS[(day + number) % 3], str(10 + 7 * number)
    lines = (line(1, total, category=kind, sku=kind[:2]),)
    at = NOW - day * DAY + dt.timedelta(hours=number)
    return order(f"{day}-{number}", total, buyer=f"b{number}", at=at, lines=lines)


def bought(days: int = 40) -> None:
    record(*(
        bought_on(day, number) for day in range(days, 1, -1) for number in range(5)
        if day % (number + 2) == 0 and (number < 4 or day < 18)
    ))  # fmt: skip
    give_back(refunded("R", "10", of="8-0", at=NOW - 7 * DAY))


def forecast(challenge: Challenge) -> ChallengeForecast:
    found = forecast_challenge(challenge=challenge, actor=SYSTEM, now=NOW)
    assert challenge_outlook(challenge).state == "running"
    run_forecast(found.job_id)
    return ChallengeForecast.objects.get(pk=found.pk)


def live_through(challenge: Challenge) -> None:
    """Who has to join joins as it begins or, with days of their own, with their first order."""
    run_scheduled(kind="campaigns", now=START)
    members = [f"b{number}" for number in range(5)]
    bought()
    if challenge.opt_in:
        for number in members:
            orders = Order.objects.filter(
                customer__external_id=number, placed_at__gte=START, placed_at__lt=NOW - DAY
            )
            first = orders.order_by("placed_at").values_list("placed_at", flat=True)[0]
            begun = START if number != "b4" else NOW - 18 * DAY
            at = begun if challenge.days is None else first
            join(challenges().get(pk=challenge.pk), number, at)
    measure(NOW - DAY / 2)


def in_life(challenge: Challenge) -> tuple[int, int, int, int]:
    """How many did it and how often, the units that it gave, and the rewards."""
    entries = ChallengeEntry.objects.filter(challenge=challenge, rounds__gt=0)
    done = ChallengeWin.objects.filter(entry__challenge=challenge, state="won").count()
    units = Transfer.objects.filter(kind="accrual").aggregate(sum=Sum("amount"))["sum"] or 0
    return (entries.values("membership").distinct().count(), done, units,
            Redemption.objects.count())  # fmt: skip


TABLE: Mapping[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "added up, three times": ([{"kind": "spend", "amount": 60}], {"times": 3}),
    "in one order, for all": ([{"kind": "spend", "amount": 20, "in_one": True}],
                              {"opt_in": False, "times": 4}),
    "coffees, for all": ([{"kind": "count", "number": 2, **COFFEE}], {"opt_in": False}),
    "one after the other": ([{"kind": "count", "number": 1, **COFFEE},
                             {"kind": "spend", "amount": 40}], {"in_order": True}),
    "weeks in a row": ([{"kind": "streak", "number": 3}], {"opt_in": False}),
    "categories": ([{"kind": "categories", "number": 3}], {"times": 2}),
    "a collection": ([{"kind": "collection", "names": ["Co", "Te"]}], {"times": 2}),
    "from joining the program on": ([{"kind": "count", "number": 2}],
                                    {"opt_in": False, "days": 14}),
    "ten days from the first order on": ([{"kind": "spend", "amount": 50}], {"days": 10}),
    "students alone": ([{"kind": "count", "number": 2}], {"opt_in": False, "audience": STUDENTS}),
    "some kept aside": ([{"kind": "count", "number": 2}], {"opt_in": False, "holdout": 50}),
    "within a budget": ([{"kind": "count", "number": 2}],
                        {"opt_in": False, "times": 5, "budget_units": 250}),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "said"), TABLE.values(), ids=TABLE.keys())
def test_a_forecast_is_what_the_same_orders_brought_in_life(program, steps, said):
    lived = launch(program, *steps, at=NOW - 50 * DAY, name="Lived", **LIVED, **said)
    live_through(lived)
    expected = in_life(lived)
    # Who is kept aside is drawn by each challenge anew.
    tried = lived if "holdout" in said else draft(program, *steps, name="Tried", **AHEAD, **said)
    forecast(tried)
    found = challenge_outlook(tried).stretches
    members, wins, units, _rewards = expected
    if "holdout" not in said:
        assert wins
    elif not found:
        # Of five it may keep all aside.
        assert expected == (0, 0, 0, 0)
        return
    assert (found[0].members, found[0].wins, found[0].units) == (members, wins, units)
    assert found[0].cost == Decimal(units) / 100


def test_rewards_are_at_what_they_cost_and_as_many_as_are_left(program):
    reward = offer(program, stock=3, cost="2.50")
    steps, said = [{"kind": "count", "number": 2}], {"opt_in": False, "times": 5, "units": None}
    tried = draft(program, *steps, name="Tried", reward=reward.code, **AHEAD, **said)
    lived = launch(program, *steps, at=NOW - 50 * DAY, name="Lived", reward=reward.code, **LIVED,
                   **said)  # fmt: skip
    bought()
    forecast(tried)
    [first, *_others] = challenge_outlook(tried).stretches
    assert (first.wins > 3, first.cost, first.units) == (True, Decimal("7.50"), 0)
    run_scheduled(kind="campaigns", now=START)
    measure(NOW - DAY / 2)
    assert in_life(lived)[1:] == (first.wins, 0, 3)


def test_stretches_are_as_long_from_the_same_weekday_on_and_over():
    def of(starts: dt.datetime | None, ends: dt.datetime | None) -> list[tuple[Any, Any]]:
        program = Program(time_zone="Europe/Athens")
        return past_stretches(Campaign(program=program, starts_at=starts, ends_at=ends), NOW)

    week = of(NOW + DAY, NOW + 8 * DAY)
    assert week[0] == (NOW - 13 * DAY, NOW - 6 * DAY)
    assert [start - end for start, end in week] == [-7 * DAY] * 8
    assert {start.weekday() for start, _end in week} == {(NOW + DAY).weekday()}
    three = of(NOW + DAY, NOW + 4 * DAY)
    assert three[0] == (NOW - 6 * DAY, NOW - 3 * DAY)
    assert three[1][0] == three[0][0] - 7 * DAY
    assert len(of(NOW + DAY, NOW + 31 * DAY)) == 2
    assert len(of(NOW + DAY, NOW + 200 * DAY)) == 1
    # One that is over is its own; one whose time is not said is of four weeks.
    assert of(NOW - 9 * DAY, NOW - 2 * DAY)[0] == (NOW - 9 * DAY, NOW - 2 * DAY)
    assert len(of(None, None)) == 3
    # By the clocks of the program, over the change of summer time.
    spring = dt.datetime(2024, 3, 31, 12, tzinfo=dt.UTC)
    assert {start.hour for start, _end in of(spring, spring + DAY)} == {15}


def test_the_middle_of_the_stretches_the_outer_ones_and_when_its_budget_is_used_up(program):
    bought(70)
    tried = draft(program, {"kind": "count", "number": 1}, opt_in=False, times=100,
                  budget_units=300, starts_at=NOW, ends_at=NOW + 7 * DAY)  # fmt: skip
    forecast(tried)
    with CaptureQueriesContext(connection) as asked:
        found = challenge_outlook(tried)
    assert not any("loyalty_order" in item["sql"] for item in asked)
    assert len(found.stretches) == 8
    assert found.costs == (Decimal(3), Decimal(3))
    assert found.likely.wins in {item.wins for item in found.stretches}
    assert found.wins[0] <= found.likely.wins <= found.wins[1]
    zone = program.zone
    first = NOW.astimezone(zone).date()
    assert first < found.used_up_on < first + 7 * DAY


def test_it_goes_on_where_it_was_stopped_and_asked_twice_it_is_the_same(program, monkeypatch):
    monkeypatch.setattr(challenge_forecasts, "AT_ONCE", 1)
    bought()
    tried = draft(program, {"kind": "count", "number": 2}, opt_in=False, **AHEAD)
    first = forecast_challenge(challenge=tried, actor=SYSTEM, now=NOW)
    assert forecast_challenge(challenge=tried, actor=SYSTEM, now=NOW) == first
    job = Job.objects.get(pk=first.job_id)
    for _piece in range(3):
        step = challenge_forecasts._tally_range(job)
        job.checkpoint, job.done = step.checkpoint, step.done
        job.save()
    run_forecast(first.job_id)
    found = challenge_outlook(tried).stretches
    job.refresh_from_db()
    orders = sum(number for _first, _last, number in job.checkpoint["ranges"])
    assert (job.state, job.result["orders"]) == ("succeeded", orders)
    assert len(job.checkpoint["ranges"]) > 3
    whole = draft(program, {"kind": "count", "number": 2}, name="Whole", opt_in=False, **AHEAD)
    monkeypatch.setattr(challenge_forecasts, "AT_ONCE", 10_000)
    forecast(whole)
    assert challenge_outlook(whole).stretches == found


def test_a_piece_asks_as_often_for_many_members_as_for_few(program):
    def queries() -> int:
        tried = draft(program, {"kind": "count", "number": 2}, opt_in=False, **AHEAD)
        asked = forecast_challenge(challenge=tried, actor=SYSTEM, now=NOW)
        with CaptureQueriesContext(connection) as made:
            run_forecast(asked.job_id)
        return len(made)

    bought()
    queries()  # what is remembered of rules is read
    few = queries()
    enroll_all(program, (f"n{number}" for number in range(30)), NOW - 80 * DAY)
    record(*(order(f"more-{n}", "50", buyer=f"n{n}", at=NOW - 5 * DAY) for n in range(30)))
    assert queries() == few


def test_teams_are_not_forecast_and_a_draft_can_be_thrown_away_with_its_forecast(program):
    together = draft(program, name="Together", team_size=3)
    with pytest.raises(DomainError, match="teams are not forecast"):
        forecast_challenge(challenge=together, actor=SYSTEM, now=NOW)
    tried = draft(program, name="Alone")
    forecast(tried)
    assert (challenge_outlook(tried).state, challenge_outlook(tried).likely) == ("done", None)
    tried.campaign.delete()
    assert not ChallengeForecast.objects.exists()


def test_the_command_says_the_same(program):
    bought()
    draft(program, {"kind": "count", "number": 2}, name="Two", **AHEAD)
    said = StringIO()
    call_command("forecast_challenge", program.code, "two", stdout=said)
    assert "As if all whom it is for joined" in said.getvalue()
    with pytest.raises(CommandError, match="no such challenge"):
        call_command("forecast_challenge", program.code, "three")
