"""A draft is replayed over real orders beside the live rules, and what differs is added up."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from loyalty.backtest_figures import BacktestFigures
from loyalty.backtest_rules import with_changes
from loyalty.models import Backtest, BacktestPart, Program, Transfer
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.selectors import replayed_days, replayed_orders
from loyalty.selectors.programs import definition_of
from loyalty.services import backtest_runs
from loyalty.services.backtests import create_backtest
from loyalty.services.occasions import give_occasions
from loyalty.services.programs import apply_definition
from loyalty.tier_definitions import TiersDefinition
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
    make_wallet,
    order,
    record,
    refund,
    spendable,
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


def test_returns_take_their_part_on_both_sides(program):
    record(order("A", "100", at=day(1)))
    give_back(refund("R", "40", of="A", at=day(45)))
    found = answer(ask(program, rule(code="base", units=2)))
    assert issued(found) == (60, 120)
    assert found.whole.revenue == 60


def test_a_return_without_its_order_counts_where_it_was_told(db):
    program, other = make_program(unit=CENTS), make_program("other")
    record(order("A", "100", at=day(1)))
    give_back(refund("elsewhere", "10", at=day(2), buyer="c1"), program_ids=[other.pk])
    give_back(refund("here", "20", at=day(3), buyer="c1"), program_ids=[program.pk])
    give_back(refund("everywhere", "5", at=day(4), buyer="c1"))
    give_back(refund("of an order to come", "7", of="later", at=day(5), buyer="c1"))
    for code, kept in (("club", 75), ("other", 85)):
        own = Program.objects.get(code=code)
        found = answer(ask(own, rule(code="base", units=3)))
        assert issued(found) == (kept, 3 * kept)
        assert found.whole.revenue == kept
        assert spendable(at=day(6), program=own) == kept


def test_a_draft_counts_from_the_first_day_and_live_caps_and_windows_go_on(db):
    month = {"code": "month", "name": "Month", "kind": "threshold_bonus", "reach": 100,
             "window": "month", "units": 50}  # fmt: skip
    program = make_program(earning_rules=[month])
    record(order("A", "70", at=day(-3)), order("B", "40", at=day(2)))
    found = answer(ask(program, rule(**month | {"units": 80})))
    assert issued(found) == (50, 0)


def test_rules_that_were_changed_count_as_they_were(program):
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


def test_months_and_segments_have_their_own_figures(program):
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


def test_a_budget_ends_for_everybody_together(program):
    record(*(order(f"A{at}", "10", at=day(at), buyer=f"c{at}") for at in range(10)))
    gift = rule(code="gift", name="Gift", kind="fixed", units=10, caps={"budget": 50})
    found = answer(ask(program, gift))
    assert found.sums.rules["draft"]["gift"] == 50


def test_a_budget_in_money_ends_with_what_the_units_are_worth(db):
    program = make_program(unit={"unit_value": "0.02"})
    record(*(order(f"A{at}", "10", at=day(at), buyer=f"c{at}") for at in range(10)))
    gift = rule(code="gift", name="Gift", kind="fixed", units=10, caps={"budget_money": "0.75"})
    found = answer(ask(program, gift))
    assert found.sums.rules["draft"]["gift"] == 37


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


def test_a_job_that_was_stopped_goes_on_with_what_is_missing(program, monkeypatch):
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


def test_the_same_question_is_asked_once_while_it_is_open(program):
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
def test_what_cannot_be_replayed_is_refused(program, how, code):
    with pytest.raises((DomainError, ValueError)) as refused:
        ask(program, *how.pop("put", ()), **how)
    assert code is None or refused.value.code == code
    assert not Backtest.objects.exists()
    assert not Job.objects.exists()


# --- Days of the year, and other tiers ------------------------------------------------------------

BIRTHDAY = {"code": "day", "name": "Day", "kind": "occasion", "units": 100}
STEPS = [
    {"code": "base", "name": "Member"},
    {"code": "gold", "name": "Gold", "threshold": 100,
     "benefits": [{"kind": "multiplier", "factor": "2"}, {"kind": "birthday_bonus", "units": 50}]},
]  # fmt: skip


def born(number: str, birthday: str) -> None:
    Customer.objects.filter(external_id=number).update(birthday=birthday)


def ladder(*steps: dict[str, Any], **said: Any) -> TiersDefinition:
    return TiersDefinition.model_validate({"tiers": list(steps)} | said)


def members_by_tier(found: BacktestFigures) -> dict[str, tuple[int, int]]:
    return {item.code: (item.live, item.draft) for item in found.tiers()}


def test_days_of_the_year_count_on_both_sides_also_for_who_buys_nothing(db):
    program = make_program(earning_rules=[{}, BIRTHDAY])
    for number in ("c1", "c2", "c3"):
        make_wallet(program, number, NOW)
    born("c1", "1990-03-20")
    born("c2", "1991-04-01")
    born("c3", "1991-09-01")
    record(order("A", "10", at=day(1)))
    for at in range(31):
        give_occasions(day(at))
    found = answer(ask(program, rule(**BIRTHDAY | {"units": 30})))
    assert issued(found) == (210, 70)
    assert found.sums.rules["live"]["day"] == 200
    given = Transfer.objects.aggregate(sum=Sum("amount"))["sum"]
    assert given == issued(found)[0]
    assert {item.code: item.change for item in found.rules()} == {"base": "", "day": "changed"}
    assert [found.whole.units["live"]["points"], found.whole.orders] == [210, 1]


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ({"days_before": 7}, 100), ({"day": "enrollment"}, 0), ({"day": "first_purchase"}, 0),
        ({"caps": {"per_member": 60, "period": "year"}}, 60),
        ({"when": {"field": "customer.country", "op": "is", "value": "GR"}}, 0),
    ],
)  # fmt: skip
def test_a_day_is_given_as_its_rule_says(program, said, given):
    make_wallet(program, "c1", NOW)
    born("c1", "1990-04-10")
    record(order("A", "10", at=day(1)))
    found = answer(ask(program, rule(**BIRTHDAY | said)))
    assert found.sums.rules["draft"]["day"] == given
    assert found.sums.rules["live"]["day"] == 0


def test_a_budget_for_days_ends_for_everybody_together(program):
    for number in range(6):
        make_wallet(program, f"c{number}", NOW)
        born(f"c{number}", f"1990-03-{20 + number}")
    record(order("A", "10", at=day(1)))
    gift = rule(**BIRTHDAY | {"caps": {"budget": 300}})
    assert answer(ask(program, gift)).sums.rules["draft"]["day"] == 300


def test_other_tiers_are_tried_with_what_they_bring_and_who_would_have_which(db):
    program = make_program(unit=CENTS, tiers={"window": "lifetime", "tiers": STEPS})
    for number in ("c1", "c2", "c3"):
        make_wallet(program, number, NOW)
    born("c1", "1990-04-10")
    record(order("A", "60", at=day(1)), order("B", "60", at=day(2)), order("C", "10", at=day(3)))
    record(order("D", "30", at=day(1), buyer="c2"))
    lower = ladder(
        STEPS[0],
        STEPS[1] | {"threshold": 50, "benefits": [{"kind": "multiplier", "factor": "3"},
                                                   {"kind": "birthday_bonus", "units": 70}]},
        window="lifetime",
    )  # fmt: skip
    found = answer(ask(program, tiers=lower))
    # Life: 60, 60, 10 twice, 30, 50 for the birthday. The draft: 60, 60 and 10 three times, 30, 70.
    assert issued(found) == (60 + 60 + 20 + 30 + 50, 60 + 180 + 30 + 30 + 70)
    assert members_by_tier(found) == {"base": (2, 2), "gold": (1, 1)}
    assert found.moved() == (0, 0)
    [_base, gold] = found.tiers()
    assert (gold.live_units, gold.draft_units) == ({"points": 190}, {"points": 340})
    higher = ladder(STEPS[0], STEPS[1] | {"threshold": 5000}, window="lifetime")
    found = answer(ask(program, tiers=higher))
    assert members_by_tier(found) == {"base": (2, 3), "gold": (1, 0)}
    assert found.moved() == (0, 1)
    assert issued(found)[1] == 60 + 60 + 10 + 30


def test_the_drafts_tiers_count_from_the_first_day_and_nobody_falls_before_a_review(db):
    program = make_program(tiers={"tiers": STEPS})
    make_wallet(program, "c1", NOW)
    record(order("A", "200", at=day(1)))
    record(order("B", "10", at=day(10)))
    higher = ladder(STEPS[0], STEPS[1] | {"threshold": 900})
    found = answer(ask(program, tiers=higher, since=5))
    assert members_by_tier(found) == {"base": (0, 0), "gold": (1, 1)}
    assert issued(found) == (20, 20)


def test_tiers_are_tried_where_there_are_none_and_a_rule_may_ask_for_them(program):
    asks = {"code": "vip", "name": "Vip", "kind": "fixed", "units": 7,
            "when": {"field": "membership.tier", "op": "is", "value": "gold"}}  # fmt: skip
    make_wallet(program, "c1", NOW)
    record(order("A", "150", at=day(1)), order("B", "10", at=day(2)))
    wanted = ladder(STEPS[0], {k: v for k, v in STEPS[1].items() if k != "benefits"})
    found = answer(ask(program, rule(**asks), tiers=wanted))
    assert issued(found) == (160, 167)
    assert members_by_tier(found) == {"base": (0, 0), "gold": (0, 1)}


def test_the_tiers_that_count_anyway_are_no_draft(db):
    program = make_program(tiers={"tiers": STEPS})
    record(order("A", "10", at=day(1)))
    with pytest.raises(DomainError) as error:
        ask(program, tiers=ladder(*STEPS))
    assert error.value.code == "nothing_changed"
    with pytest.raises(DomainError, match="stars"):
        ask(program, tiers=ladder(*STEPS, metric="units", wallet_type="stars"))


def test_members_who_bought_nothing_are_in_one_range_each_once(db, monkeypatch):
    program = make_program(earning_rules=[{}, BIRTHDAY])
    for number in range(7):
        make_wallet(program, f"c{number}", NOW)
        born(f"c{number}", "1990-03-20")
    record(order("A", "10", at=day(1)), order("B", "10", at=day(1)))
    ranges = replayed_days.everybody_in_ranges
    monkeypatch.setattr(
        backtest_runs, "everybody_in_ranges", lambda stretch: ranges(stretch, size=2)
    )
    found = answer(ask(program, rule(code="base", units=2)))
    assert issued(found) == (720, 740)
