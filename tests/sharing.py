"""What all tests of a module begin with, made once for each test process.

    def make_world() -> World: ...

    made_once = shared(make_world)

    @pytest.fixture
    def world(made_once: World, db: None) -> World:
        return made_once.opened()

It is made in a transaction that is open until the module's last test. Each test works in a
savepoint and is rolled back to that, so that no row shows what another did. What is no row has no
such guard: the function gives what cannot be changed (keys, addresses), and `world` makes browsers
and models from it, anew for each test. Tests that commit cannot have it; `emptying` refuses them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from django.core.cache import cache
from django.db import connection, transaction

T = TypeVar("T")


def shared(make: Callable[[], T]) -> Any:
    """A fixture of the module: what `make` gives, whose rows every test of the module finds."""

    @pytest.fixture(scope="module")
    def made_once(django_db_setup: None, django_db_blocker: Any) -> Iterator[T]:
        with django_db_blocker.unblock():
            around = transaction.atomic()
            around.__enter__()
            try:
                made = make()
                # Now, and not after each of the tests.
                connection.check_constraints()
            except BaseException:
                transaction.set_rollback(True)
                around.__exit__(None, None, None)
                raise
        # As after a test: what is in the cache is of one test only.
        cache.clear()
        yield made
        with django_db_blocker.unblock():
            transaction.set_rollback(True)
            around.__exit__(None, None, None)

    return made_once
