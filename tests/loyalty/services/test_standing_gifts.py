"""A share of what is earned, given by itself."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connections

from loyalty.models import CharityEntry, EndingConversion, StandingGift
from loyalty.services.ending_conversions import ConversionTerms, convert_wallets
from loyalty.services.program_endings import EndingDays, plan_ending
from loyalty.services.redemptions import redeem_units
from loyalty.services.standing_gifts import end_standing_gift, give_standing_gifts
from members.errors import DomainError
from members.services.audit import SYSTEM
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    make_program,
    order,
    record,
    refund,
    spendable,
    wallet_of,
)
from tests.loyalty.planning import join, pay, plan
from tests.loyalty.services.giving import club, given, member, seas, share


def test_a_share_of_what_is_earned_goes_once_it_can_be_spent(db):
    club(unit={"pending_days": 5})
    ann = member(bought="")
    share(ann, 10)
    record(order("A1", "105", buyer="ann", at=day(1)))
    assert give_standing_gifts(day(2)) == 0
    assert give_standing_gifts(day(7)) == 1
    assert give_standing_gifts(day(7)) == give_standing_gifts(day(8)) == 0
    record(order("A2", "5", buyer="ann", at=day(9)))
    give_standing_gifts(day(20))
    # A tenth of 105 is 10 and a half; with that half, a tenth of 110 is 11.
    assert [item.units for item in CharityEntry.objects.order_by("pk")] == [10, 1]
    assert spendable("ann", at=day(20)) == 99


def test_what_was_earned_before_is_not_shared_and_an_ended_one_gives_nothing(db):
    club()
    ann = member()
    share(ann, 100, now=day(1))
    assert give_standing_gifts(day(2)) == 0
    end_standing_gift(
        membership=ann, wallet_type=ann.program.wallet_types.get(), actor=SYSTEM, now=day(2)
    )
    record(order("A2", "50", buyer="ann", at=day(3)))
    assert give_standing_gifts(day(4)) == 0
    assert spendable("ann", at=day(4)) == 150


def test_a_refund_leaves_the_gift_and_the_next_units_are_shared_beyond_it(db):
    club()
    ann = member(bought="")
    share(ann, 50)
    record(order("A1", "100", buyer="ann", at=day(1)))
    give_standing_gifts(day(2))
    give_back(refund("R1", "60", of="A1", at=day(3)))
    assert (spendable("ann", at=day(4)), given()) == (0, 1)
    record(order("A2", "60", buyer="ann", at=day(5)))
    give_standing_gifts(day(6))
    # 100 were shared already; what was earned comes to 100 again.
    assert given() == 1
    record(order("A3", "20", buyer="ann", at=day(7)))
    give_standing_gifts(day(8))
    assert [item.units for item in CharityEntry.objects.order_by("pk")] == [50, 10]


def test_what_a_plan_brings_was_bought_and_is_not_shared(db):
    club(plans=[plan(credits={"units": 200})])
    ann = member(bought="")
    share(ann, 50)
    pay(join(ann), day(1))
    assert give_standing_gifts(day(2)) == 0
    record(order("A1", "10", buyer="ann", at=day(3)))
    give_standing_gifts(day(4))
    assert [item.units for item in CharityEntry.objects.all()] == [5]


def test_what_comes_from_a_program_that_ended_was_earned_there_and_is_not_shared(db):
    program = club()
    old = make_program("old")
    record(order("O1", "80", buyer="ann", at=day(-2)), program_ids=[old.pk])
    terms = ConversionTerms("points", program.code, "points", Decimal(1), Decimal(1))
    days = EndingDays(day(1).date(), day(1).date(), day(2).date(), (terms,))
    ann = member(bought="")
    share(ann, 50)
    plan_ending(program=old, days=days, actor=SYSTEM, now=NOW)
    convert_wallets(EndingConversion.objects.get(), after=0, now=day(4))
    assert spendable("ann", at=day(4), program=program) == 80
    assert give_standing_gifts(day(5)) == 0
    record(order("A1", "10", buyer="ann", at=day(5)))
    give_standing_gifts(day(6))
    assert [item.units for item in CharityEntry.objects.all()] == [5]


def test_what_was_spent_before_is_not_made_up_for(db):
    club()
    ann = member(bought="")
    share(ann, 50)
    record(order("A1", "100", buyer="ann", at=day(1)))
    redeem_units(
        wallet=wallet_of(ann.account_id), units=100, key="s1", actor=SYSTEM, source="api",
        now=day(1),
    )  # fmt: skip
    assert give_standing_gifts(day(2)) == 1
    record(order("A2", "100", buyer="ann", at=day(3)))
    give_standing_gifts(day(4))
    assert [item.units for item in CharityEntry.objects.all()] == [50]


def test_another_choice_replaces_the_first_and_the_same_again_changes_nothing(db):
    club()
    ann = member()
    first = share(ann, 10)
    assert share(ann, 10, now=day(1)) == first
    assert share(ann, 50, now=day(1), to=seas()) != first
    assert StandingGift.objects.filter(ended_at=None).count() == 1
    with pytest.raises(DomainError):
        share(ann, 0)


@pytest.mark.django_db(transaction=True)
def test_a_share_is_given_once_however_many_run():
    club()
    ann = member(bought="")
    share(ann, 100)
    record(order("A1", "40", buyer="ann", at=day(1)))

    def run(_number: int) -> int:
        try:
            return give_standing_gifts(day(2))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(16)))
    assert [item.units for item in CharityEntry.objects.all()] == [40]
    assert_ledger_coherent()
