"""Starts programs one after another, watches them, and stops them in order."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from config.supervisor.children import Child, Program, how_it_ended

# A slow or busy machine takes its time; what has ended is not waited for.
READY_SECONDS = 300.0
# A start that takes longer than this is told, so that nobody takes it for a hang.
TOLD_AFTER = 15.0


class Interrupted(Exception):
    """Somebody asked to stop while things were still starting."""


class Supervisor:
    """Keeps a list of children running until asked to stop."""

    def __init__(self, say: Callable[[str], None], stop_order: Sequence[str]) -> None:
        self.say = say
        self.stop_order = stop_order
        self.children: list[Child] = []
        self.jobs: list[tuple[Child, float]] = []
        self.watchers: list[Callable[[], str | None]] = []
        self.stopping = threading.Event()

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Take Ctrl-C, a terminal that closes and an ordinary kill as requests to stop."""
        before = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(self, program: Program) -> bool:
        """Start a program and wait until it is ready; false if it does not become so."""
        child = Child(program)
        self.children.append(child)
        child.start()
        told = False
        while not child.wait_until_ready(0.0):
            if self.stopping.is_set():
                raise Interrupted
            waited = time.monotonic() - child.started_at
            if not child.running or waited > READY_SECONDS:
                return False
            if waited > TOLD_AFTER and not told:
                told = True
                self.say(f"{program.name} takes long to start; it is waited for …")
            time.sleep(0.05)
        return True

    def start_job(self, program: Program) -> Child:
        """Start a program that may take its time and is not started again when it ends."""
        child = Child(program)
        child.start()
        self.jobs.append((child, time.monotonic()))
        return child

    def watch(self) -> None:
        """Tell about crashes and start again what crashed, until asked to stop."""
        while not self.stopping.wait(0.25):
            for child in self.children:
                self._tell(child.check())
            for watcher in self.watchers:
                self._tell(watcher())
            for job, began in list(self.jobs):
                if not job.running:
                    self.jobs.remove((job, began))
                    self._tell(self._job_ended(job, time.monotonic() - began))

    def stop(self) -> None:
        """Stop everything, one after another."""
        everything = [*self.children, *(job for job, _ in self.jobs)]
        order = {name: place for place, name in enumerate(self.stop_order)}
        for child in sorted(everything, key=lambda child: order.get(child.program.name, -1)):
            if not child.stop():
                self._tell(f"{child.program.name} did not stop in time and was killed")
        self.children.clear()
        self.jobs.clear()

    def _job_ended(self, job: Child, seconds: float) -> str:
        assert job.process is not None
        code = job.process.returncode
        job.stop()
        if code == 0:
            return f"{job.program.name} finished in {seconds:.0f} s"
        return f"{job.program.name} {how_it_ended(code)}; see {job.program.log}"

    def _tell(self, news: str | None) -> None:
        if news is not None:
            self.say(news)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.stopping.is_set() and number == signal.SIGINT:
            # Whoever presses Ctrl-C again does not want to wait: the children follow by themselves.
            sys.exit(130)
        self.stopping.set()
