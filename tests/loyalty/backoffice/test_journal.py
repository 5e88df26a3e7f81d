"""Insights → Journal: balances, entries, the file, account codes, and closing books."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import ClosedPeriod, Program
from loyalty.selectors.programs import account_codes_of
from loyalty.services.order_inputs import RoundUpInput
from members.models import AuditEntry
from members.services.outbox import deliver_waiting
from tests.loyalty.backoffice.conftest import AGO, Member, queries_of, url
from tests.loyalty.factories import adjust, order, record


@pytest.fixture
def admin(client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


@pytest.fixture
def booked(ana: Member) -> Member:
    """Ana earned 200 Beans forty days ago, lost 50 the day after, and spent 20 ten days later."""
    adjust(ana.wallet, -20, "spend", now=timezone.now() - AGO + dt.timedelta(days=10))
    while deliver_waiting(1000):
        pass
    return ana


def days(member: Member, **more: str) -> dict[str, str]:
    """All days from the first movement on."""
    zone = member.program.zone
    first = (timezone.now() - AGO).astimezone(zone).date()
    today = timezone.now().astimezone(zone).date()
    return {"since": first.isoformat(), "until": today.isoformat(), **more}


def test_every_movement_is_an_entry_and_the_balances_add_up(
    manager: Client, booked: Member
) -> None:
    response = manager.get(url("journal"), days(booked, per="day"))
    entries = [
        (entry.what, entry.debit.role, entry.credit.role, entry.units)
        for entry in response.context["entries"]
    ]
    assert entries == [
        ("Earned", "issued", "members", 200),
        ("Taken back", "members", "issued", 50),
        ("Adjusted", "members", "adjusted", 20),
    ]
    assert response.context["journal"].liability.units == 130
    html = response.content.decode()
    assert "$1.30" in html
    assert "These books are open" in html


def test_without_days_it_is_the_last_month_that_is_over(manager: Client, booked: Member) -> None:
    today = timezone.now().astimezone(booked.program.zone).date()
    journal = manager.get(url("journal")).context["journal"]
    assert journal.until == today.replace(day=1) - dt.timedelta(days=1)
    assert journal.since == journal.until.replace(day=1)
    asked = manager.get(url("journal"), {"since": "nonsense", "until": "9999-01-01"})
    assert asked.context["journal"].since == journal.since


def test_days_of_a_month_are_added_up(manager: Client, booked: Member) -> None:
    asked = days(booked)
    entries = manager.get(url("journal"), asked).context["journal"].entries
    assert len({(entry.since, entry.until) for entry in entries}) <= 2
    assert sum(entry.units for entry in entries) == 270


def test_the_file_has_what_the_page_has(manager: Client, booked: Member) -> None:
    response = manager.get(url("journal_csv"), days(booked, per="day"))
    assert "journal-beans-points-" in response["Content-Disposition"]
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    entries = [row for row in rows if row["row"] == "entry"]
    assert [row["debit_units"] or row["credit_units"] for row in entries] == [
        "200", "200", "50", "50", "20", "20",
    ]  # fmt: skip
    assert rows[-1]["row"] == "liability"
    assert rows[-1]["credit"] == "1.30"


def test_what_charities_are_given_in_money_is_beside_it_and_a_file(
    manager: Client, booked: Member
) -> None:
    asked = days(booked, per="day")
    assert "Pledges and what buyers round up are here" in (
        manager.get(url("journal"), asked).content.decode()
    )
    up = RoundUpInput("beans", "trees", Decimal("0.50"))
    bought = timezone.now() - AGO
    record(order("A1", "9.50", at=bought, round_up=up, buyer=None), now=bought)
    page = manager.get(url("journal"), asked)
    assert [(item.account.code, item.name, item.balance.closing_worth)
            for item in page.context["giving_balances"]] == [
        ("1430", "Rounded up by buyers", Decimal("0.5")),
        ("2321", "Owed to charities in money: trees", Decimal("-0.5")),
    ]  # fmt: skip
    response = manager.get(url("journal_giving"), asked)
    assert "giving-beans-" in response["Content-Disposition"]
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    found = [
        (row["account_name"], row["debit"], row["credit"]) for row in rows if row["row"] == "entry"
    ]
    assert found == [("round_ups", "0.50", ""), ("charity_money", "", "0.50")]


def test_the_cost_does_not_follow_the_movements(manager: Client, booked: Member) -> None:
    before = queries_of(manager, url("journal"))
    for number in range(5):
        adjust(booked.wallet, 1, f"k{number}", now=timezone.now() - AGO)
    while deliver_waiting(1000):
        pass
    assert queries_of(manager, url("journal")) == before


def test_account_codes_are_changed_and_used_at_once(manager: Client, booked: Member) -> None:
    address = url("account_codes", "beans")
    form = manager.get(address).context["form"]
    data = dict(form.initial) | {"members": "2099", "issued": "GL 6/1"}
    assert manager.post(address, data).status_code == 302
    program = Program.objects.get(code="beans")
    assert account_codes_of(program).members == "2099"
    html = manager.get(url("journal"), days(booked)).content.decode()
    assert "GL 6/1" in html
    assert AuditEntry.objects.filter(action="program.changed").exists()


@pytest.mark.parametrize("wrong", ["", "=1+1", "x" * 33])
def test_what_is_no_code_is_said_beside_it(manager: Client, beans: Program, wrong: str) -> None:
    address = url("account_codes", "beans")
    data = dict(manager.get(address).context["form"].initial) | {"members": wrong}
    response = manager.post(address, data)
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"members"}


def test_books_are_closed_and_opened_again_with_a_reason(admin: Client, booked: Member) -> None:
    yesterday = timezone.now().astimezone(booked.program.zone).date() - dt.timedelta(days=1)
    address = url("books_close", "beans")
    assert admin.post(address, {"until": yesterday.isoformat()}).status_code == 302
    assert ClosedPeriod.objects.get().until == yesterday
    asked = days(booked) | {"until": yesterday.isoformat()}
    assert "These books are closed" in admin.get(url("journal"), asked).content.decode()
    assert (
        "books are open: what is told" in admin.get(url("journal"), days(booked)).content.decode()
    )
    assert admin.post(url("books_reopen", "beans"), {"reason": " "}).status_code == 422
    answer = admin.post(url("books_reopen", "beans"), {"reason": "A wrong file"})
    assert answer.status_code == 302
    html = admin.get(url("journal"), asked).content.decode()
    assert "A wrong file" in html
    assert "These books are open" in html
    assert admin.post(url("books_reopen", "beans"), {"reason": "Again"}).status_code == 422


def test_a_day_that_is_not_over_is_not_closed(admin: Client, booked: Member) -> None:
    today = timezone.now().astimezone(booked.program.zone).date()
    response = admin.post(url("books_close", "beans"), {"until": today.isoformat()})
    assert response.status_code == 422
    assert "a day that is over" in str(response.context["form"].errors)
    assert not ClosedPeriod.objects.exists()


def test_a_manager_reads_but_does_not_close(manager: Client, booked: Member) -> None:
    assert "Close the books" not in manager.get(url("journal")).content.decode()
    assert manager.get(url("books_close", "beans")).status_code == 403


def test_without_a_program_that_is_said(manager: Client, db: None) -> None:
    assert manager.get(url("journal")).status_code == 200
    assert manager.get(url("journal_csv")).status_code == 404
