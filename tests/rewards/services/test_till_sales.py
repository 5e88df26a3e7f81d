"""Sales of a till: their vouchers are used with them, or not at all."""

import datetime as dt

import pytest

from loyalty.models import Order
from members.errors import DomainError
from members.services.audit import SYSTEM
from rewards.services.till_sales import TillSale, UsedVoucher, record_sale, replay_sale
from rewards.services.timeouts import end_timeouts
from rewards.services.vouchers import release_voucher
from tests.loyalty.factories import NOW, line, order, tender
from tests.rewards.factories import offer, take, voucher_of
from tests.rewards.services.carts import shopper
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
MINUTE = dt.timedelta(minutes=1)


_made_once, member = of_each_test(shopper)


def sale(voucher, number="T1", *, at=NOW, **details):
    bought = order(number, "20", at=at, lines=(line(1, "20"),), **details)
    return TillSale(bought, (UsedVoucher(voucher),))


def test_what_was_used_offline_in_time_counts_though_it_was_written_down_as_run_out(member):
    taken = take(member, offer(member.program, valid_days=1), at=NOW)
    voucher = voucher_of(taken)
    end = voucher.expires_at
    end_timeouts(end + MINUTE)
    taken.refresh_from_db()
    assert taken.status == "expired"
    told = sale(voucher, at=end - MINUTE)
    assert replay_sale(sale=told, actor=SYSTEM, now=end + 5 * MINUTE).problems == ()
    voucher.refresh_from_db()
    taken.refresh_from_db()
    assert (voucher.status, taken.status) == ("used", "used")
    # The sale did not happen after all: it runs out again.
    release_voucher(voucher=voucher, checkout=told.checkout, actor=SYSTEM, now=end + 6 * MINUTE)
    end_timeouts(end + 7 * MINUTE)
    taken.refresh_from_db()
    assert taken.status == "expired"


def test_a_sale_that_contradicts_itself_uses_no_voucher(member):
    voucher = voucher_of(take(member, offer(member.program), at=NOW))
    wrong = sale(voucher, tenders=(tender("money", "5"),))
    with pytest.raises(DomainError):
        replay_sale(sale=wrong, actor=SYSTEM, now=NOW)
    voucher.refresh_from_db()
    assert (voucher.status, Order.objects.count()) == ("issued", 0)
    assert replay_sale(sale=sale(voucher), actor=SYSTEM, now=NOW).problems == ()


def test_a_sale_with_the_longest_number_and_till_uses_its_voucher(member):
    voucher = voucher_of(take(member, offer(member.program), at=NOW))
    long = sale(voucher, "N" * 128, source="t" * 32)
    record_sale(sale=long, actor=SYSTEM, now=NOW)
    voucher.refresh_from_db()
    assert voucher.status == "used"
