"""How members spread over what a ladder counts: the sums that their own facts come to."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import Membership, Program
from loyalty.selectors.rulebooks import terms_of
from loyalty.selectors.tier_facts import tier_facts
from loyalty.selectors.tier_spread import tier_spread
from loyalty.tier_definitions import TiersDefinition
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    line,
    make_program,
    make_type,
    make_wallet,
    order,
    record,
    refund,
    returned,
    reward,
    tell,
    told,
)
from tests.loyalty.planning import join, pay, plan

pytestmark = pytest.mark.django_db

TIERS = [{"code": "basic", "name": "Basic"}, {"code": "gold", "name": "Gold", "threshold": 100}]
LADDERS = {
    "spend": {"metric": "spend"},
    "orders": {"metric": "orders"},
    "units": {"metric": "units", "wallet_type": "points"},
    "score": {"metric": "score", "score": [{"activity": "review", "points": 5}]},
}


def ladder(name: str, window: str = "rolling_12_months") -> dict:
    return {**LADDERS[name], "window": window, "tiers": TIERS}


def history(name: str) -> Program:
    make_type("review")
    program = make_program(
        tiers=ladder(name), earning_rules=[{"code": "base"}, reward("review", 7)],
        plans=[plan(credits={"units": 500})],
    )  # fmt: skip
    make_wallet(program, "nobody")
    with_gift = (line(1, "60"), line(2, "40", stored_value=True))
    record(order("A", "100", lines=with_gift), order("B", "30", buyer="c2"))
    record(order("C", "200", at=day(3)), order("D", "50", buyer="c3", at=day(4)))
    record(order("E", "999", buyer="c3", at=day(5), status="cancelled"))
    give_back(refund("R1", "20", of="C", at=day(10)))
    give_back(refund("R2", "50", of="D", at=day(11), lines=(returned(1, "50"),)))
    give_back(refund("R3", "5", at=day(12), buyer="c2"))
    tell(told("V1"), told("V2", buyer="c2", subject="CAP"), told("V3", subject="HAT"))
    # What a plan brings was bought, and counts nowhere.
    pay(join(Membership.objects.get(customer__external_id="c2")), day(13))
    return program


@pytest.mark.parametrize("name", LADDERS)
@pytest.mark.parametrize("window", ["rolling_12_months", "lifetime"])
def test_it_counts_what_the_members_facts_do(name: str, window: str) -> None:
    program = history(name)
    found = tier_spread(program, TiersDefinition.model_validate(ladder(name, window)), day(30))
    members = list(Membership.objects.values_list("pk", flat=True))
    facts = tier_facts(terms_of(program), members)
    sums = [sum((fact.amount for fact in facts.get(pk, ())), Decimal(0)) for pk in members]
    assert found.members == len(members) == 4
    assert [part.lowest for part in found.parts] == sorted(max(total, 0) for total in sums)
    assert len(set(sums)) > 1


def test_what_is_older_than_a_year_counts_only_ever() -> None:
    program = history("spend")
    for window, highest in (("calendar_year", 0), ("lifetime", 240)):
        tiers = TiersDefinition.model_validate(ladder("spend", window))
        assert tier_spread(program, tiers, day(400)).highest == highest


def test_units_are_those_that_multipliers_act_on() -> None:
    program = history("spend")
    tiers = TiersDefinition.model_validate(ladder("spend"))
    units = sum(part.units for part in tier_spread(program, tiers, day(30)).parts)
    # 60 + 30 + 200 + 50 for orders; nothing of what reviews brought.
    assert units == 340


def test_it_is_one_query_and_few_parts_however_many_members_there_are() -> None:
    program = history("spend")
    tiers = TiersDefinition.model_validate(ladder("spend"))
    program.wallet_types.all()
    with CaptureQueriesContext(connection) as queries:
        tier_spread(program, tiers, NOW)
    assert len(queries) == 2
