"""The same change for many rewards."""

from decimal import Decimal

import pytest

from members.services.audit import SYSTEM
from rewards.services.bulk_changes import BulkChange, change_rewards
from tests.rewards.factories import make_member, offer


@pytest.mark.django_db
def test_what_costs_nothing_stays_free_when_prices_are_raised():
    program = make_member().program
    free = offer(program, "free", kind="experience", price=0)
    paid = offer(program, "paid", price=100)
    dearer = BulkChange(prices=Decimal(10))
    assert change_rewards(program=program, rewards=[free, paid], change=dearer, actor=SYSTEM) == 1
    free.refresh_from_db()
    paid.refresh_from_db()
    assert (free.price, paid.price) == (0, 110)
