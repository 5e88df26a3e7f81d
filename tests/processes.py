"""Processes of their own on the database of the running test, to be killed."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO

from django.db import connections

from config.celery import app


class Started:
    """A process that was forked from the test's."""

    def __init__(self, pid: int, said: IO[bytes]) -> None:
        self.pid = pid
        self.said = said
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def kill(self) -> None:
        """It and whatever it has started, if it has not ended yet; returns once it is over."""
        if self.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        assert eventually(lambda: self.poll() is not None)

    def words(self) -> str:
        """What it has said."""
        self.said.seek(0)
        return self.said.read().decode(errors="replace")


def start_process(work: Callable[[], object], *, queue: str = "") -> Started:
    """Do some work in a process of its own, which has connections of its own. With a queue, tasks
    go to workers that share it."""
    # One that both have would be closed for both by the first to end.
    connections.close_all()
    said = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the process)
    pid = os.fork()
    if pid:
        # It may be killed at once, with its group.
        os.setpgid(pid, pid)
        return Started(pid, said)
    status = 1
    try:
        os.setpgid(0, 0)
        # What is there already is looked through for garbage by nobody.
        gc.freeze()
        for place in (1, 2):
            os.dup2(said.fileno(), place)
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        if queue:
            app.conf.update(
                task_always_eager=False, broker_transport_options={"global_keyprefix": queue}
            )
        work()
        status = 0
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def wait_for(condition: Callable[[], bool], process: Started) -> None:
    """Wait until something holds, while the process lives."""
    deadline = time.monotonic() + 60
    while not condition():
        if process.poll() is not None and not condition():
            raise AssertionError(f"it ended too early: {process.words()}")
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        with Path(f"/proc/{pid}/stat").open() as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
