"""What a cart keeps is there when it is paid, whoever comes meanwhile; and comes back, each part of
it by itself."""

import datetime as dt

import pytest

from loyalty.ledger.checks import check_rule
from members.services.audit import SYSTEM
from rewards.checks import CHECKS
from rewards.errors import RedemptionStateError, RewardRefusedError, VoucherRefusedError
from rewards.models import Checkout, Redemption, Voucher
from rewards.services.redemptions import cancel_redemption, issue_redemption, use_redemption
from rewards.services.shared_codes import create_shared_code
from rewards.services.till_sales import TillSale, UsedVoucher, record_sale, replay_sale
from rewards.services.timeouts import end_timeouts
from rewards.services.voucher_pools import create_voucher_pool, import_vouchers
from rewards.services.vouchers import use_voucher
from tests.loyalty.factories import NOW, line, order, spendable
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.rewards.services.carts import cancel, cart, commit, reserve, shopper
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
LATER = NOW + dt.timedelta(minutes=31)


_made_once, member = of_each_test(shopper)


@pytest.fixture
def from_list(member):
    """A reward with a list of one code."""
    pool = create_voucher_pool(program=member.program, code="p", name="P", actor=SYSTEM)
    import_vouchers(pool=pool, lines=["ABCD1234"], actor=SYSTEM)
    return offer(member.program, "partner", kind="partner_voucher", voucher_pool="p")


def agrees():
    return [name for name in CHECKS if check_rule(name, NOW) is not None] == []


def test_the_last_code_of_a_list_is_kept_for_the_cart_that_was_first(member, from_list):
    first = reserve(cart(member, "C1", rewards=[from_list]))
    assert Voucher.objects.get().status == "kept"
    with pytest.raises(RewardRefusedError):
        reserve(cart(member, "C2", rewards=[from_list]))
    assert agrees()
    commit(first)
    taken = Redemption.objects.get()
    assert (voucher_of(taken).written, voucher_of(taken).status) == ("ABCD1234", "issued")
    assert agrees()


def test_a_code_that_nobody_paid_for_is_the_next_ones(member, from_list):
    reserve(cart(member, "C1", rewards=[from_list]))
    end_timeouts(LATER)
    assert Voucher.objects.get().status == "waiting"
    assert agrees()
    assert voucher_of(take(member, from_list, at=LATER)).written == "ABCD1234"


def test_the_last_prize_of_a_mystery_gift_is_kept_and_nobody_is_told_which_it_is(member):
    prize = offer(member.program, "prize", stock=1, status="draft")
    box = offer(member.program, "box", kind="mystery", prizes={"prize": 1})
    first = reserve(cart(member, "C1", rewards=[box]))
    with pytest.raises(RewardRefusedError):
        reserve(cart(member, "C2", rewards=[box]))
    cancel(first)
    prize.refresh_from_db()
    assert (prize.taken, agrees()) == (0, True)
    commit(reserve(cart(member, "C3", rewards=[box])))
    prize.refresh_from_db()
    assert (prize.taken, agrees()) == (1, True)


def test_what_a_cart_keeps_is_not_ended_apart_from_it(member):
    own = take(member, offer(member.program, "own", combines=True), "own", at=NOW)
    reward = offer(member.program, "five", combines=True)
    found = reserve(cart(member, rewards=[reward], vouchers=[voucher_of(own)]))
    kept = Redemption.objects.get(reward=reward)
    for taken in (kept, own):
        with pytest.raises(RedemptionStateError) as error:
            cancel_redemption(redemption=taken, reason="", source="api", actor=SYSTEM, now=NOW)
        assert error.value.code == "kept_by_cart"
    with pytest.raises(RedemptionStateError):
        issue_redemption(redemption=kept, actor=SYSTEM, now=NOW)
    assert commit(found).status == "committed"


def test_what_was_used_elsewhere_keeps_nothing_else_of_its_cart_back(member):
    offer(member.program, "prize", status="draft", combines=True)
    box = offer(member.program, "box", kind="mystery", prizes={"prize": 1})
    lounge = offer(member.program, "lounge", kind="access")
    own = voucher_of(take(member, offer(member.program, "own", combines=True), "own", at=NOW))
    found = commit(reserve(cart(member, rewards=[box, lounge], vouchers=[own], units=100)))
    drawn = Redemption.objects.get(reward=box)
    use_voucher(voucher=voucher_of(drawn), checkout="other", occasion=None, actor=SYSTEM, now=NOW)
    use_redemption(redemption=Redemption.objects.get(reward=lounge), actor=SYSTEM, now=NOW)
    cancel(found)
    own.refresh_from_db()
    assert (Checkout.objects.get().status, own.status) == ("cancelled", "issued")
    assert sorted(Redemption.objects.values_list("status", flat=True)) == ["issued", "used", "used"]
    # The three rewards stay paid for, with the units of the cart itself back.
    assert spendable() == 700
    assert agrees()


def test_a_product_that_is_sent_is_not_taken_off_a_cart_as_well(member):
    sent = offer(member.program, "cup", kind="free_product", skus=["CUP"], sent=True)
    found = reserve(cart(member, rewards=[sent]))
    assert (found.voucher_discount, found.to_pay) == (0, 20)
    commit(found)
    voucher = voucher_of(Redemption.objects.get())
    with pytest.raises(VoucherRefusedError) as error:
        use_voucher(voucher=voucher, checkout="x", occasion=None, actor=SYSTEM, now=NOW)
    assert error.value.code == "voucher_not_applicable"


def test_a_voucher_of_one_member_is_not_for_the_cart_of_another(member):
    other = make_member(0, "c2", member.program)
    voucher = voucher_of(take(member, offer(member.program), at=NOW))
    with pytest.raises(VoucherRefusedError) as error:
        reserve(cart(other, vouchers=[voucher]))
    assert error.value.code == "voucher_of_another"


def test_a_shared_code_is_used_by_whose_cart_or_sale_it_is_once(member):
    code = create_shared_code(
        reward=offer(member.program), written="SUMMER-26", most_uses=5, expires_at=None,
        actor=SYSTEM, now=NOW,
    )  # fmt: skip
    commit(reserve(cart(member, vouchers=[code])))
    assert code.uses.get().membership == member
    sold = order("T1", "20", at=NOW, lines=(line(1, "20"),))
    with pytest.raises(VoucherRefusedError) as error:
        record_sale(
            sale=TillSale(sold, (UsedVoucher(code),), members=(member,)), actor=SYSTEM, now=NOW
        )
    assert error.value.code == "voucher_used_by_member"
    other = make_member(0, "c2", member.program)
    sold = order("T2", "20", at=NOW, buyer="c2", lines=(line(1, "20"),))
    sale = TillSale(sold, (UsedVoucher(code),), members=(other,))
    assert replay_sale(sale=sale, actor=SYSTEM, now=NOW).problems == ()
    assert code.uses.filter(membership=other, state="used").exists()
