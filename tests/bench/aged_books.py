"""Rounds of what is measured on books that have aged."""

from __future__ import annotations

import argparse
import math

from tests.bench import aged
from tests.bench.figures import Figures
from tests.bench.liabilities import GOALS as LIABILITY_GOALS
from tests.bench.liabilities import Liabilities
from tests.bench.pgbench import accruals_per_second
from tests.bench.spends import GOALS as SPEND_GOALS
from tests.bench.spends import Spends
from tests.bench.sweeps import GOALS as SWEEP_GOALS
from tests.bench.sweeps import SAME, Sweeps

__all__ = [
    "LIABILITY_GOALS", "SPEND_GOALS", "SWEEP_GOALS", "liabilities", "spends", "sweeps",
]  # fmt: skip


def spends(options: argparse.Namespace) -> list[Figures]:
    """All rounds on one copy: what a round spends is a small part of it."""
    aged.ensure_template(options.members)
    with aged.copied() as books:
        measured = Spends(books, members=options.members, seconds=options.seconds)
        measured.warm_up()
        return [measured.spends() | measured.hot() for _ in range(options.rounds)]


def sweeps(options: argparse.Namespace) -> list[Figures]:
    """Each round on a copy of its own: a sweep leaves more history than there was."""
    aged.ensure_template(options.members)
    if options.held:
        aged.ensure(aged.HELD, members=options.members, held=options.held)
    return [_sweep(options) for _ in range(options.rounds)]


def liabilities(options: argparse.Namespace) -> list[Figures]:
    """All rounds on one copy, each as of another day: nothing is written once totals are there."""
    aged.ensure_template(options.members)
    with aged.copied() as books:
        measured = Liabilities(books)
        followed = {"all totals written, s": measured.follow()}
        return [measured.look(ago=90 * number) | followed for number in range(options.rounds)]


def _sweep(options: argparse.Namespace) -> Figures:
    with aged.copied() as books:
        measured = Sweeps(books)
        found = _by_held(measured) if options.held else {}
        accruals = accruals_per_second(options.members, seconds=options.seconds)
        found |= measured.by_size(options.due)
        after = accruals_per_second(options.members, seconds=options.seconds)
        # The machine drifts while a million lots are written down: E of before and after.
        accruals = (accruals + after) / 2
        found["sweep"] = found["lots a second"] / accruals
        found["E on these books, accruals a second"] = accruals
    return found


def _by_held(small: Sweeps) -> Figures:
    """The same lots due on these books and on the larger ones, one after the other."""
    few = small.sweep(SAME)
    with aged.opened(aged.HELD) as books:
        many = Sweeps(books).sweep(SAME)
    return {
        "held": math.log(many / few) / math.log(books.held / aged.TEMPLATE_HELD),
        f"{SAME:,} lots due of {books.held:,}, s": many,
        f"{SAME:,} lots due of {aged.TEMPLATE_HELD:,}, s": few,
    }
