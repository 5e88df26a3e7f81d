"""Draws: what goes in decides what comes out, and all prizes are as likely as published."""

from __future__ import annotations

import hashlib
import hmac
import inspect
import uuid
from collections import Counter

import pytest

from campaigns import fair_draws
from campaigns.fair_draws import (
    NUMBERS,
    Place,
    Ticket,
    commitment_of,
    draw,
    hash_of,
    new_seed,
    number_of,
    prove,
    read_odds,
    written_odds,
)
from rewards.weights import fallen_on

SEED = "5e" * 32
PLACES = [Place("big", 1), Place("small", 9), Place("again", 20), Place("none", 70)]
ODDS = hash_of(written_odds(PLACES))
MEMBER = str(uuid.UUID(int=7))


def test_a_million_draws_fall_as_the_weights_say() -> None:
    counts = dict.fromkeys((place.code for place in PLACES), 0)
    key = bytes.fromhex(SEED)
    # As `draw` does it, written out: a million messages in Python take their time.
    numbers = Counter(
        number_of(hmac.digest(key, f"{ODDS}|{MEMBER}|{turn}|0|".encode(), "sha256").hex(), 100)
        for turn in range(1_000_000)
    )
    del numbers[None]
    for number, times in numbers.items():
        counts[fallen_on(PLACES, number).code] += times
    seen, drawn = list(counts.values()), sum(counts.values())
    assert drawn > 999_900
    expected = [place.weight * drawn / 100 for place in PLACES]
    far = sum((one - other) ** 2 / other for one, other in zip(seen, expected, strict=True))
    # With three degrees of freedom chance alone exceeds this once in a hundred seeds.
    assert far < 11.345


def test_the_same_ticket_draws_the_same_and_another_one_something_else() -> None:
    tickets = [Ticket(ODDS, MEMBER, turn) for turn in range(1, 40)]
    tickets += [Ticket(ODDS, MEMBER, 1, "7"), Ticket(ODDS, str(uuid.UUID(int=8)), 1)]
    tickets += [Ticket(hash_of("other 1"), MEMBER, 1)]
    found = [draw(SEED, ticket, PLACES) for ticket in tickets]
    assert [draw(SEED, ticket, PLACES) for ticket in tickets] == found
    assert len({item.proof for item in found}) == len(tickets)
    other = [draw("5f" * 32, ticket, PLACES) for ticket in tickets]
    assert not {item.proof for item in other} & {item.proof for item in found}


def test_the_proof_is_what_the_definition_of_hmac_says() -> None:
    message = Ticket(ODDS, MEMBER, 3, "42").message(0)
    assert message == f"{ODDS}|{MEMBER}|3|0|42"
    key = bytes.fromhex(SEED) + bytes(32)
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + message.encode()).digest()
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()
    assert prove(SEED, message) == outer


@pytest.mark.parametrize("total", [1, 3, 7, 100, 999_999, 1_000_000])
def test_numbers_in_the_last_incomplete_round_are_passed_over(total: int) -> None:
    last, number_of = NUMBERS - NUMBERS % total, inspect.unwrap(fair_draws.number_of)
    assert number_of(f"{last - 1:012x}" + "0" * 52, total) == total - 1
    assert number_of("0" * 64, total) == 0
    if last < NUMBERS:
        assert number_of(f"{last:012x}" + "0" * 52, total) is None
        assert number_of("f" * 64, total) is None


def test_after_a_number_that_is_passed_over_the_next_one_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    messages: list[str] = []

    def proofs(_seed: str, message: str) -> str:
        messages.append(message)
        return "f" * 64 if len(messages) < 3 else "0" * 64

    monkeypatch.setattr("campaigns.fair_draws.prove", proofs)
    found = draw(SEED, Ticket(ODDS, MEMBER, 1, "5"), [Place("a", 2), Place("b", 1)])
    assert (found.code, found.number, found.passed) == ("a", 0, 2)
    assert messages == [f"{ODDS}|{MEMBER}|1|{passed}|5" for passed in range(3)]


def test_each_number_falls_on_the_prize_whose_part_it_is_in() -> None:
    fallen = [fallen_on(PLACES, number).code for number in range(100)]
    assert fallen == ["big"] + ["small"] * 9 + ["again"] * 20 + ["none"] * 70


def test_odds_are_read_as_they_were_written() -> None:
    assert read_odds(written_odds(PLACES)) == PLACES
    assert hash_of(written_odds([*PLACES[:3], Place("none", 71)])) != ODDS


def test_a_seed_is_chance_and_its_hash_says_which_it_was() -> None:
    seeds = {new_seed() for _ in range(50)}
    assert len(seeds) == 50
    assert all(len(bytes.fromhex(seed)) == 32 for seed in seeds)
    assert commitment_of(SEED) == hashlib.sha256(b"\x5e" * 32).hexdigest()
