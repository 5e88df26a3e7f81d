"""Telling work that was interrupted from work that has failed."""

from __future__ import annotations

import psycopg
from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError

# A connection that broke, and a server that is being stopped, has crashed or is starting.
_CONNECTION = ("08", "57P")


def is_interruption(error: BaseException) -> bool:
    """Whether the same work may go well when it is simply done again: the worker was asked to end,
    its time is over, or the database went away under it."""
    if isinstance(error, SystemExit | SoftTimeLimitExceeded):
        return True
    if isinstance(error, InterfaceError | OperationalError):
        return _is_connection(error.__cause__)
    return _is_connection(error)


def _is_connection(cause: BaseException | None) -> bool:
    if not isinstance(cause, psycopg.InterfaceError | psycopg.OperationalError):
        return False
    return cause.sqlstate is None or cause.sqlstate.startswith(_CONNECTION)
