"""Tiers: what an order costs after long histories, reviews beside raw SQL that writes the same, and
an import with and without tiers. On a database of its own, which is dropped afterwards."""

from __future__ import annotations

import datetime as dt
import random
import statistics
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction

from loyalty.definitions import ProgramDefinition
from loyalty.models import Membership, MemberTier, Program
from loyalty.selectors.member_tiers import standings
from loyalty.selectors.rulebooks import ProgramTerms, fresh_terms, reload_terms
from loyalty.services.imports import run_import, start_import
from loyalty.services.member_tiers import rebuild_tiers, refresh_tiers
from loyalty.services.memberships import enroll_many
from loyalty.services.programs import apply_definition
from loyalty.services.tier_sets import change_tiers
from loyalty.tier_definitions import TiersDefinition
from members.models import Customer
from members.services.audit import SYSTEM
from tests.bench import databases
from tests.bench.figures import Figures, Goal
from tests.bench.world import make_world, write_files

GOALS = {
    "long": Goal("tiers of an order, history of 10,000 orders / of 10", 2, at_most=True),
    "longer": Goal("the same, 10,000 orders / 100 orders", 1.5, at_most=True),
    "review": Goal("review of everybody, raw SQL that writes the same / Setia", 0.5),
    "day": Goal("a day's review / that of everybody", 0.08, at_most=True),
    "rolling": Goal(
        "a day's review of a rolling window, one by one / everybody worked out", 0.08, at_most=True
    ),
    "import": Goal("import with tiers / without, orders a second"),
}
DATABASE = "bench_tiers"
SQL = Path(__file__).parent / "tiers.sql"
# No leap day is near.
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HISTORIES = (10, 100, 1_000, 10_000)
LEVELS = [
    {"code": "base", "name": "Base"},
    {"code": "silver", "name": "Silver", "threshold": 500},
    {"code": "gold", "name": "Gold", "threshold": 1500},
]
COPIES = {
    "loyalty_membertier": "bench_membertier", "loyalty_tierchange": "bench_tierchange",
    "members_outboxevent": "bench_outboxevent",
}  # fmt: skip


def rounds(options: Namespace) -> list[Figures]:
    found: list[Figures] = []
    for number in range(options.rounds):
        databases.create(DATABASE)
        try:
            with databases.used(DATABASE):
                call_command("migrate", verbosity=0)
                found.append(
                    _orders() | _reviews(options.reviewed) | _imports(options.orders, number)
                )
        finally:
            databases.drop(DATABASE)
    return found


def _program(code: str, **tiers: Any) -> tuple[Program, ProgramTerms]:
    said = {
        "code": code, "name": code, "currency": "USD", "status": "live",
        "time_zone": "UTC", "wallet_types": [{"expiry": {"kind": "never"}}],
        "tiers": {"tiers": LEVELS, **tiers},
    }  # fmt: skip
    definition = ProgramDefinition.model_validate(said)
    program = apply_definition(definition, actor=SYSTEM, now=NOW - 4000 * DAY).program
    reload_terms()
    [terms] = [found for found in fresh_terms().programs if found.id == program.pk]
    return program, terms


# --- What an order costs --------------------------------------------------------------------------


def _orders() -> Figures:
    """Members with histories of so many orders, spread over the same ten years."""
    _sql(SQL.read_text(encoding="utf-8"))
    program, terms = _program("long", window="rolling_12_months")
    members = {size: _member_with(program, size) for size in HISTORIES}
    _sql("VACUUM ANALYZE")
    for member in members.values():
        refresh_tiers(terms, [member], now=NOW, locked=True)
    took: dict[int, list[float]] = {size: [] for size in HISTORIES}
    whole: dict[int, list[float]] = {size: [] for size in HISTORIES}
    for turn in range(40):
        for size, member in random.sample(list(members.items()), len(members)):
            at = NOW + turn * dt.timedelta(minutes=1)
            took[size].append(_seconds(partial(_as_an_order_does, terms, member, at)))
            if turn < 3:
                whole[size].append(
                    _seconds(partial(standings, terms, [member], at=NOW, from_the_first=True))
                )
    median = {size: statistics.median(found) for size, found in took.items()}
    _forget("long")
    return {
        "long": median[10_000] / median[10], "longer": median[10_000] / median[100],
        **{f"tiers of an order, {size:,} orders, ms": took * 1000 for size, took in median.items()},
        **{
            f"from the first fact on, {size:,} orders, ms": statistics.median(found) * 1000
            for size, found in whole.items()
        },
    }  # fmt: skip


def _as_an_order_does(terms: ProgramTerms, member: Membership, at: dt.datetime) -> None:
    """What it was before the order, and the row after it."""
    standings(terms, [member], at=at)
    refresh_tiers(terms, [member], now=at, locked=True)


def _member_with(program: Program, orders: int) -> Membership:
    customer = Customer.objects.create(external_id=f"L{orders}")
    begins = NOW - 3650 * DAY
    with transaction.atomic():
        enroll_many(program_id=program.pk, enrolled={customer.pk: begins}, source="import")
    member = Membership.objects.get(customer=customer)
    values = {"orders": orders, "program": program.pk, "member": member.pk, "begins": begins}
    _sql("SELECT bench_long_history(%(program)s, %(member)s, %(orders)s, %(begins)s)", **values)
    return member


# --- Reviews --------------------------------------------------------------------------------------


def _reviews(people: int) -> Figures:
    program, terms = _program("periods", window="membership_year")
    _people(program, people)
    _sql("ANALYZE")
    _sql("SELECT bench_tier_orders(%(program)s, %(now)s)", program=program.pk, now=NOW)
    _sql("ANALYZE")
    _sql("SELECT bench_tier_judged(%(program)s)", program=program.pk)
    _sql("ANALYZE")
    _sql("SELECT bench_tier_rows(%(program)s)", program=program.pk)
    _sql("VACUUM ANALYZE")
    _same_as_worked_out(terms)
    days = [_seconds(partial(rebuild_tiers, now=NOW + n * DAY)) for n in (1, 2, 3, 4, 5)]
    later = NOW + 360 * DAY
    raw = _raw_review(program, later)
    own = _seconds(lambda: rebuild_tiers(now=later))
    _same_rows()
    _same_as_worked_out(terms, later)
    return {
        "review": raw / own, "day": statistics.median(days) / own,
        f"review of {people:,} members, s": own, "raw SQL that writes the same, s": raw,
        "a day's review, s": statistics.median(days),
        **_rolling(people),
    }  # fmt: skip


def _people(program: Program, people: int) -> None:
    """The first customers T1 … become members, over a year."""
    known = Customer.objects.filter(external_id__startswith="T")
    if not known.exists():
        _sql("SELECT bench_tier_people(%(people)s, %(now)s)", people=people, now=NOW)
    keys = list(known.order_by("pk").values_list("pk", flat=True)[:people])
    for start in range(0, people, 50_000):
        joined = {
            pk: NOW - 720 * DAY + number % 350 * DAY
            for number, pk in enumerate(keys[start : start + 50_000])
        }
        with transaction.atomic():
            enroll_many(program_id=program.pk, enrolled=joined, source="import")


def _raw_review(program: Program, upto: dt.datetime) -> float:
    """On copies of the tables with all their indexes."""
    for table, copy in COPIES.items():
        _sql(f"CREATE TABLE {copy} (LIKE {table} INCLUDING ALL)")
    _sql("INSERT INTO bench_membertier SELECT * FROM loyalty_membertier")
    _sql("VACUUM ANALYZE bench_membertier")
    _sql("VACUUM ANALYZE loyalty_membertier")
    how = {"program": program.pk, "upto": upto}
    return _seconds(lambda: _sql("SELECT bench_review(%(program)s, %(upto)s)", **how))


def _same_rows() -> None:
    """A ratio between different answers would mean nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT * FROM bench_membertier EXCEPT"
            " SELECT * FROM loyalty_membertier) x"
        )
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT (SELECT count(*) FROM bench_tierchange),"
            " (SELECT count(*) FROM loyalty_tierchange WHERE recorded_at > %s)",
            [NOW + 100 * DAY],
        )
        raw, own = cursor.fetchone()
        assert raw == own > 0


def _same_as_worked_out(terms: ProgramTerms, at: dt.datetime = NOW) -> None:
    """A few members, from the first fact on."""
    rows = list(MemberTier.objects.select_related("membership", "tier").order_by("since")[:100])
    found = standings(terms, [row.membership for row in rows], at=at, from_the_first=True)
    for row in rows:
        stands = found[row.pk]
        lost = stands.lost.at if stands.lost else None
        assert (row.tier.code, row.since, row.total, row.lost_at, row.by_clock) == (
            stands.tier, stands.span.since, stands.total, lost, stands.by_clock,
        )  # fmt: skip


def _rolling(people: int) -> Figures:
    """What is bought drops out on a day of its own, so nobody is like anybody else: a tenth of the
    members, in a program of their own, gone through one by one."""
    some = max(people // 10, 1)
    program, _terms = _program("rolling", window="rolling_12_months")
    _people(program, some)
    _sql("SELECT bench_tier_judged(%(program)s)", program=program.pk)
    _sql("VACUUM ANALYZE")
    begun = time.perf_counter()
    assert rebuild_tiers(now=NOW) == some
    everybody = time.perf_counter() - begun
    # The first that was bought within the year drops out two weeks later.
    rebuild_tiers(now=NOW + 19 * DAY)
    days = []
    for number in (20, 21, 22):
        begun = time.perf_counter()
        assert rebuild_tiers(now=NOW + number * DAY) > 0
        days.append(time.perf_counter() - begun)
    return {
        "rolling": statistics.median(days) / everybody,
        f"{some:,} members worked out one by one, s": everybody,
        "a day's review of a rolling window, s": statistics.median(days),
    }


def _change_tiers(program: Program, said: dict[str, Any]) -> None:
    tiers = TiersDefinition.model_validate(said)
    change_tiers(program=program, tiers=tiers, actor=SYSTEM, now=NOW + 361 * DAY)
    reload_terms()


# --- Imports --------------------------------------------------------------------------------------


def _imports(orders: int, number: int) -> Figures:
    program = make_world(1)
    without = _import(program, orders, f"W{number}")
    _change_tiers(program, {"tiers": LEVELS, "window": "rolling_12_months"})
    with_tiers = _import(program, orders, f"X{number}")
    return {
        "import": without / with_tiers,
        "import without tiers, orders/s": orders / without,
        "import with tiers, orders/s": orders / with_tiers,
    }


def _import(program: Program, orders: int, name: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(Path(folder), name, orders=orders, seed=7)

        def run() -> None:
            job = start_import(
                program=program, orders_path=files[0], lines_path=files[1], actor=SYSTEM
            )
            finished = run_import(job.pk)
            assert finished is not None
            assert finished.result["created"] == orders, finished.result

        return _seconds(run)


def _forget(code: str) -> None:
    """Its members are not reviewed with the others."""
    members = Membership.objects.filter(program__code=code)
    MemberTier.objects.filter(membership__in=members).update(
        changes_at=None, by_clock=False, turn=None, due=None, landing=0
    )


def _sql(statement: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
