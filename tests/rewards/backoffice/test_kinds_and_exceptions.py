"""Donations, groups, shared codes and exceptions in the back-office."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.giving_definitions import CharityDefinition
from loyalty.services.charities import create_charity
from members.models import StaffMember
from members.services.audit import SYSTEM
from rewards.models import Redemption, Reward, StaffOverride, Voucher
from tests.loyalty.backoffice.conftest import Member, queries_of
from tests.loyalty.factories import spendable
from tests.rewards.backoffice.screens import text, url
from tests.rewards.factories import offer, take

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("ana_for_all", "undone_when_refused"),
]  # fmt: skip


def give_to_trees(program) -> None:
    """The program of these tests has a charity from then on."""
    definition = CharityDefinition(
        code="grove", name="City Trees", thing_singular="tree", thing_plural="trees",
        thing_price=5,
    )  # fmt: skip
    create_charity(program=program, definition=definition, actor=SYSTEM)


def test_a_manager_makes_a_donation_and_reads_what_it_gives(manager: Client, ana: Member):
    give_to_trees(ana.program)
    form = {
        "kind": "charity", "name": "Two trees", "price": "100", "charity": "grove", "things": "2",
        "per_period": "ever", "applies": "100", "when": "",
        # What the form does not show for this kind is left out.
        "amount": "9", "valid_days": "9",
    }  # fmt: skip
    both = manager.post(url("reward_create", "beans"), form | {"donated": "3"})
    assert (both.status_code, "Say things or money, not both." in text(both)) == (422, True)
    manager.post(url("reward_create", "beans"), form)
    reward = Reward.objects.get()
    assert (reward.charity.code, reward.things, reward.amount) == ("grove", 2, None)
    page = text(manager.get(url("reward_page", "beans", reward.code)))
    assert "2 trees for City Trees" in page
    edit = manager.get(url("reward_edit", "beans", reward.code))
    assert 'value="grove" selected' in edit.content.decode()


def test_a_donation_is_taken_and_taken_back_by_an_agent(agent: Client, ana: Member):
    give_to_trees(ana.program)
    taken = take(ana.membership, offer(ana.program, kind="charity", charity="grove", price=50))
    panel = agent.get(url("redemption_panel", ana.customer.public_id))
    assert url("redemption_cancel", taken.public_id) in panel.content.decode()
    agent.post(url("redemption_cancel", taken.public_id), {"reason": "A mistake"})
    taken.refresh_from_db()
    assert (taken.status, spendable("c1", timezone.now())) == ("cancelled", 150)


def test_group_and_turn_are_said_of_what_goes_together(manager: Client, ana: Member):
    form = {
        "kind": "amount_off", "name": "5 off", "price": "100", "amount": "5",
        "per_period": "ever", "applies": "20", "stacking_group": "money-off", "when": "",
    }  # fmt: skip
    manager.post(url("reward_create", "beans"), form)
    manager.post(url("reward_create", "beans"), form | {"combines": "on", "name": "More"})
    found = Reward.objects.order_by("pk").values_list("combines", "stacking_group", "applies")
    assert list(found) == [(False, "", 20), (True, "money-off", 20)]
    page = text(manager.get(url("reward_page", "beans", "more")))
    assert "Not together with others of “money-off”." in page


def test_an_agent_lets_smaller_orders_pass(agent: Client, ana: Member):
    taken = take(ana.membership, offer(ana.program, least=50, price=10))
    address = url("redemption_minimum", taken.public_id)
    panel = agent.get(url("redemption_panel", ana.customer.public_id)).content.decode()
    assert address in panel
    assert "orders of $50.00 and more" in text(agent.get(address))
    assert agent.post(address, {"reason": ""}).status_code == 422
    agent.post(address, {"reason": "Two orders by mistake"})
    assert StaffOverride.objects.get().kind == "minimum"
    panel = agent.get(url("redemption_panel", ana.customer.public_id)).content.decode()
    assert "Two orders by mistake" in panel
    assert address not in panel


def test_an_administrator_says_how_far_roles_may_go(
    client_of: Callable[[str], Client], agent: Client, ana: Member
):
    administrator = client_of("administrator")
    assert "20" in text(administrator.get(url("override_limit_list")))
    address = url("override_limit_edit", "support_agent")
    assert administrator.post(address, {"units_at_once": "-1"}).status_code == 422
    administrator.post(address, {"most_in_a_day": "1"})
    reward = offer(ana.program, ends_at=timezone.now(), price=10)
    take_it = url("reward_take", ana.membership.public_id)
    assert "You may let pass 1 of 1 more today." in text(agent.get(take_it))
    form = {"reward": str(reward.public_id), "reason": "Was a minute late"}
    agent.post(take_it, form | {"key": str(uuid.uuid4())})
    refused = agent.post(take_it, form | {"key": str(uuid.uuid4())})
    assert refused.status_code == 422
    assert "Your role may let pass 1 a day, and that is reached." in text(refused)
    assert Redemption.objects.count() == 1
    assert administrator.get(url("override_limit_edit", "analyst")).status_code == 404


def test_what_was_let_pass_costs_the_lists_no_further_queries(manager: Client, ana: Member):
    reward = offer(ana.program, price=10)
    take(ana.membership, reward)
    plain = queries_of(manager, url("redemption_list"))
    staff = StaffMember.objects.first().user
    for row in Redemption.objects.all():
        for number in range(3):
            StaffOverride.objects.create(
                redemption=row, kind="minimum", staff=staff, reason=f"r{number}", units=1,
                created_at=timezone.now(),
            )  # fmt: skip
    assert queries_of(manager, url("redemption_list")) == plain


def test_a_shared_code_is_used_as_often_by_each_as_is_said(manager: Client, ana: Member):
    reward = offer(ana.program)
    address = url("shared_code_create", "beans", reward.code)
    manager.post(address, {"written": "THRICE", "most_uses": "9", "per_member": "3"})
    assert Voucher.objects.get().per_member == 3
    assert "3 by each" in text(manager.get(url("reward_page", "beans", reward.code)))
    wrong = manager.post(address, {"written": "MORE", "most_uses": "2", "per_member": "3"})
    assert wrong.status_code == 422
