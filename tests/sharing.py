"""What all tests of a module begin with, made once for each test process that has some of them.

    def make_world() -> World: ...

    made_once = shared(make_world)

    @pytest.fixture
    def world(made_once: World, db: None) -> World:
        return made_once.opened()

Tests of a module run in one process (`scheduling.py`): it is made once in a parallel run, too.

It is made in a transaction that is open until the module's last test. Each test works in a
savepoint and is rolled back to that, so that no row shows what another did. What is no row has no
such guard: the function gives what cannot be changed (keys, addresses), and `world` makes browsers
and models from it, anew for each test; or it gives models, of which each test has copies:

    @pytest.fixture
    def world(made_once: World, db: None) -> World:
        return anew(made_once)

Tests that commit cannot have it. They come after their module's others, and what those shared is
rolled back before them. A module that has both kinds gives each what it needs, those a world of
their own:

    _made_once, world = of_each_test(make_world)

What is refused is undone by `undone_when_refused` without committing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, TypeVar

import pytest
from django.core.cache import cache
from django.db import connection, transaction

from loyalty.selectors import order_history, rulebooks, wallet_types
from loyalty.services import projections, tier_reviews
from members.services import transactions

T = TypeVar("T")
# What says of a test that it commits: fixtures, and words of the mark.
COMMITTING = {
    "transactional_db", "live_server",
    "django_db_reset_sequences", "django_db_serialized_rollback",
}  # fmt: skip
SAID = ("transaction", "reset_sequences", "serialized_rollback")
# What a process remembers of rows, by how often those were changed or by the time: the same again
# for a test that changes them in another way.
REMEMBERED = (
    rulebooks._kept.clear,
    wallet_types._loaded.cache_clear,
    order_history.purchase_habits.cache_clear,
    order_history._spread.cache_clear,
    projections._load.cache_clear,
    tier_reviews._judgments.cache_clear,
)


# The transactions around what is shared, the outermost first.
OPEN: list[transaction.Atomic] = []
# The test that is being set up.
BEGINNING: list[pytest.Item] = []


def begin(item: pytest.Item) -> None:
    BEGINNING[:] = [item]
    if commits(item):
        roll_back_shared()


def shared(make: Callable[[], T], *, autouse: bool = False) -> Any:
    """A fixture of the module: what `make` gives, whose rows every test of the module finds."""

    @pytest.fixture(scope="module", autouse=autouse)
    def made_once(django_db_setup: None, django_db_blocker: Any) -> Iterator[T | None]:
        if any(map(commits, BEGINNING)):
            # So do all that follow in this module.
            yield None
            return
        with django_db_blocker.unblock():
            around = transaction.atomic()
            around.__enter__()
            OPEN.append(around)
            try:
                made = make()
                # Now, and not after each of the tests.
                connection.check_constraints()
            except BaseException:
                roll_back_shared()
                raise
        # As after a test: what is in the cache is of one test only.
        cache.clear()
        yield made
        with django_db_blocker.unblock():
            roll_back_shared()

    return made_once


def of_each_test(make: Callable[[], T]) -> tuple[Any, Any]:
    """Two fixtures: what the tests of a module share, and what each of them has of it."""
    made: list[T] = []

    def make_and_keep() -> None:
        made[:] = [make()]

    @pytest.fixture
    def world(request: pytest.FixtureRequest, db: None) -> T:
        return make() if commits(request.node) else anew(made[0])

    return shared(make_and_keep, autouse=True), world


def roll_back_shared() -> None:
    while OPEN:
        transaction.set_rollback(True)
        OPEN.pop().__exit__(None, None, None)


def commits(item: pytest.Item) -> bool:
    """What pytest-django puts after the other tests."""
    return not COMMITTING.isdisjoint(getattr(item, "fixturenames", ())) or any(
        mark.kwargs.get(name) for mark in item.iter_markers("django_db") for name in SAID
    )


@pytest.fixture
def undone_when_refused(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused is undone as outside of a test, whose own transaction services would leave to
    whoever opened it: a test of refusals need not commit, which costs it its world anew."""
    monkeypatch.setattr(transactions, "within_another", within_another)


def within_another() -> bool:
    """As Django itself sees it where something must be the outermost."""
    opened = connection.atomic_blocks
    return bool(opened) and not opened[-1]._from_testcase


def anew(made: T) -> T:
    """The same for one test: models of its own, and nothing remembered that was rolled back."""
    for forget in REMEMBERED:
        forget()
    return deepcopy(made)
