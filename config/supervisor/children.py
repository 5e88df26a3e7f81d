"""One child process: in a session of its own, restarted with back-off, stopped by signal."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypedDict

# Loaded beforehand: between fork and exec nothing may be imported.
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
LONGEST_LOG = 10_000_000
# A child that has run this long is healthy again: its next crash begins the back-off anew.
SETTLED_AFTER = 60.0


class RunAs(TypedDict, total=False):
    """Keyword arguments of `subprocess.Popen` that change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Program:
    """What to run, and how to ask it to stop."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path | None = None
    run_as: RunAs = field(default_factory=RunAs)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0
    ready: Callable[[], bool] = lambda: True

    @property
    def words(self) -> str:
        """Where to read what the program said."""
        return f"see {self.log}" if self.log is not None else "its words are above"


class Child:
    """A program that runs, or waits to be started again."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.crashes = 0
        self.restarts = 0
        self.start_again_at: float | None = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None else None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the program, in a session of its own so that Ctrl-C reaches only the supervisor."""
        self.start_again_at = None
        output = self._open_log()
        try:
            self.process = subprocess.Popen(
                self.program.command,
                cwd=self.program.folder,
                env=dict(self.program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output is not None else None,
                start_new_session=True,
                # One system call with everything loaded: safe even if the parent has threads.
                preexec_fn=self._die_with_parent,  # noqa: PLW1509
                **self.program.run_as,
            )
        finally:
            if output is not None:
                output.close()
        self.started_at = time.monotonic()

    def check(self) -> str | None:
        """Notice a crash, or start again when the delay is over; returns what there is to tell."""
        now = time.monotonic()
        if self.start_again_at is not None:
            if now < self.start_again_at:
                return None
            self.restarts += 1
            self.start()
            return f"{self.program.name} started again (process {self.pid})"
        if self.process is None or self.process.poll() is None:
            return None
        self._end_session(self.process.pid)
        if now - self.started_at > SETTLED_AFTER:
            self.crashes = 0
        delay = min(FIRST_DELAY * 2**self.crashes, LONGEST_DELAY)
        self.crashes += 1
        self.start_again_at = now + delay
        ended = how_it_ended(self.process.returncode)
        return (
            f"{self.program.name} {ended}; starting it again in {delay:g} s ({self.program.words})"
        )

    def wait_until_ready(self, seconds: float) -> bool:
        """Wait until the program is ready; false if it ended or the time is over."""
        deadline = time.monotonic() + seconds
        while self.running:
            if self.program.ready():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return False

    def ask_to_stop(self) -> None:
        self.start_again_at = None
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.program.stop_signal)

    def stop(self) -> bool:
        """Stop the program and whatever it left in its session; false if it had to be killed."""
        self.ask_to_stop()
        if self.process is None:
            return True
        try:
            self.process.wait(self.program.stop_seconds)
            clean = True
        except subprocess.TimeoutExpired:
            clean = False
        self._end_session(self.process.pid)
        self.process.wait()
        self.process = None
        return clean

    def _end_session(self, group: int) -> None:
        """End what the program left behind: a worker's processes survive its crash otherwise."""
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # nothing was left

    def _open_log(self) -> IO[bytes] | None:
        if self.program.log is None:
            return None
        return open_log(self.program.log)

    def _die_with_parent(self) -> None:
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, int(self.program.stop_signal))


def open_log(path: Path) -> IO[bytes]:
    """Open a log at its end; one that has grown long makes room first, and is kept beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LONGEST_LOG:
        path.replace(path.with_name(f"{path.name}.1"))
    return path.open("ab")


def how_it_ended(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
