"""ledger_report: what the books of a program say, for people and for programs."""

import csv
import io
import json

import pytest
from django.core.management import CommandError

from loyalty.ledger.reports import NAMES
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)


@pytest.fixture
def club(db):
    program = make_program(time_zone="America/New_York", unit={"decimals": 2, "pending_days": 3})
    record(order("A1", "1234.56"), order("B1", "10", buyer="c2"))
    give_back(refund(of="A1", total="34.56", at=day(5)))
    return program


def test_figures_for_programs(club, run):
    report = json.loads(run("ledger_report", "club", "--format", "json")[0])
    assert report["program"] == "club"
    figures = report["wallet_types"]["points"]
    assert tuple(figures) == NAMES
    assert (figures["accrued"], figures["clawed_back"]) == ("1244.56", "34.56")
    assert (figures["spendable"], figures["outstanding"]) == ("1210.00", "1210.00")


def test_figures_for_people(program, run):
    record(order(total="12345"))
    out, _err = run("ledger_report", "club")
    assert "Club as of" in out
    assert "accrued" in out
    assert "12,345" in out


@pytest.mark.parametrize(
    ("as_of", "pending", "clawed_back"),
    [
        ("2024-03-14", "0.00", "0.00"),
        ("2024-03-15", "1244.56", "0.00"),
        ("2024-03-20", "0.00", "34.56"),
    ],
)
def test_as_of_a_day_is_its_last_instant_in_the_programs_zone(
    club, run, as_of, pending, clawed_back
):
    # In New York it is still the 14th when this one comes.
    record(order("C1", "1", at=NOW.replace(hour=3), buyer="c3"), now=NOW)
    report = json.loads(run("ledger_report", "club", "--as-of", as_of, "--format", "json")[0])
    figures = report["wallet_types"]["points"]
    extra = {"2024-03-14": "1.00", "2024-03-15": "1245.56"}.get(as_of, pending)
    assert (figures["pending"], figures["clawed_back"]) == (extra, clawed_back)
    assert report["as_of"].startswith(f"{as_of}T23:59:59.999999-04:00")


def test_a_row_for_each_customer(club, run, tmp_path, capsys):
    path = tmp_path / "customers.csv"
    run("ledger_report", "club", "--customers", path)
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    assert [(row["customer_id"], row["accrued"], row["clawed_back"]) for row in rows] == [
        ("c1", "1234.56", "34.56"),
        ("c2", "10.00", "0.00"),
    ]
    run("ledger_report", "club", "--customers", "-")
    assert list(csv.DictReader(io.StringIO(capsys.readouterr().out))) == rows


def test_a_debt_is_told(program, run):
    wallet = make_wallet(program)
    record(order(total="10"))
    adjust(wallet, -10, "spend")
    give_back(refund(of="A1"))
    found = json.loads(run("ledger_report", "club", "--format", "json")[0])["wallet_types"][
        "points"
    ]
    assert (found["owed"], found["outstanding"], found["adjusted"]) == (10, 0, -10)


def test_an_unknown_program_and_a_wrong_date_are_refused(program, run):
    with pytest.raises(CommandError, match="no program 'klub'"):
        run("ledger_report", "klub")
    with pytest.raises(CommandError, match="is no date"):
        run("ledger_report", "club", "--as-of", "2024-02-30")
