"""Staff see whether members can take their card into a phone, and how long that goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from tests.loyalty.backoffice.conftest import htmx, url
from tests.loyalty.wallet_passes.authority import ACCOUNT, PASS_TYPE, apple_files, google_keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


def panel(client: Client) -> str:
    return " ".join(client.get(url("wallet_pass_panel")).content.decode().split())


def needs(client: Client) -> list[tuple[str, str]]:
    found = client.get(url("attention_panel"), headers=htmx("panel-x")).context["needs"]
    return [(need.kind, need.text) for need in found if need.icon == "device-mobile"]


def test_settings_have_a_panel_of_them(admin: Client) -> None:
    page = admin.get(reverse("backoffice:merchant")).content.decode()
    assert url("wallet_pass_panel") in page


def test_nothing_is_set_up_and_it_says_where_to_begin(admin: Client) -> None:
    said = panel(admin)
    assert said.count("Not set up") == 2
    assert "docs/operations.md" in said
    assert needs(admin) == []


def test_it_says_what_is_set_up_and_until_when(
    admin: Client, settings: Any, tmp_path: Path
) -> None:
    settings.APPLE_PASSES = apple_files(tmp_path).keys()
    settings.GOOGLE_PASSES = google_keys()
    said = panel(admin)
    assert said.count("Set up") == 2
    assert f"{PASS_TYPE}, valid until" in said
    assert str(settings.APPLE_PASSES.valid_until.year) in said
    assert f"signed by {ACCOUNT}" in said
    assert needs(admin) == []


def test_thirty_days_before_the_end_administrators_are_told_on_the_home_page(
    admin: Client, settings: Any, tmp_path: Path, client_of: Callable[[str], Client]
) -> None:
    settings.APPLE_PASSES = apple_files(tmp_path, days=29).keys()
    assert "The certificate ends soon" in panel(admin)
    ((kind, text),) = needs(admin)
    assert kind == "warning"
    assert text.startswith("The certificate ends on ")
    assert needs(client_of("support_agent")) == []
    settings.APPLE_PASSES = apple_files(tmp_path, days=-1).keys()
    assert "The certificate has ended" in panel(admin)
    ((kind, text),) = needs(admin)
    assert kind == "danger"
    assert text.startswith("The certificate ended on ")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_panel_can_be_read_by_everybody(
    page: Any, admin: Client, settings: Any, tmp_path: Path,
    assert_in_order: Callable[[Any], None],
) -> None:  # fmt: skip
    settings.APPLE_PASSES = apple_files(tmp_path, days=29).keys()
    settings.GOOGLE_PASSES = google_keys()
    cookie = admin.cookies[settings.SESSION_COOKIE_NAME]
    host = {"name": cookie.key, "value": cookie.value, "domain": "localhost", "path": "/"}
    page.context.add_cookies([host])
    page.goto(url("wallet_pass_panel"))
    expect(page.get_by_text(f"{PASS_TYPE}, valid until")).to_be_visible()
    assert_in_order(page)
