"""Why a birthday or an anniversary brought no reward, in a sentence, and when the next comes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from loyalty.models import Membership
from loyalty.occasion_verdicts import OccasionVerdict, anything_given
from members.models import Customer
from members.services.audit import SYSTEM
from rewards.models import GiftDay, Redemption, Reward
from rewards.selectors.gift_day_reasons import gift_day_verdicts
from rewards.services.gift_days import give_gift_days, start_gift_day, stop_gift_day
from rewards.services.redemptions import cancel_redemption
from tests.loyalty.factories import NOW, day, make_program
from tests.rewards.factories import make_member, offer
from tests.rewards.services.test_redemptions import TIERS

pytestmark = pytest.mark.django_db
# 15 March 2024 is NOW of the factories; the birthday is 17 days later.
BIRTHDAY = "1990-04-01"


def born(member: Membership, birthday: str | None = BIRTHDAY) -> Customer:
    Customer.objects.filter(pk=member.customer_id).update(birthday=birthday)
    return Customer.objects.get(pk=member.customer_id)


def yearly(reward: Reward, *, on: str = "birthday", at: Any = NOW, **more: Any) -> GiftDay:
    said = {"days_before": 0, "tiers": (), "message": ""} | more
    return start_gift_day(reward=reward, day=on, actor=SYSTEM, now=at, **said)


@pytest.fixture
def member() -> Membership:
    return make_member(0)


@pytest.fixture
def reward(member: Membership) -> Reward:
    return offer(member.program, name="Cake", on_shelf=False)


def verdict(customer: Customer, at: float) -> OccasionVerdict:
    [found] = gift_day_verdicts(customer, day(at))
    return found


def said(customer: Customer, at: float) -> str:
    found = verdict(customer, at)
    assert not found.given
    return found.said


def test_what_was_given_is_said_with_the_next_one(member: Membership, reward: Reward) -> None:
    anna = born(member)
    yearly(reward, days_before=7)
    assert give_gift_days(day(10)) == 1
    found = verdict(anna, 20)
    assert (found.given, found.occasion, found.rule) == (True, "Birthday", "Cake")
    assert found.said == "It was given on Mar 25, 2024."
    assert found.coming == "Next: Mar 25, 2025, for Apr 1, 2025."
    anna = born(member, "1990-05-20")
    moved = verdict(anna, 70)
    assert moved.said.startswith("It was given on Mar 25, 2024, for Apr 1, 2024. A day that is")
    cancel_redemption(
        redemption=Redemption.objects.get(), source="api", actor=SYSTEM, now=day(71),
        reason="Wrong cake",
    )  # fmt: skip
    assert said(anna, 72) == "It was given on Mar 25, 2024, and canceled since."


def test_nothing_is_known_or_nothing_has_come_yet(member: Membership, reward: Reward) -> None:
    anna = born(member, None)
    yearly(reward)
    yearly(reward, on="enrollment")
    yearly(reward, on="first_purchase")
    found = {one.occasion: one.said for one in gift_day_verdicts(anna, day(20))}
    assert found["Birthday"].startswith("No birthday is known.")
    assert found["Day of joining"] == "The first one is still to come."
    assert found["Day of the first purchase"] == "They have not bought anything yet."


def test_it_is_due_and_then_it_is_late(member: Membership, reward: Reward) -> None:
    anna = born(member)
    yearly(reward)
    assert said(anna, 18) == "It is due since Apr 1, 2024, and comes within the hour."
    assert said(anna, 61) == "It was due on Apr 1, 2024, and was not given within 30 days of it."
    Membership.objects.update(enrolled_at=day(18))
    assert said(anna, 20).startswith("They joined on Apr 2, 2024, after Apr 1, 2024")
    Membership.objects.update(status="suspended")
    assert said(anna, 20) == "The membership is not active: nothing is given meanwhile."
    assert verdict(anna, 20).coming == ""


def test_none_was_left_of_it(member: Membership, reward: Reward) -> None:
    anna = born(member)
    yearly(reward)
    Reward.objects.update(stock=0)
    assert give_gift_days(day(17)) == 0
    assert said(anna, 18) == (
        "None is left of the reward. If there is more until May 1, 2024, it is given then."
    )
    assert said(anna, 60).startswith("It was due on Apr 1, 2024")
    Reward.objects.update(status="archived")
    assert said(anna, 18) == "The reward is not live: it is not given meanwhile."
    assert verdict(anna, 18).coming == ""


def test_it_began_later_or_ended(member: Membership, reward: Reward) -> None:
    anna = born(member, "1990-03-10")
    gift = yearly(reward, at=day(0))
    Membership.objects.update(enrolled_at=day(-100))
    assert said(anna, 1) == "It is given since Mar 15, 2024, and Mar 10, 2024 was before that."
    assert verdict(anna, 1).coming == "Next: Mar 10, 2025."
    stop_gift_day(gift_day=gift, actor=SYSTEM, now=day(2))
    assert said(anna, 3) == "It is not given any more since Mar 17, 2024."
    assert verdict(anna, 3).coming == ""
    assert gift_day_verdicts(anna, day(400)) == []


def test_it_is_for_other_tiers() -> None:
    program = make_program(tiers=TIERS)
    anna = born(make_member(0, program=program))
    yearly(offer(program), tiers=["gold"])
    give_gift_days(day(17))
    assert said(anna, 18) == (
        "Looked at on Apr 1, 2024, and not given: it is for these tiers alone: gold."
    )


def test_the_panel_says_it_with_as_many_queries_for_many(
    member: Membership, reward: Reward, agent: Client
) -> None:
    anna = born(member)
    page = reverse("backoffice:customer", args=[anna.public_id])
    panel = reverse("loyalty_backoffice:occasion_panel", args=[anna.public_id])
    assert not anything_given()
    assert panel not in agent.get(page).content.decode()
    yearly(reward)
    assert panel in agent.get(page).content.decode()

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            gift_day_verdicts(anna, day(20))
        return len(captured)

    few = count()
    for number in range(4):
        yearly(offer(member.program, f"r{number}", name=f"R{number}"))
    assert len(gift_day_verdicts(anna, day(20))) == 5
    assert count() == few
    content = agent.get(panel).content.decode()
    assert "Cake" in content
    assert "Birthday · Club" in content
