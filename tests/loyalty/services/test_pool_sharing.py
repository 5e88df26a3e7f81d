"""What members of a pool earn goes into it, and returns take it back from there first."""

import pytest

from loyalty.explanations import explain_transfer
from loyalty.models import Lot, Transfer
from loyalty.selectors.pools import (
    balances_by_pool,
    pool_balances,
)
from loyalty.selectors.transfers import transfers
from loyalty.services.pools import (
    change_pool_member,
)
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    define,
    give_back,
    held,
    make_program,
    moves,
    order,
    record,
    refund,
    spendable,
    wallet_of,
)
from tests.loyalty.services.pooling import add, found_pool, in_pool, join, leave, place, take

# --- what is earned


def test_everything_that_is_earned_goes_into_the_pool_at_once(pool):
    record(order("A1", "30", buyer="ann"), order("B1", "12", buyer="ben"))
    assert (spendable("ann"), spendable("ben"), in_pool(pool)) == (0, 0, (42, 0))
    assert moves("ann") == [("accrual", 30), ("pool", -30)]
    (balance,) = pool_balances(pool, NOW)
    assert balances_by_pool([pool], NOW) == {pool.pk: [balance]}
    out = transfers().get(kind="pool", wallet__account__membership__customer__external_id="ann",
                          pair=None)  # fmt: skip
    came = transfers().get(pair=out)
    assert explain_transfer(out).title == "Shared with The Harts"
    assert explain_transfer(came).title == "Shared by Ann"


@pytest.mark.parametrize(("share", "earned", "shared"), [(50, "9", 4), (33, "10", 3), (1, "99", 0)])
def test_a_share_is_rounded_down(ann, share, earned, shared):
    pool = found_pool(ann, contribution="share", share=share)
    record(order("A1", earned, buyer="ann"))
    assert (spendable("ann"), in_pool(pool)[0]) == (int(earned) - shared, shared)


def test_nothing_goes_in_by_itself_where_members_do_it_by_hand(ann):
    pool = found_pool(ann, contribution="by_hand")
    record(order("A1", "10", buyer="ann"))
    assert (spendable("ann"), in_pool(pool)) == (10, (0, 0))


def test_a_member_may_switch_off_what_they_share(pool):
    change_pool_member(member=place("ben"), changes={"contributes": False}, actor=SYSTEM)
    record(order("A1", "10", buyer="ann"), order("B1", "10", buyer="ben"))
    assert (spendable("ben"), in_pool(pool)) == (10, (10, 0))


def test_pending_units_are_shared_too_and_keep_their_times(db):
    expiry = {"kind": "months", "length": 1, "last_day": "start_of_day"}
    program = make_program(unit={"pending_days": 5, "expiry": expiry})
    pool = found_pool(join(program, "ann"))
    record(order("A1", "10", buyer="ann"))
    assert [in_pool(pool, day(at)) for at in (0, 5, 30, 31)] == [(0, 10), (10, 0), (10, 0), (0, 0)]
    assert held("ann").pending == 0


def test_orders_from_before_joining_are_not_shared_though_told_later(ann):
    record(order("A0", "5", at=day(-9), buyer="ann"), now=day(-9))
    pool = found_pool(ann, now=day(-5))
    record(order("A1", "10", at=day(-6), buyer="ann"), now=NOW)
    record(order("A2", "20", at=day(-4), buyer="ann"), now=NOW)
    assert (spendable("ann"), in_pool(pool)) == (15, (20, 0))


def test_what_a_member_owes_is_repaid_before_anything_is_shared(pool):
    change_pool_member(member=place("ann"), changes={"contributes": False}, actor=SYSTEM)
    record(order("A1", "10", buyer="ann"))
    adjust(wallet_of(place("ann").membership.account_id), -10, "spend")
    give_back(refund(of="A1", total="10"))
    change_pool_member(member=place("ann"), changes={"contributes": True}, actor=SYSTEM)
    record(order("A2", "15", buyer="ann"))
    assert (held("ann").owed, spendable("ann"), in_pool(pool)) == (0, 0, (5, 0))


def test_pending_units_that_a_debt_waits_for_are_not_shared(db):
    program = make_program(unit={"pending_days": 5})
    ann = join(program, "ann")
    record(order("A1", "10", buyer="ann"))
    adjust(wallet_of(ann.account_id), -10, "spend", now=day(6))
    give_back(refund(of="A1", total="8", at=day(6)))
    pool = found_pool(ann, now=day(6))
    record(order("A2", "10", at=day(7), buyer="ann"))
    assert (held("ann", day(7)).pending, in_pool(pool, day(7))) == (8, (0, 2))


def test_an_order_that_grows_shares_the_difference(pool):
    record(order("A1", "10", buyer="ann"))
    record(order("A1", "15", buyer="ann"), now=day(1))
    assert in_pool(pool, day(1)) == (15, 0)


def test_a_repeated_order_is_shared_once(pool):
    for _repeat in range(3):
        record(order("A1", "10", buyer="ann"))
    assert in_pool(pool) == (10, 0)


def test_the_bonus_of_a_window_is_shared(db):
    bonus = {"kind": "threshold_bonus", "code": "spend", "name": "Spend 100", "reach": "100",
             "units": "50", "window": "month"}  # fmt: skip
    program = make_program(earning_rules=[{}, bonus])
    pool = found_pool(join(program, "ann"), now=day(-1))
    record(order("A1", "60", buyer="ann"))
    record(order("A2", "60", buyer="ann", at=day(1)))
    assert in_pool(pool, day(1)) == (170, 0)
    give_back(refund(of="A2", total="60", at=day(2)))
    assert (in_pool(pool, day(2)), held("ann", day(2)).owed) == ((60, 0), 0)


def test_a_pool_founded_in_a_program_that_is_kept_in_memory_is_seen(ann):
    """The first pool changes the programs' fingerprint, so that orders look for pools."""
    record(order("A0", "5", buyer="ann"))
    found_pool(ann)
    record(order("A1", "10", buyer="ann"))
    assert spendable("ann") == 5


def test_a_new_kind_of_units_is_pooled_too(program, pool):
    from loyalty.services.programs import apply_definition

    rules = [{}, {"code": "stars", "name": "Stars", "wallet_type": "stars"}]
    apply_definition(
        define(wallet_types=[{}, {"code": "stars"}], earning_rules=rules), actor=SYSTEM, now=NOW
    )
    record(order("A1", "10", buyer="ann", at=day(1)))
    assert [item.spendable for item in pool_balances(pool, day(1))] == [10, 10]


# --- what comes back


def test_a_return_takes_what_the_pool_holds_of_it(pool):
    record(order("A1", "30", buyer="ann"), order("B1", "20", buyer="ben"))
    give_back(refund(of="A1", total="12", at=day(1)))
    assert (in_pool(pool, day(1)), held("ann", day(1)).owed) == ((38, 0), 0)
    assert moves("ann") == [("accrual", 30), ("pool", -30), ("pool", 12), ("clawback", -12)]
    back = transfers().filter(kind="pool").latest("pk")
    assert explain_transfer(back).title == "Back from The Harts, for a return"
    assert explain_transfer(transfers().get(pk=back.pair_id)).title == "Back to Ann, for a return"


def test_with_a_share_the_pools_part_goes_first_and_then_the_members(ann):
    pool = found_pool(ann, contribution="share", share=50)
    record(order("A1", "100", buyer="ann"))
    give_back(refund("R1", of="A1", total="40", at=day(1)))
    assert (spendable("ann", day(1)), in_pool(pool, day(1))) == (50, (10, 0))
    give_back(refund("R2", of="A1", total="40", at=day(2)))
    assert (spendable("ann", day(2)), in_pool(pool, day(2))) == (20, (0, 0))
    give_back(refund("R3", of="A1", total="20", at=day(3)))
    assert (held("ann", day(3)).owed, spendable("ann", day(3))) == (0, 0)


def test_what_the_pool_has_spent_of_an_order_the_earner_owes(pool):
    record(order("A1", "30", buyer="ann"), order("B1", "20", buyer="ben"))
    take("ben", 30)
    give_back(refund(of="A1", total="30", at=day(1)))
    assert (held("ann", day(1)).owed, in_pool(pool, day(1))) == (30, (20, 0))
    # What she earns next repays it before anything is shared.
    record(order("A2", "40", buyer="ann", at=day(2)))
    assert (held("ann", day(2)).owed, in_pool(pool, day(2))) == (0, (30, 0))


def test_a_return_without_its_order_takes_what_the_member_put_in(pool):
    record(order("A1", "30", buyer="ann"), order("B1", "20", buyer="ben"))
    give_back(refund("R1", "12", buyer="ann", at=day(1)))
    assert (in_pool(pool, day(1)), held("ann", day(1)).owed) == ((38, 0), 0)
    left = Lot.objects.filter(wallet__account=pool.account_id).order_by("pk")
    assert [lot.remaining for lot in left] == [18, 20]


def test_several_refunds_at_once_take_turns_at_the_pools_part(pool):
    record(order("A1", "30", buyer="ann"), order("A2", "30", buyer="ann"))
    give_back(
        refund("R1", of="A1", total="10", at=day(1)), refund("R2", of="A1", total="20", at=day(1)),
        refund("R3", of="A2", total="5", at=day(1)),
    )  # fmt: skip
    assert (in_pool(pool, day(1)), held("ann", day(1)).owed) == ((25, 0), 0)


def test_an_order_corrected_down_and_up_again_is_as_if_it_had_been_right(pool):
    for total in ("30", "10", "25"):
        record(order("A1", total, buyer="ann"))
    assert (in_pool(pool), spendable("ann"), held("ann").owed) == ((25, 0), 0, 0)


def test_pending_units_come_back_pending(db):
    program = make_program(unit={"pending_days": 5})
    pool = found_pool(join(program, "ann"))
    record(order("A1", "30", buyer="ann"))
    give_back(refund(of="A1", total="12", at=day(1)))
    assert (in_pool(pool, day(1)), held("ann", day(1)).pending) == ((0, 18), 0)


@pytest.mark.parametrize("policy", ["write_off", "refuse_redemption_only"])
def test_other_debt_policies_find_the_pools_part_too(db, policy):
    program = make_program(debt_policy=policy)
    pool = found_pool(join(program, "ann"))
    record(order("A1", "30", buyer="ann"))
    give_back(refund(of="A1", total="30", at=day(1)))
    assert (in_pool(pool, day(1)), held("ann", day(1)).owed) == ((0, 0), 0)
    assert not Transfer.objects.filter(kind="write_off").exists()


def test_whoever_left_owes_what_stayed(ann, ben):
    pool = found_pool(ann, leaving="stays")
    add(pool, ben)
    record(order("B1", "20", buyer="ben"))
    leave(place("ben"), now=day(1))
    give_back(refund(of="B1", total="20", at=day(2)))
    assert (held("ben", day(2)).owed, in_pool(pool, day(2))) == (20, (20, 0))


def test_the_preview_of_a_refund_names_what_the_pool_gives_back(pool):
    from loyalty.services.refund_previews import preview_refund

    record(order("A1", "30", buyer="ann"))
    (effect,) = preview_refund(refund(of="A1", total="12", at=day(1)), now=day(1)).effects
    assert [(made.kind, made.signed_amount) for made in effect.movements] == [
        ("pool", 12), ("clawback", -12),
    ]  # fmt: skip
    assert in_pool(pool, day(1)) == (30, 0)


# --- inactivity


@pytest.mark.parametrize(
    ("renewed_by", "lasts"), [(["accrual"], True), (["pool"], True), (["redemption"], False)]
)
def test_what_is_shared_renews_the_pools_units_as_earning_does(db, renewed_by, lasts):
    expiry = {"kind": "inactivity", "length": 1, "renewed_by": renewed_by}
    program = make_program(unit={"expiry": expiry})
    pool = found_pool(join(program, "ann"))
    record(order("A1", "10", buyer="ann"))
    record(order("A2", "10", buyer="ann", at=day(20)))
    assert in_pool(pool, day(40))[0] == (20 if lasts else 0)


def test_a_return_renews_nothing(db):
    expiry = {"kind": "inactivity", "length": 1, "renewed_by": ["accrual", "pool"]}
    program = make_program(unit={"expiry": expiry})
    pool = found_pool(join(program, "ann"))
    record(order("A1", "10", buyer="ann"))
    give_back(refund(of="A1", total="4", at=day(20)))
    assert (in_pool(pool, day(25)), in_pool(pool, day(40))) == ((6, 0), (0, 0))
