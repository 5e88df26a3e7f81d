"""Promotions by code for tests: one with a word, and what a quote says to it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.models import Campaign
from loyalty.models import Membership, Program
from loyalty.services.quotes import quote_order
from tests.campaigns.campaigns import launch
from tests.loyalty.factories import (
    NOW,
    order,
)

HOUR = dt.timedelta(hours=1)
STUDENTS = {"field": "customer.tags", "op": "has_any", "value": ["student"]}


def member(number: str = "c1") -> Membership:
    return Membership.objects.select_related("program", "customer").get(
        customer__external_id=number
    )


def by_word(program: Program, template: str = "points-weekend", **said: Any) -> Campaign:
    """Double points with the code STUDENT-10."""
    codes = {"kind": "shared", "word": "STUDENT-10"} | said.pop("codes", {})
    return launch(program, template, codes=codes, **said)


def asked(code: str, *, buyer: str = "c1", at: dt.datetime = NOW, total: str = "10") -> Any:
    (quote,) = quote_order(order("Q", total, coupons=(code,), buyer=buyer, at=at))
    return quote


def said_of(code: str, **how: Any) -> str:
    """Why it does not count; empty: it does."""
    (found,) = asked(code, **how).codes
    return str(found.reason)
