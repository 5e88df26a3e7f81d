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
    "challenges", "games", "offers",
)  # fmt: skip


def main() -> None:
    options = _options()
    with embedded.leased(embedded.layout(), ("postgres", "valkey")):
        django.setup()
        from tests.bench import (
            aged_books,
            backtests,
            campaigns,
            challenges,
            checkouts,
            codes,
            engine,
            games,
            journeys,
            live_rules,
            measures,
            messages,
            offers,
            rewards,
            segments,
            tiers,
            webhooks,
        )
        from tests.bench.figures import tables

        print(
            f"\n{options.rounds} interleaved rounds of {options.seconds:g} s, 8 connections,"
            f" {options.members} members, {os.cpu_count()} cores shared by client, server and"
            " database.\n"
        )
        parts = {
            "rules": ("The rules alone, without a database", engine.rounds, engine.GOALS),
            "backtest": (
                "A draft of five rules beside five live ones", backtests.rounds, backtests.GOALS
            ),
            "segments": (
                f"Segments of {options.customers:,} customers", segments.rounds, segments.GOALS
            ),
            "live-rules": ("Twenty live rules", live_rules.rounds, live_rules.GOALS),
            "campaigns": ("Live promotions", campaigns.rounds, campaigns.GOALS),
            "tiers": (f"Tiers of {options.reviewed:,} members", tiers.rounds, tiers.GOALS),
            "orders": ("Orders", measures.rounds, measures.GOALS),
            "rewards": ("Rewards", rewards.rounds, rewards.GOALS),
            "codes": (f"One of {options.codes:,} codes", codes.rounds, codes.GOALS),
            "checkout": ("Carts", checkouts.rounds, checkouts.GOALS),
            "webhooks": ("Webhooks to a receiver on this machine", webhooks.rounds, webhooks.GOALS),
            "messages": ("Messages to a mail server here", messages.rounds, messages.GOALS),
            "journeys": (
                f"Journeys of {options.customers:,} members", journeys.rounds, journeys.GOALS
            ),
            "challenges": (
                f"Challenges of {min(options.customers, challenges.MOST):,} members",
                challenges.rounds, challenges.GOALS,
            ),
            "games": (f"Draws of {games.MEMBERS:,} members", games.rounds, games.GOALS),
            "offers": (
                f"Personal offers of {min(options.customers, offers.MOST):,} members",
                offers.rounds, offers.GOALS,
            ),
            "spends": ("Aged books, spends", aged_books.spends, aged_books.SPEND_GOALS),
            "sweeps": (
                "Aged books, what expires", aged_books.sweeps, aged_books.SWEEP_GOALS
            ),
            "liability": (
                "Aged books, what is owed to members", aged_books.liabilities,
                aged_books.LIABILITY_GOALS,
            ),
        }  # fmt: skip
        for name, (title, rounds, goals) in parts.items():
            if name in options.only:
                print(f"\n{title}:\n")
                print(tables(rounds(options), goals), flush=True)


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
    parser.add_argument(
        "--codes", type=int, default=10_000_000, help="codes that one is found among"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.orders = 2, 2.0, 3_000
        options.due, options.held = 100_000, 0
        options.replayed = options.customers = options.reviewed = options.codes = 100_000
    return options


if __name__ == "__main__":
    main()
