"""How much a member's own pages ask of the database."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Membership
from tests.factories import CustomerFactory
from tests.loyalty.backoffice.tier_forms import LADDER
from tests.loyalty.factories import make_program, make_type, order, record, reward
from tests.rewards.factories import make_member

pytestmark = pytest.mark.django_db


def rule(number: int) -> dict[str, Any]:
    """Its words name a type of activities; another's name a tier."""
    if number % 2:
        return reward(code=f"told-{number}")
    return {
        "code": f"told-{number}", "kind": "fixed", "units": 5,
        "when": {"field": "membership.tier", "op": "is", "value": "silver"},
    }  # fmt: skip


def grown(rules: int) -> Membership:
    at = timezone.now() - dt.timedelta(days=90)
    make_type()
    rows = [{}, *map(rule, range(rules))]
    program = make_program(at=at, tiers={"tiers": LADDER}, earning_rules=rows)
    if not Membership.objects.exists():
        CustomerFactory(external_id="maya", with_user=True)
        make_member(0, "maya", program)
        record(order("O1", "700", at=at + dt.timedelta(days=1), buyer="maya"))
    return Membership.objects.select_related("customer__user").get()


def queries_of(member: Membership, name: str) -> list[str]:
    client = Client()
    client.force_login(member.customer.user, "django.contrib.auth.backends.ModelBackend")
    client.get(reverse(name))
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(reverse(name))
    assert answer.status_code == 200
    return [query["sql"] for query in asked]


def test_where_a_member_stands_is_worked_out_once_for_all_of_their_home() -> None:
    asked = queries_of(grown(2), "mypage:home")
    assert sum(' FROM "loyalty_tiercheckpoint"' in sql for sql in asked) == 1
    assert sum("min(o.placed_at)" in sql or "o.confirmed_at, o.completed_at" in sql
               for sql in asked) == 1  # fmt: skip


def test_more_rules_ask_no_more_queries() -> None:
    pages = ("mypage:home", "mypage:earn")
    before = [len(queries_of(grown(2), name)) for name in pages]
    assert [len(queries_of(grown(6), name)) for name in pages] == before
