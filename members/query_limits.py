"""Queries that may take so long and no longer, because somebody waits for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection, transaction

_CANCELED = "57014"
_SET = "SELECT set_config('statement_timeout', %s, true)"
_READ_AND_SET = _SET.replace("SELECT", "SELECT current_setting('statement_timeout'),")


class TookTooLongError(Exception):
    """What was asked for is not there in time; nothing of it was written."""


@contextmanager
def limited_queries(milliseconds: int) -> Iterator[None]:
    """Each query of the block may take so long, and none begins after it. Raises
    TookTooLongError. Within another such block, that one's limit holds again afterwards."""
    until = time.monotonic() + milliseconds / 1000

    def in_time(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if time.monotonic() >= until:
            raise TookTooLongError
        return execute(sql, params, many, context)

    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_READ_AND_SET, [str(milliseconds)])
                before, _set = cursor.fetchone()
            with connection.execute_wrapper(in_time):
                yield
            with connection.cursor() as cursor:
                cursor.execute(_SET, [before])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != _CANCELED:
            raise
        raise TookTooLongError from error
