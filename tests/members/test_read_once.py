"""What the parts of a page ask for each by itself is read once for all of them."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from members.program_scope import limited_to
from members.read_once import ReadOnceMiddleware, read_once, reading_anew, reading_once
from members.services.transactions import run_atomically


class Row:
    """Something that is read, and how often it was."""

    def __init__(self) -> None:
        self.value, self.reads = 1, 0

    def __call__(self) -> int:
        self.reads += 1
        return self.value

    def get(self, key: str = "row") -> int:
        return read_once(key, self)


def test_outside_a_page_everything_is_read_each_time() -> None:
    row = Row()
    assert [row.get(), row.get()] == [1, 1]
    assert row.reads == 2


def test_within_one_it_is_read_once_by_each_key() -> None:
    row = Row()
    with reading_once():
        assert row.get() == 1
        row.value = 2
        assert [row.get(), row.get("another")] == [1, 2]
    assert row.reads == 2
    with reading_once():
        assert row.get() == 2


def test_nothing_is_kept_too_and_not_read_again() -> None:
    reads: list[int] = []
    with reading_once():
        for _time in range(2):
            assert read_once("nobody", lambda: reads.append(1)) is None
    assert len(reads) == 1


def test_who_sees_other_programs_reads_for_themselves() -> None:
    row = Row()
    with reading_once():
        row.get()
        with limited_to([7]):
            row.get()
            row.get()
    assert row.reads == 2


@pytest.mark.django_db
def test_a_write_reads_what_is() -> None:
    row = Row()
    with reading_once():
        row.get()
        row.value = 2
        assert run_atomically(row.get) == 2
        with reading_anew():
            assert row.get() == 2
        assert row.get() == 1


@pytest.mark.parametrize(("method", "reads"), [("GET", 1), ("HEAD", 1), ("POST", 2)])
def test_it_is_for_pages_that_are_looked_at(method: str, reads: int) -> None:
    row = Row()

    def page(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{row.get()} {row.get()}")

    request = RequestFactory().generic(method, "/")
    assert ReadOnceMiddleware(page)(request).content == b"1 1"
    assert row.reads == reads
