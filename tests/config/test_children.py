"""One child process: crashes, back-off and a clean end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.supervisor import children
from config.supervisor.children import Child, Program
from config.supervisor.supervisor import Supervisor
from tests.chromium import PROJECT
from tests.processes import alive, eventually

SLEEP = "import time; time.sleep(60)"


def program(code: str, **options: Any) -> Program:
    return Program(
        name=options.pop("name", "child"),
        command=[sys.executable, "-c", code],
        environment=os.environ,
        folder=Path("/"),
        **options,
    )


@pytest.fixture
def started() -> Iterator[Callable[..., Child]]:
    running: list[Child] = []

    def start(code: str, **options: Any) -> Child:
        child = Child(program(code, **options))
        child.start()
        running.append(child)
        return child

    yield start
    for child in running:
        child.stop()


def test_a_crash_is_told_and_the_child_starts_again(
    started: Callable[..., Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "FIRST_DELAY", 0.05)
    child = started(SLEEP)
    first = child.pid
    assert child.check() is None
    os.kill(first or 0, signal.SIGKILL)
    assert eventually(lambda: not child.running)
    assert (child.check() or "").startswith("child was killed by SIGKILL; starting it again in")
    time.sleep(0.06)
    assert (child.check() or "").startswith("child started again")
    assert child.running
    assert child.pid != first
    assert child.restarts == 1


def test_each_crash_in_a_row_doubles_the_delay(
    started: Callable[..., Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(children, "LONGEST_DELAY", 0.04)
    child = started("raise SystemExit(3)")
    told = []
    while len(told) < 4:
        time.sleep(0.02)
        news = child.check() or ""
        if "ended with exit code 3" in news:
            told.append(news.partition("again in ")[2].split()[0])
    assert told == ["0.01", "0.02", "0.04", "0.04"]


def test_stopping_asks_first_and_takes_along_what_the_child_started(
    started: Callable[..., Child], tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    child = started(
        "import subprocess, sys, time, pathlib\n"
        f"grandchild = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\n"
        f"pathlib.Path({str(note)!r}).write_text(str(grandchild.pid))\n" + SLEEP
    )
    assert eventually(lambda: note.exists() and note.read_text() != "")
    grandchild = int(note.read_text())
    assert child.stop() is True
    assert not child.running
    assert eventually(lambda: not alive(grandchild))


def test_a_child_that_does_not_stop_is_killed(
    started: Callable[..., Child], tmp_path: Path
) -> None:
    note = tmp_path / "ready"
    child = started(
        "import signal, pathlib, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(note)!r}).touch()\n" + SLEEP,
        stop_seconds=0.2,
    )
    assert eventually(note.exists)
    assert child.stop() is False
    assert child.process is None


def test_children_do_not_outlive_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import os, pathlib, time\n"
        "from tests.config.test_children import SLEEP, Child, program\n"
        "child = Child(program(SLEEP)); child.start()\n"
        f"pathlib.Path({str(note)!r}).write_text(str(child.pid)); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT) as parent:
        assert eventually(lambda: note.exists() and note.read_text() != "")
        pid = int(note.read_text())
        assert alive(pid)
        parent.kill()
    assert eventually(lambda: not alive(pid))


def test_the_supervisor_stops_in_its_order(tmp_path: Path) -> None:
    note = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        f"    open({str(note)!r}, 'a').write(sys.argv[1] + ' '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"open({str(tmp_path)!r} + '/' + sys.argv[1], 'w').close()\n" + SLEEP
    )
    supervisor = Supervisor(lambda text: None, ("web", "beat", "worker"))
    for name in ("worker", "web", "beat"):
        ready = tmp_path / name
        base = program(code, name=name, ready=ready.exists)
        assert supervisor.start(Program(**{**base.__dict__, "command": [*base.command, name]}))
    supervisor.stop()
    assert note.read_text().split() == ["web", "beat", "worker"]


def test_a_program_that_ends_at_once_does_not_count_as_started() -> None:
    supervisor = Supervisor(lambda text: None, ())
    assert not supervisor.start(program("raise SystemExit(1)", ready=lambda: False))
    supervisor.stop()


def test_a_program_that_takes_long_is_waited_for_and_that_is_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("config.supervisor.supervisor.TOLD_AFTER", 0.0)
    told: list[str] = []
    supervisor = Supervisor(told.append, ())
    answers = iter([False, False, False])
    assert supervisor.start(program(SLEEP, name="web", ready=lambda: next(answers, True)))
    assert told == ["web takes long to start; it is waited for …"]
    supervisor.stop()


def test_a_job_that_ends_is_told_and_not_started_again() -> None:
    told: list[str] = []
    supervisor = Supervisor(told.append, ())
    supervisor.start_job(program("pass", name="demo"))
    job = supervisor.start_job(program("raise SystemExit(2)", name="other"))
    assert job.process is not None
    assert eventually(lambda: not job.running)

    def stop_once_told() -> str | None:
        if len(told) >= 2:
            supervisor.stopping.set()
        return None

    supervisor.watchers.append(stop_once_told)
    supervisor.watch()
    assert sorted(text.split()[0] for text in told) == ["demo", "other"]
    assert any("exit code 2" in text for text in told)
    assert supervisor.jobs == []


def test_a_long_log_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "LONGEST_LOG", 10)
    path = tmp_path / "log" / "web.log"
    for text in (b"first, and long enough\n", b"second\n", b"third\n"):
        with children.open_log(path) as log:
            log.write(text)
    assert path.read_bytes() == b"second\nthird\n"
    assert path.with_name("web.log.1").read_bytes() == b"first, and long enough\n"
