"""Files as shops export them: what is found out of them without asking."""

import datetime as dt
import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from loyalty.shop_exports import tables
from loyalty.shop_exports.cells import amount, day_order, decimal_mark, moment
from loyalty.shop_exports.columns import guess_columns
from loyalty.shop_exports.tables import read_table, rows_of
from members.errors import DomainError

SHOPIFY = (
    "Name,Email,Financial Status,Currency,Subtotal,Shipping,Total,Created at,Lineitem quantity,"
    "Lineitem name,Lineitem price,Lineitem sku,Billing Name,Refunded Amount,Id\n"
    '#1001,ann@example.com,paid,EUR,20.00,4.90,24.90,2026-03-01 09:15:00 +0100,2,"Coffee, dark",'
    "10.00,COF,Ann Lee,0.00,5001\n"
)
TILL = (
    "Belegnr.;Bestelldatum;Kundennummer;Straße;E-Mail;Artikelnummer;Menge;Einzelpreis;Gesamtbetrag\n"
    "B1;31.03.2026 18:05;K1;Müllerstraße;k1@example.com;A-1;2;1.124,90;2.249,80 €\n"
)
PLAIN = (
    "order no,what,who,on\nA-1,12.50,ann@example.com,03/31/2026\nA-2,9,ben@example.com,04/02/2026\n"
)


def write(folder: Path, content: bytes) -> Path:
    path = folder / "export.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("text", "mark", "value"),
    [
        ("1,234.50", ".", "1234.50"), ("1.234,50 €", ",", "1234.50"), ("€ 12,5", ",", "12.5"),
        ("RM 1 234,50", ",", "1234.50"), ("(5.00)", ".", "-5.00"), ("5,00-", ",", "-5.00"),
        ("-3", ".", "-3"), ("twelve", ".", None), ("", ".", None),
    ],
)  # fmt: skip
def test_amounts_are_read_however_they_are_written(text: str, mark: str, value: str | None) -> None:
    assert amount(text, mark) == (None if value is None else Decimal(value))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["12,50", "1.000"], ","), (["12.50", "1,000"], "."), (["1.234,50"], ","),
        (["1.234.567"], ","), (["7", "1,000"], "."), ([], "."),
    ],
)  # fmt: skip
def test_the_mark_before_decimals_shows_in_all_amounts_together(
    texts: list[str], mark: str
) -> None:
    assert decimal_mark(texts) == mark


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["2026-03-31"], "ymd"), (["31/03/2026"], "dmy"), (["03/31/2026"], "mdy"),
        (["01.02.2026"], "dmy"), (["01/02/2026"], "mdy"), (["01/02/2026", "25/02/2026"], "dmy"),
    ],
)  # fmt: skip
def test_a_number_above_twelve_shows_what_is_a_day(texts: list[str], order: str) -> None:
    assert day_order(texts) == order


def test_days_with_times_and_offsets() -> None:
    shopify = moment("2026-03-01 09:15:00 +0100", "ymd")
    assert shopify is not None
    assert shopify.astimezone(dt.UTC) == dt.datetime(2026, 3, 1, 8, 15, tzinfo=dt.UTC)
    naive = dt.datetime(2026, 3, 31, 18, 5)  # noqa: DTZ001
    assert moment("31.03.26 18:05", "dmy") == naive
    assert moment("3/31/2026 6:05 PM", "mdy") == naive
    assert moment("31-Mar-2026 18:05", "dmy") == naive
    assert moment("31.02.2026", "dmy") is None
    assert moment("yesterday", "ymd") is None
    assert moment("2026-03-01 09:15:00 +99:00", "ymd") is None


def test_shopifys_columns_are_known_by_name(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, b"\xef\xbb\xbf" + SHOPIFY.encode()))
    found = {name: table.header[place] for name, place in guess_columns(table).items()}
    assert found == {
        "order_id": "Name", "placed_at": "Created at", "total": "Total", "currency": "Currency",
        "shipping": "Shipping", "status": "Financial Status", "refunded": "Refunded Amount",
        "email": "Email", "full_name": "Billing Name", "sku": "Lineitem sku",
        "quantity": "Lineitem quantity", "unit_price": "Lineitem price",
    }  # fmt: skip


def test_a_german_till_with_semicolons_and_an_old_encoding(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, TILL.encode("cp1252")))
    assert (table.encoding, table.separator) == ("cp1252", ";")
    found = {name: table.header[place] for name, place in guess_columns(table).items()}
    assert found["order_id"] == "Belegnr."
    assert found["email"] == "E-Mail"
    assert found["total"] == "Gesamtbetrag"
    assert found["unit_price"] == "Einzelpreis"
    assert [row[3] for _number, row in rows_of(tmp_path / "export.csv", table)] == ["Müllerstraße"]


@pytest.mark.parametrize(
    ("rate", "into"), [("Exchange Rate", "Base currency"), ("Wechselkurs", "Basiswährung"),
                       ("汇率", "基准货币"), ("Taux de change", "Devise de base")],
)  # fmt: skip
def test_an_exchange_rate_is_known_by_name_beside_the_orders_own_currency(
    tmp_path: Path, rate: str, into: str
) -> None:
    text = (
        f"Order,Created at,Currency,Total,{rate},{into}\n"
        "A-1,2026-03-01,EUR,12.50,1.0925,USD\nA-2,2026-03-02,USD,7.00,1,USD\n"
    )
    table = read_table(write(tmp_path, text.encode()))
    found = {name: table.header[place] for name, place in guess_columns(table).items()}
    assert (found["exchange_rate"], found["exchange_currency"], found["currency"]) == (
        rate, into, "Currency",
    )  # fmt: skip
    assert found["total"] == "Total"


def test_what_no_name_says_the_content_does(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, PLAIN.encode()))
    found = {name: table.header[place] for name, place in guess_columns(table).items()}
    assert found == {"order_id": "order no", "email": "who", "placed_at": "on"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest of a workbook", "workbook"),
        (b"just words\n", "only one column"),
        (b"a,b\n", "no rows"),
        (b"\x1f\x8bno gzip", "cannot be read"),
        (b"a,b\n\x00\x00\x00\n", "no text"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(DomainError, match=words):
        read_table(write(tmp_path, content))


def test_a_small_packed_file_that_holds_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "LARGEST", 1 << 20)
    one_line = b"a,b\n" + b"x" * (2 << 20)
    with pytest.raises(DomainError, match="more than 1 MB"):
        read_table(write(tmp_path, gzip.compress(one_line)))


@pytest.mark.parametrize(
    ("encoding", "found"), [("utf-8", "utf-8-sig"), ("cp1252", "cp1252"), ("utf-16", "utf-16")]
)
def test_an_encoding_is_found_wherever_the_first_letter_that_tells_it_stands(
    tmp_path: Path, encoding: str, found: str
) -> None:
    """It may be far from the beginning, and its bytes in two pieces of the file."""
    for shift in (0, 1):
        filler = "a,b\n" + "x" * (tables.SNIFFED - 5 - shift)
        table = read_table(write(tmp_path, f"{filler}é,1\n".encode(encoding)))
        assert table.encoding == found


def test_what_ends_within_a_letter_is_no_utf_8(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, b"a,b\nx,caf\xc3")).encoding == "cp1252"


@pytest.mark.parametrize("said", ["sep=;", '"sep=;"', "SEP=;"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_line_that_tells_a_spreadsheet_the_separator_is_no_header(
    tmp_path: Path, said: str, encoding: str
) -> None:
    path = write(tmp_path, f"{said}\r\n{TILL}".encode(encoding))
    table = read_table(path)
    assert table.header[0] == "Belegnr."
    assert [number for number, _row in rows_of(path, table)] == [2]


def test_lines_may_end_as_on_old_macintoshes(tmp_path: Path) -> None:
    path = write(tmp_path, PLAIN.strip().replace("\n", "\r").encode())
    table = read_table(path)
    assert table.header == ("order no", "what", "who", "on")
    assert [row[0] for _number, row in rows_of(path, table)] == ["A-1", "A-2"]


# The second is more than `csv` reads of one cell.
@pytest.mark.parametrize("behind", [1, 8_000])
def test_a_quotation_mark_that_is_never_closed_is_named(tmp_path: Path, behind: int) -> None:
    """Else all rows behind it would be a part of its cell, and nobody would miss them."""
    content = PLAIN + 'A-3,8,"cleo@example.com,04/03/2026\n'
    content += "A-4,7,dan@example.com,04/04/2026\n" * behind
    path = write(tmp_path, content.encode())
    with pytest.raises(DomainError) as refused:
        read_table(path)
    assert str(refused.value.message) == (
        "Row 4 has a quotation mark that is not closed. Close it, or export the file again if it "
        "was cut off there."
    )
