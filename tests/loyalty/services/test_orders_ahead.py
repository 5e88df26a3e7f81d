"""What is told has happened: an order or a refund of a day to come is refused, wherever it comes
from."""

import datetime as dt

import pytest

from loyalty.errors import InvalidOrderError
from loyalty.models import Order, Refund
from loyalty.services.said_again import as_canceled
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    make_program,
    moves,
    order,
    record,
    refund,
)

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _program(coherent_ledger):
    make_program(at=day(-30))


def refused(error) -> list[tuple[str, str]]:
    return [(wrong.field, wrong.code) for wrong in error.value.errors]


def test_an_order_of_a_day_to_come_is_refused_and_its_field_named():
    with pytest.raises(InvalidOrderError, match="not happened yet") as error:
        record(order(at=day(400)), now=NOW)
    assert refused(error) == [("placed_at", "in_the_future")]
    assert "check the clock" in str(error.value.errors[0].message)
    assert not Order.objects.exists()


def test_clocks_may_differ_by_five_minutes():
    record(order("A1", at=NOW + 5 * MINUTE), now=NOW)
    with pytest.raises(InvalidOrderError):
        record(order("A2", at=NOW + 6 * MINUTE), now=NOW)
    assert [found.external_id for found in Order.objects.all()] == ["A1"]


def test_no_message_comes_from_a_day_to_come():
    """Whatever is told later would be the older one, and change nothing."""
    with pytest.raises(InvalidOrderError) as error:
        record(order(changed_at=day(1)), now=NOW)
    assert refused(error) == [("changed_at", "in_the_future")]
    record(order(), now=NOW)
    with pytest.raises(InvalidOrderError):
        record(order(total="12", changed_at=day(1)), now=NOW)


def test_a_state_may_be_reached_later_as_a_stay_ends():
    assert record(order(fulfilled_at=day(20)), now=NOW)[0].outcome == "created"


def test_of_several_the_one_is_named_and_none_is_recorded():
    with pytest.raises(InvalidOrderError) as error:
        record(order("A1"), order("A2", at=day(1)), now=NOW)
    assert error.value.index == 1
    assert not Order.objects.exists()


def test_money_is_not_given_back_on_a_day_to_come():
    record(order(), now=NOW)
    with pytest.raises(InvalidOrderError, match="not happened yet") as error:
        give_back(refund(of="A1", at=day(1)), now=NOW)
    assert refused(error) == [("refunded_at", "in_the_future")]
    assert not Refund.objects.exists()


def test_what_was_taken_before_can_still_be_told_again_and_canceled():
    later = order(at=day(400), completed_at=day(401))
    record(later, now=day(401))
    assert record(later, now=NOW)[0].outcome == "unchanged"
    assert record(as_canceled(Order.objects.get()), now=NOW)[0].outcome == "updated"
    assert sum(units for _kind, units in moves()) == 0
