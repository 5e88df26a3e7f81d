"""Members give to each other: within the limits, once, and with what the units have behind them."""

import datetime as dt
from typing import NamedTuple

import pytest
from django.db import transaction

from loyalty.errors import (
    GiftRefusedError,
    InsufficientBalanceError,
    KeyReusedError,
    LedgerError,
)
from loyalty.explanations import explain_transfer
from loyalty.ledger.reports import totals
from loyalty.models import Lot, Membership, Program, Transfer, Wallet
from loyalty.selectors.gifts import find_member, find_recipient, room_to_give
from loyalty.selectors.transfers import transfers
from loyalty.services.gifts import give_units, preview_gift
from members.models import AuditEntry
from members.services.audit import SYSTEM
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
from tests.loyalty.services.gifting import (
    MONTHLY,
    donate,
    generous,
    give,
    maya,
    olivia,
    undo,
)
from tests.sharing import of_each_test


class World(NamedTuple):
    program: Program
    # Olivia's, who has 100.
    giver: Wallet
    # Maya.
    receiver: Membership


def make_world() -> World:
    program = generous()
    return World(program, olivia(program), maya(program))


_made_once, world = of_each_test(make_world)


@pytest.fixture
def program(world: World) -> Program:
    return world.program


@pytest.fixture
def giver(world: World) -> Wallet:
    return world.giver


@pytest.fixture
def receiver(world: World) -> Membership:
    return world.receiver


def test_what_one_gives_the_other_has_and_both_read_who_it_was(giver, receiver):
    give(giver, receiver, 30, message="  Happy\n birthday ")
    assert (spendable("olivia"), spendable("maya")) == (70, 30)
    assert moves("olivia")[1:] == [("gift", -30)]
    assert moves("maya") == [("gift", 30)]
    out, came = transfers().filter(kind="gift").order_by("pk")
    assert explain_transfer(out).title == "Gift to Maya"
    assert explain_transfer(came).title == "Gift from Olivia"
    assert explain_transfer(came, audience="staff").title == "Gift from Olivia Hart"
    assert explain_transfer(came).message == explain_transfer(out).message == "Happy birthday"


def test_what_is_given_keeps_the_day_on_which_it_expires(db):
    program = generous(unit=MONTHLY)
    giver, receiver = olivia(program), maya(program)
    give(giver, receiver, 30, now=day(20))
    assert spendable("maya", at=day(30)) == 30
    assert spendable("maya", at=day(31)) == 0


def test_pending_units_cannot_be_given(db):
    program = generous(unit={"pending_days": 5})
    giver, receiver = olivia(program), maya(program)
    with pytest.raises(InsufficientBalanceError) as refused, transaction.atomic():
        give(giver, receiver, 1)
    assert refused.value.spendable == 0
    assert "0\N{NO-BREAK SPACE}points" in str(refused.value)
    give(giver, receiver, 100, now=day(5))


def test_what_the_giver_owes_cannot_be_given(giver, receiver):
    adjust(giver, -100, "spend")
    give_back(refund(of="O1", total="60"))
    record(order("O2", "70", buyer="olivia"))
    with pytest.raises(InsufficientBalanceError), transaction.atomic():
        give(giver, receiver, 11)
    give(giver, receiver, 10)


def test_a_gift_repays_what_the_receiver_owes(giver, receiver):
    record(order("M1", "20", buyer="maya"))
    adjust(wallet_of(receiver.account_id), -20, "spend")
    give_back(refund(of="M1", total="20"))
    shown = preview_gift(wallet=giver, to=receiver, units=30, now=NOW)
    give(giver, receiver, 30)
    assert (held("maya").spendable, held("maya").owed) == (10, 0)
    assert (shown.receiver.before, shown.receiver.after) == (0, 10)
    assert (shown.giver.before, shown.giver.after) == (100, 70)


def test_if_the_order_behind_a_gift_is_refunded_the_earner_owes(giver, receiver):
    give(giver, receiver, 100)
    give_back(refund(of="O1", total="40", at=day(1)))
    assert (held("olivia", day(1)).owed, spendable("maya", day(1))) == (40, 100)
    record(order("O2", "50", at=day(2), buyer="olivia"))
    assert (held("olivia", day(2)).owed, spendable("olivia", day(2))) == (0, 10)


def test_an_order_on_hold_holds_what_was_given_of_it(db):
    """Maturity is of the units, in whoever's wallet they are."""
    from loyalty.models import Order

    program = generous()
    giver, receiver = olivia(program), maya(program)
    give(giver, receiver, 30)
    Order.objects.update(held_at=NOW)
    record(order("O1", "100", buyer="olivia", status="fulfilled"), now=day(1))
    assert (held("maya", day(1)).spendable, held("maya", day(1)).pending) == (0, 30)


@pytest.mark.parametrize(
    ("gifts", "units", "code", "field"),
    [
        ({"to_members": False}, 10, "gift_refused", "units"),
        ({"least": 20}, 19, "below_minimum", "units"),
        ({"most_per_day": 50}, 51, "daily_limit_exceeded", "units"),
        ({"most_received_per_day": 50}, 51, "daily_limit_exceeded", "units"),
        ({}, 0, "invalid_request", "units"),
        ({}, -5, "invalid_request", "units"),
        ({}, 10**16, "invalid_request", "units"),
    ],
)
def test_a_gift_that_may_not_be_is_refused_by_field(db, gifts, units, code, field):
    program = generous(**gifts)
    giver, receiver = olivia(program), maya(program)
    with pytest.raises(LedgerError) as refused, transaction.atomic():
        give(giver, receiver, units)
    assert (refused.value.code, refused.value.errors[0].field) == (code, field)
    with pytest.raises(LedgerError) as unseen:
        preview_gift(wallet=giver, to=receiver, units=units, now=NOW)
    assert unseen.value.code == code
    assert not Transfer.objects.filter(kind="gift").exists()


def test_the_smallest_and_the_largest_gift_of_a_day_are_allowed(db):
    program = generous(least=20, most_per_day=50)
    giver, receiver = olivia(program), maya(program)
    give(giver, receiver, 20, "g1")
    give(giver, receiver, 30, "g2")
    assert spendable("maya") == 50


def test_limits_are_whole_units_whatever_the_decimals(db):
    program = generous(unit={"decimals": 2}, least="0.50", most_per_day=2)
    giver, receiver = olivia(program), maya(program)
    with pytest.raises(GiftRefusedError), transaction.atomic():
        give(giver, receiver, 49)
    give(giver, receiver, 200)
    assert room_to_give(giver, NOW) == 0


def test_the_day_of_a_limit_is_the_programs(db):
    program = make_program(
        unit={"gifts": {"to_members": True, "most_per_day": 50}}, time_zone="Asia/Kuala_Lumpur"
    )
    giver, receiver = olivia(program), maya(program)
    give(giver, receiver, 50, "g1")
    evening = NOW.replace(hour=15, minute=59)
    with pytest.raises(GiftRefusedError) as refused, transaction.atomic():
        give(giver, receiver, 50, "g2", now=evening)
    assert "Today 0\N{NO-BREAK SPACE}points more can be given." in str(refused.value)
    give(giver, receiver, 50, "g2", now=evening + dt.timedelta(minutes=1))


def test_a_limit_counts_what_is_given_to_everybody_but_not_what_was_undone(db):
    program = generous(most_per_day=50)
    giver, receiver = olivia(program), maya(program)
    third = Membership.objects.get(account=make_wallet(program, "c3").account_id)
    give(giver, receiver, 20, "g1")
    mistake = give(giver, third, 30, "g2")
    assert room_to_give(giver, NOW) == 0
    undo(mistake, now=day(0.1))
    assert room_to_give(giver, NOW) == 30
    give(giver, receiver, 30, "g3", now=day(0.2))
    donate(giver, 10)


def test_a_limit_of_what_may_be_received_counts_all_givers(db):
    program = generous(most_received_per_day=50)
    giver, receiver = olivia(program), maya(program)
    other = make_wallet(program, "c3")
    adjust(other, 40, "start")
    give(other, receiver, 40, "g1")
    with pytest.raises(GiftRefusedError) as refused, transaction.atomic():
        give(giver, receiver, 11, "g2")
    assert "40" not in str(refused.value)
    give(giver, receiver, 10, "g2")


@pytest.mark.parametrize("who", ["giver", "receiver"])
@pytest.mark.parametrize("status", ["suspended", "left"])
def test_only_active_members_give_and_are_given(db, who, status):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    account = giver.account_id if who == "giver" else receiver.account_id
    Membership.objects.filter(account=account).update(status=status)
    with pytest.raises(GiftRefusedError), transaction.atomic():
        give(giver, receiver, 10)


def test_nobody_gives_to_themselves_or_to_another_program(db):
    program = generous()
    giver = olivia(program)
    self = Membership.objects.get(account=giver.account_id)
    elsewhere = make_wallet(make_program("other"), "c9")
    foreign = Membership.objects.get(account=elsewhere.account_id)
    for to in (self, foreign):
        with pytest.raises(GiftRefusedError) as refused, transaction.atomic():
            give(giver, to, 10)
        assert refused.value.errors[0].field == "to"


def test_nothing_is_given_in_a_program_that_has_ended(giver, receiver, program):
    Program.objects.update(status="archived")
    giver.wallet_type.program.refresh_from_db()
    with pytest.raises(GiftRefusedError), transaction.atomic():
        give(giver, receiver, 10)


def test_a_role_moves_no_more_than_it_may(giver, receiver):
    with pytest.raises(LedgerError) as refused:
        give(giver, receiver, 11, whole_limit=10)
    assert (refused.value.code, refused.value.status) == ("limit_exceeded", 403)
    with pytest.raises(LedgerError):
        donate(giver, 11, whole_limit=10)


def test_a_long_message_is_refused(db):
    program = generous()
    with pytest.raises(GiftRefusedError) as refused:
        give(olivia(program), maya(program), 10, message="x" * 201)
    assert refused.value.errors[0].field == "message"


def test_the_same_key_gives_once_also_when_the_limit_is_used_up(db):
    program = generous(most_per_day=50)
    giver, receiver = olivia(program), maya(program)
    how = {"wallet": giver, "to": receiver, "units": 50, "message": "", "actor": SYSTEM,
           "key": "g1", "source": "api", "now": NOW}  # fmt: skip
    (first, before), (second, repeated) = give_units(**how), give_units(**how)
    assert (first, before, repeated) == (second, False, True)
    assert spendable("maya") == 50
    assert AuditEntry.objects.filter(action="points.given").count() == 1
    assert AuditEntry.objects.filter(action="points.received").count() == 1


def test_a_key_used_for_another_gift_is_refused(giver, receiver, program):
    third = Membership.objects.get(account=make_wallet(program, "c3").account_id)
    give(giver, receiver, 10)
    for to, units in ((receiver, 11), (third, 10)):
        with pytest.raises(KeyReusedError), transaction.atomic():
            give(giver, to, units)
    with pytest.raises(KeyReusedError), transaction.atomic():
        donate(giver, 10, "g1")


def test_what_moves_between_members_is_nothing_in_all(giver, receiver, program):
    gift = give(giver, receiver, 30)
    give(giver, receiver, 20, "g2", now=day(1))
    adjust(wallet_of(receiver.account_id), -5, "spend", now=day(1))
    undo(gift, now=day(2))
    for offset in (0, 1, 2):
        (found,) = totals(program, day(offset)).values()
        assert (found.moved, found.accrued) == (0, 100)
        assert found.accrued + found.adjusted == found.outstanding
    assert Lot.objects.filter(parent__isnull=False).count() == 3


@pytest.mark.parametrize("renewed_by", [["accrual"], ["accrual", "gift"]])
def test_giving_is_an_activity_where_the_policy_says_so(db, renewed_by):
    expiry = {"kind": "inactivity", "length": 1, "renewed_by": renewed_by}
    program = generous(unit={"expiry": expiry})
    giver, receiver = olivia(program), maya(program)
    give(giver, receiver, 10, "g1", now=day(20))
    donate(giver, 10, now=day(20))
    lasts = "gift" in renewed_by
    assert spendable("olivia", at=day(40)) == (80 if lasts else 0)
    # Being given something is none, but what is given has a month.
    assert spendable("maya", at=day(40)) == 10
    assert spendable("maya", at=day(60)) == 0


def test_a_member_is_found_by_card_address_or_number(db):
    program = generous()
    giver = olivia(program)
    member = Membership.objects.get(account=giver.account_id)
    card = member.card_number
    for text in (card, f"{card[:4]} {card[4:8]}-{card[8:]}", " Olivia@Example.com "):
        assert find_member(program, text) == find_recipient(program, text) == member
    assert find_member(program, "olivia") == member
    assert find_recipient(program, "olivia") is None
    for text in ("", " ", "nobody@example.com", "1234", "a\x00", "x" * 300):
        assert find_member(program, text) is None
    assert find_member(make_program("other"), card) is None
    Membership.objects.filter(pk=member.pk).update(status="suspended")
    assert find_member(program, card) == member
    assert find_recipient(program, card) is None
