"""What twenty live rules cost: in an import, beside SQL that writes the same rows and one grant an
order; and in quotes, beside an empty view. On a database of their own, which is dropped afterwards.
"""

from __future__ import annotations

import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from django.core.management import call_command
from django.utils import timezone

from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.selectors.rulebooks import reload_terms
from loyalty.services.imports import run_import, start_import
from loyalty.services.programs import apply_definition
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM
from tests.bench import databases, engine
from tests.bench.client import Load, Request, run_load
from tests.bench.figures import Figures, Goal
from tests.bench.pgbench import CONNECTIONS
from tests.bench.world import DEPARTMENTS, make_world, raw_load, write_files
from tests.serving import served

GOALS = {
    "import": Goal("file import with lines under 20 rules / set-based SQL", 0.25, 0.4),
    "quote": Goal("POST /quotes of 10 items, p95 / p95 of an empty view"),
}
DATABASE = "bench_rules"


def rounds(options: Namespace) -> list[Figures]:
    with _database():
        program = _make_program(options.members)
        bench = Quotes(options.seconds, options.members)
        with (
            served("config.wsgi:application", workers=2) as setia,
            served("tests.bench.empty:application", workers=2) as empty,
        ):
            bench.load(setia, bench.quote, 1.0)
            return [
                _import(program, options.orders, number) | bench.round(setia, empty)
                for number in range(options.rounds)
            ]


@contextmanager
def _database() -> Iterator[None]:
    """For this process and those it starts."""
    databases.create(DATABASE)
    try:
        with databases.inherited(DATABASE), databases.used(DATABASE):
            call_command("migrate", verbosity=0)
            yield
    finally:
        databases.drop(DATABASE)


def _make_program(members: int) -> Program:
    """The world's program with the twenty rules instead of its own."""
    program = make_world(members)
    said = {
        "code": "bench", "name": "Bench", "currency": "USD", "status": "live",
        "wallet_types": [{"expiry": {"kind": "months", "length": 12}}], "earning_rules": _rules(),
    }  # fmt: skip
    apply_definition(ProgramDefinition.model_validate(said), actor=SYSTEM, now=timezone.now())
    reload_terms()
    return program


def _rules() -> list[dict[str, Any]]:
    """Those that the engine is measured with, for the departments of the files."""
    text = orjson.dumps(engine.RULES).decode()
    for number in reversed(range(len(engine.CATEGORIES))):
        text = text.replace(engine.CATEGORIES[number], DEPARTMENTS[number % len(DEPARTMENTS)])
    return [
        {"code": f"rule-{number}", "name": f"Rule {number}", **body}
        for number, body in enumerate(orjson.loads(text), start=1)
    ]


def _import(program: Program, orders: int, number: int) -> Figures:
    name = f"{int(time.time())}-{number}"
    with tempfile.TemporaryDirectory() as folder:
        raw_files = write_files(Path(folder), f"R{name}", orders=orders, seed=number)
        own_files = write_files(Path(folder), f"S{name}", orders=orders, seed=number)
        begun = time.perf_counter()
        raw_load(program, *raw_files, source="raw")
        raw = time.perf_counter() - begun
        begun = time.perf_counter()
        job = start_import(
            program=program, orders_path=own_files[0], lines_path=own_files[1], actor=SYSTEM
        )
        finished = run_import(job.pk)
        own = time.perf_counter() - begun
    assert finished is not None
    assert finished.result["created"] == orders, finished.result
    return {
        "import": raw / own,
        "set-based SQL load, orders/s": orders / raw,
        "import_orders under 20 rules, orders/s": orders / own,
    }


class Quotes:
    """Baskets of ten items, of one member after the other."""

    def __init__(self, seconds: float, members: int) -> None:
        self.seconds, self.members, self.sent = seconds, members, 0
        _key, self.secret = create_api_key(actor=SYSTEM, name="Bench", scopes=["quotes:read"])

    def round(self, setia: int, empty: int) -> Figures:
        nothing = self.load(empty, _empty, self.seconds)
        quotes = self.load(setia, self.quote, self.seconds)
        return {
            "quote": quotes.percentile(0.95) / nothing.percentile(0.95),
            "quotes, requests/s": quotes.per_second,
            "quotes p95, ms": quotes.percentile(0.95) * 1000,
            "empty view, requests/s": nothing.per_second,
            "empty view p95, ms": nothing.percentile(0.95) * 1000,
        }

    def load(self, port: int, request: Request, seconds: float) -> Load:
        load = run_load(port, request, seconds=seconds, connections=CONNECTIONS)
        assert set(load.answers) == {200}, f"{load.answers}: {load.sample[:500]!r}"
        return load

    def quote(self) -> bytes:
        self.sent += 1
        lines = [
            {"line_no": number, "sku": f"SKU-{number}",
             "category": DEPARTMENTS[(self.sent + number) % len(DEPARTMENTS)], "quantity": "1",
             "unit_price": "49.90", "total": "49.90"}
            for number in range(1, 11)
        ]  # fmt: skip
        payload = orjson.dumps(
            {"customer": {"external_id": f"M{self.sent * 7919 % self.members + 1}"},
             "currency": "USD", "total": "499.00", "lines": lines}
        )  # fmt: skip
        return (
            f"POST /api/v1/quotes HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {self.secret}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(payload)}\r\n\r\n"
        ).encode() + payload


def _empty() -> bytes:
    return b"GET /empty HTTP/1.1\r\nHost: localhost\r\n\r\n"
