"""Three processes with seventeen threads each ask over the API for the same few things: as many get
them as there are, all others are told so, and nobody's units are lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import pytest
from django.db import connections

from loyalty.ledger.checks import verify_ledger
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM
from rewards.models import Redemption, Reward, VoucherUse
from rewards.services.shared_codes import create_shared_code
from tests.api.conftest import ApiClient
from tests.loyalty.factories import NOW, spendable
from tests.rewards.factories import make_member, offer

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("coherent_ledger"),
]  # fmt: skip
PROCESSES, THREADS = 3, 17
ALL = PROCESSES * THREADS
PATIENCE = 120
Request = tuple[str, dict[str, Any]]


@pytest.mark.timeout(300)
def test_a_voucher_for_three_the_last_piece_and_a_balance_for_one() -> None:
    program = make_member(1000, "m0").program
    members = [make_member(1000, f"m{number}", program) for number in range(6)]
    poor = make_member(150, "poor", program)
    last = offer(program, "last", price=100, stock=1)
    many = offer(program, "many", price=100)
    create_shared_code(
        reward=many, written="THREE-26", most_uses=3, per_member=3, expires_at=None, actor=SYSTEM,
        now=NOW,
    )  # fmt: skip
    _key, secret = create_api_key(
        actor=SYSTEM, name="shop", scopes=["vouchers:write", "redemptions:write"]
    )

    def wanted(number: int) -> list[Request]:
        """The last use of a code, the last piece, and what the poor one can afford once."""
        member = str(members[number % 6].public_id)
        asked: list[Request] = [
            ("/vouchers/use", {"code": "THREE-26", "checkout": f"cart-{number}",
                               "membership": member}),
            ("/reward-redemptions", {"membership": member, "reward": str(last.public_id)}),
            ("/reward-redemptions", {"membership": str(poor.public_id),
                                     "reward": str(many.public_id)}),
        ]  # fmt: skip
        turn = number % 3
        return asked[turn:] + asked[:turn]

    assert ask_at_once(wanted, secret) == {
        (200, ""): 3, (409, "voucher_used"): ALL - 3,
        (201, ""): 2, (409, "sold_out"): ALL - 1, (409, "insufficient_balance"): ALL - 1,
    }  # fmt: skip
    assert VoucherUse.objects.filter(state="used").count() == 3
    assert (Reward.objects.get(code="last").taken, Redemption.objects.count()) == (1, 2)
    assert sum(spendable(f"m{number}") for number in range(6)) == 6 * 1000 - 100
    assert spendable("poor") == 50
    assert verify_ledger(NOW) == []


def ask_at_once(wanted: Callable[[int], list[Request]], secret: str) -> Counter[tuple[int, str]]:
    """How often what came of it: its status, and the code of a refusal."""
    connections.close_all()
    context = get_context("fork")
    running = []
    for number in range(PROCESSES):
        ours, theirs = context.Pipe()
        places = range(number * THREADS, (number + 1) * THREADS)
        asked = [(place, wanted(place)) for place in places]
        process = context.Process(target=_ask, args=(asked, secret, theirs))
        process.start()
        theirs.close()
        running.append((process, ours))
    for _process, ours in running:
        assert ours.poll(PATIENCE), "it does not begin"
        ours.recv()
    for _process, ours in running:
        ours.send("now")
    found: Counter[tuple[int, str]] = Counter()
    for process, ours in running:
        assert ours.poll(PATIENCE), "it does not end"
        found.update(ours.recv())
        process.join(PATIENCE)
        assert process.exitcode == 0
    return found


def _ask(asked: list[tuple[int, list[Request]]], secret: str, told: Connection) -> None:
    """All of them in one moment, each in a thread of its own."""
    ready = threading.Barrier(len(asked) + 1)

    def ask(place: int, mine: list[Request]) -> list[tuple[int, str]]:
        client, found = ApiClient(secret), []
        ready.wait(PATIENCE)
        try:
            for turn, (path, body) in enumerate(mine):
                answer = client.post(path, body, Idempotency_Key=f"{place}-{turn}")
                refused = answer.status_code >= 400
                code = str(answer.json()["code"]) if refused else ""
                found.append((answer.status_code, code))
        finally:
            connections.close_all()
        return found

    with ThreadPoolExecutor(len(asked)) as threads:
        running = [threads.submit(ask, place, mine) for place, mine in asked]
        told.send("ready")
        told.recv()
        ready.wait(PATIENCE)
        told.send([one for item in running for one in item.result()])
