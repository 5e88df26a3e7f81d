"""Budgets of campaigns, and the most that one member gets: of all their rules together."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from pydantic import ValidationError

from campaigns.campaign_definitions import CampaignDefinition
from campaigns.models import Campaign
from campaigns.selectors.campaigns import units_budgets
from loyalty.models import (
    EarningRule,
    Program,
    Transfer,
)
from members.errors import DomainError
from tests.campaigns.campaigns import launch, used
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    enroll_all,
    give_back,
    make_program,
    order,
    record,
    refund,
    spendable,
)
from tests.rewards.services.racing import at_once
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
HOUR = dt.timedelta(hours=1)


made_once = shared(lambda: make_program(time_zone="Europe/Athens"))


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def given(campaign: Campaign) -> int:
    rows = Transfer.objects.filter(rule_version__rule__source=campaign.source)
    return sum(
        row.amount if row.kind == Transfer.Kind.ACCRUAL else -row.amount for row in rows
    )  # fmt: skip


def test_several_rules_have_one_budget(program):
    campaign = launch(
        program, "big-weekend", offer={"reach": 50, "units": 70}, budget_units=Decimal(100)
    )
    record(order("A", "60"))
    # Sixty more for the multiplier, forty left for the bonus of seventy.
    assert spendable() == 160
    assert given(campaign) == used() == 100
    record(order("B", "60", buyer="c2"))
    assert spendable("c2") == 60
    budget = units_budgets([campaign])[campaign.pk]
    assert (budget.percent, budget.is_used_up) == (100, True)


def test_what_comes_back_is_there_to_be_given_again(program):
    campaign = launch(
        program, "big-weekend", offer={"reach": 50, "units": 70}, budget_units=Decimal(100)
    )
    record(order("A", "60"))
    give_back(refund("R", "60", of="A", at=NOW + HOUR))
    assert given(campaign) == used() == 0
    record(order("B", "60", buyer="c2", at=NOW + HOUR))
    assert spendable("c2", at=NOW + HOUR) == 160


def test_a_returned_part_leaves_the_order_what_it_deserves_of_the_shared_budget(program):
    campaign = launch(
        program, "big-weekend", offer={"reach": 50, "units": 70}, budget_units=Decimal(100)
    )
    record(order("A", "60"))
    give_back(refund("R", "20", of="A", at=NOW + HOUR))
    # Forty are bought: forty by the rate, forty by the multiplier, no bonus.
    assert spendable(at=NOW + HOUR) == 80
    assert given(campaign) == used() == 40


def test_most_for_one_member_is_for_all_of_its_rules_together(program):
    campaign = launch(
        program, "big-weekend", offer={"reach": 50, "units": 70, "per_member": 100}
    )  # fmt: skip
    record(order("A", "60"))
    assert (spendable(), given(campaign)) == (160, 100)
    # The other has as much; the first has had it.
    record(order("B", "60", buyer="c2"))
    record(order("C", "60", at=NOW + HOUR))
    assert spendable("c2", at=NOW + HOUR) == 160
    assert spendable(at=NOW + HOUR) == 220
    # What comes back is there to be given again, and no more.
    give_back(refund("R", "60", of="A", at=NOW + HOUR))
    record(order("D", "60", at=NOW + 2 * HOUR))
    assert spendable(at=NOW + 2 * HOUR) == 220
    assert used() == given(campaign) == 200


def test_a_budget_in_money_is_as_many_units_as_that_is_worth():
    program = make_program(unit={"unit_value": "0.05"})
    campaign = launch(program, budget_money=Decimal(1), budget_units=Decimal(50))
    record(order("A", "100"))
    assert given(campaign) == 20


def test_units_without_worth_have_no_budget_in_money():
    program = make_program(unit={"unit_value": "0"})
    with pytest.raises(DomainError, match="worth no money"):
        launch(program, budget_money=Decimal(10))


def test_what_is_taken_off_prices_has_no_budget_in_units():
    with pytest.raises(ValidationError, match="budget_units"):
        CampaignDefinition(name="X", title="X", template="percent-off", budget_units=Decimal(5))


def test_what_is_judged_over_several_orders_has_a_budget(program):
    offer = {"number": 2, "units": 100}
    campaign = launch(program, "nth-order", offer=offer, budget_units=Decimal(150))
    for who in ("c1", "c2"):
        record(order(f"{who}-1", "10", buyer=who), order(f"{who}-2", "10", buyer=who))
    assert (spendable("c1"), spendable("c2")) == (120, 70)
    assert units_budgets([campaign])[campaign.pk].is_used_up


@pytest.mark.django_db(transaction=True)
def test_orders_at_once_never_exceed_the_budget_of_several_rules():
    program = make_program()
    campaign = launch(
        program, "big-weekend", offer={"reach": 40, "units": 33}, budget_units=Decimal(500)
    )
    enroll_all(program, (f"c{number}" for number in range(6)))

    def buy(number: int) -> None:
        record(order(f"A{number}", "40", buyer=f"c{number % 6}"), now=NOW)

    assert at_once(buy, 30) == {"done": 30}
    assert given(campaign) == used() == 500
    assert_ledger_coherent()


def test_a_budget_rule_is_of_the_same_program_and_units(program):
    campaign = launch(program, "big-weekend", budget_units=Decimal(100))
    other = make_program("other")
    keeper = EarningRule.objects.filter(source=campaign.source).order_by("pk").first()
    with pytest.raises(IntegrityError), transaction.atomic():
        other.earning_rules.update(budget_rule=keeper)
