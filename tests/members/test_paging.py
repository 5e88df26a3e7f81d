"""Pages by cursor: every row once, in both directions, whatever the cursor says."""

from __future__ import annotations

import base64
import json

import pytest
from django.test import RequestFactory

from members.models import User
from members.paging import Page, paginate

ORDERINGS = {"name": ("name", "pk"), "-name": ("-name", "-pk"), "joined": ("date_joined", "pk")}

pytestmark = pytest.mark.django_db


def page(cursor: str | None = None, sort: str = "", per_page: int = 2) -> Page[User]:
    query = {name: value for name, value in (("cursor", cursor), ("sort", sort)) if value}
    request = RequestFactory().get("/", query)
    return paginate(
        User.objects.all(), request=request, orderings=ORDERINGS, default="name", per_page=per_page
    )


def names(found: Page[User]) -> list[str]:
    return [user.email[0] for user in found]


@pytest.fixture(autouse=True)
def five_people() -> None:
    # Two share a name, so that only the key tells them apart.
    for letter, name in zip("abcde", ["Ann", "Bob", "Bob", "Cyd", "Dee"], strict=True):
        User.objects.create_user(f"{letter}@example.com", name=name)


def walk(sort: str) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        found = page(cursor, sort)
        pages.append(names(found))
        cursor = found.next_cursor
        if cursor is None:
            return pages


def test_forward_shows_every_row_once() -> None:
    assert walk("name") == [["a", "b"], ["c", "d"], ["e"]]
    assert walk("-name") == [["e", "d"], ["c", "b"], ["a"]]
    assert walk("joined") == [["a", "b"], ["c", "d"], ["e"]]


def test_back_leads_to_the_same_pages() -> None:
    second = page(page().next_cursor)
    third = page(second.next_cursor)
    assert third.next_cursor is None
    assert names(page(third.previous_cursor)) == ["c", "d"]
    first = page(second.previous_cursor)
    assert names(first) == ["a", "b"]
    assert first.previous_cursor is None
    assert first.next_cursor


@pytest.mark.parametrize("cursor", ["nonsense", "WzAsMV0", "é", "WzAsWzFdLFsyXV0", "bnVsbA"])
def test_a_cursor_made_by_hand_shows_the_first_page(cursor: str) -> None:
    assert names(page(cursor)) == ["a", "b"]


@pytest.mark.parametrize("values", [["a\x00", 1], [float("inf"), 1], ["Bob", float("inf")]])
def test_neither_does_one_of_what_no_column_holds_stop_the_list(values: list[object]) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([0, *values]).encode()).decode()
    assert names(page(cursor)) == ["a", "b"]


def test_an_unknown_order_is_the_default() -> None:
    assert page(sort="password").sort == "name"


def test_rows_written_meanwhile_do_not_shift_a_page() -> None:
    first = page()
    User.objects.create_user("0@example.com", name="Aaron")
    assert names(page(first.next_cursor)) == ["c", "d"]


def test_an_empty_list_is_one_empty_page() -> None:
    User.objects.all().delete()
    assert list(page()) == []
    assert page().next_cursor is None
