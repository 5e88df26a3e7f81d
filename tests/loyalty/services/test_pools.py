"""Pools: who is in them and on what terms, what goes in and out by hand, and their books."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from loyalty.errors import InsufficientBalanceError, KeyReusedError, PoolRefusedError
from loyalty.explanations import explain_transfer
from loyalty.ledger.reports import per_customer, totals
from loyalty.models import Lot, Membership, Order, Pool, PoolMember, Program, Wallet
from loyalty.selectors.pools import (
    get_pool,
    place_of,
    places_of,
    pools,
)
from loyalty.selectors.transfers import transfers
from loyalty.services.pool_moves import (
    preview_pool_move,
)
from loyalty.services.pools import (
    change_pool,
)
from loyalty.services.redemptions import reverse_redemption
from members.errors import NotFoundError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    held,
    make_program,
    order,
    record,
    refund,
    spendable,
    wallet_of,
)
from tests.loyalty.services.pooling import (
    HOW,
    add,
    found_pool,
    in_pool,
    join,
    leave,
    place,
    put_in,
    spend,
    take,
)

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
