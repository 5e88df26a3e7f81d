"""The benchmark's own data: a program, members, and order files with lines."""

from __future__ import annotations

import csv
import datetime as dt
import random
from pathlib import Path

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from psycopg import sql

from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.services.import_rows import LINE_COLUMNS, ORDER_COLUMNS
from loyalty.services.memberships import enroll_many
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.services.audit import SYSTEM

RAW = Path(__file__).parent / "raw.sql"
DEPARTMENTS = ("GROCERY", "PRODUCE", "DAIRY", "DELI", "MEAT", "BAKERY", "DRUGSTORE", "FUEL")


def make_world(members: int) -> Program:
    """A live program with `members` members M1 … Mn, each with an empty wallet."""
    definition = ProgramDefinition.model_validate(
        {
            "code": "bench",
            "name": "Bench",
            "currency": "USD",
            "status": "live",
            "wallet_types": [{"expiry": {"kind": "months", "length": 12}}],
            "earning_rules": [{"exclude": {"categories": ["FUEL"]}}],
        }
    )
    program = apply_definition(definition, actor=SYSTEM, now=timezone.now()).program
    known = Customer.objects.filter(external_id__startswith="M").count()
    Customer.objects.bulk_create(
        (Customer(external_id=f"M{n}") for n in range(known + 1, members + 1)), batch_size=5000
    )
    keys = Customer.objects.filter(external_id__startswith="M").values_list("pk", flat=True)
    since = timezone.now() - dt.timedelta(days=30)
    with transaction.atomic():
        enroll_many(program_id=program.pk, enrolled=dict.fromkeys(keys, since), source="import")
    with connection.cursor() as cursor:
        cursor.execute(RAW.read_text(encoding="utf-8"))
        cursor.execute("VACUUM ANALYZE")
    return program


def write_files(folder: Path, prefix: str, *, orders: int, seed: int) -> tuple[Path, Path]:
    """Order files whose customers are new: about ten lines an order, seven orders a customer."""
    chance = random.Random(seed)
    orders_path, lines_path = folder / f"{prefix}-orders.csv", folder / f"{prefix}-lines.csv"
    begin = dt.datetime(2026, 1, 1)  # noqa: DTZ001  (files hold the shop's naive time)
    with (
        orders_path.open("w", encoding="utf-8", newline="") as first,
        lines_path.open("w", encoding="utf-8", newline="") as second,
    ):
        order_rows, line_rows = csv.writer(first), csv.writer(second)
        order_rows.writerow(ORDER_COLUMNS)
        line_rows.writerow(LINE_COLUMNS)
        for number in range(orders):
            name = f"{prefix}-{number}"
            total = 0
            for line in range(1, chance.randint(1, 19) + 1):
                cents = chance.randint(50, 1500)
                total += cents
                price = f"{cents / 100:.2f}"
                sku, department = chance.randint(1, 20_000), chance.choice(DEPARTMENTS[:-1])
                line_rows.writerow([name, line, f"SKU-{sku}", department, 1, price, "0.00", price])
            at = begin + dt.timedelta(seconds=chance.randint(0, 300 * 86400))
            buyer = f"{prefix}-C{chance.randint(1, max(orders // 7, 1))}"
            order_rows.writerow(
                [name, buyer, at.isoformat(), "USD", f"{total / 100:.2f}", "sale", ""]
            )
    return orders_path, lines_path


def raw_load(program: Program, orders_path: Path, lines_path: Path, source: str) -> None:
    """The comparison: both files copied as text, then written set by set, in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table, columns, path in (
            ("bench_orders", ORDER_COLUMNS, orders_path), ("bench_lines", LINE_COLUMNS, lines_path)
        ):  # fmt: skip
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
            names = ", ".join(f"{name} text" for name in columns)
            cursor.execute(f"CREATE UNLOGGED TABLE {table} ({names})")
            _copy(cursor, table, path)
            cursor.execute(f"ANALYZE {table}")
        cursor.execute("SELECT bench_load(%s, %s)", [source, program.pk])


def _copy(cursor: CursorWrapper, table: str, path: Path) -> None:
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT csv, HEADER, NULL E'\\x01')")
    with path.open("rb") as stream, cursor.copy(statement.format(sql.Identifier(table))) as copy:
        while chunk := stream.read(1 << 20):
            copy.write(chunk)
