"""What reviews of programs are told of rewards."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from loyalty.quarters import quarter_of
from loyalty.rules.calendar import start_of_day
from members.services.audit import SYSTEM
from rewards.models import Reward
from rewards.reviews import reward_uses
from rewards.selectors.rewards import definition_of
from rewards.services.rewards import change_reward
from tests.loyalty.factories import make_program
from tests.rewards.factories import make_member, offer, take

pytestmark = pytest.mark.django_db


def test_a_reward_is_told_by_how_often_it_was_taken_and_what_it_costs_against_its_price():
    program = make_program(unit={"unit_value": "0.01"})
    member = make_member(1000, program=program)
    taken = offer(program, "five-off", cost=5)
    offer(program, "mug", kind="free_product", skus=["MUG"], name="Mug")
    offer(program, "hidden", on_shelf=False)
    take(member, taken)
    long_ago = timezone.now() - dt.timedelta(days=400)
    Reward.objects.update(created_at=long_ago)
    today = timezone.now().astimezone(program.zone).date()
    quarter = quarter_of(today)
    found = {item.key: item for item in reward_uses(program, quarter, today)}
    assert set(found) == {"five-off", "mug"}
    assert (found["five-off"].used, found["mug"].used) == (1, 0)
    # A hundred units for it are worth one dollar.
    assert (found["five-off"].cost, found["five-off"].limit) == (Decimal(5), Decimal("1.00"))
    assert found["mug"].days == (today - quarter.first).days + 1
    before = {item.key: item for item in reward_uses(program, quarter.before, quarter.before.last)}
    assert before["five-off"].used == 0


def test_what_its_units_are_worth_is_not_made_up():
    program = make_program()
    offer(program, "five-off", cost=5)
    today = timezone.now().astimezone(program.zone).date()
    (found,) = reward_uses(program, quarter_of(today), today)
    assert found.limit is None


def test_a_reward_that_is_over_is_told_as_such_and_no_more_in_a_later_quarter():
    program = make_program()
    today = timezone.now().astimezone(program.zone).date()
    quarter = quarter_of(today)
    offer(program, "five-off")
    begun = start_of_day(quarter.before.first, program.zone)
    over = start_of_day(quarter.first, program.zone)
    Reward.objects.update(created_at=begun, ends_at=over - dt.timedelta(days=3))
    (found,) = reward_uses(program, quarter.before, quarter.before.last)
    assert (found.used, found.ended) == (0, True)
    assert reward_uses(program, quarter, today) == []
    before = quarter.before.before
    assert reward_uses(program, before, before.last) == []
    Reward.objects.update(ends_at=over + dt.timedelta(days=300))
    (found,) = reward_uses(program, quarter, today)
    assert not found.ended


def test_a_reward_that_was_archived_is_looked_at_in_the_quarter_that_had_it():
    program = make_program()
    today = timezone.now().astimezone(program.zone).date()
    quarter = quarter_of(today)
    item = offer(program, "five-off")
    change_reward(
        reward=item, definition=definition_of(item).model_copy(update={"status": "archived"}),
        actor=SYSTEM,
    )  # fmt: skip
    begun = start_of_day(quarter.before.first, program.zone)
    Reward.objects.update(created_at=begun)
    (found,) = reward_uses(program, quarter, today)
    assert (found.used, found.ended) == (0, True)
    assert found.days == (today - quarter.first).days + 1
    (before,) = reward_uses(program, quarter.before, quarter.before.last)
    assert not before.ended
    Reward.objects.update(archived_at=start_of_day(quarter.first, program.zone))
    assert reward_uses(program, quarter, today) == []


def test_a_draft_that_was_put_away_was_never_on_the_shelf():
    program = make_program()
    item = offer(program, "five-off", status="draft")
    change_reward(
        reward=item, definition=definition_of(item).model_copy(update={"status": "archived"}),
        actor=SYSTEM,
    )  # fmt: skip
    today = timezone.now().astimezone(program.zone).date()
    assert reward_uses(program, quarter_of(today), today) == []
