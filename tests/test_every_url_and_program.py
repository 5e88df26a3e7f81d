"""Every address of the back-office, against those whose role is limited to some programs.

What they may do with their own program is what their role may do (`test_every_url_and_role`), but
for what concerns all programs. Nothing of another one is there for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import StaffMemberFactory
from tests.loyalty.factories import adjust, make_program, make_wallet
from tests.other_program import NUMBER, WORD, Things, make_things
from tests.sharing import shared
from tests.staff_addresses import TABLE
from tests.staff_addresses.who import ADMINISTRATOR, EVERYBODY
from tests.test_every_url_and_role import PATTERNS, ROUTES, browser, session_of

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
    sessions = {
        (role, where): session_of(StaffMemberFactory(role=role, programs=programs).user)
        for role in LIMITED
        for where, programs in (
            ("elsewhere", [own.pk]), ("there", [things.program]), ("everywhere", []),
        )
    }  # fmt: skip
    return {"things": things, "sessions": sessions, "own": own.pk}


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


@pytest.mark.parametrize("role", LIMITED)
def test_what_belongs_to_another_program_is_not_there(world: dict[str, Any], role: str) -> None:
    client = browser(world["sessions"][role, "elsewhere"])
    colleague = browser(world["sessions"][role, "everywhere"])
    looked_at, found = 0, []
    for name, method, url in addresses_of(world["things"]):
        if role not in TABLE[name][method]:
            continue
        status = asked(client, method, url).status_code
        # What concerns all programs is refused whatever it is about.
        if status != 404 and (status != 403 or asked(colleague, method, url).status_code == 403):
            found.append((name, method, status))
        looked_at += 1
    assert found == []
    assert looked_at > 80


def telling(client: Client, role: str, things: Things) -> set[str]:
    """Which pages of this role name what is in the program."""
    told = set()
    for name, pattern in PATTERNS.items():
        if role not in TABLE[name].get("GET", ()) or things.of(ROUTES[name]) is not None:
            continue
        url = address(name, pattern, {"kind": "csv", "code": "welcome", "state": "fine"})
        # By the number, in which the word is not; what was decided is not searched.
        for asking in ("", f"?q={NUMBER}&show=decided"):
            response = client.get(url + asking, headers={"HX-Request": "true"} if asking else {})
            assert response.status_code < 500, (url, response.status_code)
            if WORD in said(response):
                told.add(name)
    return told


@pytest.mark.parametrize("role", LIMITED)
def test_no_page_tells_of_another_program(world: dict[str, Any], role: str) -> None:
    """Lists, panels, figures, files, the search and the menu around them."""
    things = world["things"]
    assert telling(browser(world["sessions"][role, "elsewhere"]), role, things) == set()


def test_they_would_tell_whose_role_is_not_limited(world: dict[str, Any]) -> None:
    """Or the test above would look for what no page shows."""
    told = telling(browser(world["sessions"]["analyst", "everywhere"]), "analyst", world["things"])
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
            expected = colleague.get(url).status_code
            allowed = {expected, 403} if name in ALL_PROGRAMS else {expected}
            assert client.get(url).status_code in allowed, name
