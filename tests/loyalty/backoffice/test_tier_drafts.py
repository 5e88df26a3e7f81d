"""The draft of a program's tiers on the screens: written, asked for, read, published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Program
from loyalty.selectors.tier_drafts import tier_draft_of
from loyalty.selectors.tier_sets import tiers_of
from loyalty.services.rules import set_four_eyes
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.tier_forms import LADDER, form, values_of
from tests.loyalty.factories import make_program
from tests.sharing import of_each_test


@pytest.fixture
def administrator(client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


def make_laddered() -> Program:
    program = make_program(at=timezone.now() - dt.timedelta(days=900), tiers={"tiers": LADDER})
    return set_four_eyes(program=program, on=True, actor=SYSTEM)


_made_once, program = of_each_test(make_laddered)


def silver(program: Program) -> int:
    found = tiers_of(program, timezone.now())
    assert found is not None
    return int(found.tiers[1].threshold)


def send(client: Client, wish: str, threshold: str = "700") -> str:
    """Change the threshold, look at the effect, and choose a button. The page that follows."""
    address, values = url("tier_set_edit", "club"), form(client) | {"tier-1-threshold": threshold}
    shown = client.post(address, values).content.decode()
    assert f'name="confirmed" value="{wish}"' in shown
    return client.post(address, values | {"confirmed": wish}, follow=True).content.decode()


def opened(client: Client) -> dict[str, str]:
    """What the dialog sends that publishes the draft, as it was when it was opened."""
    return values_of(client.get(url("tier_draft_publish", "club")).content.decode())


def publish(client: Client, values: dict[str, str] | None = None) -> str:
    address = url("tier_draft_publish", "club")
    return client.post(address, values or opened(client), follow=True).content.decode()


def test_what_is_published_is_what_was_read(
    manager: Client, administrator: Client, program: Program
) -> None:
    send(manager, "ask")
    read = opened(administrator)
    send(manager, "ask", "1")
    assert "Somebody has changed the draft since you read it." in publish(administrator, read)
    assert silver(program) == 500
    assert "Somebody has changed the draft" in publish(administrator, {"csrf": "no mark"})
    publish(administrator)
    assert silver(program) == 1


def test_who_writes_over_a_draft_that_changed_meanwhile_is_told(
    manager: Client, administrator: Client, program: Program
) -> None:
    address, begun = url("tier_set_edit", "club"), form(administrator)
    send(manager, "draft")
    late = begun | {"tier-1-threshold": "800", "confirmed": "draft"}
    page = administrator.post(address, late).content.decode()
    assert "Somebody else changed the draft of the tiers while you were writing." in page
    assert 'value="800"' in page
    assert form(administrator)["tier-1-threshold"] == "700"


def test_a_second_person_publishes_the_tiers_that_the_first_has_asked_for(
    manager: Client, administrator: Client, program: Program
) -> None:
    page = send(manager, "ask")
    assert "Somebody else now has to publish it." in page
    assert "$700.00" in page
    assert silver(program) == 500
    approvals = administrator.get(url("approval_list"))
    assert [(draft.program, own) for draft, own in approvals.context["tiers"]] == [(program, False)]
    home = administrator.get(url("attention_panel")).content.decode()
    assert "The tiers of 1 program wait for you to publish them." in home
    address = url("tier_draft_publish", "club")
    assert "Ask to publish" in manager.get(address).content.decode()
    assert "Publish the tiers" in administrator.get(address).content.decode()
    publish(administrator)
    assert silver(program) == 700
    assert administrator.get(address).status_code == 404


def test_tiers_are_not_saved_by_one_alone_however_the_form_is_sent(
    manager: Client, program: Program
) -> None:
    values = form(manager) | {"tier-1-threshold": "700", "confirmed": "1"}
    page = manager.post(url("tier_set_edit", "club"), values).content.decode()
    assert "A second person publishes the tiers of this program" in page
    assert silver(program) == 500


def test_a_draft_is_sent_back_with_a_reason_edited_and_thrown_away(
    manager: Client, administrator: Client, program: Program
) -> None:
    send(manager, "ask")
    address = url("tier_draft_send_back", "club")
    assert administrator.post(address, {"note": ""}).status_code == 422
    administrator.post(address, {"note": "Far too high."})
    assert "Far too high." in manager.get(url("tier_set_page", "club")).content.decode()
    assert form(manager)["tier-1-threshold"] == "700"
    send(manager, "draft", "600")
    draft = tier_draft_of(program)
    assert draft is not None
    assert (draft.asked_at, draft.sent_back) == (None, "")
    manager.post(url("tier_draft_discard", "club"))
    assert tier_draft_of(program) is None


def test_whoever_asked_takes_it_back(manager: Client, program: Program) -> None:
    send(manager, "ask")
    page = manager.post(url("tier_draft_send_back", "club"), follow=True).content.decode()
    assert "Nobody is asked any more; the draft stays." in page


def test_a_draft_may_be_kept_where_one_person_suffices(manager: Client, program: Program) -> None:
    set_four_eyes(program=program, on=False, actor=SYSTEM)
    page = send(manager, "draft")
    assert "It counts for nothing until it is published." in page
    publish(manager)
    assert silver(program) == 700


def test_who_may_not_edit_reads_the_draft_and_has_no_buttons(
    manager: Client, agent: Client, program: Program
) -> None:
    send(manager, "ask")
    page = agent.get(url("tier_set_page", "club")).content.decode()
    assert "$700.00" in page
    assert url("tier_draft_publish", "club") not in page
