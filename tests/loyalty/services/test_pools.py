"""Pools: what members earn goes in, returns take it back, and whoever leaves gets what the rule
says."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from loyalty.errors import InsufficientBalanceError, KeyReusedError, PoolRefusedError
from loyalty.explanations import explain_transfer
from loyalty.ledger.balances import holdings
from loyalty.ledger.reports import per_customer, totals
from loyalty.models import Lot, Membership, Order, Pool, PoolMember, Program, Transfer, Wallet
from loyalty.selectors.pools import (
    balances_by_pool,
    current_members,
    get_pool,
    place_of,
    places_of,
    pool_balances,
    pool_wallets,
    pools,
)
from loyalty.selectors.transfers import transfers
from loyalty.services.pool_leaving import (
    close_pool,
    leave_pool,
    returns_of_closing,
    returns_of_leaving,
    summed,
)
from loyalty.services.pool_moves import (
    preview_pool_move,
    put_into_pool,
    spend_from_pool,
    take_from_pool,
)
from loyalty.services.pools import (
    PoolTerms,
    add_pool_member,
    change_pool,
    change_pool_member,
    create_pool,
)
from loyalty.services.redemptions import reverse_redemption
from members.errors import NotFoundError
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    define,
    give_back,
    held,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    refund,
    spendable,
    wallet_of,
)

HOW = {"actor": SYSTEM, "source": "backoffice"}


def join(program: Program, number: str) -> Membership:
    wallet = make_wallet(program, number)
    Customer.objects.filter(external_id=number).update(given_name=number.capitalize())
    return Membership.objects.select_related("customer").get(account=wallet.account_id)


def found_pool(owner: Membership, *, bring: bool = False, now=NOW, **terms) -> Pool:
    terms = PoolTerms(**{"name": "The Harts"} | terms)
    return create_pool(owner=owner, terms=terms, bring=bring, now=now, **HOW)


def add(pool: Pool, member: Membership, *, now=NOW, **how) -> PoolMember:
    return add_pool_member(pool=pool, membership=member, now=now, **HOW, **how)


def leave(member: PoolMember, now=NOW):
    return leave_pool(member=member, now=now, **HOW)


def place(number: str) -> PoolMember:
    return PoolMember.objects.select_related("pool", "membership__customer").get(
        membership__customer__external_id=number, left_at=None
    )


def put_in(number: str, units: int, key: str = "p1", *, now=NOW) -> Transfer:
    wallet_type = place(number).pool.program.wallet_types.first()
    return put_into_pool(
        member=place(number), wallet_type=wallet_type, units=units, key=key, now=now, **HOW
    )[0]


def take(number: str, units: int, key: str = "t1", *, now=NOW) -> Transfer:
    wallet_type = place(number).pool.program.wallet_types.first()
    return take_from_pool(
        member=place(number), wallet_type=wallet_type, units=units, key=key, now=now, **HOW
    )[0]


def in_pool(pool: Pool, at=NOW) -> tuple[int, int]:
    """What the pool can spend, and what is pending in it."""
    wallet = pool_wallets(pool)[0]
    found = holdings([wallet], at)[wallet.pk]
    return found.spendable, found.pending


@pytest.fixture
def ann(program) -> Membership:
    return join(program, "ann")


@pytest.fixture
def ben(program) -> Membership:
    return join(program, "ben")


@pytest.fixture
def pool(ann, ben) -> Pool:
    """Ann owns it, Ben is in it; everything they earn goes into it."""
    pool = found_pool(ann)
    add(pool, ben)
    return pool


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


# --- joining


def test_what_a_member_has_may_be_brought_along(ann, ben):
    record(order("A1", "30", buyer="ann"), order("B1", "21", buyer="ben"))
    pool = found_pool(ann, bring=True, contribution="share", share=50)
    assert (spendable("ann"), in_pool(pool)) == (15, (15, 0))
    add(pool, ben, bring=False)
    assert (spendable("ben"), in_pool(pool)) == (21, (15, 0))


def test_what_a_member_owes_is_not_brought_along(ann):
    record(order("A1", "10", buyer="ann"))
    adjust(wallet_of(ann.account_id), -10, "spend")
    give_back(refund(of="A1", total="10"))
    pool = found_pool(ann, bring=True)
    assert (held("ann").owed, in_pool(pool)) == (10, (0, 0))


def test_a_member_is_in_one_pool_at_a_time(ann, ben, pool):
    with pytest.raises(PoolRefusedError) as refused, transaction.atomic():
        found_pool(ben)
    assert refused.value.code == "already_in_pool"
    with pytest.raises(IntegrityError), transaction.atomic():
        PoolMember.objects.create(pool=pool, membership=ben, joined_at=NOW)
    leave(place("ben"))
    again = add(pool, ben, now=day(1))
    assert (place_of(ben), places_of(ben.customer)) == (again, [again])
    assert PoolMember.objects.filter(membership=ben).count() == 2


@pytest.mark.parametrize("status", ["suspended", "left"])
def test_only_active_members_join_and_spend(ann, ben, status):
    pool = found_pool(ann)
    Membership.objects.filter(pk=ben.pk).update(status=status)
    with pytest.raises(PoolRefusedError), transaction.atomic():
        add(pool, ben)
    record(order("A1", "30", buyer="ann"))
    Membership.objects.filter(pk=ann.pk).update(status=status)
    with pytest.raises(PoolRefusedError), transaction.atomic():
        take("ann", 1)


def test_members_of_another_program_do_not_join(pool):
    foreign = join(make_program("other"), "eve")
    with pytest.raises(PoolRefusedError), transaction.atomic():
        add(pool, foreign)


def test_a_pool_needs_a_live_program(ann):
    Program.objects.update(status="archived")
    with pytest.raises(PoolRefusedError):
        found_pool(ann)
    assert not Pool.objects.exists()


# --- by hand


def test_units_are_put_in_and_taken_out_by_hand(ann, ben):
    pool = found_pool(ann, contribution="by_hand")
    add(pool, ben)
    record(order("A1", "30", buyer="ann"))
    shown = preview_pool_move(
        member=place("ann"), wallet_type=pool.program.wallet_types.first(), units=20, into=True,
        now=NOW,
    )  # fmt: skip
    out = put_in("ann", 20)
    assert [(item.before, item.after) for item in shown] == [(30, 10), (0, 20)]
    assert (spendable("ann"), in_pool(pool)) == (10, (20, 0))
    taken = take("ben", 5)
    assert (spendable("ben"), in_pool(pool)) == (5, (15, 0))
    named = {transfer.pk: explain_transfer(transfer).title for transfer in transfers()}
    assert (named[out.pk], named[taken.pk]) == ("Put into The Harts", "Taken by Ben")
    told = AuditEntry.objects.filter(action__in=["pool.put_in", "pool.taken"])
    assert sorted(entry.target.partition(":")[0] for entry in told) == [
        "loyalty.pool", "loyalty.pool", "members.customer", "members.customer",
    ]  # fmt: skip
    assert all("Ben" not in str(entry.after) for entry in told)


def test_the_same_key_moves_once(pool):
    record(order("A1", "30", buyer="ann"))
    assert take("ben", 5) == take("ben", 5)
    assert spendable("ben") == 5
    with pytest.raises(KeyReusedError), transaction.atomic():
        take("ben", 6)


def test_more_than_there_is_is_neither_put_in_nor_taken(pool):
    record(order("A1", "30", buyer="ann"))
    with pytest.raises(InsufficientBalanceError) as refused, transaction.atomic():
        take("ben", 31)
    assert refused.value.spendable == 30
    for act in (put_in, take):
        with pytest.raises((InsufficientBalanceError, PoolRefusedError)), transaction.atomic():
            act("ben", 100, "x")
        with pytest.raises(PoolRefusedError), transaction.atomic():
            act("ben", 0, "y")


@pytest.mark.parametrize(
    ("spending", "may_spend", "owner", "member"),
    [
        ("everyone", False, True, True),
        ("owners", True, True, False),
        ("named", False, True, False),
        ("named", True, True, True),
    ],
)
def test_who_may_spend(ann, ben, spending, may_spend, owner, member):
    pool = found_pool(ann, spending=spending)
    add(pool, ben, may_spend=may_spend)
    record(order("A1", "30", buyer="ann"))
    for membership, allowed in ((ann, owner), (ben, member)):
        number = membership.customer.external_id
        if allowed:
            spend(membership, 2, f"r{number}")
            take(number, 1, f"t{number}")
            continue
        for act in (lambda: spend(membership, 2), lambda: take(number, 1)):  # noqa: B023
            with pytest.raises(PoolRefusedError), transaction.atomic():
                act()
    assert in_pool(pool) == (30 - 3 * (owner + member), 0)


def spend(membership: Membership, units: int, key: str = "r1", *, now=NOW, **how) -> Transfer:
    wallet_type = membership.program.wallet_types.first()
    return spend_from_pool(
        membership=membership, wallet_type=wallet_type, units=units, key=key, now=now, **HOW, **how
    )[0]


def test_a_redemption_spends_from_the_pool(pool, ben):
    record(order("A1", "30", buyer="ann"))
    spent = spend(ben, 12)
    assert (spend(ben, 12), in_pool(pool)) == (spent, (18, 0))
    (found,) = totals(pool.program, NOW).values()
    assert (found.redeemed, found.outstanding, found.moved) == (12, 18, 0)
    reverse_redemption(transfer=spent, key="u1", now=day(1), **HOW)
    assert in_pool(pool, day(1)) == (30, 0)


def test_what_an_order_was_paid_with_comes_back_to_the_pool_with_it(pool, ben):
    record(order("A1", "30", buyer="ann"))
    record(order("B1", "10", buyer="ben"))
    spend(ben, 12, order=Order.objects.get(external_id="B1"))
    give_back(refund(of="B1", total="10", at=day(1)))
    assert (in_pool(pool, day(1)), held("ben", day(1)).owed) == ((30, 0), 0)


def test_somebody_in_no_pool_or_who_left_spends_from_none(program, pool, ben):
    record(order("A1", "30", buyer="ann"))
    leave(place("ben"))
    for member in (join(program, "eve"), ben):
        with pytest.raises(PoolRefusedError):
            spend(member, 1)


# --- leaving


def fill(pool: Pool) -> None:
    """Ann puts in 30, Ben 21; 9 of it, what expires first, are spent."""
    record(order("A1", "30", buyer="ann"))
    record(order("B1", "21", buyer="ben", at=day(0.1)))
    take("ann", 9, now=day(0.2))
    adjust(wallet_of(place("ann").membership.account_id), -9, "spend", now=day(0.2))


@pytest.mark.parametrize(("leaving", "back"), [("own", 21), ("stays", 0), ("equal_share", 21)])
def test_whoever_leaves_gets_back_what_the_rule_says(ann, ben, leaving, back):
    pool = found_pool(ann, leaving=leaving)
    add(pool, ben)
    fill(pool)
    at = day(1)
    assert sum(item.units for item in returns_of_leaving(place("ben"), at)) == back
    leave(place("ben"), now=at)
    assert (spendable("ben", at), in_pool(pool, at)) == (back, (42 - back, 0))
    record(order("B2", "10", buyer="ben", at=day(2)))
    assert spendable("ben", day(2)) == back + 10
    with pytest.raises(PoolRefusedError), transaction.atomic():
        leave_pool(member=PoolMember.objects.get(membership=ben), now=day(2), **HOW)


def test_what_was_spent_of_what_one_put_in_does_not_come_back(pool):
    fill(pool)
    # The oldest were spent: Ann's.
    (back,) = returns_of_leaving(place("ann"), day(1))
    assert back.units == 21


def test_what_was_put_in_comes_back_with_its_times(db):
    expiry = {"kind": "months", "length": 1, "last_day": "start_of_day"}
    program = make_program(unit={"pending_days": 5, "expiry": expiry})
    pool = found_pool(join(program, "ann"))
    add(pool, join(program, "ben"))
    record(order("B1", "20", buyer="ben"))
    leave(place("ben"), now=day(1))
    assert (held("ben", day(1)).pending, spendable("ben", day(30))) == (20, 20)
    assert spendable("ben", day(31)) == 0


def test_the_last_owner_is_followed_by_whoever_is_there_longest(pool, ann):
    with pytest.raises(PoolRefusedError), transaction.atomic():
        change_pool_member(member=place("ann"), changes={"role": "member"}, actor=SYSTEM)
    leave(place("ann"), now=day(1))
    assert [(member.role, str(member.membership.customer)) for member in current_members(pool)] == [
        ("owner", "Ben")
    ]


@pytest.mark.parametrize("leaving", ["own", "stays", "equal_share"])
def test_the_last_to_leave_gets_everything_and_the_pool_is_closed(ann, ben, leaving):
    pool = found_pool(ann, leaving=leaving)
    add(pool, ben)
    fill(pool)
    for number in ("ann", "ben"):
        leave(place(number), now=day(1))
    assert spendable("ann", day(1)) + spendable("ben", day(1)) == 42
    pool.refresh_from_db()
    assert (pool.status, pool.closed_at, in_pool(pool, day(1))) == ("closed", day(1), (0, 0))
    with pytest.raises(PoolRefusedError), transaction.atomic():
        add(pool, ann)


@pytest.mark.parametrize(
    ("leaving", "backs"), [("own", (21, 21)), ("stays", (21, 21)), ("equal_share", (21, 21))]
)
def test_closing_gives_everything_back(ann, ben, leaving, backs):
    pool = found_pool(ann, leaving=leaving)
    add(pool, ben)
    fill(pool)
    shown = {str(item.member.membership.customer): item.units
             for item in summed(returns_of_closing(pool, day(1)))}  # fmt: skip
    close_pool(pool=pool, now=day(1), **HOW)
    assert (spendable("ann", day(1)), spendable("ben", day(1))) == backs
    assert tuple(shown.values()) == backs
    assert in_pool(pool, day(1)) == (0, 0)
    assert not PoolMember.objects.filter(left_at=None).exists()
    with pytest.raises(PoolRefusedError), transaction.atomic():
        close_pool(pool=pool, now=day(2), **HOW)


def test_what_those_who_left_it_left_is_shared_on_closing(program, ann, ben):
    pool = found_pool(ann, leaving="stays")
    for member in (ben, join(program, "cleo")):
        add(pool, member)
    record(order("A1", "10", buyer="ann"), order("C1", "25", buyer="cleo"))
    leave(place("cleo"), now=day(1))
    change_pool(pool=pool, changes={"leaving": "own"}, actor=SYSTEM)
    close_pool(pool=pool, now=day(1), **HOW)
    # Ann's own 10 and 13 of the 25, Ben the other 12.
    assert (spendable("ann", day(1)), spendable("ben", day(1))) == (23, 12)


# --- terms


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"kind": "village"}, "kind"),
        ({"contribution": "some"}, "contribution"),
        ({"contribution": "share"}, "share"),
        ({"contribution": "share", "share": 101}, "share"),
        ({"spending": "nobody"}, "spending"),
        ({"leaving": "half"}, "leaving"),
    ],
)
def test_terms_that_cannot_be_are_refused_by_field(ann, terms, field):
    with pytest.raises(PoolRefusedError) as refused:
        found_pool(ann, **terms)
    assert refused.value.errors[0].field == field


def test_a_change_is_for_what_is_earned_from_then_on_and_is_written_down(pool):
    record(order("A1", "10", buyer="ann"))
    changed = change_pool(
        pool=pool, changes={"contribution": "share", "share": 50, "name": " Our  home "},
        actor=SYSTEM,
    )  # fmt: skip
    record(order("A2", "10", buyer="ann", at=day(1)))
    assert (changed.name, in_pool(pool, day(1))) == ("Our home", (15, 0))
    change_pool(pool=pool, changes={"name": "Our home"}, actor=SYSTEM)
    entry = AuditEntry.objects.get(action="pool.changed")
    assert entry.before == {"name": "The Harts", "contribution": "all"}
    assert entry.after == {"name": "Our home", "contribution": "share", "share": 50}


def test_pools_are_listed_with_how_many_are_in_them(pool):
    leave(place("ben"))
    assert [(found.name, found.member_count) for found in pools()] == [("The Harts", 1)]
    assert get_pool(pool.public_id) == pool
    with pytest.raises(NotFoundError):
        get_pool("8f1f54b6-0c1c-4d51-9d3b-5e8b1f9d1a11")


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


# --- books


def test_pools_are_in_the_totals_and_in_no_customers_row(pool):
    record(order("A1", "30", buyer="ann"), order("B1", "20", buyer="ben"))
    give_back(refund(of="A1", total="10", at=day(1)))
    leave(place("ben"), now=day(2))
    for offset in (0, 1, 2):
        (found,) = totals(pool.program, day(offset)).values()
        assert found.moved == 0
        assert found.accrued - found.clawed_back == found.outstanding
    rows = {row.customer: row.figures for row in per_customer(pool.program, day(2))}
    assert {name: figures.outstanding for name, figures in rows.items()} == {"ann": 0, "ben": 20}
    assert {name: figures.moved for name, figures in rows.items()} == {"ann": -20, "ben": 0}
    assert sum(Wallet.objects.values_list("balance", flat=True)) == 40


def test_every_share_names_the_wallet_that_it_came_from(pool):
    record(order("A1", "30", buyer="ann"))
    lot = Lot.objects.get(wallet__account=pool.account_id)
    assert lot.origin.kind == "accrual"
    assert lot.parent.wallet.account.membership.customer.external_id == "ann"


def test_joined_and_left_are_instants_of_business_time(pool):
    member = place("ben")
    assert member.joined_at == NOW
    leave(member, now=NOW + dt.timedelta(hours=1))
    assert PoolMember.objects.get(pk=member.pk).left_at == NOW + dt.timedelta(hours=1)
