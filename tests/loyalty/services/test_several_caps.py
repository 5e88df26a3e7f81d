"""Several caps on one rule: for a member in a day and a month at once, and in all by what the units
are worth."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connections
from django.db.models import Sum
from pydantic import ValidationError

from loyalty.models import CapCounter, EarningRuleVersion, Program, Transfer
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.rules.bodies import parse_body
from loyalty.rules.body_parts import Caps
from loyalty.selectors.programs import definition_of
from loyalty.services.quotes import quote_order
from loyalty.services.rules import create_rule
from members.errors import DomainError
from members.services.audit import SYSTEM
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    day,
    define,
    give_back,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    refund,
    spendable,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")

FIRST = dt.datetime(2024, 4, 1, 12, tzinfo=dt.UTC)


def capped(at: dt.datetime = NOW, worth: str = "0.01", **caps: object) -> Program:
    return make_program(
        unit={"decimals": 0, "unit_value": worth}, earning_rules=[{"caps": caps}], at=at
    )


def why() -> list[str]:
    """The last step of what was given last."""
    steps: list[list[str]] = Transfer.objects.latest("pk").explanation["steps"]
    return steps[-1]


def worth() -> Decimal:
    found: Decimal = CapCounter.objects.aggregate(sum=Sum("worth"))["sum"]
    return found


def test_each_period_holds_and_the_one_that_leaves_least_is_named():
    capped(per_member={"day": 50, "month": 80})
    record(order("A", "70", at=FIRST))
    assert (spendable(at=FIRST), why()) == (50, ["capped_member", "50", "day"])
    record(order("B", "70", at=FIRST + dt.timedelta(days=1)))
    assert (moves()[-1], why()) == (("accrual", 30), ["capped_member", "30", "month"])
    record(order("C", "70", at=FIRST + dt.timedelta(days=2)))
    assert len(moves()) == 2
    record(order("D", "70", at=FIRST + dt.timedelta(days=31)))
    assert moves()[-1] == ("accrual", 50)


def test_periods_that_begin_on_the_same_day_are_counted_apart():
    """The first of April 2024 is a Monday: a day, a week and a month begin with it."""
    capped(per_member={"day": 50, "week": 60, "month": 65, "year": 70, "lifetime": 72})
    for days in (0, 4, 8, 12, 32, 36, 370, 400):
        record(order(f"A{days}", "40", at=FIRST + dt.timedelta(days=days)))
    assert moves() == [("accrual", units) for units in (40, 20, 5, 5, 2)]
    began = dict(CapCounter.objects.filter(period_start=FIRST).values_list("period", "used"))
    assert began == {"day": 40, "week": 60, "month": 65}


def test_what_a_refund_frees_is_free_in_every_period():
    capped(per_member={"day": 50, "month": 80})
    record(order("A", "70", at=FIRST))
    give_back(refund("R1", "40", of="A", at=FIRST))
    assert moves() == [("accrual", 50), ("clawback", -20)]
    record(order("B", "70", at=FIRST))
    assert moves()[-1] == ("accrual", 20)
    assert set(CapCounter.objects.values_list("period", "used")) == {("day", 50), ("month", 50)}


def test_an_order_that_comes_back_keeps_the_room_that_each_period_left():
    capped(per_member={"day": 50, "month": 80})
    record(order("A", "40", at=FIRST))
    record(order("B", "40", at=FIRST))  # ten were left of the day
    record(order("A", "40", at=FIRST, status="cancelled"), now=FIRST)
    give_back(refund("R1", "5", of="B", at=FIRST))
    assert moves() == [("accrual", 40), ("accrual", 10), ("clawback", -40)]


def test_what_was_said_with_one_period_is_still_read_and_said_as_now():
    program = make_program(earning_rules=[{"caps": {"per_member": 100, "period": "week"}}])
    caps = definition_of(program, NOW).earning_rules[0].model_dump(mode="json")["caps"]
    assert caps["per_member"]["week"] == "100"
    assert "period" not in caps
    stored = {"kind": "fixed", "units": 5, "caps": {"per_member": None, "period": "month"}}
    assert not parse_body(stored).caps.counted


@pytest.mark.parametrize("period", [["month"], {}, None, "decade"])
def test_what_is_no_period_is_refused(period):
    with pytest.raises(ValidationError, match="per_member"):
        Caps.model_validate({"per_member": 100, "period": period})


def test_a_file_that_says_the_same_in_the_former_way_makes_no_new_wording():
    make_program(earning_rules=[{"caps": {"per_member": 100, "period": "week"}}])
    make_program(earning_rules=[{"caps": {"per_member": {"week": "100.0"}}}], at=day(1))
    assert EarningRuleVersion.objects.count() == 1


# --- in money


def test_a_budget_in_money_is_used_up_to_the_last_unit_that_it_covers():
    capped(worth="0.03", budget_money="1.00")
    for number in range(8):
        record(order(f"A{number}", "10", buyer=f"c{number}"))
    assert sum(Transfer.objects.values_list("amount", flat=True)) == 33
    assert (worth(), why()) == (Decimal("0.99"), ["capped_money", "3"])


def test_what_a_refund_gives_back_is_there_for_others_at_what_it_was_worth():
    program = capped(worth="0.02", budget_money="2")
    record(order("A", "80", at=day(1)))
    make_program(
        program.code, unit={"unit_value": "0.05"}, earning_rules=[{"caps": {"budget_money": 2}}],
        at=day(2),
    )  # fmt: skip
    assert worth() == Decimal("1.60")
    give_back(refund("R1", "80", of="A", at=day(3)))
    assert worth() == 0
    record(order("B", "95", buyer="c2", at=day(4)))
    # They are worth more by now.
    assert (spendable("c2", day(4)), worth()) == (40, Decimal(2))


def test_an_order_that_is_told_late_counts_by_the_worth_of_its_day():
    program = capped(worth="0.02", budget_money="1")
    make_program(
        program.code, unit={"unit_value": "0.05"}, earning_rules=[{"caps": {"budget_money": 1}}],
        at=day(2),
    )  # fmt: skip
    record(order("A", "90", at=day(1)), now=day(3))
    assert spendable(at=day(3)) == 50


@pytest.mark.parametrize(
    ("caps", "units", "code"),
    [
        ({"budget": 40, "budget_money": "0.30"}, 30, "capped_money"),
        ({"budget": 20, "budget_money": "0.30"}, 20, "capped_budget"),
        ({"per_order": 10, "budget": 20, "budget_money": "0.30"}, 10, "capped_order"),
        ({"budget_money": "0.30", "per_member": {"day": 25}}, 25, "capped_member"),
    ],
)
def test_of_all_caps_the_narrowest_decides_and_is_named(caps, units, code):
    capped(**caps)
    record(order("A", "100"))
    assert (spendable(), why()[:2]) == (units, [code, str(units)])


def test_a_quote_says_what_both_budgets_leave():
    capped(budget=50, budget_money="0.30")
    [quote] = quote_order(order("Q", "100"))
    assert quote.awards[0].award.units == 30


def test_units_that_are_worth_nothing_have_no_budget_in_money():
    with pytest.raises(ValueError, match="worth no money"):
        define(unit={"unit_value": 0}, earning_rules=[{"caps": {"budget_money": 5}}])


def test_a_rule_that_is_written_alone_is_refused_as_well(program_without_worth):
    with pytest.raises(DomainError, match="worth no money"):
        create_rule(
            program=program_without_worth,
            definition=EarningRuleDefinition.model_validate(
                {"code": "gift", "name": "Gift", "caps": {"budget_money": 5}}
            ),
            actor=SYSTEM, now=day(1),
        )  # fmt: skip


@pytest.fixture
def program_without_worth(db):
    return make_program(unit={"unit_value": 0})


@pytest.mark.django_db(transaction=True)
def test_orders_at_once_exceed_no_cap_and_use_the_budget_to_the_last_unit():
    caps = {"per_member": {"day": 60, "lifetime": 100}, "budget": 400, "budget_money": "2.515"}
    program = capped(**caps)
    for number in range(4):
        make_wallet(program, f"c{number}", at=day(-1))

    def buy(number: int) -> None:
        try:
            at = day(number % 3)
            record(order(f"A{number}", "40", buyer=f"c{number % 4}", at=at), now=day(4))
            if number % 4 == 3:
                give_back(refund(f"R{number}", "15", of=f"A{number}", at=day(4)))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(buy, range(32)))
    for turn in range(3):
        record(*(order(f"L{turn}{n}", "30", buyer=f"c{n}", at=day(5 + turn)) for n in range(4)))
    given = sum(spendable(f"c{number}", at=day(9)) for number in range(4))
    assert given == 251
    assert worth() == Decimal("2.51")
    assert CapCounter.objects.filter(period="day", used__gt=60).count() == 0
    assert CapCounter.objects.filter(membership=None).aggregate(sum=Sum("used"))["sum"] == given
    assert max(spendable(f"c{number}", at=day(9)) for number in range(4)) <= 100
    assert_ledger_coherent()
