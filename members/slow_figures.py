"""Figures that look at very many rows. Whoever opens their page has them at once where they are
soon worked out. Else the page comes without them and asks for itself with them; what takes longer
even then is worked out by a worker, and kept for a while with the moment as of which it holds.

Applications register what there is to work out in AppConfig.ready. What it is asked with must be
fit for JSON, what it returns fit for the cache, and without words: a worker has no reader. What was
kept by another version, which knows it by other fields, is none of this one's.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pickle import PickleError
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from members.program_scope import limited_to, programs_in_scope
from members.query_limits import TookTooLongError, limited_queries
from members.shapes import shape_of_result

logger = logging.getLogger(__name__)

TASK = "members.tasks.work_out_figures"
# Seconds that a worker's answer is shown, and that one has to find it before another is asked.
KEPT, WORKED_ON = 15 * 60, 10 * 60
# And that it may take, a little less than a task may.
LONGEST = 7 * 60

# How a page that waits looks: up to so many times, and before each it waits so many seconds. Once
# it has looked for longer than a worker may take it stops, and offers to look again.
LOOKS = ((30, 2), (100, 10))
# What is raised where something kept is of a class that is no more.
_UNREADABLE = (AttributeError, ImportError, LookupError, PickleError, TypeError, ValueError)

# Works figures out as of `now`, of what it is asked with.
Work = Callable[..., Any]

_works: dict[str, Work] = {}


@dataclass(frozen=True, slots=True)
class Figures:
    """`as_of`: when a worker worked them out; None: just now."""

    value: Any
    as_of: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """The next time that a page asks for its figures: its number, and the seconds before it; None:
    it asks no more by itself."""

    number: int
    seconds: int | None

    @property
    def waits(self) -> bool:
        """Whether it has asked before, and they were not there."""
        return self.number > 1


def next_look(last: str) -> Look:
    """`last`: the number of the last one as it was asked with; empty: the page was asked for."""
    if not last:
        return Look(1, 0)
    number = int(last) if last.isascii() and last.isdecimal() and len(last) < 5 else 1
    seconds = next((seconds for until, seconds in LOOKS if number <= until), None)
    return Look(number + 1, seconds)


def register_figures(name: str, work: Work) -> None:
    """Make figures known; the same name again replaces them."""
    _works[name] = work


def ask_figures(name: str, *, now: dt.datetime, waits: bool, **asked: Any) -> Figures | None:
    """None: they take longer. `waits`: whoever asks has the page already and waits for these
    figures alone; then a worker works them out, and one asks again soon."""
    key = _key(name, asked)
    kept = _kept(key)
    if kept is not None:
        return kept
    if cache.get(f"{key}:worked-on"):
        return None
    patience = settings.FIGURES_PATIENCE[1 if waits else 0]
    try:
        with limited_queries(patience):
            return Figures(_works[name](now=now, **asked))
    except TookTooLongError:
        if waits:
            _hand_over(key, name, asked)
    return None


def work_out(name: str, asked: dict[str, Any], programs: list[int] | None) -> None:
    """Work them out and keep them, as whoever may see these programs alone sees them."""
    now = timezone.now()
    with limited_to(programs or ()):
        key = _key(name, asked)
        # Whatever a database ends after less, this may take.
        with limited_queries(1000 * LONGEST):
            found = Figures(_works[name](now=now, **asked), now)
    cache.set(key, found, KEPT)
    cache.delete(f"{key}:worked-on")


def _hand_over(key: str, name: str, asked: dict[str, Any]) -> None:
    """Ask a worker, once for all who wait."""
    if not cache.add(f"{key}:worked-on", True, WORKED_ON):
        return
    programs = programs_in_scope()
    args = [name, asked, None if programs is None else sorted(programs)]
    try:
        current_app.signature(TASK, args=args).apply_async(retry=False)
    except (KombuError, RedisError, OSError) as error:
        logger.warning("no worker could be asked for figures: %s", type(error).__name__)
        cache.delete(f"{key}:worked-on")


def _kept(key: str) -> Figures | None:
    try:
        found: Figures | None = cache.get(key)
    except _UNREADABLE:
        return None
    return found


def _key(name: str, asked: dict[str, Any]) -> str:
    programs = programs_in_scope()
    of = None if programs is None else sorted(programs)
    said = json.dumps([name, shape_of_result(_works[name]), asked, of], sort_keys=True)
    return f"figures:{hashlib.sha256(said.encode()).hexdigest()}"
