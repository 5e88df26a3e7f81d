"""What the tests of pains do in few words."""

import datetime as dt

import pytest

from loyalty.explanations import Explanation, explain_transfer
from loyalty.models import (
    Lot,
    Membership,
    Transfer,
    Wallet,
)
from loyalty.selectors.transfers import transfers
from loyalty.services.programs import apply_definition
from loyalty.services.redemptions import redeem_units
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    define,
    order,
    tender,
    wallet_of,
)

MONTH = {"kind": "months", "length": 1, "last_day": "start_of_day"}


def wallet(number: str = "c1") -> Wallet:
    return wallet_of(Membership.objects.get(customer__external_id=number).account_id)


def redeem(
    units: int, key: str = "k1", *, buyer: str = "c1", now: dt.datetime = NOW, **how: object
) -> Transfer:
    return redeem_units(
        wallet=wallet(buyer), units=units, key=key, source="api", actor=SYSTEM, now=now, **how
    )[0]


def change_rules(at: dt.datetime, *rules: dict[str, object]) -> None:
    apply_definition(define(earning_rules=list(rules)), actor=SYSTEM, now=at)


def paid_with_units(number: str, total: str, at: dt.datetime = NOW, **details: object):
    return order(number, total, at=at, tenders=(tender("units", total),), **details)


def lots() -> dict[str, tuple[int, dt.datetime | None]]:
    """What is left of what each order earned, and when it is gone."""
    return {
        lot.transfer.order.external_id: (lot.remaining, lot.expires_at)
        for lot in Lot.objects.select_related("transfer__order")
    }


def explained(**which: object) -> Explanation:
    return explain_transfer(transfers().get(**which))


in_parallel = pytest.mark.django_db(transaction=True)
