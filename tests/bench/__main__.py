"""Run with `make bench`; `ARGS="--quick"` for a short look. Prints Markdown.

Rounds are interleaved: each round measures every row once, raw SQL and Setia in turn, so that a
machine that slows down slows both. Ratios are taken within a round; the median of the rounds is
shown.
"""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
os.environ["SETIA_VAR"] = os.environ.get("SETIA_BENCH_VAR", str(PROJECT / "var" / "bench"))
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)

import django  # noqa: E402  (after the environment that it reads)

from config import embedded  # noqa: E402
from tests.serving import served  # noqa: E402

CONNECTIONS = 8
GOALS = {
    "import": ("file import with lines / set-based SQL", 0.3, 0.5),
    "bulk": ("orders in requests of 100 / E", 1.0, 2.0),
    "order": ("POST one order / E", 0.15, 0.30),
    "balance": ("balance read / empty view", 0.25, 0.33),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--members", type=int, default=20_000)
    parser.add_argument("--orders", type=int, default=10_000, help="orders per imported file")
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.orders = 2, 2.0, 3_000
    with embedded.leased(embedded.layout(), ("postgres", "valkey")):
        django.setup()
        from tests.bench.measures import Bench

        bench = Bench(options.members, options.seconds, options.orders)
        bench.prepare()
        with (
            served("config.wsgi:application", workers=2) as setia,
            served("tests.bench.empty:application", workers=2) as empty,
        ):
            bench.warm_up(setia, empty)
            rounds = [bench.round(number, setia, empty) for number in range(options.rounds)]
    report(rounds, options)


def report(rounds: list[dict[str, float]], options: argparse.Namespace) -> None:
    """The table for docs/performance.md."""
    print(
        f"\n{options.rounds} interleaved rounds of {options.seconds:g} s,"
        f" {CONNECTIONS} connections,"
        f" {options.members} members, {os.cpu_count()} cores shared by client, server and"
        " database.\n"
    )
    print("| measure | ratio (median) | rounds | goal | next |")
    print("|---|---|---|---|---|")
    for key, (label, goal, following) in GOALS.items():
        ratios = [each[key] for each in rounds]
        spread = " ".join(f"{ratio:.2f}" for ratio in ratios)
        median = statistics.median(ratios)
        print(f"| {label} | **{median:.2f}** | {spread} | {goal:.2f} | {following:.2f} |")
    print("\n| absolute, this machine in this run | median |")
    print("|---|---|")
    for key in sorted({key for each in rounds for key in each} - set(GOALS)):
        print(f"| {key} | {statistics.median(each[key] for each in rounds):,.1f} |")


if __name__ == "__main__":
    main()
