"""A customer in several programs: each by itself, and none forgotten."""

import pytest

from loyalty.models import Membership, OrderEvaluation
from loyalty.services.order_batches import Enrolling
from loyalty.services.program_pauses import pause_program
from loyalty.services.quotes import quote_order
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    held,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)

IMPORT = Enrolling(Membership.Source.IMPORT, always=True)


@pytest.fixture
def tea(program):
    """Beside the club, with two for each dollar; whoever wants to joins."""
    return make_program("tea", name="Tea", enrollment="explicit", earning_rules=[{"units": 2}])


def both(program, tea, at=NOW) -> tuple[int, int]:
    return held("c1", at, program).spendable, held("c1", at, tea).spendable


@pytest.fixture
def member(program, tea):
    make_wallet(program)
    make_wallet(tea)


def test_an_order_and_what_comes_back_of_it_count_in_each(program, tea, member):
    record(order(total="10"))
    assert both(program, tea) == (10, 20)
    give_back(refund(of="A1", total="4", at=day(1)))
    assert both(program, tea, day(1)) == (6, 12)


def test_a_file_for_one_program_earns_in_that_one_only(program, tea, member):
    record(order(total="10"), program_ids=[program.pk], enrolling=IMPORT)
    assert both(program, tea) == (10, 0)
    give_back(refund("R9", total="3", buyer="c1", at=day(1)), program_ids=[program.pk])
    assert both(program, tea, day(1)) == (7, 0)


def test_what_a_file_for_one_program_changes_concerns_all_that_have_judged_it(program, tea, member):
    record(order("A1", "10"), order("A2", "10"))
    how = {"program_ids": [program.pk], "enrolling": IMPORT}
    record(order("A1", "15"), order("A3", "10"), now=day(1), **how)
    assert both(program, tea, day(1)) == (35, 50)
    give_back(refund(of="A2", total="5", at=day(2)), refund("R2", "2", buyer="c1", at=day(2)),
              program_ids=[program.pk])  # fmt: skip
    # The return that names no order is the file's own.
    assert both(program, tea, day(2)) == (28, 40)


def test_nobody_joins_a_program_that_only_comes_along(program, tea):
    make_wallet(tea, "c1")
    record(order("A1", "10"))
    record(
        order("A1", "12", buyer="c1"), order("A2", "10", buyer="c2"), now=day(1),
        program_ids=[program.pk], enrolling=IMPORT,
    )  # fmt: skip
    assert not Membership.objects.filter(program=tea, customer__external_id="c2").exists()
    assert OrderEvaluation.objects.filter(program=tea).count() == 1


def test_one_is_paused_and_the_other_goes_on(program, tea, member):
    pause_program(program=tea, actor=SYSTEM, now=day(1))
    record(order(total="10", at=day(2)))
    assert both(program, tea, day(2)) == (10, 0)
    quotes = quote_order(order(at=day(3)))
    assert [(quote.program.code, quote.state) for quote in quotes] == [
        ("club", "live"), ("tea", "paused"),
    ]  # fmt: skip
