"""Which process works on a job, and whether it is certainly dead.

Only a process on the same machine (in a container: of the same container) can be looked for; of any
other one nothing is claimed here, and its job waits until its sign of life is old.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

PROC = Path("/proc")
# Behind the program's name in /proc/…/stat, whose brackets may hold anything.
STATE, STARTED = 0, 19


def this_worker() -> str:
    """A name for this process that no other one ever has; empty where there is no /proc."""
    place, began = _place(), _began(os.getpid())
    return f"{place}/{os.getpid()}/{began}" if place and began else ""


def is_dead(worker: str) -> bool:
    """Whether the process of this name has ended for certain."""
    place, pid, began = worker.rsplit("/", 2) if worker.count("/") >= 2 else ("", "", "")
    return bool(place) and place == _place() and _began(int(pid)) != began


@cache
def _place() -> str:
    """This boot of this machine, and among its containers this one."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{(PROC / 'self/ns/pid').readlink().name}"
    except OSError:
        return ""


def _began(pid: int) -> str:
    """When a process began, in ticks since the machine did; empty when it is gone, or a zombie."""
    try:
        stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[STATE] in {"Z", "X"} else fields[STARTED]
