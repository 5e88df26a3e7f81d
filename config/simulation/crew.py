"""Processes that do acts, and whoever kills them: the process with SIGKILL, or its connection by
the server. What was under way then is told again, as whoever got no answer does."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import random
import signal
import time
import traceback
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any

import psycopg
from django.db import Error, connection

from config.simulation import BrokenError
from config.simulation.acts import do
from config.simulation.plan import Act, Day
from members.errors import DomainError
from members.services.transactions import RETRIED

# Of a hundred acts, during so many is the process killed, or its connection.
KILLED, CUT = 5, 5
# An act is killed within so many seconds, where it lasts that long.
SOON = 0.02
MOST_TRIES = 30
# Nothing lasts so long, unless it waits for something that does not come.
PATIENCE = 60.0
NAME = "setia simulation"
# Where the server has gone away or ended the connection.
LOST = ("08", "57P")


@dataclass(frozen=True, slots=True)
class Answer:
    """`done` with the units that moved, `refused` with the reason, `lost`, `again`, or `broken`."""

    outcome: str
    units: int = 0
    words: str = ""


@dataclass(slots=True)
class _Task:
    """An act that has no lasting answer yet."""

    act: Act
    now: dt.datetime
    tries: int = 0
    since: float = 0.0
    # When to kill what, while somebody is at it.
    blow: tuple[float, str] | None = None


@dataclass(slots=True)
class _Worker:
    name: str
    process: ForkProcess
    pipe: Connection[Any, Any]
    task: _Task | None = None


@dataclass
class Crew:
    """So many workers on one database. `keeper` is a connection apart from theirs."""

    size: int
    chance: random.Random
    keeper: psycopg.Connection
    counts: Counter[str] = field(default_factory=Counter)
    # While they last, nobody is killed.
    peaceful: bool = False

    def __post_init__(self) -> None:
        self._hired = 0
        self._workers: list[_Worker] = []

    def __enter__(self) -> Crew:
        for _ in range(self.size):
            self._hire()
        return self

    def __exit__(self, *_error: object) -> None:
        for worker in self._workers:
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()
        self._workers = []

    def work(self, day: Day) -> Iterator[tuple[Act, Answer]]:
        """Do the acts of a day, many at once; each once it has an answer that lasts."""
        waiting = deque(_Task(act, day.now) for act in day.told)
        while waiting or any(worker.task for worker in self._workers):
            for worker in self._workers:
                if worker.task is None and waiting:
                    self._begin(worker, waiting.popleft())
            for worker, answer in self._answers():
                task, worker.task = worker.task, None
                assert task is not None
                self.counts[answer.outcome] += 1
                if answer.outcome in ("done", "refused"):
                    yield task.act, answer
                elif answer.outcome == "broken" or task.tries >= MOST_TRIES:
                    raise BrokenError(f"act {task.act.number}, {task.act}: {answer.words}")
                else:
                    waiting.append(task)

    # --- handing out, and hearing back

    def _begin(self, worker: _Worker, task: _Task) -> None:
        worker.task, task.since, task.blow = task, time.monotonic(), None
        task.tries += 1
        chosen = self.chance.randrange(100)
        if not self.peaceful and chosen < KILLED + CUT:
            how = "process" if chosen < KILLED else "connection"
            task.blow = task.since + self.chance.uniform(0, SOON), how
        worker.pipe.send((task.act, task.now))

    def _answers(self) -> Iterator[tuple[_Worker, Answer]]:
        busy = {worker.pipe: (worker, worker.task) for worker in self._workers if worker.task}
        blows = [task.blow[0] for _worker, task in busy.values() if task.blow]
        until = min(blows, default=time.monotonic() + 1.0)
        for pipe in wait(list(busy), max(0.0, until - time.monotonic())):
            worker, _task = busy.pop(pipe)  # type: ignore[call-overload]
            try:
                yield worker, worker.pipe.recv()
            except (EOFError, OSError):
                self._replace(worker)
                yield worker, Answer("lost", words="the process is gone")
        for worker, task in busy.values():
            if task.blow and task.blow[0] <= time.monotonic():
                self._strike(worker, task.blow[1])
                task.blow = None
            elif time.monotonic() - task.since > PATIENCE:
                raise BrokenError(f"{task.act} takes longer than {PATIENCE:.0f} seconds")

    def _strike(self, worker: _Worker, how: str) -> None:
        if how == "process":
            assert worker.process.pid is not None
            os.kill(worker.process.pid, signal.SIGKILL)
            self.counts["processes killed"] += 1
            return
        ended = self.keeper.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = %s",
            [worker.name],
        ).fetchone()
        self.counts["connections cut"] += ended[0] if ended else 0

    def _replace(self, worker: _Worker) -> None:
        worker.process.join()
        worker.pipe.close()
        fresh = self._hire()
        self._workers.pop()
        worker.name, worker.process, worker.pipe = fresh.name, fresh.process, fresh.pipe

    def _hire(self) -> _Worker:
        # A connection that a child closes would be closed for everybody.
        connection.close()
        self._hired += 1
        name = f"{NAME} {os.getpid()}.{self._hired}"
        ours, theirs = multiprocessing.Pipe()
        others = [worker.pipe for worker in self._workers if not worker.pipe.closed]
        process = multiprocessing.get_context("fork").Process(
            target=_serve, args=(theirs, [ours, *others], name), daemon=True
        )
        process.start()
        theirs.close()
        worker = _Worker(name, process, ours)
        self._workers.append(worker)
        return worker


# --- in the worker's process ----------------------------------------------------------------------


def _serve(pipe: Connection[Any, Any], others: Sequence[Connection[Any, Any]], name: str) -> None:
    """Do what comes through the pipe until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in others:
        # Held by several, they would not close with whoever holds the other end.
        other.close()
    options = connection.settings_dict["OPTIONS"] | {"application_name": name}
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}
    while True:
        try:
            act, now = pipe.recv()
        except EOFError:
            return
        pipe.send(_answer(act, now))


def _answer(act: Act, now: Any) -> Answer:
    connection.close_if_unusable_or_obsolete()
    try:
        return Answer("done", do(act, now))
    except DomainError as error:
        return Answer("refused", words=f"{error.code}, {error.message}")
    except Error as error:
        state = getattr(error.__cause__, "sqlstate", None) or ""
        # A connection that broke off has no state to tell.
        if not state or state.startswith(LOST):
            connection.close()
            return Answer("lost", words=str(error))
        if state in RETRIED:
            return Answer("again", words=str(error))
        return Answer("broken", words=traceback.format_exc())
    except Exception:
        return Answer("broken", words=traceback.format_exc())
