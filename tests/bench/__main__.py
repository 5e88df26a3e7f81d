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
    "rules", "backtest", "segments", "live-rules", "campaigns", "tiers", "orders", "spends",
    "sweeps", "liability", "rewards", "codes", "checkout", "webhooks", "messages", "journeys",
    "challenges", "games", "offers", "pages",
)  # fmt: skip


def main() -> None:
    options = _options()
    with embedded.leased(embedded.layout(), ("postgres", "valkey")):
        django.setup()
        from tests.bench.figures import tables
        from tests.bench.parts import parts_of

        print(
            f"\n{options.rounds} interleaved rounds of {options.seconds:g} s, 8 connections,"
            f" {options.members} members, {os.cpu_count()} cores shared by client, server and"
            " database.\n"
        )
        for name, part in parts_of(options).items():
            if name in options.only:
                print(f"\n{part.title}:\n")
                print(tables(part.rounds(options), part.goals), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=5, help="of pages: how often each is asked for, once warm"
    )
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--members", type=int, default=20_000)
    parser.add_argument("--orders", type=int, default=10_000, help="orders per imported file")
    parser.add_argument(
        "--replayed", type=int, default=1_000_000, help="orders that a backtest replays"
    )
    parser.add_argument(
        "--customers",
        type=int,
        default=1_000_000,
        help="customers that segments are worked out of, and that pages are about",
    )
    parser.add_argument(
        "--reviewed", type=int, default=1_000_000, help="members whose tiers are reviewed"
    )
    parser.add_argument("--due", type=int, default=1_000_000, help="lots that expire at once")
    parser.add_argument(
        "--held", type=int, default=3_000_000,
        help="lots of the larger books that sweeps are compared on; 10000000 takes 9 GB",
    )  # fmt: skip
    parser.add_argument(
        "--codes", type=int, default=10_000_000, help="codes that one is found among"
    )
    parser.add_argument(
        "--ways", type=int, default=6, help="how many different pages of an address are asked for"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep the database that pages are about, and go on with one that was kept",
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="two rounds of two seconds, with 100 000 at most of what is a million else",
    )
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.orders = 2, 2.0, 3_000
        options.due, options.held = 100_000, 0
        for many in ("replayed", "customers", "reviewed", "codes"):
            setattr(options, many, min(getattr(options, many), 100_000))
    return options


if __name__ == "__main__":
    main()
