"""A customer in several programs: each by itself, and none forgotten."""

import pytest

from loyalty.models import Membership, MemberTier, OrderEvaluation
from loyalty.selectors.member_tiers import member_standings
from loyalty.selectors.programs import definition_of
from loyalty.selectors.tier_spread import tier_spread
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


def test_a_return_in_a_file_for_one_program_counts_for_its_tiers_alone(db):
    """Units and tiers go by the same orders and returns, also where one customer is in two."""
    ladder = {"tiers": [{"code": "base", "name": "Base"},
                        {"code": "silver", "name": "Silver", "threshold": 10}]}  # fmt: skip
    clubs = [make_program(code, tiers=ladder, at=day(-1)) for code in ("one", "two")]
    for club in clubs:
        how = {"program_ids": [club.pk], "enrolling": IMPORT}
        record(order(club.code, "12"), **how)
        give_back(refund(f"linked-{club.code}", "1", of=club.code, at=day(1)), **how)
    give_back(refund("alone", "3", buyer="c1", at=day(2)), program_ids=[clubs[0].pk])

    assert _totals(clubs, day(2.5)) == [8, 11]
    rows = MemberTier.objects.order_by("membership__program__code")
    assert list(rows.values_list("total", flat=True)) == [8, 11]
    give_back(refund("everywhere", "2", buyer="c1", at=day(3)))
    assert _totals(clubs, day(3.5)) == [6, 9]


def _totals(clubs, at):
    """What counts in each: by the facts, and as the ladder shows it."""
    found = []
    for club in clubs:
        [member] = Membership.objects.filter(program=club)
        stands = member_standings([member], at)[member.pk].stands
        spread = tier_spread(club, definition_of(club, at).tiers, at)
        assert [part.lowest for part in spread.parts] == [stands.total]
        found.append(stands.total)
    return found


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
