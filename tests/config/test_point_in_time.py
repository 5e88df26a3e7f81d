"""The steps of docs/operations.md by which the embedded database goes back to a moment."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.embedded.account import current_account
from config.embedded.keeper import Keeper
from config.embedded.layout import Layout
from config.embedded.postgres import Postgres
from tests.processes import eventually


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    layout = Layout.for_checkout(tmp_path / "var")
    layout.locks.mkdir(parents=True)
    keeper = Keeper(layout, "postgres")
    yield keeper
    keeper.stop()
    for folder in (layout.data, layout.sockets):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def archive(keeper: Keeper) -> Path:
    """A folder beside the data that the server's account may write into."""
    keeper.layout.data.mkdir(parents=True, exist_ok=True)
    return current_account().own_folder(keeper.layout.data / "archive")


def do(keeper: Keeper, *statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(keeper.layout.database_url, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def base_backup(layout: Layout, target: Path) -> None:
    programs = Postgres.installed(layout, current_account()).binaries
    where = ["-h", str(layout.sockets), "-U", "setia", "-D", str(target), "--checkpoint=fast"]
    subprocess.run([str(programs / "pg_basebackup"), *where], check=True, timeout=60)


def restore(layout: Layout, base: Path, archive: Path, moment: object) -> None:
    """Put the base backup in the place of the data, to be brought up to the moment."""
    data = layout.postgres_data
    data.rename(data.with_name("before"))
    shutil.copytree(base, data)
    with (data / "postgresql.auto.conf").open("a") as configuration:
        configuration.write(f"restore_command = 'cp {archive}/%f %p'\n")
        configuration.write(f"recovery_target_time = '{moment}'\n")
        configuration.write("recovery_target_action = promote\nhot_standby = off\n")
    (data / "recovery.signal").touch()
    account = current_account()
    data.chmod(0o700)
    for path in [data, *data.rglob("*")]:
        os.chown(path, account.uid, account.gid)


def test_the_database_goes_back_to_a_moment(keeper: Keeper, archive: Path, tmp_path: Path) -> None:
    layout = keeper.layout
    keeper.start()
    command = f"test ! -f {archive}/%f && cp %p {archive}/%f"
    do(
        keeper,
        "ALTER SYSTEM SET archive_mode = on",
        f"ALTER SYSTEM SET archive_command = '{command}'",
        "CREATE TABLE points (n int)",
    )
    keeper.stop()
    keeper.start()
    base_backup(layout, tmp_path / "base")
    do(keeper, "INSERT INTO points VALUES (1)")
    [(moment,)] = do(keeper, "SELECT clock_timestamp()")
    do(keeper, "INSERT INTO points VALUES (2)")
    [(segment,)] = do(keeper, "SELECT pg_walfile_name(pg_switch_wal())")
    assert eventually((archive / str(segment)).exists, 30)
    keeper.stop()

    restore(layout, tmp_path / "base", archive, moment)
    keeper.start()
    assert do(keeper, "SELECT n FROM points") == [(1,)]
    do(keeper, "INSERT INTO points VALUES (3)")
