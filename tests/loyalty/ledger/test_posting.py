"""What postings do to lots and wallets."""

import pytest
from django.db import transaction

from loyalty.errors import (
    InsufficientBalanceError,
    KeyReusedError,
    NotReversibleError,
    OverCorrectedError,
)
from loyalty.ledger.posting import WalletRef, movement, post
from loyalty.models import Account, Lot, LotUse, Transfer, Wallet
from loyalty.services.adjustments import undo_transfer
from loyalty.services.redemptions import redeem_units
from members.services.audit import SYSTEM
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
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

MONTHLY = {"expiry": {"kind": "months", "length": 1, "last_day": "start_of_day"}}


def undo(transfer: Transfer, *, now=NOW, note: str = "") -> Transfer:
    return undo_transfer(transfer=transfer, actor=SYSTEM, source="backoffice", now=now, note=note)[
        0
    ]


def lots() -> list[tuple[int, int]]:
    return list(Lot.objects.order_by("pk").values_list("granted", "remaining"))


@pytest.fixture
def wallet(program) -> Wallet:
    return make_wallet(program)


def test_the_same_key_again_moves_nothing(wallet):
    first = adjust(wallet, 10, "k1")
    assert adjust(wallet, 10, "k1") == first
    assert moves() == [("adjustment", 10)]
    assert spendable() == 10


@pytest.mark.parametrize(
    "other",
    [{"units": 11}, {"units": -10}, {"units": 10, "note": "x"}, {"units": 10, "reason": "fraud"}],
)
def test_a_key_used_for_something_else_is_refused(wallet, other):
    adjust(wallet, 10, "k1")
    with pytest.raises(KeyReusedError), transaction.atomic():
        adjust(wallet, other.pop("units"), "k1", **other)
    assert spendable() == 10


def test_a_key_of_another_member_is_refused(program, wallet):
    adjust(wallet, 10, "k1")
    with pytest.raises(KeyReusedError), transaction.atomic():
        adjust(make_wallet(program, "c2"), 10, "k1")


def test_pending_units_mature_without_any_job(db):
    make_program(unit={"pending_days": 14})
    record(order(total="10"))
    assert (held().balance, held().pending) == (0, 10)
    before, after = held(at=day(14 - 1e-9)), held(at=day(14))
    assert (before.spendable, before.pending) == (0, 10)
    assert (after.spendable, after.pending) == (10, 0)


def test_units_that_lapsed_cannot_be_spent_though_no_job_ran(db):
    wallet = make_wallet(make_program(unit=MONTHLY))
    record(order(total="10"))
    assert spendable(at=day(30)) == 10
    assert spendable(at=day(31)) == 0
    with pytest.raises(InsufficientBalanceError) as refused, transaction.atomic():
        adjust(wallet, -1, "k1", now=day(31))
    assert refused.value.spendable == 0
    adjust(wallet, -1, "k2", now=day(30))


def test_more_than_can_be_spent_is_refused_and_says_how_much_can(wallet):
    adjust(wallet, 7, "k1")
    with pytest.raises(InsufficientBalanceError) as refused, transaction.atomic():
        adjust(wallet, -8, "k2")
    assert refused.value.spendable == 7
    adjust(wallet, -7, "k3")
    assert spendable() == 0


def test_what_lapses_first_is_spent_first_whatever_came_first(db):
    program = make_program(unit=MONTHLY)
    wallet = make_wallet(program)
    adjust(wallet, 10, "late", now=day(10))
    record(order("early", "10", at=day(-5)), order("middle", "10", at=day(3)), now=day(10))
    adjust(wallet, -15, "spend", now=day(10))
    by_expiry = Lot.objects.order_by("expires_at").values_list("remaining", flat=True)
    assert list(by_expiry) == [0, 5, 10]


def test_of_equal_expiry_the_older_lot_goes_first(wallet):
    for number in range(3):
        adjust(wallet, 10, f"k{number}")
    adjust(wallet, -12, "spend")
    assert lots() == [(10, 0), (10, 8), (10, 10)]


def test_a_debt_is_carried_and_repaid_by_what_is_earned_next(wallet):
    record(order(total="10"))
    adjust(wallet, -8, "spend")
    give_back(refund(total="10", of="A1", at=day(1)))
    assert (held().balance, held().owed, held().spendable) == (0, 8, 0)
    record(order("A2", "5", at=day(2)))
    assert (held().balance, held().owed) == (0, 3)
    record(order("A3", "5", at=day(3)))
    assert (held().balance, held().owed, held().spendable) == (2, 0, 2)


def test_pending_units_count_against_the_debt_when_they_mature(db):
    wallet = make_wallet(make_program(unit={"pending_days": 10}))
    record(order(total="10"))
    adjust(wallet, -10, "spend", now=day(11))
    give_back(refund(total="10", of="A1", at=day(12)))
    record(order("A2", "25", at=day(13)))
    assert (held(at=day(13)).owed, held(at=day(13)).spendable, held(at=day(13)).pending) == (
        10,
        0,
        25,
    )
    assert held(at=day(23)).spendable == 15
    with pytest.raises(InsufficientBalanceError) as refused, transaction.atomic():
        adjust(wallet, -16, "too-much", now=day(23))
    assert refused.value.spendable == 15
    adjust(wallet, -15, "just-right", now=day(23))
    assert held(at=day(23)).spendable == 0


def test_undoing_a_spend_puts_units_back_into_their_lots(db):
    program = make_program(unit=MONTHLY)
    wallet = make_wallet(program)
    record(order("A1", "10", at=day(-20)), order("A2", "10"), now=NOW)
    spend = adjust(wallet, -15, "spend")
    undo(spend)
    assert lots() == [(10, 10), (10, 10)]
    assert spendable() == 20
    # With the time they had: the first lot lapses when it would have.
    assert spendable(at=day(12)) == 10
    assert LotUse.objects.count() == 4


def test_units_put_back_after_their_time_have_lapsed(db):
    wallet = make_wallet(make_program(unit=MONTHLY))
    record(order(total="10"))
    spend = adjust(wallet, -10, "spend")
    undo(spend, now=day(40))
    assert spendable(at=day(40)) == 0


def test_undoing_a_gift_takes_it_from_its_own_lot(wallet):
    adjust(wallet, 10, "k1")
    gift = adjust(wallet, 5, "k2")
    undo(gift)
    assert lots() == [(10, 10), (5, 0)]


def test_undoing_a_gift_that_was_spent_is_refused(wallet):
    gift = adjust(wallet, 10, "k1")
    adjust(wallet, -4, "k2")
    with pytest.raises(InsufficientBalanceError), transaction.atomic():
        undo(gift)
    assert spendable() == 6


def test_undoing_twice_with_the_same_words_is_one_undoing(wallet):
    gift = adjust(wallet, 10, "k1")
    assert undo(gift) == undo(gift)
    assert moves() == [("adjustment", 10), ("reversal", -10)]


def test_undoing_what_a_colleague_undid_is_refused_as_undone(wallet):
    gift = adjust(wallet, 10, "k1")
    undo(gift, note="mine")
    with pytest.raises(OverCorrectedError) as refused, transaction.atomic():
        undo(gift, note="mine too")
    assert refused.value.code == "already_reversed"


def test_only_adjustments_are_undone_by_hand(wallet):
    record(order())
    for transfer in (Transfer.objects.get(), undo(adjust(wallet, 3, "k1"))):
        with pytest.raises(NotReversibleError), transaction.atomic():
            undo(transfer)


def test_a_gift_that_repaid_a_debt_can_be_undone_and_leaves_the_debt(wallet):
    record(order())
    adjust(wallet, -10, "spend")
    give_back(refund(of="A1"))
    gift = adjust(wallet, 25, "gift")
    assert (held().balance, held().owed) == (15, 0)
    undo(gift)
    assert (held().balance, held().owed) == (0, 10)


def test_a_clawback_takes_the_orders_own_units_first_even_when_they_lapsed(db):
    wallet = make_wallet(make_program(unit=MONTHLY))
    record(order("A1", "10"), order("A2", "10", at=day(20)), now=day(20))
    give_back(refund(of="A1", at=day(40)))
    # The lapsed units are gone anyway: nobody owes anything for them.
    assert (held(at=day(40)).spendable, held(at=day(40)).owed) == (10, 0)
    assert lots() == [(10, 0), (10, 10)]
    assert wallet.pk


def test_a_clawback_of_an_order_that_grew_empties_all_its_own_lots_before_others(wallet):
    record(order("A1", "10"))
    record(order("B1", "10", at=day(1)))
    record(order("A1", "15"), now=day(2))
    adjust(wallet, -12, "spend", now=day(3))  # A1's first lot and 2 of B1's
    assert lots() == [(10, 0), (10, 8), (5, 5)]
    give_back(refund(of="A1", total="5", at=day(4)))
    assert lots() == [(10, 0), (10, 8), (5, 0)]


def ref(wallet: Wallet) -> WalletRef:
    return WalletRef(
        wallet.pk, wallet.account_id, wallet.wallet_type_id, wallet.wallet_type.program.zone
    )


def entry(wallet: Wallet, direction: str, amount: int, key: str, **rest):
    account = Account.objects.get(program=wallet.wallet_type.program, kind="adjusted").pk
    if direction == "in":
        policy = wallet.wallet_type.lot_policies.first().pk
        rest = {"sp": NOW, "ex": None, "pol": policy} | rest
    return movement(
        direction=direction, kind="adjustment", ref=ref(wallet), counter_account_id=account,
        amount=amount, occurred_at=NOW, key=key, source="job", **rest,
    )  # fmt: skip


def test_a_batch_is_judged_by_its_net_effect(wallet):
    post([entry(wallet, "out", 5, "out"), entry(wallet, "in", 5, "in")], now=NOW)
    assert spendable() == 0


def test_a_batch_is_posted_as_a_whole_or_not_at_all(program, wallet):
    other = make_wallet(program, "c2")
    with pytest.raises(InsufficientBalanceError), transaction.atomic():
        post([entry(other, "in", 5, "in"), entry(wallet, "out", 1, "out")], now=NOW)
    assert not Transfer.objects.exists()


def test_a_batch_says_which_of_its_keys_were_posted_before(wallet):
    post([entry(wallet, "in", 5, "a")], now=NOW)
    found = post([entry(wallet, "in", 5, "a"), entry(wallet, "in", 6, "b")], now=NOW)
    assert {(posted.key, posted.replayed) for posted in found} == {("a", True), ("b", False)}
    assert spendable() == 11


def test_posting_nothing_does_nothing(db):
    assert post([], now=NOW) == []


def test_a_clock_that_is_behind_spends_what_had_not_expired_and_the_balance_stays_right(db):
    make_wallet(make_program(unit={"expiry": {"kind": "days", "length": 10}}))
    record(order("A", "50"))
    record(order("B", "50", at=day(5)))
    record(order("C", "1", at=day(11)))  # brings the balance up to then: A is gone
    redeem_units(wallet=wallet_of(Wallet.objects.get().account_id), units=30, key="k",
                 source="api", actor=SYSTEM, now=day(10))  # fmt: skip
    assert lots() == [(50, 20), (50, 50), (1, 1)]
    assert held(at=day(11)).balance == 51
    assert_ledger_coherent(day(11))
