"""The keeper of one embedded service: runs it for as long as any process of this checkout uses it.

Every user of a service holds a shared lock on its lease file. The keeper owns the server as a
direct child, starts it again if it crashes, and waits for the exclusive lock on the lease: that is
granted when the last user has gone, whether it ended or was killed. Then the server is stopped and
the keeper ends. So several commands may run at once and the first to end takes nothing away from
the others.

Run as `python -m config.embedded.keeper VAR SERVICE`, by `config.embedded.leases` only.
"""

import fcntl
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from config.embedded.account import EmbeddedError, current_account
from config.embedded.layout import Layout
from config.embedded.leases import SERVICES, ServiceFiles
from config.embedded.locks import open_lock, try_lock
from config.embedded.postgres import Postgres, environment
from config.embedded.valkey import Valkey
from config.supervisor.children import Child, Program

START_SECONDS = 60.0
LOOK_EVERY = 1.0


class Keeper:
    """Watches over one server until nobody needs it."""

    def __init__(self, layout: Layout, service: str) -> None:
        self.layout = layout
        self.service = service
        self.files = ServiceFiles(layout, service)
        self.finished = threading.Event()
        self.child: Child | None = None
        self.is_recovering: Callable[[], bool] = lambda: False

    def run(self) -> int:
        lock = try_lock(self.files.keeper)
        if lock is None:
            return 0  # another keeper was quicker
        try:
            return self.keep()
        finally:
            # Before the lease, which ends with this process: a newcomer has that, and sees that
            # nobody keeps the service.
            os.close(lock)

    def keep(self) -> int:
        self.report(ready=False)
        threading.Thread(target=self.wait_for_last_user, daemon=True).start()
        try:
            self.start()
        except (EmbeddedError, OSError) as error:
            self.report(ready=False, error=str(error))
            return 1
        self.report(ready=True)
        self.watch()
        self.stop()
        return 0

    def start(self) -> None:
        program, after_start = self.prepare()
        self.child = Child(program)
        deadline = time.monotonic() + START_SECONDS
        while True:
            # A server whose keeper was killed may still be closing the same data: try again.
            self.child.start()
            if self.become_ready(self.child, deadline):
                break
            if self.child.running or time.monotonic() > deadline:
                self.child.stop()
                raise EmbeddedError(f"{self.service} does not start; see {self.files.log}")
            if self.finished.wait(0.5):
                raise EmbeddedError(f"{self.service} is not needed any more")
        after_start()

    def become_ready(self, child: Child, deadline: float) -> bool:
        """Wait for the server; one that recovers from a crash gets all the time that it needs,
        since stopped half-way it would have to begin anew."""
        while not child.wait_until_ready(LOOK_EVERY):
            recovering = child.running and self.is_recovering()
            if not recovering and (not child.running or time.monotonic() > deadline):
                return False
            self.report(ready=False, recovering=recovering)
        return True

    def prepare(self) -> tuple[Program, Callable[[], None]]:
        """Make the folders the service needs; returns its program and what to do once it runs."""
        account = current_account()
        self.layout.data.mkdir(parents=True, exist_ok=True)
        if account.foreign:
            # Our own folders only: the account must be able to pass them, not to list them.
            for folder in {self.layout.var, self.layout.data, self.layout.data.parent}:
                if folder != self.layout.var.parent:
                    folder.chmod(0o711)
        account.own_folder(self.layout.sockets)
        if self.service == "postgres":
            postgres = Postgres.installed(self.layout, account)
            postgres.prepare()
            self.is_recovering = postgres.is_recovering
            command, ready, finish = (
                postgres.command(),
                postgres.answers,
                postgres.create_database,
            )
        else:
            valkey = Valkey.installed(self.layout, account)
            valkey.prepare()
            command, ready, finish = valkey.command(), valkey.answers, lambda: None
        program = Program(
            name=self.service,
            command=command,
            environment=environment(),
            folder=Path("/"),
            log=self.files.log,
            run_as=account.run_as,
            stop_signal=signal.SIGINT if self.service == "postgres" else signal.SIGTERM,
            stop_seconds=60.0,
            ready=ready,
        )
        return program, finish

    def watch(self) -> None:
        assert self.child is not None
        while not self.finished.wait(0.25):
            news = self.child.check()
            if news is not None:
                print(news, flush=True)
                self.report(ready=True, news=news)

    def stop(self) -> None:
        if self.child is not None:
            self.child.stop()
        self.files.state.unlink(missing_ok=True)

    def wait_for_last_user(self) -> None:
        # Held until the process ends, so that a newcomer waits until the server has stopped.
        fcntl.flock(open_lock(self.files.lease), fcntl.LOCK_EX)
        self.finished.set()

    def report(
        self, *, ready: bool, error: str = "", news: str = "", recovering: bool = False
    ) -> None:
        """Write the state for the users of the service to read."""
        state = {
            "keeper": os.getpid(),
            "pid": self.child.pid if self.child is not None else None,
            "ready": ready,
            "error": error,
            "news": news,
            "recovering": recovering,
            "restarts": self.child.restarts if self.child is not None else 0,
        }
        fresh = self.files.state.with_suffix(".new")
        fresh.write_text(json.dumps(state))
        fresh.replace(self.files.state)


def main(var: str, service: str) -> int:
    if service not in SERVICES:
        raise SystemExit(f"unknown service {service}")
    os.umask(0o077)
    keeper = Keeper(Layout.for_checkout(Path(var)), service)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: keeper.finished.set())
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
