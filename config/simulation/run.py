"""Running a plan, and looking whether the books hold what they must."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import psycopg

from config.simulation import BrokenError
from config.simulation.books import (
    Told,
    check_all_expired,
    check_books,
    check_coherent,
    digest,
)
from config.simulation.crew import Crew
from config.simulation.plan import BEGIN, MESSAGES, Act, Day, Plan
from config.simulation.programs import apply_programs, enroll, set_rate
from loyalty.models import Program

# The ledger is verified each time so many days have passed.
VERIFIED_EVERY = 10
TOLD_EVERY = 5.0
# What has a number of its own, and so is the same when it comes again.
REPEATED = {*MESSAGES, "put_into_pool", "take_from_pool", "spend_from_pool", "settle"}
SAID = {"lost": "without an answer", "again": "that lost a race"}
# What happened in the shop, which nobody can refuse.
FACTS = {"buy", "refund"}
LONG_AFTER = dt.timedelta(days=400)

Say = Callable[[str], object]


def simulate(*, seed: int, steps: int, workers: int, keeper: psycopg.Connection, say: Say) -> str:
    """Have it all happen in the database that Django is connected with. `keeper`: a connection of
    one's own to the same. Returns what was shown.

    Raises BrokenError at the first fact that does not hold.
    """
    if Program.objects.exists():
        raise BrokenError("There is a program in this database already; nothing was done.")
    plan = Plan(seed, steps)
    apply_programs(BEGIN)
    enroll(plan.customers, BEGIN)
    with Crew(workers, random.Random(seed), keeper) as crew:
        return _Simulation(plan, crew, say).run()


@dataclass
class _Simulation:
    plan: Plan
    crew: Crew
    say: Say
    begun: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.told = Told(self.plan)
        self.said_at = self.begun

    def run(self) -> str:
        for number, day in enumerate(self.plan.days, start=1):
            if day.rate is not None:
                set_rate(day.rate, day.now)
            self._tell(day)
            if number % VERIFIED_EVERY == 0:
                check_coherent(day.now)
            self._say_sometimes(number)
        facts = check_books(self.told, self.plan.end)
        repeated = self._repeat_everything()
        facts += self._let_everything_expire()
        return (
            f"{len(self.plan.acts)} acts on {len(self.plan.days)} days, {self._counted()}."
            f" {facts} facts hold, and {repeated} messages told again changed nothing."
        )

    def _tell(self, day: Day) -> None:
        for act, answer in self.crew.work(day):
            if answer.outcome == "done":
                self.told.note(act, answer.units)
            elif act.kind in FACTS:
                raise BrokenError(f"act {act.number}, {act}, was refused: {answer.words}")

    def _repeat_everything(self) -> int:
        """All at once and in any order; nobody is killed, for everything was acknowledged."""
        messages = [act for act, _units in self.told.done.values() if act.kind in REPEATED]
        self.crew.chance.shuffle(messages)
        before = digest()
        self.crew.peaceful = True
        self._tell(Day(self.plan.end, messages))
        if digest() != before:
            raise BrokenError("Messages that were told again have changed the books.")
        check_coherent(self.plan.end)
        return len(messages)

    def _let_everything_expire(self) -> int:
        end = self.plan.end + LONG_AFTER
        jobs = [Act(0, kind, {}) for kind in ("expire", "bring_up_to_now")] * self.crew.size
        self.crew.peaceful = False
        self._tell(Day(end, jobs))
        check_coherent(end)
        return check_all_expired(end) + check_books(self.told, end)

    def _say_sometimes(self, number: int) -> None:
        if time.monotonic() - self.said_at < TOLD_EVERY:
            return
        self.said_at = time.monotonic()
        self.say(f"day {number} of {len(self.plan.days)}: {self._counted()}")

    def _counted(self) -> str:
        seconds = time.monotonic() - self.begun
        counts: Iterable[str] = (
            f"{count} {SAID.get(what, what)}" for what, count in sorted(self.crew.counts.items())
        )
        return f"{', '.join(counts)} in {seconds:.0f} s"
