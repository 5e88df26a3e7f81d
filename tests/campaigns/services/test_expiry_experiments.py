"""Experiments on how long units last: promotions whose units have a last day of their own."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from campaigns.campaign_words import campaign_gives
from campaigns.models import Campaign, Experiment
from campaigns.services.experiment_clock import look_at
from campaigns.services.experiment_rules import draft_winner
from campaigns.services.experiments import end_experiment
from loyalty.ledger.checks import verify_ledger
from loyalty.models import Lot, LotPolicy, Program
from loyalty.selectors.lot_policies import expiry_of
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from loyalty.unit_definitions import ExpiryDefinition
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import draft
from tests.campaigns.experiments import at, buyers, make_crowd, promotion, sell, start
from tests.loyalty.factories import NOW, give_back, order, record, refund, spendable
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


# So many that no arm has too few of them by chance.
made_once = shared(lambda: make_crowd(160))


@pytest.fixture
def crowd(made_once: Program, db: None) -> Program:
    return anew(made_once)


def bonus(program: Program, name: str, **offer: Any) -> str:
    offer = {"reach": 5, "units": 100, **offer}
    return promotion(program, name, template="spend-get", offer=offer)


def lasting(program: Program) -> Experiment:
    """A bonus that lasts as all units, for ever, against one that lasts 30 days."""
    return start(program, arms=[
        {"name": "Ever", "share": 50, "promotion": bonus(program, "Ever")},
        {"name": "Month", "share": 50, "promotion": bonus(program, "Month", expire_days=30)},
    ])  # fmt: skip


def bonus_of(who: str) -> Lot:
    found: Lot = Lot.objects.get(
        wallet__account__membership__customer__external_id=who, granted__gte=100
    )
    return found


def end_of(day: float, program: Program) -> dt.datetime:
    local = at(day).astimezone(program.zone).date() + dt.timedelta(days=1)
    return dt.datetime.combine(local, dt.time(), program.zone)


def test_units_of_an_arm_last_as_it_says_and_all_others_as_before(crowd: Program) -> None:
    found = lasting(crowd)
    (ever, *_), (month, *_) = buyers(found, 0), buyers(found, 1)
    record(*(order(f"A{who}", "10", buyer=who, at=at(1)) for who in (ever, month)))
    assert bonus_of(ever).expires_at is None
    assert bonus_of(month).expires_at == end_of(31, crowd)
    # What the order earns besides lasts as everything of the program.
    others = Lot.objects.filter(granted__lt=100)
    assert set(others.values_list("expires_at", flat=True)) == {None}
    assert (spendable(month, at=at(30)), spendable(month, at=at(32))) == (110, 10)
    assert verify_ledger(at(2)) == []


def test_what_comes_back_after_its_end_is_judged_by_the_terms_that_were_in_force(
    crowd: Program,
) -> None:
    found = lasting(crowd)
    month = buyers(found, 1)[0]
    record(order("A", "20", buyer=month, at=at(1)))
    end_experiment(experiment=found, actor=SYSTEM, now=at(2))
    give_back(refund("R", "10", of="A", at=at(3)))
    assert (spendable(month, at=at(3)), bonus_of(month).expires_at) == (110, end_of(31, crowd))
    # Below what the bonus was for, it is gone.
    give_back(refund("S", "8", of="A", at=at(4)))
    assert spendable(month, at=at(4)) == 2
    record(order("B", "20", buyer=month, at=at(5)))
    assert Lot.objects.filter(granted__gte=100).count() == 1
    assert verify_ledger(at(5)) == []


def test_what_the_program_promises_of_the_last_day_and_of_warnings_holds_for_them(
    crowd: Program,
) -> None:
    said = definition_of(crowd, NOW)
    own = ExpiryDefinition(kind="years", length=1, last_day="start_of_day", warned_days=14)
    units = [unit.model_copy(update={"expiry": own}) for unit in said.wallet_types]
    apply_definition(said.model_copy(update={"wallet_types": units}), actor=SYSTEM, now=at(-1))
    start(crowd, arms=[
        {"name": "As it is", "share": 50},
        {"name": "Month", "share": 50, "promotion": bonus(crowd, "Month", expire_days=30)},
    ])  # fmt: skip
    policy = expiry_of(LotPolicy.objects.get(rule__isnull=False))
    assert (policy.kind, policy.length, policy.counted_from) == ("days", 30, "maturity")
    assert (policy.last_day, policy.warned_days) == ("start_of_day", 14)


def test_the_better_one_becomes_a_rule_with_its_terms(crowd: Program) -> None:
    found = lasting(crowd)
    sell(found, 1, "40")
    over = look_at(found, at(14))
    assert (over.verdict, over.winner) == ("better", 1)
    (rule,) = draft_winner(experiment=over, actor=SYSTEM, now=at(15))
    policy = rule.versions.get().lot_policy
    assert policy is not None
    assert (policy.kind, policy.length) == ("days", 30)


def test_how_long_they_last_is_said_where_the_promotion_is_told(crowd: Program) -> None:
    code = bonus(crowd, "Month", expire_days=30)
    gives = " ".join(campaign_gives(Campaign.objects.get(code=code)))
    assert "30 days after they could be spent" in gives
    # A template that does not ask for it does not have it.
    other = draft(crowd, name="Twice", offer={"factor": 2, "expire_days": 30})
    assert "30 days" not in " ".join(campaign_gives(other))
