"""`manage.py up`, as somebody at a terminal meets it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from config.embedded.layout import Layout
from config.embedded.leases import ServiceFiles
from config.embedded.locks import is_locked
from config.management.commands.up import Command
from tests.chromium import PROJECT
from tests.processes import alive, eventually, free_port

UP = [sys.executable, "manage.py", "up"]


class Installation:
    """A var folder of its own, and ports nobody uses."""

    def __init__(self, var: Path) -> None:
        self.layout = Layout.for_checkout(var)
        self.port = free_port()
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SETIA_ENV": "development",
            "SETIA_VAR": str(var),
            "PORT": str(self.port),
            "DEVMAIL_PORT": str(free_port()),
            "DEMO": "0",
            "METRICS_TOKEN": "measured",
        }
        self.lines: list[str] = []

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[str]]:
        """It runs; if the test fails it is stopped, rather than waited for."""
        process = self.start()
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(60)

    def start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            UP,
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self.listen, args=(process,), daemon=True).start()
        return process

    def listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.lines.extend(line.rstrip() for line in process.stdout)

    def said(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def pids(self) -> dict[str, int]:
        found = (re.match(r"  (\w+) +\S.* process (\d+)$", line) for line in self.lines)
        return {match[1]: int(match[2]) for match in found if match}


def has_loaded(pid: int, library: str) -> bool:
    return library in Path(f"/proc/{pid}/maps").read_text()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path / "var")
    yield installation
    for service in ("postgres", "valkey"):
        files = ServiceFiles(installation.layout, service)
        assert eventually(lambda: not is_locked(files.keeper), 30)  # noqa: B023
    shutil.rmtree(installation.layout.data, ignore_errors=True)
    shutil.rmtree(installation.layout.sockets, ignore_errors=True)


@pytest.fixture
def refusal(
    installation: Installation,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[int], str]:
    """What a run on a port says that must not start."""

    def run(port: int) -> str:
        settings.EMBEDDED = installation.layout
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(SystemExit) as ended:
            Command().run_from_argv(UP[1:])
        assert ended.value.code == 1
        return capsys.readouterr().err

    return run


# All tables are made and everything is started: a minute or two beside other tests.
@pytest.mark.long
@pytest.mark.timeout(480)
def test_it_starts_serves_restarts_what_crashes_and_stops_everything(
    installation: Installation, refusal: Callable[[int], str]
) -> None:
    with installation.started() as process:
        assert eventually(
            lambda: installation.said("Ctrl-C stops") or process.poll() is not None, 300
        )
        assert process.poll() is None, installation.lines
        pids = installation.pids()
        assert set(pids) == {"postgres", "valkey", "web", "devmail", "worker", "beat"}
        assert all(alive(pid) for pid in pids.values())
        # The web server's processes are forked from one that has loaded what they need; the
        # schedule's knows tasks by name only.
        assert has_loaded(pids["web"], "pydantic_core")
        assert eventually(lambda: has_loaded(pids["beat"], "psycopg"))
        assert not has_loaded(pids["beat"], "pydantic_core")
        # There is nobody yet: whoever reads this makes the first administrator.
        assert installation.said(f":{installation.port}/begin/"), installation.lines
        url = f"http://127.0.0.1:{installation.port}/readyz"
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert answer.status == 200
        # The two web processes count together, whichever is asked.
        asked = f"http://127.0.0.1:{installation.port}/accounts/login/"
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert answer.status == 200
        measured = urllib.request.Request(
            f"http://127.0.0.1:{installation.port}/metrics",
            headers={"Authorization": "Bearer measured"},
        )
        for _number in range(4):
            with urllib.request.urlopen(measured, timeout=10) as answer:
                text = answer.read().decode()
            assert "setia_outbox_waiting 0.0" in text
            counted = r'^setia_http_request_seconds_count\{.*route="/accounts/login/".*\} 1'
            assert re.search(counted, text, re.MULTILINE), text

        refused = refusal(free_port())
        assert f"already running from this folder (process {process.pid})" in refused
        assert all(alive(pid) for pid in pids.values())

        os.kill(pids["devmail"], signal.SIGKILL)
        assert eventually(lambda: installation.said("devmail was killed by SIGKILL"))
        assert eventually(lambda: installation.said("devmail started again"))

        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert installation.said("Stopped.")
    assert not installation.said("Traceback")
    assert eventually(lambda: not any(alive(pid) for pid in pids.values()), 30)


def test_a_port_in_use_is_named_and_nothing_is_started(
    installation: Installation, refusal: Callable[[int], str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = refusal(port)
    assert f"Port {port} on 127.0.0.1 is taken" in refused
    assert not ServiceFiles(installation.layout, "postgres").log.exists()


@pytest.mark.parametrize("port", ["http", "0", "70000"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(CommandError, match="PORT must be"):
        Command().build_stack(("web",))
