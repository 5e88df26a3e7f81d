"""From the search box on every page to programs, their pages, and rewards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect
from pytest_django import DjangoAssertNumQueries

from loyalty.models import Program
from rewards.backoffice.links import reward_url
from tests.loyalty.factories import make_program
from tests.rewards.factories import offer

SEARCH = "/backoffice/search/"


@pytest.fixture
def club(db: None) -> Program:
    return make_program("beans", name="Bean Club")


def found(client: Client, typed: str) -> str:
    assert reverse("backoffice:search") == SEARCH
    answer = client.get(SEARCH, {"q": typed}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.django_db
def test_programs_their_pages_and_rewards_are_found_by_the_beginnings_of_words(
    manager: Client, club: Program
) -> None:
    mug = offer(club, "mug", name="An enamel mug", price=10)
    other = make_program("tea", name="Tea Circle")
    offer(other, "tin", name="An enamel tin", price=10)
    tiers = reverse("loyalty_backoffice:tier_set_page", args=[club.code])
    assert f'href="{reverse("loyalty_backoffice:program_page", args=[club.code])}"' in found(
        manager, "bean"
    )
    assert f'href="{tiers}"' in found(manager, "tiers bean")
    assert f'href="{tiers}"' not in found(manager, "tiers tea")
    both = found(manager, "enam")
    assert "An enamel mug" in both
    assert "An enamel tin" in both
    one = found(manager, "mug enamel bean")
    assert f'href="{reward_url(mug)}"' in one
    assert "An enamel tin" not in one
    assert "no page, program or reward" in found(manager, "namel")


@pytest.mark.django_db
def test_many_rewards_ask_as_often_as_one(
    manager: Client, club: Program, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(9):
        offer(club, f"mug-{number}", name=f"An enamel mug {number}", price=10)
    found(manager, "mug")
    with django_assert_max_num_queries(12):
        assert found(manager, "mug").count('role="option"') == 6


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_page_is_reached_by_keyboard_alone(
    sign_in: Callable[[str], Any], club: Program,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    offer(club, "mug", name="An enamel mug", price=10)
    page = sign_in("marketing_manager")
    page.goto("/backoffice/customers/")
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input")).to_be_focused()
    page.keyboard.type("enamel")
    expect(page.get_by_role("option", name="An enamel mug")).to_be_visible()
    assert_no_axe_violations(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="An enamel mug")).to_be_visible()
