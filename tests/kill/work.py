"""Long work that is killed in the middle and has to end as if nothing had happened."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.kill.forks import ForkedChild
from tests.kill.installation import Installation, descendants, kill, start
from tests.processes import eventually

PATIENCE = 60.0
# Far enough for something to be lost, and far enough from the end.
MIDDLE = 0.1
# How often those who can take a job over are asked to look whether one is left.
ASKED_EVERY = 0.5
ENDED = {"succeeded", "failed", "cancelled"}


def recover_little(installation: Installation, part: str) -> None:
    """A database that is killed does again what was done since its last checkpoint: what follows is
    enough, and not all that other tests did before."""
    if part == "postgres":
        installation.execute("CHECKPOINT")


def kill_in_the_middle(installation: Installation, job: int, part: str) -> None:
    """Kill the worker, or the database, while the job is at work, and start it again."""
    wait_for_middle(installation, job)
    kill(getattr(installation, part))
    start(getattr(installation, part))
    state, done, total = progress(installation, job)
    assert state != "succeeded", "nothing was killed in the middle"
    assert done < total
    # A job may be a minute old before the schedule thinks that nobody was asked to take it.
    installation.execute("UPDATE members_job SET created_at = created_at - interval '1 minute'")


@contextmanager
def another_in_charge(installation: Installation, job: int) -> Iterator[None]:
    """Freeze the worker in the middle for so long that it counts as dead. Within the block another
    worker has the job, and the first one has woken up in the belief that it still had it."""
    wait_for_middle(installation, job)
    first = installation.worker
    assert first.process is not None
    pids = [first.process.pid, *descendants(first.process.pid)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    second = ForkedChild(first.program, installation.forks)
    try:
        installation.execute("UPDATE members_job SET heartbeat_at = now() - interval '1 hour'")
        began = started_at(installation, job)
        start(second)
        assert eventually(lambda: taken_over(installation, job, began), PATIENCE)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        second.stop()


def taken_over(installation: Installation, job: int, began: object) -> bool:
    installation.do("resume_jobs")
    time.sleep(0.2)
    return started_at(installation, job) != began


def wait_for_middle(installation: Installation, job: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        state, done, total = progress(installation, job)
        if total and done > total * MIDDLE:
            return
        assert state not in ENDED, (state, installation.do("look_at", job=job))
        assert time.monotonic() < deadline, installation.said("worker")
        time.sleep(0.01)


def wait_until_done(installation: Installation, job: int) -> dict[str, Any]:
    """The job once it has ended well. Meanwhile what the schedule does is done, only sooner."""

    def over() -> bool:
        return progress(installation, job)[0] == "succeeded"

    deadline = time.monotonic() + PATIENCE
    while not over():
        assert time.monotonic() < deadline, (
            installation.do("look_at", job=job), installation.said("worker"),
        )  # fmt: skip
        installation.do("resume_jobs")
        eventually(over, ASKED_EVERY)
    found: dict[str, Any] = installation.do("look_at", job=job)
    return found


def started_at(installation: Installation, job: int) -> object:
    return installation.query("SELECT started_at FROM members_job WHERE id = %s", job)[0][0]


def progress(installation: Installation, job: int) -> tuple[str, int, int]:
    found = installation.query("SELECT state, done, total FROM members_job WHERE id = %s", job)
    state, done, total = found[0]
    return state, done, total
