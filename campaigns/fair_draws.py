"""How a game draws, so that anybody can work it out again. Pure: what goes in decides.

1. Before anything is drawn the hash of a secret seed is public. Nobody can change the seed then.
2. What a draw is about is a text: the hash of the weights, the member, the how-many-th draw of
   theirs with this seed, how many numbers were passed over, and a number that they thought of.
3. HMAC-SHA-256 of the text under the seed is the draw's proof. Its first six bytes are a number.
4. A number in the last, incomplete round of the weights' sum is passed over, or the first prizes
   were more likely than the others. The rest of the division by the sum falls on a prize.

Nobody who does not know the seed can foresee it, and whoever does can neither choose the member's
number nor change what the public hash was made of.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rewards.weights import fallen_on

BYTES = 6
NUMBERS = 256**BYTES
MOST_WEIGHT = 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """A prize by its code, and its weight among all."""

    code: str
    weight: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a draw is about. `odds_hash`: of the weights in force; `turn`: the how-many-th draw of
    this member with this seed; `nonce`: digits that the member chose, or nothing."""

    odds_hash: str
    member: str
    turn: int
    nonce: str = ""

    def message(self, passed: int) -> str:
        return f"{self.odds_hash}|{self.member}|{self.turn}|{passed}|{self.nonce}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """`passed`: how many numbers were passed over before this one; `proof`: in hexadecimal."""

    code: str
    number: int
    passed: int
    proof: str


def new_seed() -> str:
    """256 bits by chance, in hexadecimal digits."""
    return secrets.token_hex(32)


def commitment_of(seed: str) -> str:
    """What is public of a seed from the beginning."""
    return hashlib.sha256(bytes.fromhex(seed)).hexdigest()


def written_odds(places: Iterable[Place]) -> str:
    """The weights as they are kept and hashed: a line for each prize, in order."""
    return "\n".join(f"{place.code} {place.weight}" for place in places)


def read_odds(odds: str) -> list[Place]:
    pairs = (line.split(" ") for line in odds.splitlines())
    return [Place(code, int(weight)) for code, weight in pairs]


def hash_of(odds: str) -> str:
    return hashlib.sha256(odds.encode()).hexdigest()


def draw(seed: str, ticket: Ticket, places: Sequence[Place]) -> Drawn:
    total = sum(place.weight for place in places)
    passed = 0
    while True:
        proof = prove(seed, ticket.message(passed))
        number = number_of(proof, total)
        if number is not None:
            return Drawn(fallen_on(places, number).code, number, passed, proof)
        passed += 1


def prove(seed: str, message: str) -> str:
    return hmac.digest(bytes.fromhex(seed), message.encode(), "sha256").hex()


def number_of(proof: str, total: int) -> int | None:
    """A number below the sum of the weights, each as likely; None: it has to be passed over."""
    value = int(proof[: 2 * BYTES], 16)
    return value % total if value < NUMBERS - NUMBERS % total else None
