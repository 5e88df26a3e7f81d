"""What columns of other systems mean: by name in any language, by their cells, each once."""

from __future__ import annotations

import pytest

from campaigns.connectors.mapping import Sample, guess
from loyalty.shop_exports import matching
from loyalty.shop_exports.columns import WANTED, guess_columns
from loyalty.shop_exports.matching import Column, folded, match
from loyalty.shop_exports.tables import Table


def in_table(**cells: str) -> dict[str, str]:
    header = tuple(cells)
    table = Table("utf-8", ",", header, (tuple(cells.values()),) * 3)
    return {name: header[place] for name, place in guess_columns(table).items()}


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("Order ID", "orderid"), ("order.id", "orderid"), ("order_id", "orderid"),
        ("Nº de commande", "nodecommande"), ("Straße", "strasse"),
        ("Κωδικός πελάτη", "κωδικοσπελατη"), ("订单号", "订单号"),
    ],
)  # fmt: skip
def test_names_are_compared_without_case_accents_and_marks(written: str, bare: str) -> None:
    assert folded(written) == bare


def test_the_likeliest_name_wins_and_no_column_is_taken_twice() -> None:
    columns = [Column(name, ["7"]) for name in ("number", "Order-No", "order.id")]
    assert match({"first": matching.ORDER_NUMBER}, columns) == {"first": 2}
    twice = match({"first": matching.ORDER_NUMBER, "second": matching.ORDER_NUMBER}, columns)
    assert twice == {"first": 2, "second": 1}


def test_of_two_columns_of_one_name_the_one_that_looks_right_is_taken() -> None:
    columns = [Column("Total", ["see below"]), Column("total", ["12,50 €"])]
    assert match({"total": matching.TOTAL}, columns) == {"total": 1}


def test_what_brackets_add_to_a_name_is_read_over_unless_another_is_called_so() -> None:
    columns = [Column("Gesamtbetrag (brutto)", ["12,50"]), Column("N. Revenue (formatted)", ["9"])]
    assert match({"total": matching.TOTAL}, columns) == {"total": 0}
    assert match({"total": matching.TOTAL}, columns[1:]) == {"total": 0}
    plain = [Column("Total (old)", ["1.00"]), Column("Total", ["2.00"])]
    assert match({"total": matching.TOTAL}, plain) == {"total": 1}


def test_a_name_is_nobodys_number() -> None:
    wanted = {"customer_id": matching.CUSTOMER_NUMBER}
    assert match(wanted, [Column("Customer", ["Ann Lee", "Jörg O'Neill", "Ben van Dam"])]) == {}
    assert match(wanted, [Column("CUST", ["00001", "K 7"])]) == {"customer_id": 0}


def test_cells_speak_against_a_name_and_for_a_column_without_one() -> None:
    columns = [
        Column("email", ["yes", "no"]), Column("who", ["ann@example.com", "ben@example.com"]),
        Column("on", ["31.03.2026"]), Column("in", ["EUR", "CHF"]), Column("nothing", []),
    ]  # fmt: skip
    wanted = {
        "currency": matching.CURRENCY, "email": matching.EMAIL, "placed_at": matching.PLACED,
        "changed_at": matching.CHANGED,
    }  # fmt: skip
    assert match(wanted, columns) == {"currency": 3, "email": 1, "placed_at": 2}


def test_one_example_proves_little_but_a_vague_name_needs_it() -> None:
    wanted = {"number": matching.ORDER_NUMBER}
    assert match(wanted, [Column("order_id", ["{{ id }}"])]) == {}
    assert match(wanted, [Column("order_id", ["{{ id }}"])], examples=True) == {"number": 0}
    assert match(wanted, [Column("name", ["Ann"])], examples=True) == {}
    assert match(wanted, [Column("name", ["#1001"])], examples=True) == {"number": 0}
    better = [Column("order_id", ["{{ id }}"]), Column("invoice no", ["R-7"])]
    assert match(wanted, better, examples=True) == {"number": 1}


def test_an_empty_column_is_what_its_name_says_unless_it_must_have_a_number() -> None:
    columns = [Column("total", []), Column("Currency", []), Column("order", [])]
    wanted = {
        "total": matching.TOTAL, "currency": matching.CURRENCY, "number": matching.ORDER_NUMBER,
    }  # fmt: skip
    assert match(wanted, columns) == {"total": 0, "currency": 1}


def test_a_shops_file_knows_what_tools_call_it() -> None:
    found = in_table(
        number="7", placed_at="2026-03-01", sum="12.50", external_id="K1", count="2",
        forename="Ann", **{"subscriber.email": "ann@example.com"},
    )  # fmt: skip
    assert found == {
        "order_id": "number", "placed_at": "placed_at", "total": "sum",
        "customer_id": "external_id", "quantity": "count", "given_name": "forename",
        "email": "subscriber.email",
    }  # fmt: skip


def test_a_tools_message_knows_what_shops_call_it() -> None:
    order = {
        "Bestellnummer": "B-7", "Bestelldatum": "31.03.2026", "Gesamtbetrag": "12,50",
        "Währung": "EUR", "Kundennummer": "K1", "kontakt": "ann@example.com",
    }  # fmt: skip
    lines = {"Artikelnummer": "COF", "Menge": "2", "Zeilensumme": "12,50", "Warengruppe": "Coffee"}
    assert guess("order", Sample(order, {"zeilen": lines}, 1), "zeilen") == {
        "number": "Bestellnummer", "placed_at": "Bestelldatum", "total": "Gesamtbetrag",
        "currency": "Währung", "customer_number": "Kundennummer", "customer_email": "kontakt",
        "line_sku": "Artikelnummer", "line_quantity": "Menge", "line_total": "Zeilensumme",
        "line_category": "Warengruppe",
    }  # fmt: skip
    person = {"codice_cliente": "7", "Nome": "Ann", "Cognome": "Lee", "Correo": "ann@example.com"}
    assert guess("customer", Sample(person, {}, 1)) == {
        "number": "codice_cliente", "email": "Correo", "given_name": "Nome",
        "family_name": "Cognome",
    }  # fmt: skip


def test_a_tools_own_id_is_the_orders_number_before_its_name() -> None:
    fields = {"name": "#1001", "id": "5001"}
    assert guess("order", Sample(fields, {}, 1)) == {"number": "id"}
    assert in_table(**fields) == {"order_id": "name"}


def test_everything_that_an_import_wants_has_names_of_its_own() -> None:
    known: dict[str, str] = {}
    for item in WANTED.values():
        assert item.meaning.names
        for name in item.meaning.names:
            assert folded(name) == name
            assert known.setdefault(name, item.name) == item.name
