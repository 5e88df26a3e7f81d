"""Backups hold what they say, and a rehearsal finds every way in which they would not restore."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from config.backups import BackupError, server
from config.backups.backup import Backup, list_backups, make_backup, note_of, sha256_of
from config.backups.rehearsal import (
    KIND,
    SUFFIX,
    rehearsal_words,
    restore_option,
    start_rehearsal,
)
from config.backups.server import Server, find_programs
from config.embedded.locks import locked
from loyalty.models import Wallet
from members.models import Customer, Job
from members.services.job_runs import resume_stale_jobs
from tests.loyalty.factories import make_program, order, record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def backups(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "backups"


@pytest.fixture
def shop() -> Iterator[None]:
    """A program with two orders, and no scratch database left behind at the end."""
    make_program()
    record(order("A1", "10"), order("A2", "7", buyer="c2"))
    yield
    assert not scratch_exists()


# The dump and its note, of a process that made them.
KEPT: dict[str, bytes] = {}


@pytest.fixture
def backup(shop: None, backups: Path) -> Backup:
    """One of the shop, dumped once for all tests: its file is this test's own."""
    path = backups / "setia-20260101T000000Z.dump"
    if not KEPT:
        made, _ = make_backup(path)
        KEPT.update(dump=path.read_bytes(), note=note_of(path).read_bytes())
        return made
    backups.mkdir(exist_ok=True)
    path.write_bytes(KEPT["dump"])
    note_of(path).write_bytes(KEPT["note"])
    return Backup.read(path)


def scratch_exists() -> bool:
    with connection.cursor() as cursor:
        # That of this database only: another test process rehearses in its own.
        cursor.execute(
            "SELECT 1 FROM pg_database WHERE datname = current_database() || %s", [SUFFIX]
        )
        return cursor.fetchone() is not None


def rehearse(*arguments: str) -> str:
    out = StringIO()
    call_command("rehearse_restore", *arguments, stdout=out)
    return out.getvalue()


def test_a_backup_is_whole_private_and_says_what_it_holds(shop: None, backups: Path) -> None:
    out = StringIO()
    call_command("backup", stdout=out)
    (path,) = list_backups()
    assert sorted(each.name for each in backups.iterdir()) == [
        ".lock",
        path.name,
        f"{path.name}.json",
    ]
    backup = Backup.read(path)
    backup.check()
    assert backup.figures.rows["loyalty_order"] == 2
    assert backup.figures.totals["club"]["points"]["accrued"] == 17
    assert f"{path}: " in out.getvalue()
    assert backup.sha256 in out.getvalue()
    for each in (path, note_of(path)):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    assert stat.S_IMODE(backups.stat().st_mode) == 0o700


def test_the_newest_backups_are_kept_and_nothing_that_is_half_written(backups: Path) -> None:
    backups.mkdir()
    for year in ("2021", "2022", "2023"):
        (backups / f"setia-{year}0101T000000Z.dump").touch()
        (backups / f"setia-{year}0101T000000Z.dump.json").touch()
    (backups / "notes.txt").touch()
    # What a killed backup left.
    (backups / "setia-20240101T000000Z.dump.partial").touch()
    out = StringIO()
    call_command("backup", "--keep", "2", stdout=out)
    assert [path.name[6:10] for path in list_backups()[1:]] == ["2023"]
    assert not list(backups.glob("*.partial"))
    assert len(list(backups.glob("*.json"))) == 2
    assert (backups / "notes.txt").exists()
    assert "Removed setia-20210101T000000Z.dump" in out.getvalue()


def test_a_named_file_removes_nothing(backups: Path, tmp_path: Path) -> None:
    call_command("backup", "--to", str(tmp_path / "else" / "where.dump"), stdout=StringIO())
    assert Backup.read(tmp_path / "else" / "where.dump").bytes > 1000
    assert not list_backups()


def test_a_dump_that_fails_leaves_the_older_one(
    backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups.mkdir()
    for name in (".lock", "setia-20210101T000000Z.dump", "setia-20210101T000000Z.dump.json"):
        (backups / name).touch()
    before = sorted(backups.iterdir())
    real = find_programs(0)
    broken = tmp_path / "bin"
    broken.mkdir()
    # It comes as far as one table.
    dump = f'"{real.folder}/pg_dump" "$@" --table=django_migrations'
    script = f"#!/bin/sh\n{dump} && echo the disk is full >&2 && exit 1\n"
    (broken / "pg_dump").write_text(script)
    (broken / "pg_dump").chmod(0o700)
    monkeypatch.setattr(server, "find_programs", lambda _: server.Programs(broken, 18))
    with pytest.raises(CommandError, match="pg_dump failed: the disk is full"):
        call_command("backup")
    assert sorted(backups.iterdir()) == before


def test_there_is_one_backup_at_a_time(backups: Path) -> None:
    with locked(backups / ".lock"), pytest.raises(CommandError, match="being made right now"):
        call_command("backup")


def test_a_rehearsal_restores_verifies_and_is_seen_by_staff(shop: None, backups: Path) -> None:
    configured = Server.configured()
    with configured.connect() as other:
        # As a killed rehearsal leaves it.
        other.execute(f'CREATE DATABASE "{configured.database}{SUFFIX}"')
        assert scratch_exists()
        said = rehearse()
    job = Job.objects.get(kind=KIND)
    assert (job.state, job.done, job.total) == (Job.State.SUCCEEDED, 5, 5)
    assert job.log_lines.filter(text__startswith="The ledger is coherent there").exists()
    assert "rows of" in rehearsal_words(job)
    assert "The ledger is coherent there" in said
    assert "The backup can be restored" in said
    # The original stays as it was.
    assert Customer.objects.count() == 2
    assert connection.settings_dict["NAME"] == configured.database
    # Made because there was none.
    (path,) = list_backups()
    assert job.params["file"] == str(path)
    # Rehearsing it again is a new job.
    assert start_rehearsal(Backup.read(path)) != job


def test_the_newest_backup_is_rehearsed_or_the_one_that_is_named_or_a_fresh_one(
    backup: Backup,
) -> None:
    older = backup.path.with_name("setia-20220101T000000Z.dump")
    older.write_bytes(backup.path.read_bytes())
    note_of(older).write_bytes(note_of(backup.path).read_bytes())
    # Each ends early, and says which it was.
    for path in (backup.path, older):
        change(path, sha256=path.name)
    for arguments, path in (([], backup.path), ([str(older)], older)):
        with pytest.raises(CommandError, match=f"{path} is damaged"):
            rehearse(*arguments)
    assert list_backups() == [backup.path, older]
    with nobody_else_may_rehearse(), pytest.raises(CommandError, match="Another rehearsal is"):
        rehearse("--fresh")
    [fresh, *others] = list_backups()
    assert others == [backup.path, older]
    assert Job.objects.filter(kind=KIND, params__file=str(fresh)).exists()


@contextmanager
def nobody_else_may_rehearse() -> Iterator[None]:
    """As while a rehearsal is under way: what it holds is held."""
    configured = Server.configured()
    with configured.connect() as other:
        other.execute("SELECT pg_advisory_lock(hashtext(%s))", [configured.database + SUFFIX])
        yield


def test_a_backup_of_an_older_version_is_brought_up_to_date_by_the_worker_that_takes_over(
    shop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was written during the dump is neither in it nor in its figures."""
    real = Server.run

    def run(self: Server, program: str, *arguments: str, **options: Any) -> None:
        if program == "pg_dump":
            with self.connect() as other:
                other.execute("INSERT INTO django_migrations VALUES (9999, 'shop', '1', now())")
        real(self, program, *arguments, **options)

    # The last one of its application; it changes nothing in the database.
    last = "0003_logentry_add_action_flag_choices"
    rename = "UPDATE django_migrations SET app = '{}' WHERE name = '" + last + "'"
    monkeypatch.setattr(Server, "run", run)
    # Of an application that is not installed, so that it counts as never applied.
    with history(rename.format("gone"), rename.format("admin")):
        backup, _ = make_backup()
    monkeypatch.undo()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE id = 9999 RETURNING id")
        assert cursor.fetchone() == (9999,)

    job = start_rehearsal(backup)
    silent = timezone.now() - timedelta(hours=1)
    Job.objects.update(state=Job.State.RUNNING, started_at=silent, heartbeat_at=silent)
    assert resume_stale_jobs(now=timezone.now()) == 1
    job.refresh_from_db()
    assert (job.state, job.done) == (Job.State.SUCCEEDED, 5)
    migrated = "1 migration that came later was applied there"
    assert job.log_lines.filter(text__startswith=migrated).exists()


def failure(path: Path) -> str:
    """What a rehearsal that must fail says; staff see the same."""
    with pytest.raises(CommandError) as caught:
        rehearse(str(path))
    job = Job.objects.get(kind=KIND)
    assert job.state == Job.State.FAILED
    assert str(caught.value) in job.error
    return str(caught.value)


def test_a_damaged_file_is_found(backup: Backup) -> None:
    content = bytearray(backup.path.read_bytes())
    content[len(content) // 2] ^= 1
    backup.path.write_bytes(content)
    assert "is damaged" in failure(backup.path)


def test_a_file_that_cannot_be_restored_is_found(backup: Backup) -> None:
    """The checksum is that of the file, but the dump was cut off."""
    content = backup.path.read_bytes()[:5000]
    backup.path.write_bytes(content)
    change(backup.path, sha256=sha256_of(backup.path))
    assert "pg_restore failed" in failure(backup.path)


def test_missing_rows_and_units_are_found(backup: Backup) -> None:
    figures = json.loads(note_of(backup.path).read_text())["figures"]
    figures["rows"]["loyalty_order"] = 3
    figures["totals"]["club"]["points"]["accrued"] = 18
    change(backup.path, figures=figures)
    said = failure(backup.path)
    assert "rows of loyalty_order: 3 expected, 2 found" in said
    assert "club, points, accrued: 18 expected, 17 found" in said


def test_books_that_do_not_agree_are_found(shop: None) -> None:
    Wallet.objects.filter(balance=10).update(balance=11)
    backup, _ = make_backup()
    Wallet.objects.filter(balance=11).update(balance=10)
    assert "a wallet's stored balance is what its lots give" in failure(backup.path)


@contextmanager
def history(change: str, undo: str) -> Iterator[None]:
    """Another history of migrations within the block."""
    with connection.cursor() as cursor:
        cursor.execute(change)
        try:
            yield
        finally:
            cursor.execute(undo)


def test_a_backup_of_a_newer_version_is_refused(shop: None) -> None:
    later = "INSERT INTO django_migrations VALUES (9999, 'loyalty', '9_new', now())"
    with history(later, "DELETE FROM django_migrations WHERE id = 9999"):
        backup, _ = make_backup()
    assert "A newer version of Setia made it:\n  loyalty.9_new" in failure(backup.path)


def test_a_file_without_its_figures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "some.dump").touch()
    with pytest.raises(CommandError, match="says what the dump must hold"):
        rehearse(str(tmp_path / "some.dump"))
    with pytest.raises(CommandError, match="There is no file"):
        rehearse(str(tmp_path / "other.dump"))


def test_a_canceled_rehearsal_ends_and_cleans_up(
    backup: Backup, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Server.run

    def run(self: Server, program: str, *arguments: str, **options: Any) -> None:
        if program == "pg_restore":
            Job.objects.filter(kind=KIND).update(cancel_requested=True)
        real(self, program, *arguments, **options)

    monkeypatch.setattr(Server, "run", run)
    monkeypatch.setattr(server, "LOOK_EVERY", 0.01)
    with pytest.raises(CommandError, match="canceled"):
        rehearse()
    assert Job.objects.get(kind=KIND).state == Job.State.CANCELED


def test_programs_older_than_the_server_are_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 14.2'\n")
    (tmp_path / "pg_dump").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/shop")
    assert find_programs(14).folder == tmp_path
    # The wheel's are newer, and a program nearest to the server's version is taken.
    assert find_programs(15).version == 18
    with pytest.raises(BackupError) as caught:
        find_programs(99)
    assert f"14 in {tmp_path}" in str(caught.value)
    assert "Install the client programs of PostgreSQL 99" in str(caught.value)


def test_a_restore_that_the_server_would_not_understand_is_refused() -> None:
    configured = Server.configured()
    older = Server(configured.parameters, "", 15, configured.programs)
    with pytest.raises(BackupError, match="does not restore into PostgreSQL 15"):
        older.check_restore()
    configured.check_restore()


@pytest.mark.parametrize(
    ("size", "version", "option"),
    [
        (5_000_000, 18, "--transaction-size=500"),
        (5_000_000_000, 18, "--jobs=2"),
        (5_000_000, 16, "--jobs=2"),
    ],
)
def test_a_large_dump_is_restored_by_several_processes(
    size: int, version: int, option: str
) -> None:
    assert restore_option(size, version) == option


def test_the_password_is_not_among_the_arguments() -> None:
    configured = Server.configured()
    secret = Server(configured.parameters, "sesame", 18, configured.programs)
    assert "sesame" not in secret.address()
    assert psycopg.conninfo.conninfo_to_dict(secret.address("other"))["dbname"] == "other"
    assert secret._environment()["PGPASSWORD"] == "sesame"


def change(path: Path, **values: Any) -> None:
    """Rewrite what the file beside a dump says."""
    noted = json.loads(note_of(path).read_text()) | values
    note_of(path).write_text(json.dumps(noted))
