"""A database beside the configured one, for the duration of some work that must not touch it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection
from psycopg import sql

# A database's name has 63 bytes at most.
LONGEST_NAME = 63


class ScratchBusyError(Exception):
    """Somebody else works in the database of this name."""


@contextmanager
def scratch_database(keeper: psycopg.Connection, suffix: str) -> Iterator[str]:
    """An empty database on the keeper's server, named after the keeper's, for the duration of the
    block. On the keeper every statement commits.

    Raises ScratchBusyError, or psycopg's InsufficientPrivilege where the role may create none.
    """
    name = keeper.info.dbname[: LONGEST_NAME - len(suffix)] + suffix
    # Held by the connection: whoever is killed lets go of it, and the next one cleans up.
    held = keeper.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name]).fetchone()
    if not held or not held[0]:
        raise ScratchBusyError(name)
    _drop(keeper, name)
    keeper.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    try:
        yield name
    finally:
        _drop(keeper, name)


@contextmanager
def working_in(database: str) -> Iterator[None]:
    """Django's connection leads to another database of the server within the block; only this
    thread's does."""
    configured = connection.settings_dict
    connection.close()
    connection.settings_dict = {**configured, "NAME": database}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = configured


def connect_apart(database: str | None = None) -> psycopg.Connection:
    """A connection apart from Django's to the configured server, on which every statement
    commits."""
    given = connection.get_connection_params()
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    parameters = {name: value for name, value in given.items() if name in known}
    if database:
        parameters["dbname"] = database
    return psycopg.connect(**parameters, autocommit=True)


def _drop(keeper: psycopg.Connection, name: str) -> None:
    keeper.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
