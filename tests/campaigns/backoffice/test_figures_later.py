"""Pages whose figures look at very many rows are there without them, and ask for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from loyalty.models import Program
from members import responses, slow_figures
from tests.campaigns import campaigns, challenges
from tests.campaigns.factories import make_journey
from tests.campaigns.surveys import make_survey
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.django_db


def of_campaign(program: Program) -> str:
    found = campaigns.draft(program)
    return reverse("campaigns_backoffice:campaign", args=[found.public_id])


def of_challenge(_program: Program) -> str:
    found = challenges.draft(challenges.program_of_challenges())
    return reverse("challenges_backoffice:challenge", args=[found.campaign.public_id])


PAGES: dict[str, tuple[Callable[[Program], str], str]] = {
    "messages": (lambda _program: reverse("messages_backoffice:figure_list"), "message-figures"),
    "one message": (
        lambda _program: reverse("messages_backoffice:occasion_figures", args=["gift"]),
        "message-figures",
    ),
    "a journey's messages": (
        lambda program: reverse(
            "messages_backoffice:journey_figures", args=[make_journey(program).public_id]
        ),
        "message-figures",
    ),
    "all occasions": (
        lambda _program: reverse("messages_backoffice:occasion_list"),
        "occasion-figures",
    ),
    "topics": (lambda _program: reverse("messages_backoffice:topic_list"), "topic-figures"),
    "an occasion": (
        lambda _program: reverse("messages_backoffice:occasion", args=["gift"]),
        "occasion-figures",
    ),
    "a survey": (
        lambda program: reverse("surveys_backoffice:survey", args=[make_survey(program).public_id]),
        "survey-results",
    ),
    "a promotion": (of_campaign, "campaign-figures"),
    "a challenge": (of_challenge, "campaign-figures"),
    "referrals": (
        lambda program: reverse("referrals_backoffice:referral_program", args=[program.code]),
        "referral-figures",
    ),
    "a year": (
        lambda program: reverse("calendar_backoffice:year_plan", args=[program.code]),
        "year-quarters",
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_there_before_its_figures(
    name: str, client_of: Callable[[str], Client], settings: Any
) -> None:
    manager, program = client_of("marketing_manager"), make_program()
    address_of, place = PAGES[name]
    address = address_of(program)
    whole = manager.get(address)
    assert whole.status_code == 200
    assert whole.context["figures"].as_of is None
    assert "data-lazy" not in whole.content.decode()
    # The page may take no time for them; who has it and waits may.
    settings.FIGURES_PATIENCE = (0, 60_000)
    page = manager.get(address).content.decode()
    assert f'<div id="{place}"' in page
    assert f'hx-get="{address}?figures=1" hx-trigger="load"' in page
    later = manager.get(address, {"figures": "1"})
    assert later.context["figures"].as_of is None
    assert f'id="{place}"' in later.content.decode()
    assert "data-lazy" not in later.content.decode()


def test_who_waits_longer_is_told_so_and_then_shown_what_a_worker_found(
    client_of: Callable[[str], Client], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What an earlier run has kept of a program with the same key is none of this one's.
    run, real = uuid4(), slow_figures._key
    monkeypatch.setattr(slow_figures, "_key", lambda name, asked: f"{run}:{real(name, asked)}")
    settings.FIGURES_PATIENCE = (0, 0)
    manager, program = client_of("marketing_manager"), make_program()
    address = reverse("referrals_backoffice:referral_program", args=[program.code])
    # In tests a worker has it at once; before that the page asks again in two seconds.
    waiting = manager.get(address, {"figures": "1"}).content.decode()
    assert "it is being worked out" in waiting
    assert 'hx-trigger="load delay:2s"' in waiting
    assert f'hx-get="{address}?figures=2"' in waiting
    # Who listens to the page is told once that it takes longer, and that it is there.
    assert waiting.count("data-announce") == 1
    shown = manager.get(address, {"figures": "1"})
    assert shown.context["figures"].as_of is not None
    assert 'data-announce="Worked out' in shown.content.decode()


def test_a_page_that_looked_for_long_stops_and_offers_to_look_again(
    client_of: Callable[[str], Client], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A worker was asked, and none is there.
    monkeypatch.setattr(responses, "ask_figures", lambda *_args, **_how: None)
    address = reverse("referrals_backoffice:referral_program", args=[make_program().code])
    manager = client_of("marketing_manager")
    looking = manager.get(address, {"figures": "2"}).content.decode()
    assert f'hx-get="{address}?figures=3" hx-trigger="load delay:2s"' in looking
    assert "data-announce" not in looking
    later = manager.get(address, {"figures": "40"}).content.decode()
    assert 'hx-trigger="load delay:10s"' in later
    over = manager.get(address, {"figures": "101"}).content.decode()
    assert "The page no longer looks by itself" in over
    assert f'<a class="btn" href="{address}?figures=1">Look again</a>' in over
    assert "figures=102" not in over
    assert 'id="referral-figures"' in over


def test_days_and_order_stay_as_they_were_asked_for(
    client_of: Callable[[str], Client], settings: Any
) -> None:
    settings.FIGURES_PATIENCE = (0, 60_000)
    address = reverse("messages_backoffice:figure_list") + "?days=90&sort=name"
    page = client_of("marketing_manager").get(address).content.decode()
    assert f'hx-get="{address.replace("&", "&amp;")}&amp;figures=1"' in page
