"""apply_program, export_program and verify_ledger."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from loyalty.ledger.checks import RULES
from loyalty.models import Program, Wallet
from tests.loyalty.factories import adjust, make_wallet, order, record, spendable

FILE = (
    "code: club\nname: Club\ncurrency: USD\nstatus: live\nwallet_types: [{}]\nearning_rules: [{}]\n"
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "club.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_applying_creates_and_applying_again_says_unchanged(db, run, file):
    assert "Program club changed." in run("apply_program", file)[0]
    assert run("apply_program", file)[0] == "Program club unchanged.\n"
    record(order())
    assert spendable() == 10


def test_what_was_exported_applies_as_unchanged(db, run, file, tmp_path):
    run("apply_program", file)
    copy = tmp_path / "copy.yaml"
    run("export_program", "club", "--output", copy)
    assert run("export_program", "club")[0] == copy.read_text(encoding="utf-8")
    assert run("apply_program", copy)[0] == "Program club unchanged.\n"


def test_a_program_comes_from_standard_input_too(db, run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(FILE))
    assert "Program club changed." in run("apply_program", "-")[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("USD", "usd"), "line 3, currency: "),
        (("name: Club", "name: [Club"), "line 3"),
        (("wallet_types: [{}]", "wallet_types: []"), "line 5, wallet_types: "),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_field(db, run, file, change, said):
    file.write_text(FILE.replace(*change))
    with pytest.raises(CommandError, match=said):
        run("apply_program", file)
    assert not Program.objects.exists()


def test_a_change_of_the_past_is_refused_by_its_field(db, run, file):
    run("apply_program", file)
    record(order())
    file.write_text(FILE.replace("USD", "EUR"))
    with pytest.raises(CommandError, match="currency: "):
        run("apply_program", file)


def test_files_and_programs_that_are_not_there_are_said_to_be(db, run, tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        run("apply_program", tmp_path / "nothing.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(CommandError, match="cannot be read"):
        run("apply_program", tmp_path / "latin.yaml")
    with pytest.raises(CommandError, match="no program 'club'"):
        run("export_program", "club")


def test_a_coherent_ledger_is_verified(program, run):
    adjust(make_wallet(program), 10, "k1")
    assert f"{len(RULES) + 1} checks passed" in run("verify_ledger")[0]


@pytest.mark.parametrize(
    ("bend", "straighten"),
    [
        ("loyalty_lot SET remaining = 7", "loyalty_lot SET remaining = 10"),
        ("loyalty_lot SET granted = 12", "loyalty_lot SET granted = 10"),
        ("loyalty_transfer SET amount = 9", "loyalty_transfer SET amount = 10"),
        ("loyalty_wallet SET owed = 1", "loyalty_wallet SET owed = 0"),
    ],
)
def test_a_bent_figure_fails_the_command(program, run, bend, straighten):
    adjust(make_wallet(program), 10, "k1")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"UPDATE {bend}")
    with pytest.raises(CommandError, match=f"of {len(RULES) + 1} checks failed"):
        run("verify_ledger")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {straighten}")
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_what_is_not_true_is_said_row_by_row(program):
    wallet = make_wallet(program)
    adjust(wallet, 10, "k1")
    Wallet.objects.update(balance=9)
    said = io.StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("verify_ledger", stderr=said)
    assert failed.value.returncode == 1
    assert f"wallet {wallet.pk}: 10 expected, 9 found" in said.getvalue()
    Wallet.objects.update(balance=10)


def test_a_dry_run_says_what_it_would_change_and_changes_nothing(db, run, file):
    said = run("apply_program", file, "--dry-run")[0]
    assert said.endswith("Program club would be changed.\n")
    assert not Program.objects.exists()
    run("apply_program", file)
    assert run("apply_program", file, "--dry-run")[0] == "Program club unchanged.\n"
