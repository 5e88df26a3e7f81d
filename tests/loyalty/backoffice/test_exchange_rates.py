"""Settings: exchange rates; listed, added, changed, taken from a file, deleted where unused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from loyalty.models import ExchangeRate
from loyalty.services.exchange_rates import RateInput, put_rates
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import htmx, url
from tests.loyalty.factories import make_program, order, record


@pytest.fixture
def administrator(client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


def values(**changes: Any) -> dict[str, Any]:
    said = {"given": "USD", "wanted": "EUR", "rate": "0.92", "valid_from": "2024-03-15"}
    return said | {"source": "ECB"} | changes


def upload(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("rates.csv", text.encode(), "text/csv")


def test_a_rate_is_added_and_changed_and_says_by_whom(administrator: Client) -> None:
    added = administrator.post(url("exchange_rate_create"), values(), headers=htmx("dialog-body"))
    assert added.status_code == 204, added.content
    administrator.post(url("exchange_rate_create"), values(rate="0.93"))
    page = administrator.get(url("exchange_rate_list")).content.decode()
    assert "1 USD = 0.93 EUR" in page
    assert "ECB" in page
    rate = ExchangeRate.objects.get()
    assert rate.changed_by in page
    actions = AuditEntry.objects.filter(action__startswith="exchange_rate").order_by("pk")
    assert [entry.action for entry in actions] == ["exchange_rate.created", "exchange_rate.changed"]
    log = administrator.get("/back-office/settings/audit/")
    assert log.status_code in (200, 404)


@pytest.mark.parametrize("wrong", [{"rate": "0"}, {"wanted": "USD"}, {"valid_from": "1900-01-01"}])
def test_what_cannot_be_is_said_at_its_field(administrator: Client, wrong: dict[str, str]) -> None:
    refused = administrator.post(url("exchange_rate_create"), values(**wrong))
    assert refused.status_code == 422
    assert set(refused.context["form"].errors) == set(wrong)
    assert not ExchangeRate.objects.exists()


def test_a_rate_is_deleted_unless_orders_use_it(administrator: Client, db: None) -> None:
    make_program("euro", currency="EUR")
    for number, day in enumerate((dt.date(2024, 3, 15), dt.date(2024, 3, 10))):
        said = RateInput("USD", "EUR", day, Decimal("0.9") + number)
        put_rates([said], actor=SYSTEM, now=timezone.now())
    record(order(total="10"))
    used, unused = ExchangeRate.objects.order_by("-valid_from")
    page = administrator.get(url("exchange_rate_list")).content.decode()
    assert page.count("Orders use it") == 1
    assert administrator.post(url("exchange_rate_delete", unused.pk)).status_code == 302
    refused = administrator.post(url("exchange_rate_delete", used.pk), follow=True)
    assert "Orders were converted by this rate" in refused.content.decode()
    assert list(ExchangeRate.objects.all()) == [used]


def test_a_file_is_tried_before_it_is_kept(administrator: Client) -> None:
    text = "date,from,to,rate,source\n2024-03-15,USD,EUR,0.92,ECB\n2024-03-15,GBP,EUR,1.17,\n"
    tried = administrator.post(url("exchange_rate_import"), {"file": upload(text), "trying": "on"})
    assert "new: 2" in tried.content.decode()
    assert not ExchangeRate.objects.exists()
    kept = administrator.post(url("exchange_rate_import"), {"file": upload(text)}, follow=True)
    assert "new: 2" in kept.content.decode()
    assert ExchangeRate.objects.count() == 2
    again = administrator.post(url("exchange_rate_import"), {"file": upload(text)}, follow=True)
    assert "as before: 2" in again.content.decode()


def test_rows_that_are_wrong_are_named_and_nothing_is_kept(administrator: Client) -> None:
    text = (
        "date,from,to,rate\n2024-03-15,USD,EUR,0.92\n15.3.2024,USD,EUR,0,9\n"
        "2024-03-15,USD,EUR,0.93\n2024-03-16,USD,USD,1\n2024-03-17,USD,EUR,-1\n"
    )
    refused = administrator.post(url("exchange_rate_import"), {"file": upload(text)})
    assert refused.status_code == 422
    found = {(wrong.row, wrong.column) for wrong in refused.context["errors"]}
    assert found == {(3, "date"), (3, "rate"), (4, "date"), (5, "to"), (6, "rate")}
    assert not ExchangeRate.objects.exists()


@pytest.mark.parametrize("text", ["", "day,rate\n", "date,from,to,rate\n"])
def test_what_is_no_such_file_is_refused(administrator: Client, text: str) -> None:
    refused = administrator.post(url("exchange_rate_import"), {"file": upload(text)})
    assert refused.status_code == 422
    assert refused.context["form"].errors["file"]


def test_the_program_form_says_what_becomes_of_other_currencies(manager: Client) -> None:
    program = make_program("euro", currency="EUR")
    page = manager.get(url("program_edit", program.code)).content.decode()
    assert "Count them at the exchange rate of their day" in page
