"""The parts of the benchmark, in the order in which they are run. They read models: Django has to
be set up."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import NamedTuple

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
    pages,
    rewards,
    segments,
    tiers,
    webhooks,
)
from tests.bench.figures import Figures, Goal


class Part(NamedTuple):
    title: str
    rounds: Callable[[argparse.Namespace], list[Figures]]
    goals: Mapping[str, Goal]


def parts_of(options: argparse.Namespace) -> dict[str, Part]:
    return _of_rules(options) | _of_books(options) | _of_campaigns(options) | _of_aged_books()


def _of_rules(options: argparse.Namespace) -> dict[str, Part]:
    return {
        "rules": Part("The rules alone, without a database", engine.rounds, engine.GOALS),
        "backtest": Part(
            "A draft of five rules beside five live ones", backtests.rounds, backtests.GOALS
        ),
        "segments": Part(
            f"Segments of {options.customers:,} customers", segments.rounds, segments.GOALS
        ),
        "live-rules": Part("Twenty live rules", live_rules.rounds, live_rules.GOALS),
        "campaigns": Part("Live promotions", campaigns.rounds, campaigns.GOALS),
        "tiers": Part(f"Tiers of {options.reviewed:,} members", tiers.rounds, tiers.GOALS),
    }


def _of_books(options: argparse.Namespace) -> dict[str, Part]:
    return {
        "orders": Part("Orders", measures.rounds, measures.GOALS),
        "rewards": Part("Rewards", rewards.rounds, rewards.GOALS),
        "codes": Part(f"One of {options.codes:,} codes", codes.rounds, codes.GOALS),
        "checkout": Part("Carts", checkouts.rounds, checkouts.GOALS),
    }


def _of_campaigns(options: argparse.Namespace) -> dict[str, Part]:
    members = f"{options.customers:,} members"
    challenged = min(options.customers, challenges.MOST)
    offered = min(options.customers, offers.MOST)
    return {
        "webhooks": Part("Webhooks to a receiver on this machine", webhooks.rounds, webhooks.GOALS),
        "messages": Part("Messages to a mail server here", messages.rounds, messages.GOALS),
        "journeys": Part(f"Journeys of {members}", journeys.rounds, journeys.GOALS),
        "challenges": Part(
            f"Challenges of {challenged:,} members", challenges.rounds, challenges.GOALS
        ),
        "games": Part(f"Draws of {games.MEMBERS:,} members", games.rounds, games.GOALS),
        "offers": Part(f"Personal offers of {offered:,} members", offers.rounds, offers.GOALS),
        "pages": Part(f"Pages, of {options.customers:,} customers", pages.rounds, pages.GOALS),
    }


def _of_aged_books() -> dict[str, Part]:
    return {
        "spends": Part("Aged books, spends", aged_books.spends, aged_books.SPEND_GOALS),
        "sweeps": Part("Aged books, what expires", aged_books.sweeps, aged_books.SWEEP_GOALS),
        "liability": Part(
            "Aged books, what is owed to members",
            aged_books.liabilities,
            aged_books.LIABILITY_GOALS,
        ),
    }
