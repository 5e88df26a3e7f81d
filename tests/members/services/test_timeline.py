"""One timeline from many sources, paged without losing or repeating anything."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from members import timeline
from members.models import Customer
from members.selectors.history import beginning_in_timeline, notes_in_timeline
from members.timeline import TimelineEvent, list_timeline, page_timeline, register_timeline_source
from tests.factories import CustomerFactory, CustomerNoteFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_sources() -> Iterator[None]:
    known = dict(timeline._sources)
    timeline._sources.clear()
    yield
    timeline._sources.clear()
    timeline._sources.update(known)


def source_of(name: str, moments: list[datetime], kind: str = "") -> None:
    def source(
        customer: Customer, *, before: datetime | None, limit: int
    ) -> Sequence[TimelineEvent]:
        fitting = [moment for moment in moments if before is None or moment < before]
        newest = sorted(enumerate(fitting), key=lambda item: item[1], reverse=True)
        return [
            TimelineEvent(icon="star", title=f"{name}{number}", moment=moment)
            for number, moment in newest[:limit]
        ]

    source.__qualname__ = name
    register_timeline_source(source, kind)


def all_pages(customer: Customer, limit: int) -> list[str]:
    titles, cursor = [], ""
    while True:
        page = page_timeline(customer, cursor=cursor, limit=limit)
        assert len(page.events) <= limit
        titles += [event.title for event in page.events]
        if not page.next_cursor:
            return titles
        cursor = page.next_cursor


def test_events_of_all_sources_are_merged_newest_first() -> None:
    source_of("order", [NOON, NOON + timedelta(hours=2)])
    source_of("note", [NOON + timedelta(hours=1)])
    titles = [event.title for event in list_timeline(CustomerFactory())]
    assert titles == ["order1", "note0", "order0"]


def test_one_kind_alone_is_told() -> None:
    source_of("order", [NOON, NOON + timedelta(hours=2)], "orders")
    source_of("note", [NOON + timedelta(hours=1)], "notes")
    assert [event.title for event in list_timeline(CustomerFactory(), kind="notes")] == ["note0"]
    page = page_timeline(CustomerFactory(), limit=1, kind="orders")
    assert [event.title for event in page.events] == ["order1"]
    older = page_timeline(CustomerFactory(), cursor=page.next_cursor, limit=1, kind="orders")
    assert [event.title for event in older.events] == ["order0"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_pages_show_every_event_once_even_when_many_share_an_instant(limit: int) -> None:
    source_of("order", [NOON] * 9 + [NOON - timedelta(days=1)])
    source_of("note", [NOON] * 4 + [NOON + timedelta(days=1)])
    titles = all_pages(CustomerFactory(), limit)
    assert len(titles) == 15
    assert len(set(titles)) == 15
    assert (titles[0], titles[-1]) == ("note4", "order9")


def test_a_cursor_made_by_hand_shows_the_beginning() -> None:
    source_of("order", [NOON])
    for cursor in ("x", "!!!", "MjAyNg", "e30", "ä"):
        assert len(page_timeline(CustomerFactory(), cursor=cursor).events) == 1


def test_notes_and_the_beginning_are_in_the_timeline() -> None:
    register_timeline_source(notes_in_timeline)
    register_timeline_source(beginning_in_timeline)
    customer = CustomerFactory()
    note = CustomerNoteFactory(customer=customer)
    assert [event.text for event in list_timeline(customer)] == [note.text, ""]
    assert list_timeline(customer, customer.created_at) == []
