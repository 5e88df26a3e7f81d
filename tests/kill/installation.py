"""A whole installation of its own, whose processes can be killed and started again.

PostgreSQL and Valkey are the embedded ones, with the configuration of `make run`; web server and
worker are started by the commands of `manage.py up`. Only the supervisor is missing: here the test
decides what dies and when it comes back.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from config.embedded.keeper import Keeper
from config.embedded.layout import Layout
from config.embedded.leases import SERVICES
from config.supervisor.children import Child, Program
from config.supervisor.stack import Address, Stack
from tests.processes import alive, eventually, free_port
from tests.serving import PROJECT

READY_SECONDS = 60.0


class Installation:
    """Its parts are `postgres`, `valkey`, `web` and `worker`; `do` has a step carried out in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layout = Layout.for_checkout(folder / "var")
        self.address = Address("127.0.0.1", free_port())
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
        self.web = self._child(stack.web_program())
        self.worker = self._child(stack.worker_program())
        self.after_start: dict[str, Callable[[], None]] = {}
        self.postgres, self.valkey = (self._service(name) for name in SERVICES)
        self.console: subprocess.Popen[str]
        self.secret = ""

    def start(self) -> None:
        for name, service in zip(SERVICES, (self.postgres, self.valkey), strict=True):
            start(service)
            self.after_start[name]()
        self.console = subprocess.Popen(
            [sys.executable, "-m", "tests.kill.console"],
            cwd=PROJECT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        # Beside each other: this takes longest.
        self.web.start()
        self.secret = self.do("prepare")
        wait_until_ready(self.web)
        start(self.worker)

    def stop(self) -> None:
        if hasattr(self, "console"):
            self.console.kill()
            self.console.communicate()
        for child in (self.web, self.worker, self.valkey, self.postgres):
            if child.running:
                kill(child)
        # As root they are outside the test's own folder.
        shutil.rmtree(self.layout.data, ignore_errors=True)
        shutil.rmtree(self.layout.sockets, ignore_errors=True)

    def do(self, step: str, **arguments: Any) -> Any:
        """Carry out a step of tests/kill/console.py in a process that nobody kills."""
        assert self.console.stdin is not None
        assert self.console.stdout is not None
        self.console.stdin.write(json.dumps([step, arguments]) + "\n")
        self.console.stdin.flush()
        answer = json.loads(self.console.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.layout.database_url) as connection:
            return connection.execute(statement, values).fetchall()

    def execute(self, statement: str, *values: Any) -> None:
        with psycopg.connect(self.layout.database_url) as connection:
            connection.execute(statement, values)

    def said(self, name: str) -> str:
        """The end of a part's log."""
        log = self.layout.logs / f"{name}.log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""

    def _child(self, program: Program) -> Child:
        log = self.layout.logs / f"{program.name}.log"
        return Child(replace(program, environment=self.environment, log=log))

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
