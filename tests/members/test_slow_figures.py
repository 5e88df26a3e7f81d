"""Figures that look at very many rows: at once where they are soon there, else by a worker."""

from __future__ import annotations

import datetime as dt
import sys
import time
from dataclasses import make_dataclass
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError

from members import slow_figures
from members.prepared import run_prepared
from members.program_scope import limited_to, programs_in_scope
from members.query_limits import TookTooLongError, limited_queries
from members.shapes import shape_of_result
from members.slow_figures import (
    LOOKS,
    WORKED_ON,
    Figures,
    Look,
    ask_figures,
    next_look,
    register_figures,
    work_out,
)

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 28, 9, tzinfo=dt.UTC)


class Slow:
    """Takes so many seconds of the database, and notes when it was asked and for which programs."""

    def __init__(self) -> None:
        self.name, self.seconds = f"slow {uuid4()}", 0.0
        self.asked: list[tuple[dt.datetime, int, frozenset[int] | None]] = []

    def __call__(self, *, number: int, now: dt.datetime) -> int:
        self.asked.append((now, number, programs_in_scope()))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [self.seconds])
        return number * 10

    def ask(self, number: int = 1, *, waits: bool) -> Figures | None:
        return ask_figures(self.name, now=NOW, waits=waits, number=number)


@pytest.fixture
def slow(settings: Any) -> Slow:
    settings.FIGURES_PATIENCE = (30, 60)
    found = Slow()
    register_figures(found.name, found)
    return found


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """What workers are asked to do, which nobody does."""
    found: list[list[Any]] = []

    class Asked:
        def __init__(self, _task: str, args: list[Any]) -> None:
            self.args = args

        def apply_async(self, **_how: Any) -> None:
            found.append(self.args)

    monkeypatch.setattr(current_app, "signature", Asked)
    return found


def test_what_is_soon_there_is_there_at_once_and_never_old(slow: Slow, settings: Any) -> None:
    settings.FIGURES_PATIENCE = (60_000, 60_000)
    assert [slow.ask(4, waits=False), slow.ask(4, waits=True)] == [Figures(40), Figures(40)]
    assert [now for now, _number, _programs in slow.asked] == [NOW, NOW]


def test_a_page_comes_without_what_takes_longer(slow: Slow, handed_over: list[Any]) -> None:
    slow.seconds = 30
    begun = time.monotonic()
    assert slow.ask(waits=False) is None
    assert time.monotonic() - begun < slow.seconds
    assert not handed_over
    # Nothing of it stays with the connection.
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        assert cursor.fetchone() == ("0",)


def test_a_worker_is_asked_once_by_whoever_waits(slow: Slow, handed_over: list[Any]) -> None:
    slow.seconds = 30
    assert [slow.ask(waits=True) for _look in range(3)] == [None] * 3
    assert handed_over == [[slow.name, {"number": 1}, None]]
    assert len(slow.asked) == 1
    # Nor do others wait who open the page meanwhile.
    assert slow.ask(waits=False) is None
    assert len(slow.asked) == 1


def test_what_a_worker_found_is_shown_with_its_moment(slow: Slow) -> None:
    slow.seconds = 0.2
    before = timezone.now()
    # In tests a worker is at once there.
    assert slow.ask(7, waits=True) is None
    found = slow.ask(7, waits=False)
    assert found is not None
    assert found.value == 70
    assert found.as_of is not None
    assert before <= found.as_of <= timezone.now()
    # What is asked with other words is another thing.
    assert slow.ask(8, waits=False) is None


def test_who_sees_some_programs_is_shown_what_was_worked_out_of_them(
    slow: Slow, handed_over: list[Any]
) -> None:
    slow.seconds = 30
    with limited_to([5, 3]):
        assert slow.ask(waits=True) is None
    assert handed_over == [[slow.name, {"number": 1}, [3, 5]]]
    slow.seconds = 0
    work_out(*handed_over[0])
    assert slow.asked[-1][2] == {3, 5}
    slow.seconds = 30
    assert slow.ask(waits=False) is None
    with limited_to([3, 5]):
        found = slow.ask(waits=False)
    assert found is not None
    assert found.as_of is not None


def test_without_a_broker_it_is_asked_for_again(
    slow: Slow, monkeypatch: pytest.MonkeyPatch, handed_over: list[Any]
) -> None:
    slow.seconds = 30
    with monkeypatch.context() as patch:

        def nobody(*_args: Any, **_how: Any) -> None:
            raise OperationalError

        patch.setattr(current_app, "signature", nobody)
        assert slow.ask(waits=True) is None
    assert slow.ask(waits=True) is None
    assert len(handed_over) == 1


@pytest.mark.parametrize("prepared", [False, True])
def test_no_query_begins_after_the_time(*, prepared: bool) -> None:
    asked: list[int] = []

    def ask_too_late() -> None:
        with limited_queries(200), connection.cursor() as cursor:
            for pause in (0.21, 0):
                if prepared:
                    run_prepared("SELECT 1", ())
                else:
                    cursor.execute("SELECT 1")
                asked.append(1)
                time.sleep(pause)

    with pytest.raises(TookTooLongError):
        ask_too_late()
    assert len(asked) == 1


def test_a_limit_within_a_limit_leaves_that_as_it_was() -> None:
    with limited_queries(60_000), connection.cursor() as cursor:
        with limited_queries(30_000):
            cursor.execute("SELECT current_setting('statement_timeout')")
            assert cursor.fetchone() == ("30s",)
        cursor.execute("SELECT current_setting('statement_timeout')")
        assert cursor.fetchone() == ("1min",)
        with pytest.raises(TookTooLongError), limited_queries(20):
            cursor.execute("SELECT pg_sleep(5)")
        # What came before is not lost by it, and the transaction goes on.
        cursor.execute("SELECT current_setting('statement_timeout')")
        assert cursor.fetchone() == ("1min",)


def test_another_error_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), limited_queries(60_000):
        1 / 0  # noqa: B018


def as_version(name: str, fields: list[tuple[str, Any]]) -> str:
    """Registers figures as a version of the code has them."""
    found = make_dataclass("Told", fields, slots=True, frozen=True)
    found.__module__ = "told_figures"
    module = sys.modules[found.__module__] = ModuleType(found.__module__)
    module.Told = found  # type: ignore[attr-defined]

    def work(*, now: dt.datetime) -> Any:
        return found(*range(len(fields)))

    work.__annotations__["return"] = list[found]  # type: ignore[valid-type]
    register_figures(name, work)
    return name


def test_what_another_version_has_kept_is_none_of_this_ones() -> None:
    name = f"told {uuid4()}"
    work_out(as_version(name, [("sent", int), ("read", int)]), {}, None)
    kept = ask_figures(name, now=NOW, waits=False)
    assert kept is not None
    assert kept.as_of is not None
    as_version(name, [("read", int), ("sent", int), ("clicked", int)])
    found = ask_figures(name, now=NOW, waits=False)
    assert found is not None
    assert found.as_of is None
    assert (found.value.read, found.value.clicked) == (0, 2)


def test_what_was_kept_of_a_class_that_is_no_more_is_worked_out_anew(
    slow: Slow, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIGURES_PATIENCE = (60_000, 60_000)
    monkeypatch.setitem(sys.modules, "gone_figures", module := ModuleType("gone_figures"))
    module.Gone = type("Gone", (), {"__module__": "gone_figures"})  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(Slow, "__call__", lambda *_args, **_how: module.Gone())
        work_out(slow.name, {"number": 1}, None)
    del sys.modules["gone_figures"]
    assert slow.ask(waits=False) == Figures(10)


def test_all_figures_say_what_they_look_like() -> None:
    for name, work in slow_figures._works.items():
        if name.split()[0] not in {"slow", "told"}:
            assert "[(" in shape_of_result(work), name


def test_a_page_looks_again_until_no_worker_can_be_at_it_any_more() -> None:
    look, seconds = next_look(""), 0
    assert look == Look(1, 0)
    while look.seconds is not None:
        seconds += look.seconds
        look = next_look(str(look.number))
    assert look.number == LOOKS[-1][0] + 2
    assert WORKED_ON < seconds < 2 * WORKED_ON
    assert [next_look(said).seconds for said in ("x", "9" * 5000, "²", "-1")] == [2] * 4
    assert next_look("0") == Look(1, 2)
