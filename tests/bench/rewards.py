"""Taking rewards: reserve and issue over HTTP beside raw SQL that writes the same rows, by one and
by sixteen at once, of many rewards and of one that all want."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import orjson
from django.core.management import call_command
from django.db import connection

from loyalty.models import Membership, Program
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM
from rewards.definitions import RewardDefinition
from rewards.models import Reward
from rewards.services.rewards import create_reward
from tests.bench import pgbench
from tests.bench.client import Load, run_load
from tests.bench.figures import Figures, Goal
from tests.bench.world import make_world
from tests.serving import served

GOALS = {
    "one": Goal("reserve and issue over HTTP / raw SQL, 1 client", 0.1),
    "many": Goal("the same, 16 clients", 0.1),
    "hot": Goal("16 clients, one reward with a stock / many rewards", 0.7),
    "raw hot": Goal("raw SQL, 16 clients, one reward / many"),
}
CLIENTS = 16
REWARDS = 64
SPREAD = (
    "\\set k :k + 1\n\\set m random(1, :members)\n"
    "\\set r :first + (:client_id * 131 + :k) % :count\n"
)
KEY = "'raw ' || :run || ' ' || :client_id || ' ' || :k"
RAW = (
    f"SELECT bench_reserve('M' || :m, :r, {KEY}, now());\n"
    f"SELECT bench_issue({KEY}, now());\n"
)  # fmt: skip


def rounds(options: argparse.Namespace) -> list[Figures]:
    bench = Rewards(options.members, options.seconds)
    bench.prepare()
    with served("config.wsgi:application", workers=2) as port:
        return [bench.round(port) for _ in range(options.rounds)]


class Rewards:
    """Members with units, and rewards with stock."""

    def __init__(self, members: int, seconds: float) -> None:
        self.members, self.seconds = members, seconds
        self.sent = self.runs = 0

    def prepare(self) -> None:
        call_command("migrate", verbosity=0)
        self.program: Program = make_world(self.members)
        self.run_name = f"{int(time.time())}"
        _key, self.secret = create_api_key(
            actor=SYSTEM, name=f"Rewards {self.run_name}",
            scopes=["redemptions:write"],
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute((Path(__file__).parent / "rewards.sql").read_text(encoding="utf-8"))
            cursor.execute(
                "SELECT count(bench_accrual('M' || n, now())) FROM generate_series(1, %s) n",
                [self.members],
            )
            cursor.execute("VACUUM ANALYZE")
        found = Membership.objects.filter(customer__external_id__startswith="M")
        self.memberships = [str(pk) for pk in found.values_list("public_id", flat=True)[:5000]]
        self.rewards = [self._reward(number) for number in range(REWARDS)]

    def round(self, port: int) -> Figures:
        raw = {count: self.raw(count, REWARDS) for count in (1, CLIENTS)}
        raw_hot = self.raw(CLIENTS, 1)
        own = {count: self.take(port, count, self.rewards) for count in (1, CLIENTS)}
        hot = self.take(port, CLIENTS, self.rewards[:1])
        return {
            "one": own[1].per_second / raw[1],
            "many": own[CLIENTS].per_second / raw[CLIENTS],
            "hot": hot.per_second / own[CLIENTS].per_second,
            "raw hot": raw_hot / raw[CLIENTS],
            "raw reserve and issue, 1 client, a second": raw[1],
            f"raw reserve and issue, {CLIENTS} clients, a second": raw[CLIENTS],
            "reserve and issue over HTTP, 1 client, a second": own[1].per_second,
            "its p50 for both requests, ms": own[1].percentile(0.5) * 1000,
            "its p95, ms": own[1].percentile(0.95) * 1000,
            f"reserve and issue over HTTP, {CLIENTS} clients, a second": own[CLIENTS].per_second,
            f"its p50, {CLIENTS} clients, ms": own[CLIENTS].percentile(0.5) * 1000,
            f"its p95, {CLIENTS} clients, ms": own[CLIENTS].percentile(0.95) * 1000,
            f"one reward for all, {CLIENTS} clients, a second": hot.per_second,
        }

    def raw(self, clients: int, rewards: int) -> float:
        self.runs += 1
        return pgbench.run(
            SPREAD + RAW, seconds=self.seconds, clients=clients, members=self.members, k=0,
            run=self.runs + int(self.run_name), first=self.rewards[0].pk, count=rewards,
        ).per_second  # fmt: skip

    def take(self, port: int, clients: int, rewards: list[Reward]) -> Load:
        """Each client reserves, then issues what it has reserved."""

        def reserve() -> bytes:
            self.sent += 1
            body = {
                "membership": self.memberships[self.sent * 7919 % len(self.memberships)],
                "reward": str(rewards[self.sent % len(rewards)].public_id),
                "hold_minutes": 15,
            }
            return self._post("/api/v1/reward-redemptions", body, f"{self.run_name}-{self.sent}")

        def issue(answer: bytes) -> bytes:
            taken = orjson.loads(answer)["id"]
            return self._post(f"/api/v1/reward-redemptions/{taken}/issue", None, "")

        return _good(
            run_load(port, reserve, seconds=self.seconds, connections=clients, then=issue),
            (200, 201),
        )

    def _reward(self, number: int) -> Reward:
        code = f"bench-{self.run_name}-{number}"
        definition = RewardDefinition.model_validate(
            {"code": code, "kind": "amount_off", "name": "5 off", "amount": 5, "price": 1,
             "status": "live", "stock": 100_000_000, "wallet_type": "points"}
        )  # fmt: skip
        return create_reward(program=self.program, definition=definition, actor=SYSTEM)

    def _post(self, path: str, body: object, key: str) -> bytes:
        payload = b"" if body is None else orjson.dumps(body)
        more = f"Idempotency-Key: {key}\r\n" if key else ""
        return (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.secret}\r\n"
            f"{more}Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
        ).encode() + payload


def _good(load: Load, expected: tuple[int, ...]) -> Load:
    bad = {status: count for status, count in load.answers.items() if status not in expected}
    assert not bad, f"{bad}: {load.sample[:500]!r}"
    return load
