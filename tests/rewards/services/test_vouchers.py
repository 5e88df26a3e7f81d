"""Vouchers at a checkout: what they take off, and that each is used once."""

import datetime as dt
from decimal import Decimal

import pytest

from loyalty.rules.facts import Basket, Line, Occasion
from members.conditions.moments import Moment
from members.errors import NotFoundError
from members.services.audit import SYSTEM
from rewards.codes import ALPHABET, is_mistyped, new_code, plain
from rewards.errors import RedemptionStateError, VoucherRefusedError
from rewards.services.redemptions import cancel_redemption
from rewards.services.voucher_pools import create_voucher_pool, import_vouchers
from rewards.services.vouchers import (
    check_voucher,
    find_voucher,
    hold_voucher,
    release_voucher,
    use_voucher,
)
from tests.loyalty.factories import NOW, day
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
HOUR = dt.timedelta(hours=1)


_made_once, member = of_each_test(lambda: make_member(10_000))


@pytest.fixture
def program(member):
    return member.program


def basket(*lines: tuple[str, str, int], shipping: str = "0", currency: str = "USD") -> Occasion:
    bought = tuple(
        Line(number, Decimal(total), sku, quantity=Decimal(count))
        for number, (sku, total, count) in enumerate(lines, start=1)
    )
    moment = Moment(NOW, dt.UTC)
    return Occasion(Basket(bought, shipping_total=Decimal(shipping)), moment, currency=currency)


def use(voucher, checkout="A1", occasion=None, at=NOW):
    return use_voucher(voucher=voucher, checkout=checkout, occasion=occasion, actor=SYSTEM, now=at)


def hold(voucher, checkout="A1", at=NOW, hold=HOUR):
    return hold_voucher(voucher=voucher, checkout=checkout, occasion=None, now=at, hold=hold)


@pytest.mark.parametrize(
    ("reward", "bought", "off"),
    [
        ({}, basket(("tea", "20", 1)), "5"),
        ({}, basket(("tea", "3", 1)), "3"),
        ({"least": 25}, basket(("tea", "25", 1)), "5"),
        ({"kind": "percent_off", "percent": 10}, basket(("tea", "19.99", 1)), "2.00"),
        ({"kind": "percent_off", "percent": 10, "most": 1}, basket(("tea", "50", 1)), "1"),
        ({"kind": "percent_off", "percent": 50, "skus": ["cup"]},
         basket(("tea", "20", 1), ("cup", "8", 2)), "4"),
        ({"kind": "free_product", "skus": ["cup"]}, basket(("tea", "20", 1), ("cup", "8", 2)), "4"),
        ({"kind": "free_shipping"}, basket(("tea", "20", 1), shipping="4.90"), "4.90"),
    ],
)  # fmt: skip
def test_a_voucher_takes_off_what_its_reward_said(member, program, reward, bought, off):
    voucher = voucher_of(take(member, offer(program, **reward), at=NOW))
    taken = check_voucher(voucher, bought, checkout="A1", now=NOW)
    assert taken.amount == Decimal(off)
    assert sum(taken.lines.values(), taken.shipping) == taken.amount


@pytest.mark.parametrize(
    ("reward", "bought", "code"),
    [
        ({"least": 25}, basket(("tea", "24.99", 1)), "voucher_not_applicable"),
        ({"kind": "free_product", "skus": ["cup"]}, basket(("tea", "20", 1)),
         "voucher_not_applicable"),
        ({"kind": "free_shipping"}, basket(("tea", "20", 1)), "voucher_not_applicable"),
        ({}, basket(("tea", "20", 1), currency="EUR"), "voucher_currency"),
    ],
)  # fmt: skip
def test_a_basket_that_it_is_not_for_is_refused(member, program, reward, bought, code):
    voucher = voucher_of(take(member, offer(program, **reward), at=NOW))
    with pytest.raises(VoucherRefusedError) as refused:
        use(voucher, occasion=bought)
    assert refused.value.code == code
    voucher.refresh_from_db()
    assert voucher.status == "issued"


def test_what_was_told_counts_whatever_becomes_of_the_reward(member, program):
    reward = offer(program)
    voucher = voucher_of(take(member, reward, at=NOW))
    reward.amount, reward.status = 9, "archived"
    reward.save()
    assert check_voucher(voucher, basket(("tea", "20", 1)), checkout="A1", now=NOW).amount == 5


def test_a_voucher_is_used_once_and_the_same_checkout_may_say_so_again(member, program):
    taken = take(member, offer(program), at=NOW)
    voucher = voucher_of(taken)
    first, known = use(voucher, occasion=basket(("tea", "20", 1)))
    again, repeated = use(voucher, at=day(1))
    assert (first.discount, known, again.pk, repeated) == (Decimal(5), False, first.pk, True)
    taken.refresh_from_db()
    assert taken.status == "used"
    with pytest.raises(VoucherRefusedError) as refused:
        use(voucher, "B2")
    assert refused.value.code == "voucher_used"
    with pytest.raises(RedemptionStateError):
        cancel_redemption(redemption=taken, reason="", source="api", actor=SYSTEM, now=NOW)


def test_while_one_checkout_holds_it_no_other_can_use_it(member, program):
    voucher = voucher_of(take(member, offer(program), at=NOW))
    hold(voucher)
    assert hold(voucher, at=NOW + HOUR / 2)[0].held_until == NOW + HOUR * 1.5
    for act in (hold, use):
        with pytest.raises(VoucherRefusedError) as refused:
            act(voucher, "B2", at=NOW + HOUR)
        assert refused.value.code == "voucher_held"
    assert use(voucher, at=NOW + HOUR)[1] is False


def test_a_hold_without_a_basket_learns_its_discount_when_it_is_used(member, program):
    voucher = voucher_of(take(member, offer(program), at=NOW))
    assert hold(voucher)[0].discount is None
    assert use(voucher, occasion=basket(("tea", "20", 1)))[0].discount == 5


def test_what_was_used_without_a_basket_says_nothing_of_a_discount(member, program):
    voucher = voucher_of(take(member, offer(program), at=NOW))
    assert use(voucher)[0].discount is None


def test_a_hold_that_passed_is_another_checkouts(member, program):
    voucher = voucher_of(take(member, offer(program), at=NOW))
    hold(voucher)
    hold(voucher, "B2", at=NOW + HOUR)
    with pytest.raises(VoucherRefusedError):
        use(voucher, at=NOW + HOUR)


def test_what_was_held_in_time_may_be_used_a_little_late(member, program):
    voucher = voucher_of(take(member, offer(program, valid_days=1), at=NOW))
    hold(voucher, at=voucher.expires_at - HOUR / 2)
    assert use(voucher, at=voucher.expires_at + HOUR)[0].state == "used"


def test_an_order_that_is_canceled_lets_its_voucher_go(member, program):
    taken = take(member, offer(program), at=NOW)
    voucher = voucher_of(taken)
    use(voucher)
    for _repeat in range(2):
        released = release_voucher(voucher=voucher, checkout="A1", actor=SYSTEM, now=day(1))
        assert released.state == "released"
    taken.refresh_from_db()
    assert taken.status == "issued"
    assert use(voucher, "B2", at=day(2))[0].state == "used"
    assert release_voucher(voucher=voucher, checkout="C3", actor=SYSTEM, now=day(2)) is None


def test_a_voucher_that_ran_out_is_refused_whether_or_not_that_was_written_down(member, program):
    voucher = voucher_of(take(member, offer(program, valid_days=1), at=NOW))
    with pytest.raises(VoucherRefusedError) as refused:
        use(voucher, at=voucher.expires_at)
    assert (refused.value.code, str(refused.value)) == (
        "voucher_expired", "It could be used to Mar 16, 2024.",
    )  # fmt: skip


def test_a_code_is_found_however_it_is_typed(member, program):
    voucher = voucher_of(take(member, offer(program, prefix="TEA"), at=NOW))
    for typed in (voucher.written.lower(), voucher.written.replace("-", " "), voucher.code):
        assert find_voucher(typed) == voucher
    with pytest.raises(NotFoundError, match="mistyped"):
        find_voucher(voucher.code[:-1] + ("2" if voucher.code[-1] != "2" else "3"))
    with pytest.raises(NotFoundError):
        find_voucher(" - ")


def test_one_wrong_sign_and_two_that_are_swapped_are_found():
    code = plain(new_code())
    assert not is_mistyped(code)
    for place in range(len(code) - 1):
        for sign in ALPHABET:
            if sign != code[place]:
                assert is_mistyped(code[:place] + sign + code[place + 1 :])
            swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        assert swapped == code or is_mistyped(swapped)


def test_codes_of_a_partner_are_given_out_one_by_one(member, program):
    pool = create_voucher_pool(program=program, code="cinema", name="Cinema", actor=SYSTEM)
    lines = ["code,seat", "FILM-0001,A1", "film 0002", "", "x", "FILM-0001"]
    found = import_vouchers(pool=pool, lines=lines, actor=SYSTEM)
    assert (found.added, found.known, found.refused) == (2, 1, 1)
    assert found.wrong == [(5, "Between 4 and 40 letters and digits.")]
    assert import_vouchers(pool=pool, lines=lines, actor=SYSTEM).added == 0
    reward = offer(program, "film", kind="partner_voucher", voucher_pool="cinema")
    written = {voucher_of(take(member, reward, key, at=NOW)).written for key in ("a", "b")}
    assert written == {"FILM-0001", "film 0002"}
    from rewards.errors import RewardRefusedError

    with pytest.raises(RewardRefusedError) as refused:
        take(member, reward, "c", at=NOW)
    assert refused.value.code == "sold_out"
