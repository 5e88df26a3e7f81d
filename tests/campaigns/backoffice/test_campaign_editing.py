"""What is typed of a promotion: what its words say, and what is refused at its field."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.services.campaigns import ask_to_publish, publish_campaign
from loyalty.models import Program
from loyalty.services.rules import set_four_eyes
from members.models import Segment
from members.services.audit import SYSTEM, Actor
from tests.campaigns.backoffice.campaigns import (
    begin,
    filled,
    make_club,
    page,
    url,
)
from tests.campaigns.campaigns import draft
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
Status = Campaign.Status


made_once = shared(make_club)


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_the_words_follow_what_is_typed_and_nothing_is_saved(
    manager: Client, club: Program
) -> None:
    campaign = begin(manager, club)
    address = url("campaign_edit", campaign.public_id)
    said = manager.post(address, filled(campaign, factor="5", preview="1")).content.decode()
    assert "5" in said
    assert "For every member." in said
    wrong = manager.post(address, filled(campaign, factor="one", preview="1")).content.decode()
    assert "Times: Enter a number." in wrong
    campaign.refresh_from_db()
    assert campaign.offer == {}


@pytest.mark.parametrize(
    ("template", "wrong", "message"),
    [
        ("points-weekend", {"factor": "1"}, "1.01"),
        ("points-weekend", {"ends_at": "2020-01-01T00:00"}, "It has to end after it begins."),
        ("points-weekend", {"target": "5"}, "say of which figure."),
        ("points-weekend", {"holdout": "60"}, "50"),
        ("off-by-basket", {"brackets": "50 is 5"}, "Write each line as 50: 5"),
        ("off-by-basket", {"brackets": "NaN: 5\n50: 5"}, "Write each line as 50: 5"),
        ("happy-hours", {"from_time": "10:00"}, "give both hours, or none."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    manager: Client, club: Program, template: str, wrong: dict[str, str], message: str
) -> None:
    campaign = begin(manager, club, template)
    answer = manager.post(url("campaign_edit", campaign.public_id), filled(campaign, **wrong))
    assert answer.status_code == 422
    assert message in answer.content.decode()


def test_lists_and_brackets_are_typed_in_lines(manager: Client, club: Program) -> None:
    campaign = begin(manager, club, "off-by-basket")
    sent = filled(campaign, brackets="100: 10\n50: 5 %", categories="Tea\nJam\n\nTea")
    manager.post(url("campaign_edit", campaign.public_id), sent)
    campaign.refresh_from_db()
    assert campaign.offer["categories"] == ["Tea", "Jam"]
    assert [item["above"] for item in campaign.offer["brackets"]] == ["50", "100"]
    again = page(manager, url("campaign_edit", campaign.public_id))
    assert "50: 5 100: 10" in again


def test_an_audience_of_what_is_gone_is_refused_at_its_field(
    manager: Client, club: Program
) -> None:
    Segment.objects.create(code="vip", name="VIP")
    audience = {"field": "customer.segments", "op": "has_any", "value": ["vip"]}
    campaign = draft(club, audience=audience)
    Segment.objects.update(archived_at=timezone.now())
    address = url("campaign_edit", campaign.public_id)
    kept = filled(campaign, audience=json.dumps(audience))
    answer = manager.post(address, kept)
    assert answer.status_code == 422
    assert "vip" in answer.content.decode()
    assert manager.post(address, filled(campaign)).status_code == 302
    campaign.refresh_from_db()
    assert campaign.audience == {}


def test_what_no_text_can_hold_is_left_out(manager: Client, club: Program) -> None:
    sent = {"program": "\x00", "template": "flash"}
    assert manager.post(url("campaign_create"), sent)["Location"] == url("campaign_gallery")
    campaign = begin(manager, club)
    assert campaign.author is not None
    asker = Actor.of_user(campaign.author)
    ask_to_publish(campaign=campaign, actor=asker, now=timezone.now())
    manager.post(
        url("campaign_state", campaign.public_id), {"do": "send_back", "note": "Too\x00 much"}
    )
    campaign.refresh_from_db()
    assert campaign.sent_back == "Too much"


def test_only_a_draft_can_be_changed(manager: Client, club: Program) -> None:
    campaign = publish_campaign(campaign=begin(manager, club), actor=SYSTEM, now=timezone.now())
    assert manager.get(url("campaign_edit", campaign.public_id)).status_code == 302
    manager.post(url("campaign_state", campaign.public_id), {"do": "withdraw"})
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT
    manager.post(url("campaign_act", campaign.public_id), {"act": "copy"})
    assert Campaign.objects.count() == 2
    manager.post(url("campaign_act", campaign.public_id), {"act": "delete"})
    assert Campaign.objects.count() == 1


def test_what_keeps_it_from_being_published_is_said(manager: Client, club: Program) -> None:
    campaign = begin(manager, club, "boost")
    assert "Name a category, a product or a tag." in page(
        manager, url("campaign", campaign.public_id)
    )
    answer = manager.post(url("campaign_state", campaign.public_id), {"do": "publish"}, follow=True)
    assert "Name a category, a product or a tag." in answer.content.decode()


def test_a_second_person_publishes_or_sends_it_back(
    manager: Client, client_of: Callable[[str], Client], club: Program
) -> None:
    set_four_eyes(program=club, on=True, actor=SYSTEM)
    campaign = begin(manager, club)
    own = page(manager, url("campaign", campaign.public_id))
    assert "Ask for approval" in own
    assert "Publish" not in own
    manager.post(url("campaign_act", campaign.public_id), {"act": "ask"})
    manager.post(url("campaign_state", campaign.public_id), {"do": "publish"})
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT
    other = client_of("administrator")
    assert "Waits for approval" in page(other, url("campaign_list"))
    state = url("campaign_state", campaign.public_id)
    other.post(state, {"do": "send_back", "note": "Too generous"})
    assert "Too generous" in page(manager, url("campaign", campaign.public_id))
    ask_to_publish(
        campaign=campaign, now=timezone.now(),
        actor=type(SYSTEM).of_user(Campaign.objects.get().author),
    )  # fmt: skip
    other.post(state, {"do": "publish"})
    campaign.refresh_from_db()
    assert campaign.status == Status.SCHEDULED


def test_texts_are_written_in_other_languages(manager: Client, club: Program) -> None:
    campaign = draft(club, teaser="Soon")
    address = f"{url('campaign_texts', campaign.public_id)}?language=el"
    assert "Spring points" in page(manager, address)
    manager.post(address, {"title": "Πόντοι", "teaser": ""})
    campaign.refresh_from_db()
    assert campaign.texts["el"]["title"] == "Πόντοι"


def test_amounts_are_kept_exactly(manager: Client, club: Program) -> None:
    campaign = begin(manager, club, "spend-get")
    sent = filled(campaign, reach="49.90", units="12", budget_money="1000")
    manager.post(url("campaign_edit", campaign.public_id), sent)
    campaign.refresh_from_db()
    assert campaign.budget_money == Decimal(1000)
    assert campaign.offer == {"reach": "49.90", "units": "12"}


def test_a_bundle_is_written_in_lines_and_told_in_words(manager: Client, club: Program) -> None:
    campaign = begin(manager, club, "bundle")
    address = url("campaign_edit", campaign.public_id)
    wrong = filled(campaign, price="20", bundle="a cup and some coffee")
    assert "Write each line as 2 category: Coffee" in manager.post(address, wrong).content.decode()
    sent = filled(campaign, price="20", bundle="product: CUP-01\n2 x category: Coffee, Tea")
    assert manager.post(address, sent).status_code == 302
    manager.post(url("campaign_state", campaign.public_id), {"do": "publish"})
    shown = page(manager, url("campaign", campaign.public_id))
    assert "Together for $20.00: product CUP-01 + 2 × category Coffee, category Tea." in shown
