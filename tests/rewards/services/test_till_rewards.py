"""Rewards taken at a till: used with the sale, once, or not at all."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import transaction

from loyalty.errors import InsufficientBalanceError
from loyalty.ledger.checks import RULES, check_rule
from loyalty.ledger.posting import lock_wallets
from loyalty.models import Order
from loyalty.selectors.memberships import wallet_ids
from loyalty.selectors.pools import pool_wallets
from loyalty.services.order_inputs import CustomerRef
from members.errors import DomainError
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from rewards.checks import CHECKS
from rewards.errors import RewardRefusedError, VoucherRefusedError
from rewards.models import Redemption, Reward, Voucher, VoucherUse
from rewards.selectors.rewards import definition_of
from rewards.services.rewards import change_reward
from rewards.services.shared_codes import create_shared_code
from rewards.services.till_rewards import TakenAtTill, give_up_with_sale
from rewards.services.till_sales import (
    TillSale,
    UsedVoucher,
    lock_sales,
    record_sale,
    replay_sale,
)
from rewards.till_receipts import receipt_lines
from tests.loyalty.factories import NOW, line, order, record, spendable, tender
from tests.loyalty.services.pooling import add, found_pool
from tests.rewards.factories import make_member, offer
from tests.rewards.services.carts import shopper
from tests.rewards.services.racing import at_once, in_the_way_of
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
HOUR = dt.timedelta(hours=1)


_made_once, member = of_each_test(shopper)


def sale(member, *rewards, number="T1", at=NOW, **details):
    bought = order(number, "20", at=at, source="till-3", lines=(line(1, "20"),), **details)
    taken = tuple(TakenAtTill(reward, Decimal(5)) for reward in rewards)
    return TillSale(bought, (), taken, (member,) if member else ())


def taken_on(receipt):
    return len([printed for printed in receipt if printed.endswith(" taken")])


def tell(told, at=NOW):
    return record_sale(sale=told, actor=SYSTEM, now=at)


def sync(told, at=NOW):
    return replay_sale(sale=told, actor=SYSTEM, now=at)


def problems(done):
    return [(item.code, item.reward) for item in done.problems]


def agrees():
    return [name for name in (*RULES, *CHECKS) if check_rule(name, NOW) is not None] == []


def test_it_is_taken_and_used_with_the_sale_once(member):
    told = sale(member, offer(member.program))
    assert tell(told).outcome == "created"
    assert tell(told).outcome == "unchanged"
    [taken] = Redemption.objects.all()
    [use] = VoucherUse.objects.all()
    assert (taken.status, taken.units, use.state, use.discount, use.checkout) == (
        "used", 100, "used", 5, "till-3/T1",
    )  # fmt: skip
    assert spendable() == 900 + 20
    assert agrees()


def test_two_alike_are_two(member):
    reward = offer(member.program, combines=True)
    tell(sale(member, reward, reward))
    tell(sale(member, reward, reward))
    assert Redemption.objects.filter(status="used").count() == 2


def test_a_sale_that_cannot_be_had_like_this_leaves_nothing_behind(member):
    cheap, dear = (offer(member.program, code, price=price, combines=True)
                   for code, price in (("cheap", 100), ("dear", 1000)))  # fmt: skip
    with pytest.raises(InsufficientBalanceError):
        tell(sale(member, cheap, dear))
    assert (Redemption.objects.count(), Order.objects.count(), spendable()) == (0, 0, 1000)
    assert tell(sale(member, cheap)).outcome == "created"


def test_what_goes_alone_or_is_of_one_group_is_refused_together(member):
    alone = offer(member.program, "alone")
    one, two = (offer(member.program, code, combines=True, stacking_group="off")
                for code in ("one", "two"))  # fmt: skip
    for rewards, code in (((alone, one), "voucher_alone"), ((one, two), "voucher_same_group")):
        with pytest.raises(VoucherRefusedError) as error:
            tell(sale(member, *rewards))
        assert error.value.code == code


def test_it_is_a_member_who_takes_it(member):
    with pytest.raises(RewardRefusedError) as error:
        tell(sale(None, offer(member.program)))
    assert error.value.code == "member_unknown"


def test_what_is_for_later_or_was_given_away_is_only_taken(member):
    opens = offer(member.program, "opens", kind="access")
    tell(sale(member, opens))
    [taken] = Redemption.objects.all()
    assert (taken.status, VoucherUse.objects.count()) == ("issued", 0)


@pytest.mark.django_db(transaction=True)
def test_all_at_once_take_it_once(member):
    told = sale(member, offer(member.program, stock=1))
    found = at_once(lambda _number: tell(told), 16)
    assert (found["done"], Redemption.objects.count(), Order.objects.count()) == (16, 1, 1)
    assert agrees()


def test_offline_it_counts_as_of_its_time(member):
    reward = offer(member.program, ends_at=NOW + HOUR)
    told, later = sale(member, reward), NOW + 30 * HOUR
    assert problems(sync(told, later)) == []
    again = sync(told, later + HOUR)
    assert (again.outcome, problems(again)) == ("unchanged", [])
    [taken] = Redemption.objects.all()
    assert (taken.status, taken.created_at, spendable(at=later)) == ("used", NOW, 900 + 20)
    assert agrees()


def test_offline_the_sale_stands_where_it_could_not_be_taken(member):
    gone, dear = offer(member.program, "gone", ends_at=NOW), offer(member.program, "dear")
    told = sale(member, gone, dear)
    assert problems(sync(told)) == [("over", gone)]
    first = spendable()
    # What was not taken then is not taken by sending the queue again.
    assert problems(sync(told)) == [("reward_not_taken", gone)]
    assert (Order.objects.count(), spendable()) == (1, first)


@pytest.mark.django_db(transaction=True)
def test_offline_a_queue_sent_by_two_at_once_takes_it_once(member):
    told = sale(member, offer(member.program))
    at_once(lambda _number: sync(told), 12)
    assert (Redemption.objects.count(), spendable()) == (1, 920)


def test_offline_a_sale_that_contradicts_itself_takes_nothing(member):
    wrong = sale(member, offer(member.program), tenders=(tender("money", "5"),))
    with pytest.raises(DomainError):
        sync(wrong)
    assert (Redemption.objects.count(), spendable()) == (0, 1000)


def test_a_sale_of_a_queue_that_contradicts_itself_takes_nothing_of_its_transaction(member):
    wrong = sale(member, offer(member.program), tenders=(tender("money", "5"),))
    with transaction.atomic(), pytest.raises(DomainError):
        sync(wrong)
    assert (Redemption.objects.count(), VoucherUse.objects.count(), spendable()) == (0, 0, 1000)


def test_a_sale_that_is_canceled_gives_it_back(member):
    told = sale(member, offer(member.program, stock=1))
    tell(told)
    bought = Order.objects.get()
    assert taken_on(receipt_lines(bought, [member], told.checkout, NOW)) == 1
    record(order("T1", "20", at=NOW, source="till-3", lines=(line(1, "20"),), status="cancelled"))
    deliver_waiting()
    [taken] = Redemption.objects.all()
    assert (taken.status, spendable()) == ("cancelled", 1000)
    assert taken_on(receipt_lines(bought, [member], told.checkout, NOW)) == 0
    assert agrees()


@pytest.mark.django_db(transaction=True)
def test_a_sale_that_is_canceled_waits_for_whoever_gives_the_reward_up(member):
    told = sale(member, offer(member.program, stock=1))
    tell(told)
    [taken] = Redemption.objects.all()

    def give_up():
        with transaction.atomic():
            give_up_with_sale(told.checkout, "Canceled", SYSTEM, NOW)

    in_the_way_of(
        give_up,
        lambda: lock_wallets(wallet_ids([member])),
        # Who has the wallet goes on to what was taken.
        lambda: Redemption.objects.select_for_update().get(pk=taken.pk),
    )
    taken.refresh_from_db()
    assert (taken.status, agrees()) == ("cancelled", True)


def test_a_sale_told_again_is_answered_whatever_goes_together_since(member):
    one, two = (offer(member.program, code, combines=True) for code in ("one", "two"))
    tell(sale(member, one, two))
    alone = definition_of(one).model_copy(update={"combines": False})
    change_reward(reward=one, definition=alone, actor=SYSTEM)
    one.refresh_from_db()
    assert tell(sale(member, one, two)).outcome == "unchanged"
    with pytest.raises(VoucherRefusedError):
        tell(sale(member, one, two, number="T2"))
    assert Redemption.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("send", [tell, sync])
def test_a_sale_waits_for_a_shared_code_before_it_keeps_others_from_a_reward(member, send):
    reward = offer(member.program, "few", combines=True, stock=5)
    code = create_shared_code(
        reward=offer(member.program, "many", combines=True), written="SUMMER26", most_uses=9,
        expires_at=None, actor=SYSTEM, now=NOW,
    )  # fmt: skip
    told = replace(sale(member, reward), vouchers=(UsedVoucher(code, Decimal(5)),))
    in_the_way_of(
        lambda: send(told),
        # A cart has the code, and goes on to the reward.
        lambda: Voucher.objects.select_for_update().get(pk=code.pk),
        lambda: Reward.objects.select_for_update(no_key=True).get(pk=reward.pk),
    )
    assert VoucherUse.objects.filter(state="used").count() == 2
    assert agrees()


@pytest.fixture
def sharing():
    """Somebody whose pool was there before them, so that its wallet is locked before theirs."""
    owner = shopper(number="owner")
    pool = found_pool(owner)
    member = make_member(1000, "mate", owner.program)
    add(pool, member)
    return member, pool_wallets(pool)[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("send", [tell, sync])
def test_a_sale_with_a_reward_waits_for_the_pool_before_it_keeps_others_from_the_member(
    sharing, send
):
    member, shared = sharing
    told = sale(
        member, offer(member.program, stock=1), customer=CustomerRef(key=member.customer_id)
    )  # fmt: skip
    in_the_way_of(
        lambda: send(told),
        # Another order of theirs has the pool's wallet, and goes on to their own.
        lambda: lock_wallets([shared.pk]),
        lambda: lock_wallets(wallet_ids([member])),
    )
    assert (Redemption.objects.get().status, agrees()) == ("used", True)


@pytest.mark.django_db(transaction=True)
def test_a_queue_waits_for_all_of_its_members_before_its_first_reward(member):
    other = make_member(1000, "other", member.program)
    reward = offer(member.program, stock=5)
    queue = [sale(member, reward, number="T1"), sale(other, reward, number="T2")]

    def send():
        with transaction.atomic():
            lock_sales(queue)
            return [sync(told) for told in queue]

    in_the_way_of(
        send,
        # The other one has come by now, and wants the same.
        lambda: lock_wallets(wallet_ids([other])),
        lambda: Reward.objects.select_for_update(no_key=True).get(pk=reward.pk),
    )
    assert (Reward.objects.get().taken, agrees()) == (2, True)
