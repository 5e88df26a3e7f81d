"""Counters of caps come to say of which period they are, while orders go on being counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from loyalty.models import CapCounter, EarningRule, Membership
from loyalty.rules.calendar import EVER
from tests.loyalty.factories import NOW, make_program, make_wallet

MIGRATION: Any = import_module("loyalty.migrations.0086_more_caps")
# As the code from before counts.
FORMERLY = (
    "INSERT INTO loyalty_capcounter (rule_id, membership_id, period_start, used)"
    " VALUES (%s, %s, %s, 1) ON CONFLICT DO NOTHING"
)

pytestmark = pytest.mark.django_db(transaction=True)


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def as_before() -> Iterator[None]:
    """The table as it was; afterwards as it is, whatever came between."""
    run(*MIGRATION.BACK)
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regprocedure('loyalty_cap_period(bigint, date)') IS NOT NULL"
                       " OR NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attname = 'period'"
                       " AND attrelid = 'loyalty_capcounter'::regclass)")  # fmt: skip
        [unfinished] = cursor.fetchone()
    if unfinished:
        CapCounter.objects.all().delete()
        run(*MIGRATION.FORWARD)


def capped_rule() -> tuple[EarningRule, int]:
    """By month, as bodies said it before."""
    program = make_program(earning_rules=[{"caps": {"per_member": 100, "period": "month"}}], at=NOW)
    rule = program.earning_rules.get()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE loyalty_earningruleversion SET body = jsonb_set(body, '{caps}',"
            " '{\"per_member\": \"100\", \"period\": \"month\"}') WHERE rule_id = %s", [rule.pk],
        )  # fmt: skip
        cursor.execute("SET session_replication_role = DEFAULT")
    make_wallet(program)
    return rule, Membership.objects.get().pk


def test_what_is_counted_between_any_two_steps_belongs_to_its_period(as_before: None) -> None:
    rule, member = capped_rule()
    months = [dt.date(2026 + number // 12, number % 12 + 1, 1) for number in range(40)]
    with connection.cursor() as cursor:
        for statement, month in zip(MIGRATION.FORWARD, months, strict=False):
            cursor.execute(FORMERLY, [rule.pk, member, month])
            cursor.execute(FORMERLY, [rule.pk, member, months[0]])
            cursor.execute(statement)
    found = CapCounter.objects.filter(rule=rule)
    assert found.count() == len(MIGRATION.FORWARD)
    assert set(found.values_list("period", flat=True)) == {"month"}


def test_a_migration_that_was_broken_off_is_run_again(as_before: None) -> None:
    rule, member = capped_rule()
    with connection.cursor() as cursor:
        for day in (EVER, dt.date(2026, 3, 1)):
            cursor.execute(FORMERLY, [rule.pk, member, day])
    for place in range(len(MIGRATION.FORWARD)):
        run(*MIGRATION.FORWARD[:place])
    run(*MIGRATION.FORWARD)
    found = CapCounter.objects.filter(rule=rule).order_by("period_start")
    assert list(found.values_list("period", flat=True)) == ["lifetime", "month"]


def test_nothing_holds_the_table_while_its_rows_are_looked_at() -> None:
    assert not MIGRATION.Migration.atomic
    for statement in MIGRATION.FORWARD:
        looks = "CREATE UNIQUE INDEX" in statement or "ADD CONSTRAINT" in statement
        assert not looks or "CONCURRENTLY" in statement or statement.count("NOT VALID") == 2
