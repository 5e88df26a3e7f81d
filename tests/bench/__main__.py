"""Run with `make bench`; `ARGS="--quick"` for a short look. Prints Markdown.

Rounds are interleaved: each round measures every row once, raw SQL and Setia in turn, so that a
machine that slows down slows both. Ratios are taken within a round; the median of the rounds is
shown.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
os.environ["SETIA_VAR"] = os.environ.get("SETIA_BENCH_VAR", str(PROJECT / "var" / "bench"))
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)

import django  # noqa: E402  (after the environment that it reads)

from config import embedded  # noqa: E402

PARTS = (
    "rules", "backtest", "segments", "live-rules", "tiers", "orders", "spends", "sweeps",
    "liability",
)  # fmt: skip


def main() -> None:
    options = _options()
    with embedded.leased(embedded.layout(), ("postgres", "valkey")):
        django.setup()
        from tests.bench import aged_books, backtests, engine, live_rules, measures, segments, tiers
        from tests.bench.figures import tables

        print(
            f"\n{options.rounds} interleaved rounds of {options.seconds:g} s, 8 connections,"
            f" {options.members} members, {os.cpu_count()} cores shared by client, server and"
            " database.\n"
        )
        if "rules" in options.only:
            print("The rules alone, without a database:\n")
            print(tables(engine.rounds(options), engine.GOALS), flush=True)
        if "backtest" in options.only:
            print("\nA draft of five rules beside five live ones:\n")
            print(tables(backtests.rounds(options), backtests.GOALS), flush=True)
        if "segments" in options.only:
            print(f"\nSegments of {options.customers:,} customers:\n")
            print(tables(segments.rounds(options), segments.GOALS), flush=True)
        if "live-rules" in options.only:
            print("\nTwenty live rules:\n")
            print(tables(live_rules.rounds(options), live_rules.GOALS), flush=True)
        if "tiers" in options.only:
            print(f"\nTiers of {options.reviewed:,} members:\n")
            print(tables(tiers.rounds(options), tiers.GOALS), flush=True)
        if "orders" in options.only:
            print(tables(measures.rounds(options), measures.GOALS), flush=True)
        if "spends" in options.only:
            print("\nAged books, spends:\n")
            print(tables(aged_books.spends(options), aged_books.SPEND_GOALS), flush=True)
        if "sweeps" in options.only:
            print("\nAged books, what expires:\n")
            print(tables(aged_books.sweeps(options), aged_books.SWEEP_GOALS), flush=True)
        if "liability" in options.only:
            print("\nAged books, what is owed to members:\n")
            print(tables(aged_books.liabilities(options), aged_books.LIABILITY_GOALS), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--members", type=int, default=20_000)
    parser.add_argument("--orders", type=int, default=10_000, help="orders per imported file")
    parser.add_argument(
        "--replayed", type=int, default=1_000_000, help="orders that a backtest replays"
    )
    parser.add_argument(
        "--customers", type=int, default=1_000_000, help="customers that segments are worked out of"
    )
    parser.add_argument(
        "--reviewed", type=int, default=1_000_000, help="members whose tiers are reviewed"
    )
    parser.add_argument("--due", type=int, default=1_000_000, help="lots that expire at once")
    parser.add_argument(
        "--held", type=int, default=3_000_000,
        help="lots of the larger books that sweeps are compared on; 10000000 takes 9 GB",
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.orders = 2, 2.0, 3_000
        options.due, options.held = 100_000, 0
        options.replayed = options.customers = options.reviewed = 100_000
    return options


if __name__ == "__main__":
    main()
