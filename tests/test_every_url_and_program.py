"""Every address of the back-office, against those whose role is limited to some programs.

What they may do with their own program is what their role may do (`test_every_url_and_role`), but
for what concerns all programs. Nothing of another one is there for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, QueryDict
from django.test import Client
from django.urls import reverse

from members.errors import NotFoundError
from members.models import User
from members.program_scope import limited_to
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import adjust, make_program, make_wallet
from tests.other_program import NUMBER, WORD, Things, make_things
from tests.sharing import shared
from tests.staff_addresses import TABLE
from tests.staff_addresses.who import ADMINISTRATOR, EVERYBODY
from tests.test_every_url_and_role import (
    PATTERNS,
    ROUTES,
    answer_of_view,
    browser,
    session_of,
)

LIMITED = sorted(EVERYBODY - {ADMINISTRATOR})
# What concerns all programs, though its address names something of one.
ALL_PROGRAMS = {
    "backoffice:customer_merge", "backoffice:customer_merge_undo",
    "backoffice:customer_data", "backoffice:customer_erase",
    "loyalty_backoffice:enrollment_file",
}  # fmt: skip


def make_world() -> dict[str, Any]:
    things = make_things()
    own = make_program("own", name="Own program")
    adjust(make_wallet(own, "own-1"), 300, key="own")
    people = {
        (role, where): StaffMemberFactory(role=role, programs=programs).user
        for role in LIMITED
        for where, programs in (
            ("elsewhere", [own.pk]), ("there", [things.program]), ("everywhere", []),
        )
    }  # fmt: skip
    sessions = {who: session_of(user) for who, user in people.items()}
    return {"things": things, "sessions": sessions, "own": own.pk, "people": people}


made_once = shared(make_world)


@pytest.fixture
def world(made_once: dict[str, Any], db: None) -> dict[str, Any]:
    return made_once


def addresses_of(things: Things) -> Iterator[tuple[str, str, str]]:
    """Name, method and address of everything that is about something of a program."""
    for name, pattern in PATTERNS.items():
        kwargs = things.of(ROUTES[name])
        if kwargs is not None:
            for method in TABLE[name]:
                yield name, method, address(name, pattern, kwargs)


def address(name: str, pattern: Any, known: dict[str, Any]) -> str:
    invented = {"UUIDConverter": uuid4(), "IntConverter": 1, "SlugConverter": "x"}
    return reverse(name, kwargs={
        argument: known.get(argument, invented.get(type(converter).__name__, "x"))
        for argument, converter in pattern.pattern.converters.items()
    })  # fmt: skip


def said(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return str(body.decode(errors="replace"))


def asked(client: Client, method: str, url: str) -> Any:
    return client.get(url) if method == "GET" else client.post(url, {})


def is_there(user: User, own: int, method: str, url: str) -> bool:
    """Whether a view finds what its address is about, for somebody who is limited to one's own
    program. What becomes of a refusal is the same for all views."""
    try:
        with limited_to([own]):
            answer_of_view(user, method, url)
    except (Http404, NotFoundError):
        return False
    return True


@pytest.mark.parametrize("role", LIMITED)
def test_what_belongs_to_another_program_is_not_there(world: dict[str, Any], role: str) -> None:
    somebody = world["people"][role, "elsewhere"]
    colleague = browser(world["sessions"][role, "everywhere"])
    looked_at, found = 0, []
    for name, method, url in addresses_of(world["things"]):
        if role not in TABLE[name][method]:
            continue
        try:
            if is_there(somebody, world["own"], method, url):
                found.append((name, method))
        except PermissionDenied:
            # What concerns all programs is refused whatever it is about.
            if asked(colleague, method, url).status_code == 403:
                found.append((name, method))
        looked_at += 1
    assert found == []
    assert looked_at > 80


def test_what_is_not_there_for_somebody_is_a_page_that_says_so(world: dict[str, Any]) -> None:
    things = world["things"]
    client = browser(world["sessions"]["support_agent", "elsewhere"])
    for name in ("backoffice:customer", "loyalty_backoffice:program_page"):
        url = address(name, PATTERNS[name], things.of(ROUTES[name]))
        response = client.get(url)
        assert response.status_code == 404
        assert "<h1" in response.content.decode()


# By the number, in which the word is not; what was decided is not searched.
SEARCHED = {"q": NUMBER, "show": "decided"}


@pytest.fixture
def looked_for(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What pages have looked for in their address since this was emptied."""
    names: set[str] = set()

    def noting(kept: Callable[..., Any]) -> Callable[..., Any]:
        def look(self: QueryDict, name: str, *others: Any) -> Any:
            names.add(name)
            return kept(self, name, *others)

        return look

    for way in ("__getitem__", "__contains__", "get", "getlist"):
        monkeypatch.setattr(QueryDict, way, noting(getattr(QueryDict, way)))
    return names


def telling(client: Client, role: str, things: Things, looked_for: set[str]) -> set[str]:
    """Which pages of this role name what is in the program."""
    told = set()
    for name, pattern in PATTERNS.items():
        if role not in TABLE[name].get("GET", ()) or things.of(ROUTES[name]) is not None:
            continue
        url = address(name, pattern, {"kind": "csv", "code": "welcome", "state": "fine"})
        looked_for.clear()
        answers = [client.get(url)]
        # A page that looks for none of it has said by now what it says.
        if not looked_for.isdisjoint(SEARCHED):
            answers.append(client.get(url, SEARCHED, headers={"HX-Request": "true"}))
        for response in answers:
            assert response.status_code < 500, (url, response.status_code)
            if WORD in said(response):
                told.add(name)
    return told


@pytest.mark.parametrize("role", LIMITED)
def test_no_page_tells_of_another_program(
    world: dict[str, Any], role: str, looked_for: set[str]
) -> None:
    """Lists, panels, figures, files, the search and the menu around them."""
    client = browser(world["sessions"][role, "elsewhere"])
    assert telling(client, role, world["things"], looked_for) == set()


def test_they_would_tell_whose_role_is_not_limited(
    world: dict[str, Any], looked_for: set[str]
) -> None:
    """Or the test above would look for what no page shows."""
    client = browser(world["sessions"]["analyst", "everywhere"])
    told = telling(client, "analyst", world["things"], looked_for)
    assert {
        "backoffice:search", "backoffice:customer_list", "backoffice:home_newest_customers",
        "loyalty_backoffice:program_list", "loyalty_backoffice:feed_panel",
        "campaigns_backoffice:campaign_list", "calendar_backoffice:calendar",
        "surveys_backoffice:survey_list", "community_backoffice:comment_list",
        "rewards_backoffice:redemption_list", "loyalty_backoffice:goal_list",
        "loyalty_backoffice:pool_list", "games_backoffice:game_list",
        "loyalty_backoffice:liability", "loyalty_backoffice:journal",
    } <= told  # fmt: skip
    assert len(told) > 25


@pytest.mark.parametrize("role", LIMITED)
def test_with_their_own_program_they_do_what_their_role_does(
    world: dict[str, Any], role: str
) -> None:
    client = browser(world["sessions"][role, "there"])
    colleague = browser(world["sessions"][role, "everywhere"])
    for name, method, url in addresses_of(world["things"]):
        if role in TABLE[name][method] and method == "GET":
            status = client.get(url).status_code
            # What opens to them opens to all of their role (`test_every_url_and_role`).
            if status != 200 and not (status == 403 and name in ALL_PROGRAMS):
                assert status == colleague.get(url).status_code, name
