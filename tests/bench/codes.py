"""Looking a code up among very many, beside the same among few: two databases that differ in
nothing else, each behind a server of its own, asked in turn."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import orjson
import psycopg
from django.core.management import call_command
from django.db import connection

from config import embedded
from config.database.scratch import connect_apart
from loyalty.models import Program
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM
from rewards.models import Voucher, VoucherPool
from rewards.services.voucher_pools import create_voucher_pool
from tests.bench import databases, pgbench
from tests.bench.client import run_load
from tests.bench.figures import Figures, Goal
from tests.bench.world import make_world
from tests.serving import served

GOALS = {"codes": Goal("checking a code among very many / among few", 0.9)}
FEW = 10_000
# Codes that are asked for, from all over the list.
ASKED = 2_000
# The same sign may not come at the same place of neighbors: hence the digests.
CODES = """
    COPY (SELECT gen_random_uuid(), upper(md5('code ' || n)), upper(md5('code ' || n)),
                 {pool}::bigint, {program}::bigint, 'waiting'::varchar, '{{}}'::jsonb, now()
            FROM generate_series({first}, {last}) n) TO STDOUT (FORMAT binary)
"""
COLUMNS = "public_id, code, written, pool_id, program_id, status, terms, created_at"


def rounds(options: argparse.Namespace) -> list[Figures]:
    with ExitStack() as stack:
        few = stack.enter_context(_list_of(FEW))
        many = stack.enter_context(_list_of(options.codes))
        found = []
        for number in range(options.rounds):
            # In turn, and not always in the same order.
            lists = (few, many) if number % 2 else (many, few)
            rates = {each.size: each.checks(options.seconds) for each in lists}
            found.append(
                {
                    "codes": rates[options.codes] / rates[FEW],
                    f"codes checked a second, among {FEW:,}": rates[FEW],
                    f"codes checked a second, among {options.codes:,}": rates[options.codes],
                    f"{options.codes:,} codes and their indexes, GB": many.gigabytes,
                    "making them, s (0: they were there)": many.made_in,
                }
            )
        return found


class _Codes:
    """A list of so many codes, and a server that looks them up."""

    def __init__(self, size: int) -> None:
        self.size, self.sent, self.port = size, 0, 0
        call_command("migrate", verbosity=0)
        self.program: Program = make_world(1)
        pool = VoucherPool.objects.filter(program=self.program, code="bench").first()
        self.pool = pool or create_voucher_pool(
            program=self.program, code="bench", name="Bench", actor=SYSTEM
        )
        begun = time.perf_counter()
        self.made_in = time.perf_counter() - begun if self._fill() else 0.0
        waiting = Voucher.objects.filter(pool=self.pool).order_by("pk")
        first = waiting.values_list("pk", flat=True)[0]
        keys = range(first, first + size, size // ASKED)
        self.asked = list(waiting.filter(pk__in=keys).values_list("written", flat=True))
        _key, self.secret = create_api_key(
            actor=SYSTEM, name=f"Codes {int(time.time())}", scopes=["vouchers:read"]
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_total_relation_size('rewards_voucher')")
            self.gigabytes = cursor.fetchone()[0] / 1e9

    def checks(self, seconds: float) -> float:
        """So many look-ups a second of codes that nobody has been given."""
        load = run_load(self.port, self._check, seconds=seconds, connections=pgbench.CONNECTIONS)
        assert set(load.answers) == {409}, f"{load.answers}: {load.sample[:500]!r}"
        return load.per_second

    def _check(self) -> bytes:
        self.sent += 1
        code = self.asked[self.sent * 7919 % len(self.asked)]
        payload = orjson.dumps({"code": code, "checkout": "bench"})
        return (
            f"POST /api/v1/vouchers/check HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {self.secret}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(payload)}\r\n\r\n"
        ).encode() + payload

    def _fill(self) -> bool:
        """Add those that are missing, without indexes and triggers, which are there again after
        it; whether any were."""
        known = Voucher.objects.filter(pool=self.pool).count()
        if known >= self.size:
            return False
        where = {"pool": self.pool.pk, "program": self.program.pk}
        with connect_apart() as reader, connect_apart() as writer:
            writer.execute("SET session_replication_role = replica")
            writer.execute("SET maintenance_work_mem = '256MB'")
            with writer.transaction():
                again = _drop_indexes(writer)
                query = CODES.format(first=known, last=self.size - 1, **where)
                target = f"COPY rewards_voucher ({COLUMNS}) FROM STDIN (FORMAT binary)"
                cursor = writer.cursor()
                with reader.cursor().copy(query) as made, cursor.copy(target) as stored:
                    for block in made:
                        stored.write(block)
                writer.execute(
                    "UPDATE rewards_voucherpool SET codes = %s WHERE id = %s",
                    [self.size, self.pool.pk],
                )
                for statement in again:
                    writer.execute(statement)
            writer.execute("VACUUM ANALYZE rewards_voucher")
        return True


def _drop_indexes(writer: psycopg.Connection) -> list[str]:
    """All but that of the key; the statements that make them again."""
    constraints = writer.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'rewards_voucher'::regclass AND contype = 'u'"
    ).fetchall()
    for name, _said in constraints:
        writer.execute(f'ALTER TABLE rewards_voucher DROP CONSTRAINT "{name}"')
    indexes = writer.execute(
        "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        "  JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = 'rewards_voucher'::regclass AND NOT i.indisprimary"
    ).fetchall()
    for name, _said in indexes:
        writer.execute(f'DROP INDEX "{name}"')
    return [
        *(
            f'ALTER TABLE rewards_voucher ADD CONSTRAINT "{name}" {said}'
            for name, said in constraints
        ),
        *(said for _name, said in indexes),
    ]


@contextmanager
def _list_of(size: int) -> Iterator[_Codes]:
    """A database of its own that stays for the next run, since it takes so long to make."""
    name = f"bench_codes_{size}"
    if not databases.exists(name):
        call_command("migrate", verbosity=0)
        kept = str(connection.settings_dict["NAME"])
        connection.close()
        databases.create(name, copy_of=kept)
    os.environ["DATABASE_URL"] = f"postgres://setia@/{name}?host={embedded.layout().sockets}"
    try:
        with databases.used(name):
            codes = _Codes(size)
        with served("config.wsgi:application", workers=1) as codes.port:
            os.environ.pop("DATABASE_URL")
            yield codes
    finally:
        os.environ.pop("DATABASE_URL", None)
