"""A cart's way over HTTP: its quote, beside an empty view; keeping units and a reward for it and
paying it, by one client and by sixteen, with many rewards and with one that all want, beside raw
SQL that writes the same rows."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import orjson
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from loyalty.definitions import ProgramDefinition
from loyalty.models import Membership, Program
from loyalty.services.programs import apply_definition
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM
from rewards.definitions import RewardDefinition
from rewards.models import Reward
from rewards.services.rewards import create_reward
from tests.bench import pgbench
from tests.bench.client import Load, percentile, run_load
from tests.bench.figures import Figures, Goal
from tests.bench.pgbench import CONNECTIONS
from tests.bench.world import DEPARTMENTS, make_world
from tests.serving import served

GOALS = {
    "one": Goal("reserve and commit of a cart over HTTP / raw SQL, 1 client"),
    "many": Goal("the same, 16 clients"),
    "hot": Goal("16 clients, one reward with a stock in all carts / many rewards"),
    "raw hot": Goal("raw SQL, 16 clients, one reward / many"),
    "quote p50": Goal("quote of a cart, p50 / p50 of an empty view"),
    "quote": Goal("the same, p95 / p95"),
    "reserve": Goal("reserve, 1 client, p95 / p95 of an empty view"),
    "commit": Goal("commit, 1 client, p95 / p95 of an empty view"),
}
CLIENTS = 16
# Rewards on the shelf, all of which a quote looks at.
REWARDS = 16
KEY = "'cart ' || :run || ' ' || :client_id || ' ' || :k"
RAW = (
    "\\set k :k + 1\n\\set m random(1, :members)\n\\set r :first + :k % :count\n"
    f"SELECT bench_cart_reserve('M' || :m, :r, {KEY}, now());\n"
    f"SELECT bench_cart_commit({KEY}, now());\n"
)


def rounds(options: argparse.Namespace) -> list[Figures]:
    bench = Carts(options.members, options.seconds)
    bench.prepare()
    with (
        served("config.wsgi:application", workers=2) as setia,
        served("tests.bench.empty:application", workers=2) as empty,
    ):
        bench.quotes(setia, 1.0)
        bench.carts(setia, 1, bench.rewards, 1.0)
        return [bench.round(setia, empty) for _ in range(options.rounds)]


class Carts:
    """Carts of ten lines, of one member after the other: one unit and one reward for each."""

    def __init__(self, members: int, seconds: float) -> None:
        self.members, self.seconds = members, seconds
        self.sent = self.runs = 0

    def prepare(self) -> None:
        call_command("migrate", verbosity=0)
        make_world(self.members)
        # Its units are worth a cent each.
        said = {
            "code": "bench", "name": "Bench", "currency": "USD", "status": "live",
            "wallet_types": [{"unit_value": "0.01", "expiry": {"kind": "months", "length": 12}}],
            "earning_rules": [{"exclude": {"categories": ["FUEL"]}}],
        }  # fmt: skip
        definition = ProgramDefinition.model_validate(said)
        self.program: Program = apply_definition(
            definition, actor=SYSTEM, now=timezone.now()
        ).program
        self.run_name = f"{int(time.time())}"
        _key, self.secret = create_api_key(
            actor=SYSTEM, name=f"Carts {self.run_name}", scopes=["quotes:read", "checkouts:write"]
        )
        folder = Path(__file__).parent
        with connection.cursor() as cursor:
            for name in ("rewards.sql", "checkouts.sql"):
                cursor.execute((folder / name).read_text(encoding="utf-8"))
            cursor.execute(
                "SELECT count(bench_accrual('M' || n, now())) FROM generate_series(1, %s) n",
                [self.members],
            )
        # Those of earlier runs would be quoted, too.
        Reward.objects.filter(program=self.program).update(status=Reward.Status.ARCHIVED)
        self.rewards = [self._reward(number) for number in range(REWARDS)]
        found = Membership.objects.filter(customer__external_id__startswith="M")
        self.memberships = [str(pk) for pk in found.values_list("public_id", flat=True)[:5000]]
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def round(self, setia: int, empty: int) -> Figures:
        nothing = run_load(empty, _empty, seconds=self.seconds, connections=CONNECTIONS)
        alone = run_load(empty, _empty, seconds=self.seconds, connections=1)
        quotes = self.quotes(setia, self.seconds)
        raw = {count: self.raw(count, REWARDS) for count in (1, CLIENTS)}
        raw_hot = self.raw(CLIENTS, 1)
        own = {count: self.carts(setia, count, self.rewards) for count in (1, CLIENTS)}
        hot = self.carts(setia, CLIENTS, self.rewards[:1])
        found = {
            **{name: own[count].per_second / raw[count]
               for name, count in (("one", 1), ("many", CLIENTS))},
            "hot": hot.per_second / own[CLIENTS].per_second,
            "raw hot": raw_hot / raw[CLIENTS],
            "quote p50": quotes.percentile(0.5) / nothing.percentile(0.5),
            "quote": quotes.percentile(0.95) / nothing.percentile(0.95),
            "quotes a second": quotes.per_second,
        }  # fmt: skip
        for place, name in enumerate(("reserve", "commit")):
            found[name] = percentile(own[1].steps[place], 0.95) / alone.percentile(0.95)
        for count, load in own.items():
            found |= _absolute(f"{count} client{'s' * (count > 1)}", raw[count], load)
        found |= _absolute(f"{CLIENTS} clients, one reward for all", raw_hot, hot)
        for name, times in {"quote": quotes.latencies, "empty view": nothing.latencies}.items():
            found |= _latencies(name, times)
        return found

    def raw(self, clients: int, rewards: int) -> float:
        self.runs += 1
        return pgbench.run(
            RAW, seconds=self.seconds, clients=clients, members=self.members, k=0,
            run=self.runs + int(self.run_name), first=self.rewards[0].pk, count=rewards,
        ).per_second  # fmt: skip

    def quotes(self, port: int, seconds: float) -> Load:
        load = run_load(port, self._quote, seconds=seconds, connections=CONNECTIONS)
        return _good(load)

    def carts(
        self, port: int, clients: int, rewards: list[Reward], seconds: float | None = None
    ) -> Load:
        """Each client reserves a cart, then commits it."""

        def reserve() -> bytes:
            return self._reserve(rewards[self.sent % len(rewards)])

        def commit(answer: bytes) -> bytes:
            kept = orjson.loads(answer)["id"]
            body = {"order_external_id": f"order {kept}"}
            return self._post(f"/api/v1/checkouts/{kept}/commit", body)

        return _good(
            run_load(
                port, reserve, seconds=seconds or self.seconds, connections=clients, then=commit
            )
        )

    def _quote(self) -> bytes:
        return self._post("/api/v1/checkouts/quote", self._cart())

    def _reserve(self, reward: Reward) -> bytes:
        body = self._cart() | {
            "cart": f"{self.run_name}-{self.sent}", "rewards": [str(reward.public_id)],
            "units": [{"wallet_type": "points", "units": "1"}],
        }  # fmt: skip
        return self._post("/api/v1/checkouts", body)

    def _cart(self) -> dict[str, object]:
        self.sent += 1
        lines = [
            {"line_no": number, "sku": f"SKU-{number}",
             "category": DEPARTMENTS[(self.sent + number) % len(DEPARTMENTS)], "quantity": "1",
             "unit_price": "49.90", "total": "49.90"}
            for number in range(1, 11)
        ]  # fmt: skip
        member = self.memberships[self.sent * 7919 % len(self.memberships)]
        return {
            "membership": member, "order": {"currency": "USD", "total": "499.00", "lines": lines},
        }  # fmt: skip

    def _post(self, path: str, body: object) -> bytes:
        payload = orjson.dumps(body)
        return (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.secret}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
        ).encode() + payload

    def _reward(self, number: int) -> Reward:
        definition = RewardDefinition.model_validate(
            {"code": f"cart-{self.run_name}-{number}", "kind": "amount_off", "name": "5 off",
             "amount": 5, "price": 1, "status": "live", "stock": 100_000_000,
             "wallet_type": "points"}
        )  # fmt: skip
        return create_reward(program=self.program, definition=definition, actor=SYSTEM)


def _empty() -> bytes:
    return b"GET /empty HTTP/1.1\r\nHost: localhost\r\n\r\n"


def _absolute(who: str, raw: float, load: Load) -> Figures:
    return {
        f"raw reserve and commit, {who}, a second": raw,
        f"reserve and commit over HTTP, {who}, a second": load.per_second,
        **_latencies(f"both requests, {who}", load.latencies),
        **_latencies(f"reserve, {who}", load.steps[0]),
        **_latencies(f"commit, {who}", load.steps[1]),
    }


def _latencies(name: str, times: list[float]) -> Figures:
    return {
        f"{name}, p{share * 100:.0f}, ms": percentile(times, share) * 1000 for share in (0.5, 0.95)
    }


def _good(load: Load) -> Load:
    assert set(load.answers) == {200}, f"{load.answers}: {load.sample[:500]!r}"
    return load
