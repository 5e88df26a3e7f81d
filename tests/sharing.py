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

A test that asks for none of it does not find it either: it comes after those that do, and what they
shared is rolled back before it. So is what a test that commits would find: such tests come last.
`anew` makes it for each of them by the same function. Both fixtures in one line:

    _made_once, world = of_each_test(make_world)

What is refused is undone by `undone_when_refused` without committing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from django.core.cache import cache
from django.db import connection, transaction

from loyalty.models import Program
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


# The transactions around what is shared, the outermost first, and what was made in them.
OPEN: list[transaction.Atomic] = []
MADE: list[tuple[Any, Callable[[], Any]]] = []
# The terms of the programs that are shared, which each test begins with, as rows do.
TERMS: dict[tuple[int, ...] | None, rulebooks.Terms] = {}
# The functions of the fixtures that give what is shared.
SHARED: set[Any] = set()
NO_FIXTURES = SimpleNamespace(name2fixturedefs={})
# The test that is about to run, where it commits.
COMMITS: list[pytest.Item] = []


def shared(make: Callable[[], T]) -> Any:
    """A fixture of the module: what `make` gives, whose rows every test of the module finds."""

    def made_once(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
        if COMMITS:
            # No test of the module shares it, or none does any more.
            unmade = object()
            MADE.append((unmade, make))
            yield unmade
            MADE.pop()
            return
        with django_db_blocker.unblock():
            around = transaction.atomic()
            # As a test's own is: what must be the outermost may begin within it.
            around._from_testcase = True
            around.__enter__()
            OPEN.append(around)
            try:
                forget_rows()
                made = make()
                remember_terms()
                # Now, and not after each of the tests.
                connection.check_constraints()
            except BaseException:
                roll_back_shared()
                raise
        # As after a test: what is in the cache is of one test only.
        cache.clear()
        MADE.append((made, make))
        yield made
        MADE.pop()
        with django_db_blocker.unblock():
            roll_back_shared()

    SHARED.add(made_once)
    return pytest.fixture(scope="module")(made_once)


def of_each_test(make: Callable[[], T]) -> tuple[Any, Any]:
    """Two fixtures: what the tests of a module share, which it calls `_made_once`, and what each of
    them has of it."""

    @pytest.fixture
    def world(_made_once: T, db: None) -> T:
        return anew(_made_once)

    return shared(make), world


def begin(item: pytest.Item) -> None:
    """Before the fixtures of each test, with the database at hand."""
    COMMITS.clear()
    if commits(item):
        COMMITS.append(item)
    if OPEN and not shares(item):
        roll_back_shared()
        forget_rows()


def remember_terms() -> None:
    """Else each test would read them anew with its first order."""
    TERMS.update(known_terms())


def known_terms() -> dict[tuple[int, ...] | None, rulebooks.Terms]:
    """Those of the programs that there are."""
    if Program.objects.exists():
        rulebooks.fresh_terms()
    return rulebooks._kept


def roll_back_shared() -> None:
    TERMS.clear()
    while OPEN:
        transaction.set_rollback(True)
        OPEN.pop().__exit__(None, None, None)


def turn(item: pytest.Item) -> int:
    """Of a module's tests those that share something come first, and those that commit last."""
    return 0 if shares(item) else 2 if commits(item) else 1


def shares(item: pytest.Item) -> bool:
    """Whether it finds what its module shares."""
    known: dict[str, Any] = getattr(item, "_fixtureinfo", NO_FIXTURES).name2fixturedefs
    asked = any(found.func in SHARED for each in known.values() for found in each)
    return asked and not commits(item)


def begins_a_world(item: pytest.Item) -> bool:
    """Whether what its module shares is made for it, and found by those after it."""
    return shares(item) and not OPEN


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
    forget_rows()
    if COMMITS:
        own: T = next(make for known, make in reversed(MADE) if known is made)()
        return own
    return deepcopy(made)


@contextmanager
def rolled_back() -> Iterator[None]:
    """For each example of a test that has many: none finds what another did."""
    remember = dict(known_terms())
    around = transaction.atomic()
    # As a test's own is: what must be the outermost may begin within it.
    around._from_testcase = True
    try:
        with around:
            yield
            if not connection.needs_rollback:
                # As after a test: a rollback would leave unsaid what is only looked at in the end.
                connection.check_constraints()
            transaction.set_rollback(True)
    finally:
        forget_rows()
        rulebooks._kept.update(remember)


def forget_rows() -> None:
    for forget in REMEMBERED:
        forget()
    rulebooks._kept.update(TERMS)
