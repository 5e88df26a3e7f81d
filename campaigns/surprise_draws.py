"""How a surprise draws some of many, so that anybody can work it out again. Pure.

1. Before anybody knows who can be drawn the hash of a secret seed is public.
2. The names of all who can be drawn are put in order; their hash stands for the list.
3. HMAC-SHA-256 of the list's hash and a name, under the seed, is the number of that name.
4. Those with the lowest numbers are chosen.

Whoever knows the seed cannot choose the list, which is the audience at that moment, and whoever
changes the list changes all numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal

from campaigns.fair_draws import commitment_of, prove
from campaigns.offers import Offer


def hash_of_list(names: Iterable[str]) -> str:
    """Of the names in order, each in a line."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


def in_drawn_order(seed: str, names: Iterable[str]) -> list[tuple[str, str]]:
    """All names with their numbers in hexadecimal digits, lowest first."""
    found = list(names)
    listed = hash_of_list(found)
    return sorted(((name, prove(seed, f"{listed}|{name}")) for name in found),
                  key=lambda item: (item[1], item[0]))  # fmt: skip


def places_for(offer: Offer, eligible: int) -> int:
    """How many of so many are chosen; of a share at least one, if there is anybody."""
    match offer.choose:
        case "all":
            return eligible
        case "number":
            return min(offer.winners, eligible)
    share = int((eligible * offer.share / Decimal(100)).to_integral_value(ROUND_DOWN))
    return max(share, min(eligible, 1))


def wrong_in(
    seed: str, commitment: str, listed: str, drawn: list[tuple[str, str, bool]], chosen: int
) -> str:
    """What of a draw is not as it must be: names with their numbers, lowest first, and whether they
    were chosen. Empty: nothing."""
    if commitment_of(seed) != commitment:
        return "seed"
    if hash_of_list(name for name, _proof, _chosen in drawn) != listed:
        return "list"
    if in_drawn_order(seed, [name for name, *_rest in drawn]) != [row[:2] for row in drawn]:
        return "numbers"
    return "" if [row[2] for row in drawn] == [n < chosen for n in range(len(drawn))] else "chosen"
