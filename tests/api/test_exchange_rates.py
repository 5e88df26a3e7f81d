"""Rates over the API: put, listed, and by which rate an order counts."""

from decimal import Decimal

import pytest

from loyalty.models import ExchangeRate, OrderConversion
from members.models import AuditEntry
from tests.loyalty.factories import make_program

RATES = "/exchange-rates"
ECB = {"from_currency": "USD", "to_currency": "EUR", "valid_from": "2026-01-05", "rate": "0.92",
       "source": "ECB"}  # fmt: skip
ORDER = {"external_id": "A1", "placed_at": "2026-01-06T10:00:00Z", "currency": "USD",
         "total": "120.00", "customer": {"external_id": "c1"}}  # fmt: skip


def put(client, *rates):
    return client.put(RATES, {"rates": list(rates)})


@pytest.fixture
def program(db):
    return make_program(currency="EUR")


def test_rates_are_put_again_without_a_change(api):
    first = put(api, ECB)
    assert first.status_code == 200, first.content
    assert [item["outcome"] for item in first.json()["results"]] == ["created"]
    assert put(api, ECB).json()["results"][0]["outcome"] == "unchanged"
    changed = put(api, ECB | {"rate": "0.93"}, ECB | {"valid_from": "2026-01-06"})
    assert [item["outcome"] for item in changed.json()["results"]] == ["changed", "created"]
    assert ExchangeRate.objects.count() == 2
    actions = AuditEntry.objects.filter(action__startswith="exchange_rate").order_by("pk")
    assert [entry.action.partition(".")[2] for entry in actions] == [
        "created",
        "changed",
        "created",
    ]


def test_rates_are_listed_the_latest_first(api):
    put(api, ECB, ECB | {"valid_from": "2026-01-06"}, ECB | {"from_currency": "GBP"})
    found = api.get(f"{RATES}?from_currency=USD").json()["results"]
    assert [item["valid_from"] for item in found] == ["2026-01-06", "2026-01-05"]
    assert found[1]["rate"] == "0.92"
    assert found[1]["used"] is False


@pytest.mark.parametrize(("wrong", "field"), [
    ({"to_currency": "USD"}, "rates[0].to_currency"),
    ({"from_currency": "XQX"}, "rates[0].from_currency"),
    ({"rate": "0"}, "rates[0].rate"),
    ({"valid_from": "1980-01-01"}, "rates[0].valid_from"),
])  # fmt: skip
def test_what_cannot_be_is_named(api, wrong, field):
    refused = put(api, ECB | wrong)
    assert refused.status_code == 422
    assert field in [error["field"] for error in refused.json()["errors"]]
    assert not ExchangeRate.objects.exists()


def test_a_key_needs_the_scope(key_with):
    reader = key_with("rates:read")
    assert reader.get(RATES).status_code == 200
    assert put(reader, ECB).status_code == 403


def test_an_order_says_by_which_rate_it_counts(api, program):
    put(api, ECB)
    sent = api.post("/orders", ORDER)
    assert sent.status_code == 201, sent.content
    found = api.get("/orders/shop/A1").json()
    assert found["conversions"] == [
        {"program": "club", "currency": "EUR", "rate": "0.92", "source": "table",
         "dated": "2026-01-05", "told_by": "ECB", "total": "110.40"}
    ]  # fmt: skip
    assert [award["units"] for award in found["awards"]] == ["110"]


def test_an_order_brings_its_rate_along(api, program):
    said = ORDER | {"exchange_rates": {"EUR": "0.5", "GBP": "0.4"}}
    assert api.post("/orders", said).status_code == 201
    assert OrderConversion.objects.get().rate == Decimal("0.5")


@pytest.mark.parametrize("rates", [{"EUR": "0"}, {"EUR": "-1"}, {"USD": "1"}, {"eur": "1"}])
def test_a_rate_that_cannot_be_is_refused(api, program, rates):
    said = ORDER | {"exchange_rates": rates}
    refused = api.post("/orders", said)
    assert refused.status_code == 422
    assert "exchange_rates" in refused.json()["errors"][0]["field"]


def test_without_a_rate_an_order_is_refused_with_what_to_do(api, program):
    refused = api.post("/orders", ORDER)
    assert refused.status_code == 422
    [error] = refused.json()["errors"]
    assert (error["field"], error["code"]) == ("currency", "no_rate")
