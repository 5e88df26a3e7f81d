"""The embedded services: shared by commands, outliving none of them, durable."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
import redis

from config.embedded import leased
from config.embedded.account import current_account
from config.embedded.keeper import Keeper
from config.embedded.layout import SOCKET_PATH_LIMIT, Layout, identity
from config.embedded.leases import ServiceFiles, wait_until_ready
from config.embedded.locks import is_locked
from config.embedded.postgres import Postgres, sync_method
from tests.chromium import PROJECT
from tests.processes import alive, eventually

HOLD = [sys.executable, "-m", "config.embedded"]


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = Layout.for_checkout(tmp_path / "var")
    yield layout
    for service in ("postgres", "valkey"):
        files = ServiceFiles(layout, service)
        assert eventually(lambda: not is_locked(files.keeper), 30)  # noqa: B023
    # As root they are outside the test's own folder.
    shutil.rmtree(layout.data)
    shutil.rmtree(layout.sockets, ignore_errors=True)


def hold(layout: Layout) -> subprocess.Popen[str]:
    """Another process that uses the services, like a command in another terminal."""
    process = subprocess.Popen(
        HOLD,
        cwd=PROJECT,
        env={**os.environ, "SETIA_VAR": str(layout.var)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Running")
    return process


def server_pid(layout: Layout, service: str) -> int:
    return int(ServiceFiles(layout, service).read_state()["pid"])


def test_they_serve_and_end_with_the_last_user(layout: Layout) -> None:
    with leased(layout):
        pids = [server_pid(layout, service) for service in ("postgres", "valkey")]
        with psycopg.connect(layout.database_url) as connection:
            row = connection.execute(
                "SELECT current_setting('fsync'), current_setting('synchronous_commit'),"
                " current_setting('listen_addresses'), 'ΚΑΛΗΜΕΡΑ' ILIKE 'καλημέρα',"
                " 'ΚΑΛΗ' ILIKE 'καλη', current_setting('recovery_init_sync_method')"
            ).fetchone()
            assert row == ("on", "on", "", False, True, sync_method())
            connection.execute("CREATE EXTENSION pg_trgm")
        assert redis.Redis.from_url(layout.cache_url).ping()
        assert all(alive(pid) for pid in pids)
    assert eventually(lambda: not any(alive(pid) for pid in pids), 30)


@pytest.mark.parametrize(
    ("platform", "release", "method"),
    [
        ("linux", "6.18.44-fc-v657", "syncfs"),
        ("linux", "5.8.0", "syncfs"),
        # It would not say that a file could not be written.
        ("linux", "5.7.19", "fsync"),
        ("linux", "4.18.0-553.el8", "fsync"),
        ("darwin", "24.1.0", "fsync"),
    ],
)
def test_files_of_a_server_that_crashed_are_written_at_once_where_the_system_tells_of_errors(
    platform: str, release: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr("os.uname", lambda: SimpleNamespace(release=release))
    assert sync_method() == method


def test_the_first_to_end_takes_nothing_from_the_others(layout: Layout) -> None:
    with hold(layout) as first:
        pid = server_pid(layout, "postgres")
        with hold(layout) as second:
            # Killed, not stopped: nothing is left to do for the one that goes.
            first.kill()
            first.wait()
            assert server_pid(layout, "postgres") == pid
            with leased(layout), psycopg.connect(layout.database_url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            assert alive(pid)
            second.terminate()
    assert eventually(lambda: not alive(pid), 30)


def test_a_server_that_crashes_comes_back_with_what_was_committed(layout: Layout) -> None:
    with leased(layout):
        pid = server_pid(layout, "postgres")
        with psycopg.connect(layout.database_url) as connection:
            connection.execute("CREATE TABLE points (n int)")
            connection.execute("INSERT INTO points VALUES (42)")
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: server_pid(layout, "postgres") not in {pid, 0}, 30)

        def points() -> bool:
            try:
                with psycopg.connect(layout.database_url) as connection:
                    return connection.execute("SELECT n FROM points").fetchone() == (42,)
            except psycopg.OperationalError:
                return False

        assert eventually(points, 30)
        assert "was killed by SIGKILL" in ServiceFiles(layout, "postgres").log.read_text()


def test_a_killed_keeper_leaves_no_server_and_the_next_user_starts_anew(layout: Layout) -> None:
    with leased(layout):
        pid = server_pid(layout, "postgres")
        os.kill(ServiceFiles(layout, "postgres").read_state()["keeper"], signal.SIGKILL)
        assert eventually(lambda: not alive(pid), 30)
        with leased(layout), psycopg.connect(layout.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            assert server_pid(layout, "postgres") != pid


def test_whoever_waits_for_a_stopping_service_sees_that_nobody_keeps_it(layout: Layout) -> None:
    """Otherwise it would wait for a server that does not come."""
    keeper = Keeper(layout, "valkey")
    layout.data.mkdir(parents=True, exist_ok=True)
    assert keeper.run() == 0  # it has no user
    assert is_locked(keeper.files.lease)
    assert not is_locked(keeper.files.keeper)


def test_a_recovery_that_takes_longer_than_a_start_is_waited_for(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout.locks.mkdir(parents=True)
    keeper = Keeper(layout, "postgres")
    keeper.start()
    try:
        with psycopg.connect(layout.database_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE points AS SELECT 42 AS n")
            # It recovers from an archive, and asks there in vain, and slowly, for each next file.
            connection.execute("ALTER SYSTEM SET restore_command = 'sleep 1; false'")
            connection.execute("ALTER SYSTEM SET hot_standby = off")
        keeper.stop()
        signal_file = layout.postgres_data / "recovery.signal"
        signal_file.touch()
        account = current_account()
        os.chown(signal_file, account.uid, account.gid)
        monkeypatch.setattr("config.embedded.keeper.START_SECONDS", 3.0)
        begun = time.monotonic()
        keeper.start()
        assert time.monotonic() - begun > 4.0
        with psycopg.connect(layout.database_url) as connection:
            assert connection.execute("SELECT n FROM points").fetchone() == (42,)
    finally:
        keeper.stop()


def test_users_of_a_recovering_server_wait_and_are_told(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = Keeper(layout, "valkey")
    layout.data.mkdir(parents=True, exist_ok=True)
    layout.locks.mkdir(parents=True)
    keeper.report(ready=False, recovering=True)
    monkeypatch.setattr("config.embedded.leases.START_SECONDS", 0.2)
    told: list[str] = []

    def recover() -> None:
        told.append("ready")
        keeper.report(ready=True)

    recovering = threading.Timer(0.6, recover)
    recovering.start()
    with subprocess.Popen(["sleep", "5"]) as process:
        wait_until_ready(keeper.files, process)
        process.kill()
    assert told == ["ready"]
    recovering.join()
    assert capsys.readouterr().err.count("recovers what it had written") == 1


def test_a_base_backup_can_be_taken(layout: Layout, tmp_path: Path) -> None:
    with leased(layout, ("postgres",)):
        programs = Postgres.installed(layout, current_account()).binaries
        command = [
            str(programs / "pg_basebackup"),
            "-h",
            str(layout.sockets),
            "-U",
            "setia",
            "-cfast",
        ]
        subprocess.run([*command, "-D", str(tmp_path / "base")], check=True, timeout=60)
    assert (tmp_path / "base" / "PG_VERSION").exists()


def test_a_deep_checkout_has_its_sockets_in_a_short_folder(tmp_path: Path) -> None:
    var = tmp_path / ("deep" * 20) / "var"
    layout = Layout.for_checkout(var)
    assert not layout.sockets.is_relative_to(var)
    assert len(bytes(layout.sockets / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT
    assert layout == Layout.for_checkout(var)
    assert identity(var) in layout.sockets.name


def test_two_checkouts_never_share_a_name(tmp_path: Path) -> None:
    assert identity(tmp_path / "one") != identity(tmp_path / "two")
    assert identity(tmp_path / "one") == identity(tmp_path / "one")
