"""Rates, and what programs make of them. All go through the services."""

import datetime as dt
from decimal import Decimal

from loyalty.models import (
    ExchangeRate,
    Program,
)
from loyalty.selectors.member_tiers import member_standings
from loyalty.selectors.programs import definition_of
from loyalty.services.exchange_rates import RateInput, put_rates
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    spendable,
)

TODAY = NOW.date()


def rate(text="0.92", days=0, given="USD", wanted="EUR", source="Bank", now=NOW) -> ExchangeRate:
    at = TODAY + dt.timedelta(days=days)
    put_rates([RateInput(given, wanted, at, Decimal(text), source)], actor=SYSTEM, now=now)
    return ExchangeRate.objects.get(given=given, wanted=wanted, valid_from=at)


def tier_of(program, at=NOW) -> str:
    (membership,) = program.memberships.all()
    return member_standings([membership], at)[membership.pk].tier.code


def spendable_of(code: str, at=NOW) -> int:
    return spendable(at=at, program=Program.objects.get(code=code))


def set_policy(program, how):
    definition = definition_of(program, NOW).model_copy(update={"foreign_orders": how})
    apply_definition(definition, actor=SYSTEM, now=NOW)
