"""The SQL functions of this package, as migrations install them.

A change to a file in sql/ needs a new migration that calls `install()` again; a test compares the
functions in the database with the files.
"""

from __future__ import annotations

from pathlib import Path

from django.db.migrations.operations import RunSQL

SQL = Path(__file__).parent / "sql"
NAMES = (
    "ledger_open_days",
    "ledger_hold_books",
    "ledger_booked",
    "ledger_refuse_spend",
    "ledger_end_idle",
    "ledger_renew_lots",
    "ledger_refresh",
    "ledger_renew",
    "ledger_use",
    "ledger_take",
    "ledger_own_lots",
    "ledger_unexpire",
    "ledger_unexpire_renewed",
    "ledger_take_late",
    "ledger_expire",
    "ledger_close_expired",
    "ledger_catch_up",
    "ledger_tell",
    "ledger_transfer",
    "ledger_in",
    "ledger_back",
    "ledger_reinstate",
    "ledger_settle",
    "ledger_repay",
    "ledger_lots_of",
    "ledger_move",
    "ledger_pass_on",
    "ledger_owe",
    "ledger_lapsed_elsewhere",
    "ledger_out",
    "ledger_reached",
    "ledger_beyond_worth",
    "ledger_post",
    "ledger_expire_due",
    "ledger_refresh_stale",
    "ledger_retime",
    "programs_fingerprint",
    "orders_people",
    "orders_open",
    "orders_hold",
    "orders_write",
)


def source(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


# A function may name tables that a later migration creates: the files say what is true today.
UNCHECKED = "SET LOCAL check_function_bodies = off"


def install(*names: str) -> list[RunSQL]:
    """Operations that (re)create the named functions, all of them by default."""
    return [RunSQL([UNCHECKED, source(name)], RunSQL.noop) for name in names or NAMES]
