"""A club whose points are earned and spent at a bakery as well."""

import datetime as dt
from decimal import Decimal
from typing import Any

from loyalty.models import Membership, Partner, PartnerSettlement, Program, Transfer, Wallet
from loyalty.selectors.partners import AtPartner, partners
from loyalty.services.partner_settlements import close_month
from loyalty.services.redemptions import redeem_units, reverse_redemption
from members.models import ApiKey
from members.services.api_keys import PARTNER_SCOPES
from members.services.audit import SYSTEM, Actor
from tests.factories import ApiKeyFactory
from tests.loyalty.factories import NOW, make_program, order, record, wallet_of

# A point costs the bakery a cent, and brings it 0.8 cents.
RATE = {"wallet_type": "points", "from_on": "2024-03-01", "issued": "0.01", "taken_in": "0.008"}
BAKERY = {"code": "bakery", "name": "Bread & Butter", "since": "2024-03-01", "rates": [RATE]}


def coalition(code: str = "club", **changes: Any) -> Program:
    return make_program(code, **{"partners": [BAKERY]} | changes)


def bakery(code: str = "bakery", program: str = "club") -> Partner:
    return partners().get(account__code=code, account__program__code=program)


def at(partner: Partner) -> AtPartner:
    return AtPartner.of(partner)


def key_of(partner: Partner, **how: Any) -> ApiKey:
    return ApiKeyFactory(partner=partner.pk, **{"scopes": list(PARTNER_SCOPES)} | how)


def buy(number: str, total: str, *, when: dt.datetime = NOW, now: dt.datetime | None = None,
        partner: Partner | None = None, **details: Any):  # fmt: skip
    """An order at the bakery."""
    told = order(number, total, at=when, partner=at(partner or bakery()), **details)
    return record(told, now=now or when)[0]


def spend(units: int, key: str, *, when: dt.datetime = NOW, number: str = "c1") -> Transfer:
    """Units that are spent at the bakery."""
    wallet = _wallet(number)
    actor = Actor.of_api_key(_key())
    return redeem_units(
        wallet=wallet, units=units, key=key, source="api", actor=actor, now=when
    )[0]  # fmt: skip


def undo(transfer: Transfer, key: str, *, when: dt.datetime) -> Transfer:
    return reverse_redemption(
        transfer=transfer, key=key, source="api", actor=SYSTEM, now=when
    )[0]  # fmt: skip


def close(when: dt.datetime, partner: Partner | None = None) -> PartnerSettlement:
    return close_month(partner=partner or bakery(), actor=SYSTEM, now=when)


def lines(statement: Any) -> list[tuple[str, int, Decimal, bool]]:
    """(side, units, money, corrects)"""
    return [(line.side, line.units, line.money, line.corrects) for line in statement.lines]


def _key() -> ApiKey:
    return ApiKey.objects.filter(partner=bakery().pk).first() or key_of(bakery())


def _wallet(number: str) -> Wallet:

    return wallet_of(Membership.objects.get(customer__external_id=number).account_id)
