"""A draft is replayed over real orders beside the live rules, and what differs is added up."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from loyalty.backtest_figures import BacktestFigures
from loyalty.backtest_rules import with_changes
from loyalty.models import Backtest, BacktestPart, Program, Transfer
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.selectors import replayed_orders
from loyalty.selectors.programs import definition_of
from loyalty.services import backtest_runs
from loyalty.services.backtests import create_backtest
from loyalty.services.programs import apply_definition
from members.errors import DomainError
from members.models import Customer, Job, Segment, SegmentMember
from members.services.audit import SYSTEM
from members.services.jobs import cancel_job, retry_job
from tests.loyalty.factories import (
    NOW,
    day,
    define,
    give_back,
    line,
    make_program,
    order,
    record,
    refund,
)

CENTS = {"unit_value": "0.01"}


def rule(**said: Any) -> EarningRuleDefinition:
    return EarningRuleDefinition.model_validate(said)


def ask(program: Program, *put: EarningRuleDefinition, without: tuple[str, ...] = (),
        since: int = 0, until: int = 30, **how: Any) -> Backtest:  # fmt: skip
    draft = with_changes(definition_of(program, day(400)), put=put, without=without)
    first = NOW.date()
    return create_backtest(
        program=program, since=first + dt.timedelta(days=since),
        until=first + dt.timedelta(days=until), draft=draft, actor=SYSTEM,
        now=how.pop("now", day(400)), **how,
    )  # fmt: skip


def answer(backtest: Backtest) -> BacktestFigures:
    assert backtest.job_id is not None
    backtest_runs.run_backtest(backtest.job_id)
    found = Backtest.objects.get(pk=backtest.pk)
    assert found.result is not None
    return BacktestFigures(found)


def issued(found: BacktestFigures) -> tuple[int, int]:
    return found.whole.units["live"]["points"], found.whole.units["draft"]["points"]


def test_both_sides_are_added_up_and_nothing_is_posted(db):
    program = make_program(unit=CENTS)
    record(order("A", "10", at=day(1)), order("B", "30", at=day(40), buyer="c2"))
    record(order("C", "20", at=day(2), buyer="c2"), order("D", "5", at=day(2), buyer=None))
    before = Transfer.objects.count()
    found = answer(ask(program, rule(code="base", units=3)))
    assert issued(found) == (30, 90)
    assert (found.whole.orders, found.whole.members, found.whole.revenue) == (2, 2, 30)
    assert found.cost(found.whole, "draft") == Decimal("0.90")
    assert found.share(found.whole, "draft") == Decimal("0.03")
    assert (found.better, found.worse, found.same) == (2, 0, 0)
    assert found.outstanding("draft") == {"points": 90}
    assert Transfer.objects.count() == before
    assert not BacktestPart.objects.exists()


def test_members_who_gain_and_lose_are_found_with_the_order_that_differs_most(db):
    program = make_program(unit=CENTS)
    for number, (buyer, total) in enumerate(
        [("c1", "10"), ("c1", "60"), ("c2", "20"), ("c3", "0.2")]
    ):
        lines = (line(1, total, category="wine" if buyer == "c1" else "bread"),)
        record(order(f"A{number}", total, at=day(number), buyer=buyer, lines=lines))
    draft = rule(code="base", units=2, include={"categories": ["bread"]})
    found = answer(ask(program, draft))
    (winner,), (loser,) = found.winners, found.losers
    numbers = dict(Customer.objects.values_list("pk", "external_id"))
    assert (numbers[winner.customer], winner.difference) == ("c2", Decimal("0.20"))
    assert (numbers[loser.customer], loser.difference) == ("c1", Decimal("-0.70"))
    assert (loser.order_live, loser.order_draft) == ({"points": 60}, {})
    assert (found.better, found.worse, found.same) == (1, 1, 1)
    assert [bar.members for bar in found.bars() if bar.members] == [1, 1, 1]


def test_returns_take_their_part_on_both_sides(db):
    program = make_program()
    record(order("A", "100", at=day(1)))
    give_back(refund("R", "40", of="A", at=day(45)))
    found = answer(ask(program, rule(code="base", units=2)))
    assert issued(found) == (60, 120)
    assert found.whole.revenue == 60


def test_a_draft_counts_from_the_first_day_and_live_caps_and_windows_go_on(db):
    month = {"code": "month", "name": "Month", "kind": "threshold_bonus", "reach": 100,
             "window": "month", "units": 50}  # fmt: skip
    program = make_program(earning_rules=[month])
    record(order("A", "70", at=day(-3)), order("B", "40", at=day(2)))
    found = answer(ask(program, rule(**month | {"units": 80})))
    assert issued(found) == (50, 0)


def test_rules_that_were_changed_count_as_they_were(db):
    program = make_program()
    record(order("A", "10", at=day(1)))
    apply_definition(define(earning_rules=[{"units": 5}]), actor=SYSTEM, now=day(2))
    record(order("B", "10", at=day(3)))
    extra = rule(code="extra", name="Extra", kind="fixed", units=7)
    assert issued(answer(ask(program, extra))) == (60, 74)


def test_a_rule_may_be_left_out(db):
    program = make_program(earning_rules=[{}, {"code": "two", "name": "Two", "units": 2}])
    record(order("A", "10", at=day(1)))
    found = answer(ask(program, without=("two",)))
    assert issued(found) == (30, 10)
    assert {item.code: item.change for item in found.rules()} == {"base": "", "two": "removed"}


def test_months_and_segments_have_their_own_figures(db):
    program = make_program()
    record(order("A", "10", at=day(1)), order("B", "20", at=day(20), buyer="c2"))
    segment = Segment.objects.create(code="vip", name="VIP", kind="static")
    SegmentMember.objects.create(
        segment=segment, customer=Customer.objects.get(external_id="c2"), since=NOW
    )
    found = answer(ask(program, rule(code="base", units=2)))
    assert [(key, item.units["draft"]["points"]) for key, item in found.months()] == [
        ("2024-03", 20), ("2024-04", 40)]  # fmt: skip
    assert found.sums.segments["vip"].units["live"]["points"] == 20


def test_units_that_expire_meanwhile_are_not_outstanding(db):
    program = make_program(unit={"expiry": {"kind": "days", "length": 5}})
    record(order("A", "10", at=day(1)), order("B", "20", at=day(29)))
    found = answer(ask(program, rule(code="base", units=2)))
    assert found.outstanding("live") == {"points": 20}


def test_a_budget_ends_for_everybody_together(db):
    program = make_program()
    record(*(order(f"A{at}", "10", at=day(at), buyer=f"c{at}") for at in range(10)))
    gift = rule(code="gift", name="Gift", kind="fixed", units=10, caps={"budget": 50})
    found = answer(ask(program, gift))
    assert found.sums.rules["draft"]["gift"] == 50


def test_a_program_that_never_was_live_is_compared_with_nothing(db):
    make_program("other")
    record(order("A", "10", at=day(1)))
    program = apply_definition(define("new", status="draft"), actor=SYSTEM, now=NOW).program
    draft = definition_of(program, day(400))
    backtest = create_backtest(
        program=program, since=NOW.date(), until=day(30).date(), draft=draft, actor=SYSTEM,
        now=day(400),
    )  # fmt: skip
    assert issued(answer(backtest)) == (0, 10)


def test_parts_are_merged_to_the_same_figures(db, monkeypatch):
    program = make_program(unit=CENTS)
    for number in range(12):
        record(order(f"A{number}", f"{number + 1}", at=day(number), buyer=f"c{number % 5}"))
    whole = answer(ask(program, rule(code="base", units=3))).result
    ranges = replayed_orders.customer_ranges
    monkeypatch.setattr(backtest_runs, "customer_ranges", lambda *when: ranges(*when, size=2))
    assert answer(ask(program, rule(code="base", units=3), name="Again")).result == whole


def test_a_job_that_was_stopped_goes_on_with_what_is_missing(db, monkeypatch):
    program = make_program()
    for number in range(12):
        record(order(f"A{number}", "10", at=day(number), buyer=f"c{number}"))
    ranges, done = replayed_orders.customer_ranges, []
    monkeypatch.setattr(backtest_runs, "customer_ranges", lambda *when: ranges(*when, size=3))
    add = backtest_runs._do_part

    def stop_after_two(*args: Any) -> None:
        add(*args)
        done.append(args[2])
        if len(done) == 2:
            cancel_job(job=Job.objects.get(pk=backtest.job_id), actor=SYSTEM)
            monkeypatch.setattr("members.services.jobs.WRITTEN_EVERY", 0)

    monkeypatch.setattr(backtest_runs, "_do_part", stop_after_two)
    backtest = ask(program, rule(code="base", units=2))
    job = backtest_runs.run_backtest(backtest.job_id)
    assert (job.state, done) == ("cancelled", [0, 1])
    assert Backtest.objects.get().result is None
    retry_job(job=job, actor=SYSTEM)
    assert issued(answer(backtest)) == (120, 240)
    assert done == [0, 1, 2, 3]


def test_the_same_question_is_asked_once_while_it_is_open(db):
    program = make_program()
    first, second = (ask(program, rule(code="base", units=2)) for _turn in range(2))
    assert first == second
    answer(first)
    assert ask(program, rule(code="base", units=2)) != first


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"since": 5, "until": 4}, "invalid_period"),
        ({"until": 401}, "invalid_period"),
        ({"put": (rule(code="new", wallet_type="stars"),)}, None),
        ({"without": ("nothing",)}, "unknown_rule"),
        ({}, "nothing_changed"),
    ],
)
def test_what_cannot_be_replayed_is_refused(db, how, code):
    program = make_program()
    with pytest.raises((DomainError, ValueError)) as refused:
        ask(program, *how.pop("put", ()), **how)
    assert code is None or refused.value.code == code
    assert not Backtest.objects.exists()
    assert not Job.objects.exists()
