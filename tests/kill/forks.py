"""Processes of an installation, forked from one that has Django loaded and no connections open:
starting Python and Django anew takes a second and more of a processor, and they are killed often.

`Forks` is how a test has them; `python -m tests.kill.forks SOCKET` is the process they are forked
from. What a program would be as `python -m MODULE ARGUMENTS` it is here: a process in a session of
its own, with the same module as its main one.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import IO, cast

import django
from django.db import connections

from config.supervisor.children import LIBC, PR_SET_PDEATHSIG, Child, Program
from tests.processes import alive, eventually
from tests.serving import PROJECT

# What the web server, the worker and the console would load after Django.
LOADED = (
    "celery.apps.worker", "celery.bin.worker", "celery.concurrency.prefork", "celery.worker.worker",
    "config.simulation.run", "config.web", "config.wsgi", "granian.server",
    "kombu.transport.redis", "tests.kill.console", "tests.kill.sender",
)  # fmt: skip
LONGEST_ORDER = 100_000


class Forked:
    """One of its processes, spoken to as to a `subprocess.Popen`."""

    def __init__(self, forks: Forks, pid: int) -> None:
        self.forks = forks
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and not alive(self.pid):
            self.returncode = self.forks.ask("wait", self.pid)
        return self.returncode

    def wait(self, timeout: float = 60.0) -> int:
        if not eventually(lambda: self.poll() is not None, timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, sent: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, sent)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forks:
    """Has processes forked; with the last of it they end, too."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kill.forks", str(theirs.fileno())],
                cwd=PROJECT, env=dict(environment), pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def start(self, command: list[str], output: IO[bytes] | None = None) -> Forked:
        """Start what the command would; what it says goes to a file."""
        said = {} if output is None else dict.fromkeys((1, 2), output.fileno())
        return self._fork(command, said)

    def start_console(self, command: list[str]) -> tuple[Forked, IO[str], IO[str]]:
        """The same with whom one speaks: what it reads, and what it answers."""
        reads, asked = os.pipe()
        answered, writes = os.pipe()
        process = self._fork(command, {0: reads, 1: writes})
        os.close(reads)
        os.close(writes)
        return process, os.fdopen(asked, "w", buffering=1), os.fdopen(answered)

    def _fork(self, command: list[str], files: dict[int, int]) -> Forked:
        return Forked(self, self.ask("start", command, list(files), files=files.values()))

    def ask(self, *order: object, files: Iterable[int] = ()) -> int:
        socket.send_fds(self._socket, [json.dumps(order).encode()], list(files))
        answer = self._socket.recv(LONGEST_ORDER)
        assert answer, "the process that forks is gone"
        return int(answer)

    def stop(self) -> None:
        self._socket.close()
        self._process.wait()


class ForkedChild(Child):
    """A program of an installation, forked instead of started."""

    def __init__(self, program: Program, forks: Forks) -> None:
        super().__init__(program)
        self.forks = forks

    def start(self) -> None:
        output = self._open_log()
        assert output is not None
        with output:
            forked = self.forks.start(self.program.command, output)
        self.process = cast(subprocess.Popen[bytes], forked)


# --- in the process that they are forked from -----------------------------------------------------


def serve(orders: socket.socket) -> None:
    """Carry out orders until nobody is there to give one."""
    while True:
        told, files, _flags, _address = socket.recv_fds(orders, LONGEST_ORDER, 2)
        if not told:
            return
        match json.loads(told):
            case ["start", command, places]:
                pid = os.fork()
                if not pid:
                    orders.close()
                    become(command, dict(zip(places, files, strict=True)))
                answer = pid
            case ["wait", pid]:
                answer = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        for file in files:
            os.close(file)
        orders.send(str(answer).encode())


def become(command: list[str], files: dict[int, int]) -> None:
    """What the child does; it never returns to what the parent does."""
    status = 1
    try:
        os.setsid()
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for place, file in files.items():
            os.dup2(file, place)
            os.close(file)
        _python, _option, module, *arguments = command
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def load() -> None:
    for name in LOADED:
        import_module(name)
    from campaigns.provider_urls import provider_for

    # All who hand over text messages are loaded with the first of them.
    assert provider_for("json://127.0.0.1/", "+15005550006")


def tell_soon() -> None:
    """Workers say so often how far they are, and expire so few lots at once, that short work can be
    killed in its middle."""
    from loyalty.services import expiry
    from members.services import jobs

    jobs.WRITTEN_EVERY = 0.02
    expiry.LOTS = 500


def main() -> None:
    django.setup()
    load()
    tell_soon()
    assert not any(one.connection for one in connections.all(initialized_only=True))
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        serve(orders)


if __name__ == "__main__":
    main()
