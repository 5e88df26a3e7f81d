"""Menu entries: only what exists and is allowed, in order, with one place marked as here."""

from __future__ import annotations

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import resolve

from members import navigation
from members.models import StaffMember, User
from members.navigation import NavItem, ProgramChoice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "_backoffice", {})
    monkeypatch.setattr(navigation, "_program_source", [])
    monkeypatch.setattr(navigation, "_search_url_name", [])


def request_for(role: str, path: str = "/backoffice/styleguide/") -> HttpRequest:
    user = User.objects.create_user(f"{role}@example.com")
    StaffMember.objects.create(user=user, role=role)
    request = RequestFactory().get(path)
    request.user = user
    request.resolver_match = resolve(path)
    return request


def test_an_entry_without_a_screen_is_not_shown() -> None:
    navigation.register_nav_item(NavItem("x", "Nowhere", "backoffice:no_such_view", "home"))
    assert navigation.backoffice_links(request_for("analyst"), "main") == []


def test_an_entry_is_shown_to_those_who_may_open_it() -> None:
    item = NavItem("keys", "Keys", "backoffice:styleguide", "key", permission="api_keys.manage")
    navigation.register_nav_item(item)
    assert navigation.backoffice_links(request_for("analyst"), "main") == []
    assert len(navigation.backoffice_links(request_for("administrator"), "main")) == 1


def test_entries_stand_in_order_with_the_most_exact_one_marked() -> None:
    navigation.register_nav_item(
        NavItem("b", "Dialog", "backoffice:styleguide_dialog", "home", order=2)
    )
    navigation.register_nav_item(
        NavItem("a", "Style", "backoffice:styleguide", "home", order=1, match=("backoffice:style",))
    )
    links = navigation.backoffice_links(
        request_for("analyst", "/backoffice/styleguide/dialog/"), "main"
    )
    assert [str(link.label) for link in links] == ["Style", "Dialog"]
    assert [link.active for link in links] == [False, True]


def test_sections_are_apart() -> None:
    navigation.register_nav_item(
        NavItem("a", "Team", "backoffice:styleguide", "users", section="settings")
    )
    request = request_for("analyst")
    assert navigation.backoffice_links(request, "main") == []
    assert len(navigation.backoffice_links(request, "settings")) == 1


def test_a_badge_says_how_many_wait_and_only_to_those_who_see_the_entry() -> None:
    asked: list[HttpRequest] = []

    def waiting(request: HttpRequest) -> int:
        asked.append(request)
        return 3

    item = NavItem(
        "a", "Approvals", "backoffice:styleguide", "users", permission="points.approve",
        section="operations", badge=waiting,
    )  # fmt: skip
    navigation.register_nav_item(item)
    assert navigation.backoffice_links(request_for("analyst"), "operations") == []
    assert asked == []
    (link,) = navigation.backoffice_links(request_for("administrator"), "operations")
    assert link.badge == 3


def test_programs_and_search_come_from_whoever_registers_them() -> None:
    request = request_for("analyst")
    assert list(navigation.program_choices(request)) == []
    assert navigation.search_url() == ""
    navigation.register_program_source(lambda request: [ProgramChoice("Bean Club", "/p/")])
    navigation.register_search_url("backoffice:styleguide")
    assert [choice.label for choice in navigation.program_choices(request)] == ["Bean Club"]
    assert navigation.search_url() == "/backoffice/styleguide/"
