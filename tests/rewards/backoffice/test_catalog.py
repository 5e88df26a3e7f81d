"""The catalog's screen: order, a change for several, figures, the shelf as a tier sees it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Membership
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from rewards.models import Reward
from rewards.selectors.rewards import taken_by_month
from rewards.services.redemptions import use_redemption
from tests.loyalty.backoffice.conftest import Member
from tests.loyalty.factories import NOW, day, make_program
from tests.rewards.backoffice.screens import text, url
from tests.rewards.factories import make_member, offer, take

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("ana_for_all", "undone_when_refused"),
]  # fmt: skip
TIERS = {
    "metric": "spend", "window": "lifetime",
    "tiers": [
        {"code": "basic", "name": "Basic"},
        {"code": "gold", "name": "Gold", "threshold": 1,
         "benefits": [{"kind": "early_access", "hours": 24}]},
    ],
}  # fmt: skip


def codes():
    return list(Reward.objects.values_list("code", flat=True))


def test_a_reward_is_dragged_to_a_place_or_moved_by_buttons(manager: Client, ana: Member):
    for code in ("a", "b", "c", "d"):
        offer(ana.program, code)
    offer(ana.program, "z", status="draft")
    manager.post(url("reward_move", "beans", "d"), {"place": "0"})
    assert codes() == ["d", "a", "b", "c", "z"]
    manager.post(url("reward_move", "beans", "d"), {"to": "later"})
    assert codes() == ["a", "d", "b", "c", "z"]
    for nonsense in ({"place": "99"}, {"place": "-1"}, {"place": "x"}, {}, {"to": "up"}):
        manager.post(url("reward_move", "beans", "a"), nonsense)
    manager.post(url("reward_move", "beans", "a"), {"to": "earlier"})
    assert codes() == ["a", "d", "b", "c", "z"]


def test_several_are_changed_at_once_after_a_look(manager: Client, ana: Member):
    first = offer(ana.program, "a", price=105, name="A")
    second = offer(ana.program, "b", price=50, name="B", status="draft")
    offer(ana.program, "c", price=50, name="C")
    address = url("reward_bulk", "beans")
    both = [str(first.public_id), str(second.public_id)]
    assert "A, B" in text(manager.get(address, {"rewards": both}))
    said = {"rewards": both, "prices": "10", "status": "live"}
    page = text(manager.post(address, said))
    assert "105 Beans" in page
    assert "116 Beans" in page
    assert Reward.objects.get(code="a").price == 105
    manager.post(address, said | {"make": "1"})
    found = dict(Reward.objects.values_list("code", "price"))
    assert found == {"a": 116, "b": 55, "c": 50}
    assert set(Reward.objects.values_list("status", flat=True)) == {"live"}
    assert AuditEntry.objects.filter(action="reward.changed").count() == 2
    dates = said | {"prices": "", "dated": "on", "starts_at": "2030-01-02T10:00",
                    "ends_at": "2030-01-01T10:00", "make": "1"}  # fmt: skip
    assert "Later than it begins." in text(manager.post(address, dates))
    manager.post(address, dates | {"ends_at": ""})
    assert Reward.objects.filter(starts_at__isnull=False, ends_at=None).count() == 2


def test_nothing_chosen_or_said_changes_nothing(manager: Client, ana: Member):
    reward = offer(ana.program, "a")
    address = url("reward_bulk", "beans")
    assert "Choose at least one reward" in text(manager.post(address, {"status": "archived"}))
    refused = manager.post(address, {"rewards": [str(reward.public_id)], "make": "1"})
    assert (refused.status_code, "Say what is to be changed." in text(refused)) == (422, True)
    stranger = offer(make_program(code="other"), "x")
    manager.post(address, {"rewards": [str(stranger.public_id)], "status": "archived", "make": "1"})
    assert set(Reward.objects.values_list("status", flat=True)) == {"live"}


def test_a_reward_says_what_it_cost_by_month_and_how_often_it_is_used(manager: Client, ana: Member):
    reward = offer(ana.program, price=10, cost="2.50")
    first = take(ana.membership, reward, "a")
    take(ana.membership, reward, "b")
    use_redemption(redemption=first, actor=SYSTEM, now=timezone.now())
    page = text(manager.get(url("reward_page", "beans", reward.code)))
    assert "50% of what was taken" in page
    assert "2 taken in twelve months, at a cost of $5.00." in page
    assert "50%" in text(manager.get(url("reward_list", "beans")))


def test_months_are_those_of_the_program_and_empty_ones_are_there():
    member = make_member()
    reward = offer(member.program)
    take(member, reward, "a", at=NOW)
    found = taken_by_month(reward, day(40))
    assert len(found) == 12
    assert sum(found.values()) == 1
    assert list(found) == sorted(found)


def test_the_shelf_is_shown_as_a_tier_finds_it_and_nobody_was_there(manager: Client):
    program = make_program(tiers=TIERS)
    offer(program, "a", name="Dear", price=100, tier_prices={"gold": Decimal(80)})
    offer(program, "b", name="Soon", starts_at=timezone.now() + dt.timedelta(hours=5))
    before = (Customer.objects.count(), Membership.objects.count())
    basic = text(manager.get(url("reward_preview", program.code)))
    gold = text(manager.get(url("reward_preview", program.code), {"tier": "gold"}))
    assert ("price of the tier" in basic, "price of the tier" in gold) == (False, True)
    assert ("It can be taken from" in basic, "It can be taken from" in gold) == (True, False)
    assert (Customer.objects.count(), Membership.objects.count()) == before
    assert not AuditEntry.objects.filter(action__startswith="membership").exists()
