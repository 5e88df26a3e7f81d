"""Backtests: a year's orders replayed under a draft beside the live rules, by the command that
people run; and whether more orders need more memory."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from pathlib import Path

import orjson
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from loyalty.definitions import ProgramDefinition
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from tests.bench import engine
from tests.bench.figures import Figures, Goal

PROJECT = Path(__file__).resolve().parent.parent.parent
GOALS = {
    "million": Goal("backtest of 1 M orders, s", 60, at_most=True),
    "memory": Goal("its peak memory / that for a tenth of the orders", 1.2, at_most=True),
}
# The days that a tenth of the orders, and all of them, are of.
TENTH, WHOLE = "2024-01-30", "2024-10-26"
# A rate with a limit, a category five times, weekends twice, a bonus and a condition.
RULES = [
    {"code": f"rule-{number}", "name": f"Rule {number}", **body}
    for number, body in enumerate(engine.RULES[:5], start=1)
]
PIECE = 100_000


def rounds(options: Namespace) -> list[Figures]:
    call_command("migrate", verbosity=0)
    _make_past(options.replayed)
    with tempfile.TemporaryDirectory() as folder:
        return [_round(Path(folder), number) for number in range(options.rounds)]


def _make_past(orders: int) -> None:
    """A live program, and orders that are older than it, so that they are replayed and were never
    judged."""
    program = {
        "code": "bench-past", "name": "Past", "currency": "USD", "status": "live",
        "wallet_types": [{"unit_value": "0.01"}], "earning_rules": RULES,
    }  # fmt: skip
    apply_definition(ProgramDefinition.model_validate(program), actor=SYSTEM, now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute((Path(__file__).parent / "backtests.sql").read_text(encoding="utf-8"))
        cursor.execute("SELECT count(*) FROM loyalty_order WHERE source = 'backtest'")
        known = cursor.fetchone()[0]
        for first in range(known, orders, PIECE):
            with transaction.atomic():
                last = min(first + PIECE, orders) - 1
                cursor.execute("SELECT bench_past(%s, %s)", [first, last])
        if known < orders:
            cursor.execute("VACUUM ANALYZE loyalty_order, loyalty_orderline, members_customer")


def _round(folder: Path, number: int) -> Figures:
    few, some, _seconds = _backtest(folder, number, TENTH)
    orders, much, seconds = _backtest(folder, number, WHOLE)
    return {
        "million": seconds / orders * 1_000_000,
        "memory": much / some,
        f"backtest of {orders:,} orders, orders/s": orders / seconds,
        f"its peak memory, {orders:,} orders, MB a process": much,
        f"its peak memory, {few:,} orders, MB a process": some,
    }


def _backtest(folder: Path, number: int, until: str) -> tuple[int, float, float]:
    """How many orders, megabytes of the larger process, and seconds from beginning to end."""
    rules = folder / "draft.json"
    draft = [RULES[0] | {"units": f"1.{number + 1}"}, *RULES[1:]]
    rules.write_bytes(orjson.dumps({"earning_rules": draft}))
    begun = time.perf_counter()
    said = subprocess.run(
        [
            sys.executable, str(PROJECT / "manage.py"), "backtest", "bench-past",
            "--since", "2024-01-01", "--until", until, "--rules", str(rules),
        ],
        check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    ).stdout  # fmt: skip
    seconds = time.perf_counter() - begun
    orders = re.match(r"([\d,]+) orders of", said)
    memory = re.search(r"peak memory (\d+) MB and (\d+) MB", said)
    assert orders, said
    assert memory, said
    return int(orders[1].replace(",", "")), max(map(float, memory.groups())), seconds
