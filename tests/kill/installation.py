"""A whole installation of its own, whose processes can be killed and started again.

PostgreSQL and Valkey are the embedded ones, with the configuration of `make run`; web server and
worker have the commands of `manage.py up`, and are forked from one process (`forks.py`). Only the
supervisor is missing: here the test decides what dies and when it comes back.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import psycopg

from config.embedded.keeper import Keeper
from config.embedded.layout import Layout
from config.embedded.leases import SERVICES
from config.supervisor.children import Child, Program
from config.supervisor.stack import Address, Stack
from tests.kill.forks import Forked, ForkedChild, Forks
from tests.processes import alive, eventually, free_port
from tests.serving import PROJECT

READY_SECONDS = 60.0


class Installation:
    """Its parts are `postgres`, `valkey`, `web` and `worker`; `do` has a step carried out in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layout = Layout.for_checkout(folder / "var")
        self.address = Address("127.0.0.1", free_port())
        self.mail_port, self.text_port = free_port(), free_port()
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SETIA_ENV": "development",
            "SETIA_VAR": str(self.layout.var),
            # Named, so that nothing embedded is started beside what the test starts and kills.
            "DATABASE_URL": self.layout.database_url,
            "REDIS_URL": self.layout.cache_url,
            "CELERY_BROKER_URL": self.layout.broker_url,
            "PORT": str(self.address.port),
            "API_REQUESTS_PER_MINUTE": "0",
            # Where a test listens, if it listens at all (`mail_server.py`, `texts.py`).
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail_port}",
            "DEFAULT_FROM_EMAIL": "",
            "SMS_URL": f"json://127.0.0.1:{self.text_port}/sms?:to={{to}}&rto=0.5",
        }
        stack = Stack(
            project=PROJECT,
            logs=self.layout.logs,
            mail=folder / "mail",
            web=self.address,
            devmail=Address("127.0.0.1", 0),
            reload=False,
            log_to_files=True,
        )
        self.forks = Forks(self.environment)
        self.web = self._child(stack.web_program())
        self.worker = self._child(stack.worker_program())
        self.after_start: dict[str, Callable[[], None]] = {}
        self.postgres, self.valkey = (self._service(name) for name in SERVICES)
        self.console: tuple[Forked, IO[str], IO[str]]
        self.connection: psycopg.Connection | None = None
        self.secret = ""

    def start(self) -> None:
        for name, service in zip(SERVICES, (self.postgres, self.valkey), strict=True):
            start(service)
            self.after_start[name]()
        self.console = self.forks.start_console([sys.executable, "-m", "tests.kill.console"])
        # Beside each other: this takes longest.
        self.web.start()
        self.secret = self.do("prepare")
        wait_until_ready(self.web)
        start(self.worker)

    def stop(self) -> None:
        for child in (self.web, self.worker, self.valkey, self.postgres):
            if child.running:
                kill(child)
        # The console reads its end.
        self.forks.stop()
        # As root they are outside the test's own folder.
        shutil.rmtree(self.layout.data, ignore_errors=True)
        shutil.rmtree(self.layout.sockets, ignore_errors=True)

    def do(self, step: str, **arguments: Any) -> Any:
        """Carry out a step of tests/kill/console.py in a process that nobody kills."""
        _process, asked, answered = self.console
        asked.write(json.dumps([step, arguments]) + "\n")
        answer = json.loads(answered.readline())
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._run(statement, values).fetchall()

    def execute(self, statement: str, *values: Any) -> None:
        self._run(statement, values)

    def _run(self, statement: str, values: tuple[Any, ...]) -> psycopg.Cursor[tuple[Any, ...]]:
        """On one connection for as long as the server lives; on another if it died meanwhile."""
        try:
            return self._connected().execute(statement, values)
        except psycopg.OperationalError:
            self.connection = None
            return self._connected().execute(statement, values)

    def _connected(self) -> psycopg.Connection:
        if self.connection is None:
            self.connection = psycopg.connect(self.layout.database_url, autocommit=True)
        return self.connection

    def said(self, name: str) -> str:
        """The end of a part's log."""
        log = self.layout.logs / f"{name}.log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""

    def _child(self, program: Program) -> Child:
        log = self.layout.logs / f"{program.name}.log"
        return ForkedChild(replace(program, environment=self.environment, log=log), self.forks)

    def _service(self, name: str) -> Child:
        program, self.after_start[name] = Keeper(self.layout, name).prepare()
        return Child(program)


def start(child: Child) -> float:
    """Start a part and wait until it is ready; returns how many seconds it took."""
    begun = time.monotonic()
    child.start()
    wait_until_ready(child)
    return time.monotonic() - begun


def wait_until_ready(child: Child) -> None:
    ready = child.wait_until_ready(READY_SECONDS)
    assert ready, f"{child.program.name} does not start; {child.program.words}"


def kill(child: Child) -> None:
    """kill -9 of a part with all its processes."""
    assert child.process is not None
    # PostgreSQL's processes have groups of their own. The parent first: it would replace them.
    pids = [child.process.pid, *descendants(child.process.pid)]
    for pid in pids:
        kill_process(pid)
    child.process.wait()
    assert eventually(lambda: not any(alive(pid) for pid in pids))


def kill_process(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it has just ended by itself


def descendants(pid: int) -> list[int]:
    """The processes below one, as they are now; nearest first."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            pass  # ended meanwhile
    found = [pid]
    for above in found:
        found += [child for child, parent in parents.items() if parent == above]
    return found[1:]
