"""From the search box to promotions, challenges, games, journeys and surveys, and to one's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campaigns.backoffice.campaign_places import KINDS
from tests.campaigns.campaigns import draft
from tests.campaigns.challenges import draft as draft_challenge
from tests.campaigns.games import draft_game
from tests.campaigns.surveys import make_survey
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import make_program
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db


def found(client: Client, typed: str) -> str:
    answer = client.get(reverse("backoffice:search"), {"q": typed}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_is_on_is_found_by_the_beginnings_of_its_words(
    client_of: Callable[[str], Client], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    program = make_program("beans", name="Bean Club")
    made = {
        "campaign": draft(program, name="Zebra weekend"),
        "game": draft_game(program, name="Zebra wheel"),
        "survey": make_survey(program, title="Zebra taste", live=False),
    }
    challenge = draft_challenge(program, name="Zebra coffee").campaign
    analyst = client_of("analyst")
    found(analyst, "zebra")
    with django_assert_max_num_queries(13):
        shown = found(analyst, "zebra")
    for kind, row in made.items():
        assert f'href="{reverse(KINDS[kind][2], args=[row.public_id])}"' in shown
    address = reverse("campaigns_backoffice:campaign", args=[challenge.public_id])
    assert f'href="{address}"' in shown
    assert analyst.get(address, follow=True).status_code == 200
    assert "Zebra wheel" not in found(analyst, "zebra weekend")
    assert "Zebra weekend" in found(analyst, "bean zebra week")


def test_what_is_another_program_s_is_not_found() -> None:
    own, other = make_program("beans", name="Bean Club"), make_program("tea", name="Tea Circle")
    draft(own, name="Zebra weekend")
    draft(other, name="Zebra night")
    draft_game(other, name="Zebra wheel")
    make_survey(other, title="Zebra taste", live=False)
    client = signed_in(StaffMemberFactory(programs=[own.pk]).user)
    shown = found(client, "zebra")
    assert "Zebra weekend" in shown
    assert [name for name in ("night", "wheel", "taste") if f"Zebra {name}" in shown] == []


@pytest.mark.parametrize(
    ("typed", "page"),
    [("two", "mfa_index"), ("signed", "backoffice:own_sign_ins"),
     ("passw", "account_change_password")],
)  # fmt: skip
def test_ones_own_pages_are_found(
    client_of: Callable[[str], Client], typed: str, page: str
) -> None:
    assert f'href="{reverse(page)}"' in found(client_of("auditor"), typed)
