"""One round of every measure."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import orjson
from django.core.management import call_command

from loyalty.models import Membership, Program, Wallet
from loyalty.services.imports import run_import, start_import
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM
from tests.bench.client import Load, Request, run_load
from tests.bench.figures import Figures, Goal
from tests.bench.pgbench import CONNECTIONS, accruals_per_second
from tests.bench.world import make_world, raw_load, write_files
from tests.serving import served

GOALS = {
    "import": Goal("file import with lines / set-based SQL", 0.3, 0.5),
    "bulk": Goal("orders in requests of 100 / E", 1.0, 2.0),
    "order": Goal("POST one order / E", 0.15, 0.30),
    "hot": Goal("POST one order, all of one member / spread", 0.4),
    "balance": Goal("balance read / empty view", 0.25, 0.33),
}
ALL_SCOPES = ["orders:write", "balances:read", "memberships:read"]


def rounds(options: argparse.Namespace) -> list[Figures]:
    """Setia served as in production, and beside it the smallest Django there is."""
    bench = Bench(options.members, options.seconds, options.orders)
    bench.prepare()
    with (
        served("config.wsgi:application", workers=2) as setia,
        served("tests.bench.empty:application", workers=2) as empty,
    ):
        bench.warm_up(setia, empty)
        return [bench.round(number, setia, empty) for number in range(options.rounds)]


class Bench:
    def __init__(self, members: int, seconds: float, orders: int) -> None:
        self.members, self.seconds, self.orders = members, seconds, orders
        self.sent = 0

    def prepare(self) -> None:
        call_command("migrate", verbosity=0)
        self.program: Program = make_world(self.members)
        self.run_name = f"{int(time.time())}"
        _key, self.secret = create_api_key(
            actor=SYSTEM, name=f"Bench {self.run_name}", scopes=ALL_SCOPES
        )
        self.memberships = list(
            Membership.objects.filter(customer__external_id__startswith="M").values_list(
                "public_id", flat=True
            )[:2000]
        )

    def warm_up(self, setia: int, empty: int) -> None:
        """Every process has served each kind of request once or more; nothing is measured."""
        kept, self.seconds = self.seconds, 1.0
        for port, request in (
            (setia, self._order), (setia, self._batch), (setia, self._balance),
            (empty, lambda: _get("/empty")),
        ):  # fmt: skip
            self._load(port, request)
        self.seconds = kept

    def round(self, number: int, setia: int, empty: int) -> Figures:
        """Raw SQL and Setia in turn; the ratios of GOALS and the absolute figures."""
        found: Figures = {}
        accruals = accruals_per_second(self.members, seconds=self.seconds)
        single = self._load(setia, self._order)
        hot = self._load(setia, self._order_of_one)
        bulk = self._load(setia, self._batch)
        nothing = self._load(empty, lambda: _get("/empty"))
        balance = self._load(setia, self._balance)
        found["order"] = single.per_second / accruals
        found["hot"] = hot.per_second / single.per_second
        found["bulk"] = bulk.per_second * 100 / accruals
        found["balance"] = balance.per_second / nothing.per_second
        found["E, accruals/s"] = accruals
        found["POST /orders, requests/s"] = single.per_second
        found["POST /orders p95, ms"] = single.percentile(0.95) * 1000
        found["POST /orders/batch of 100, orders/s"] = bulk.per_second * 100
        found["balance read, requests/s"] = balance.per_second
        found["balance read p95, ms"] = balance.percentile(0.95) * 1000
        found["empty view, requests/s"] = nothing.per_second
        found |= self._imports(number)
        return found

    def _imports(self, number: int) -> Figures:
        with tempfile.TemporaryDirectory() as folder:
            raw_name, own_name = f"R{self.run_name}-{number}", f"S{self.run_name}-{number}"
            raw_files = write_files(Path(folder), raw_name, orders=self.orders, seed=number)
            own_files = write_files(Path(folder), own_name, orders=self.orders, seed=number)
            begun = time.perf_counter()
            raw_load(self.program, *raw_files, source="raw")
            raw = time.perf_counter() - begun
            begun = time.perf_counter()
            job = start_import(
                program=self.program,
                orders_path=own_files[0],
                lines_path=own_files[1],
                actor=SYSTEM,
            )
            finished = run_import(job.pk)
            own = time.perf_counter() - begun
        assert finished is not None
        assert finished.result["created"] == self.orders, finished.result
        self._same_units(raw_name, own_name)
        return {
            "import": raw / own,
            "set-based SQL load, orders/s": self.orders / raw,
            "import_orders, orders/s": self.orders / own,
        }

    def _same_units(self, raw_name: str, own_name: str) -> None:
        """A ratio between different work would mean nothing: both must have granted the same."""
        sums = [
            sum(
                Wallet.objects.filter(
                    account__membership__customer__external_id__startswith=f"{name}-C"
                ).values_list("balance", flat=True)
            )
            for name in (raw_name, own_name)
        ]
        assert sums[0] == sums[1], sums

    def _load(self, port: int, request: Request) -> Load:
        load = run_load(port, request, seconds=self.seconds, connections=CONNECTIONS)
        bad = {status: count for status, count in load.answers.items() if status >= 300}
        assert not bad, f"{bad}: {load.sample[:500]!r}"
        return load

    def _order(self) -> bytes:
        return self._post("/api/v1/orders", {"source": "bench", **self._order_body()})

    def _order_of_one(self) -> bytes:
        body = self._order_body() | {"customer": {"external_id": "M1"}}
        return self._post("/api/v1/orders", {"source": "bench", **body})

    def _batch(self) -> bytes:
        return self._post(
            "/api/v1/orders/batch",
            {"source": "bench", "orders": [self._order_body() for _ in range(100)]},
        )

    def _balance(self) -> bytes:
        self.sent += 1
        membership = self.memberships[self.sent % len(self.memberships)]
        return _get(f"/api/v1/memberships/{membership}/balances", self.secret)

    def _order_body(self) -> dict[str, object]:
        self.sent += 1
        return {
            "external_id": f"B{self.run_name}-{self.sent}",
            "customer": {"external_id": f"M{self.sent * 7919 % self.members + 1}"},
            "placed_at": "2026-11-20T10:00:00+00:00",
            "currency": "USD",
            "total": "49.90",
            "lines": [
                {"line_no": 1, "sku": "SKU-1", "category": "GROCERY", "quantity": "1",
                 "unit_price": "49.90", "total": "49.90"}
            ],
        }  # fmt: skip

    def _post(self, path: str, body: object) -> bytes:
        payload = orjson.dumps(body)
        return (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.secret}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
        ).encode() + payload


def _get(path: str, secret: str = "") -> bytes:
    authorization = f"Authorization: Bearer {secret}\r\n" if secret else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n".encode()
