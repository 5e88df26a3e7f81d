"""Several databases in the benchmark's own cluster: which one is used, copied, made or dropped."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

from config import embedded


@contextmanager
def used(name: str) -> Iterator[None]:
    """Django works on this database for the while."""
    kept = connection.settings_dict["NAME"]
    _switch(name)
    try:
        yield
    finally:
        _switch(kept)


@contextmanager
def inherited(name: str) -> Iterator[None]:
    """Processes that are started in the while work on this database."""
    os.environ["DATABASE_URL"] = f"postgres://setia@/{name}?host={embedded.layout().sockets}"
    try:
        yield
    finally:
        del os.environ["DATABASE_URL"]


def _switch(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def exists(name: str) -> bool:
    return bool(_administer("SELECT 1 FROM pg_database WHERE datname = %s", [name]))


def create(name: str, *, copy_of: str = "template1") -> None:
    """A new database, in place of one of this name; a copy on the file level."""
    drop(name)
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    _administer(statement.format(sql.Identifier(name), sql.Identifier(copy_of)))


def drop(name: str) -> None:
    _administer(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def note(name: str) -> str:
    """What `set_note` wrote to the database last; "" before."""
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    rows = _administer(query, [name])
    return (rows[0][0] or "") if rows else ""


def set_note(name: str, words: str) -> None:
    statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
    _administer(statement.format(sql.Identifier(name), sql.Literal(words)))


def size_in_bytes(name: str) -> int:
    return int(_administer("SELECT pg_database_size(%s)", [name])[0][0])


def _administer(query: str | sql.Composed, arguments: Sequence[Any] = ()) -> list[Any]:
    host = str(embedded.layout().sockets)
    with psycopg.connect(host=host, user="setia", dbname="postgres", autocommit=True) as server:
        cursor = server.execute(query, arguments or None)
        return cursor.fetchall() if cursor.description else []
