"""Using the embedded services: a lease keeps one running, taking it starts what is not."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded.account import EmbeddedError
from config.embedded.layout import Layout
from config.embedded.locks import is_locked, locked
from config.supervisor.children import open_log

SERVICES = ("postgres", "valkey")
PROJECT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 90.0
RECOVERING = "was not stopped properly and recovers what it had written; please wait …"


@dataclass(frozen=True)
class ServiceFiles:
    """The locks, the state and the log of one service."""

    layout: Layout
    service: str

    @property
    def lease(self) -> Path:
        """Locked, shared, by every process that uses the service."""
        return self.layout.locks / f"{self.service}.lease"

    @property
    def start(self) -> Path:
        """Locked by the process that is starting the keeper."""
        return self.layout.locks / f"{self.service}.start"

    @property
    def keeper(self) -> Path:
        """Locked by the keeper for as long as it lives."""
        return self.layout.locks / f"{self.service}.keeper"

    @property
    def state(self) -> Path:
        """What the keeper last said, as JSON."""
        return self.layout.locks / f"{self.service}.json"

    @property
    def log(self) -> Path:
        return self.layout.logs / f"{self.service}.log"

    def read_state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self.state.read_text())
        except FileNotFoundError:
            return {}
        return state


@contextmanager
def leased(
    layout: Layout, services: tuple[str, ...] = SERVICES, *, wait_for_stop: bool = False
) -> Iterator[None]:
    """Have the services running for the duration of the block, at least.

    They stop by themselves a moment after their last user; with `wait_for_stop`, the block ends
    only then, if this was the last.
    """
    launched: dict[str, subprocess.Popen[bytes] | None] = {}
    with ExitStack() as stack:
        for service in services:
            # Waits while a keeper is stopping the service, since that holds the lease for itself.
            stack.enter_context(locked(ServiceFiles(layout, service).lease, shared=True))
        launched |= {service: launch(ServiceFiles(layout, service)) for service in services}
        for service, keeper in launched.items():
            wait_until_ready(ServiceFiles(layout, service), keeper)
        yield
    for service, keeper in launched.items():
        if wait_for_stop and keeper is not None:
            wait_until_stopped(ServiceFiles(layout, service), keeper)


def launch(files: ServiceFiles) -> subprocess.Popen[bytes] | None:
    """Start a keeper for the service unless it has one."""
    with locked(files.start):
        if is_locked(files.keeper):
            return None
        files.state.unlink(missing_ok=True)
        with open_log(files.log) as log:
            keeper = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "config.embedded.keeper",
                    *keeper_arguments(files),
                ],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while keeper.poll() is None and not files.read_state():
            time.sleep(0.01)
        return keeper


def keeper_arguments(files: ServiceFiles) -> list[str]:
    return [str(files.layout.var), files.service]


def wait_until_ready(files: ServiceFiles, keeper: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + START_SECONDS
    told = False
    while True:
        state = files.read_state()
        if state.get("ready"):
            return
        if state.get("error"):
            raise EmbeddedError(state["error"])
        if state.get("recovering"):
            deadline = time.monotonic() + START_SECONDS
            if not told:
                told = True
                sys.stderr.write(f"{files.service} {RECOVERING}\n")
        gone = keeper.poll() is not None if keeper is not None else not is_locked(files.keeper)
        if gone or time.monotonic() > deadline:
            state = files.read_state()
            reason = state.get("error") or f"{files.service} does not start; see {files.log}"
            raise EmbeddedError(reason)
        time.sleep(0.02)


def wait_until_stopped(files: ServiceFiles, keeper: subprocess.Popen[bytes]) -> None:
    """Wait until the keeper has ended, unless it goes on for somebody else."""
    # The keeper is granted the lease at once when the last user lets go; these are milliseconds.
    time.sleep(0.1)
    while keeper.poll() is None:
        if not is_locked(files.lease, shared=True):
            return
        time.sleep(0.05)
