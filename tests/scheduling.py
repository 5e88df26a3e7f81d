"""Which tests run in one process, and in which order.

Tests of a module run in one process, one after the other, so that what they share (`sharing.py`) is
made once; a folder whose modules share something is like a module. xdist's own marks for that
(`xdist_group`) travel in the ids of tests, where pytest 9.2 does not let them be written.

What takes long begins first: begun last, it would run alone at the end of a parallel run. So
modules of many tests begin before those of few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Their modules have one installation.
TOGETHER = ("tests/kill/",)


def together(nodeid: str) -> str:
    """The module, or the folder, whose tests run in one process."""
    module = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if module.startswith(folder)), module)


class ModuleScheduling(LoadScopeScheduling):
    """Gives each process whole modules, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)


def put_in_order(
    items: list[pytest.Item], *, parallel: bool,
    turn: Callable[[pytest.Item], int] = lambda _item: 0,
) -> None:  # fmt: skip
    """Modules stay whole; in each the tests whose turn is lower come first."""
    long = {together(item.nodeid) for item in items if item.get_closest_marker("long")}
    many = Counter(together(item.nodeid) for item in items) if parallel else Counter[str]()
    first: dict[str, int] = {}
    for item in sorted(items, key=lambda item: item.nodeid.partition("::")[0]):
        first.setdefault(together(item.nodeid), len(first))

    def place(item: pytest.Item) -> tuple[bool, int, int, int]:
        module = together(item.nodeid)
        own = 0 if module in TOGETHER else turn(item)
        return module not in long, -many[module], first[module], own

    items.sort(key=place)
