"""Starting, watching and killing what tests/kill/sender.py makes."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import IO

from tests.kill.installation import Installation
from tests.serving import PROJECT

LONGEST_WAIT = 30.0
# Of one that has begun and goes on with nothing more: it waits until the mail server is back.
IDLE = 2.5


class Senders:
    """One sender after the other, in an installation and with what is set beside it."""

    def __init__(self, installation: Installation, **settings: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.kill.sender"], cwd=PROJECT, bufsize=0,
            env={**installation.environment, **settings},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.pid = 0

    def __enter__(self) -> Senders:
        assert self._line() == ["ready"]
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self.running:
            self._kill()
        self.process.kill()
        self.process.communicate()

    def start(self, *arguments: str) -> None:
        """The one before must be over."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(arguments).encode() + b"\n")
        word, pid = self._line()
        assert word == "started"
        self.pid = int(pid)

    @property
    def running(self) -> bool:
        return self.pid != 0 and not self._said_something(0)

    def to_the_end(self, *arguments: str, seconds: float = 900) -> None:
        """Run one that stops by itself when nothing is due."""
        self.start(*arguments, "--to-the-end")
        assert self._said_something(seconds), "the sender does not come to its end"
        assert self._ended() == 0

    def kill_at(self, done: Callable[[], int], aim: int) -> None:
        """kill -9 as soon as so much is done, or when nothing more comes of it."""
        ends, known = time.monotonic() + LONGEST_WAIT, done()
        while time.monotonic() < ends and self.running and (now := done()) < aim:
            if now != known:
                known, ends = now, time.monotonic() + IDLE
            time.sleep(0.002)
        self._kill()

    def _kill(self) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has just ended by itself
        self._ended()

    def _ended(self) -> int:
        word, status = self._line()
        assert word == "ended"
        self.pid = 0
        return int(status)

    def _said_something(self, seconds: float) -> bool:
        return bool(select.select([self._stdout], [], [], seconds)[0])

    def _line(self) -> list[str]:
        return self._stdout.readline().decode().split()

    @property
    def _stdout(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout
