"""Starting, watching and killing senders (tests/kill/sender.py)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType

from tests.kill.forks import Forked
from tests.kill.installation import Installation
from tests.processes import eventually

LONGEST_WAIT = 30.0
# Of one that has begun and goes on with nothing more: it waits until the mail server is back.
IDLE = 0.7


class Senders:
    """One sender after the other, in an installation."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.sender: Forked | None = None

    def __enter__(self) -> Senders:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self.sender is not None:
            self.sender.kill()

    def start(self, *arguments: str) -> Forked:
        """The one before must be over."""
        assert self.sender is None or self.sender.poll() is not None
        command = [sys.executable, "-m", "tests.kill.sender", *arguments]
        self.sender = self.installation.forks.start(command)
        return self.sender

    def to_the_end(self, *arguments: str, seconds: float = 900) -> None:
        """Run one that stops by itself when nothing is due."""
        sender = self.start(*arguments, "--to-the-end")
        over = eventually(lambda: sender.poll() is not None, seconds)
        assert over, "the sender does not come to its end"
        assert sender.returncode == 0

    def kill_at(self, done: Callable[[], int], aim: int) -> None:
        """kill -9 as soon as so much is done, or when nothing more comes of it."""
        assert self.sender is not None
        ends, known = time.monotonic() + LONGEST_WAIT, done()
        while time.monotonic() < ends and self.sender.poll() is None and (now := done()) < aim:
            if now != known:
                known, ends = now, time.monotonic() + IDLE
            time.sleep(0.002)
        self.sender.kill()
        self.sender.wait()
