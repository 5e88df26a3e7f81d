"""Members give to each other: within the limits, once, and with what the units have behind them."""

import datetime as dt

import pytest
from django.db import transaction

from loyalty.errors import (
    GiftRefusedError,
    InsufficientBalanceError,
    KeyReusedError,
    LedgerError,
    NotReversibleError,
    OverCorrectedError,
)
from loyalty.explanations import explain_transfer
from loyalty.ledger.reports import totals
from loyalty.models import Account, Lot, Membership, Program, Transfer, Wallet
from loyalty.selectors.gifts import donated_to, find_member, find_recipient, room_to_give
from loyalty.selectors.transfers import transfers
from loyalty.services.gift_reversals import undo_gift, undo_movement
from loyalty.services.gifts import donate_units, give_units, preview_donation, preview_gift
from members.models import AuditEntry, Customer
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

MONTHLY = {"expiry": {"kind": "months", "length": 1, "last_day": "start_of_day"}}


def generous(**gifts) -> Program:
    """A program whose members may give, and who have a charity to give to."""
    unit = gifts.pop("unit", {}) | {"gifts": {"to_members": True} | gifts}
    return make_program(unit=unit, charities=[{"code": "trees", "name": "Trees"}])


def olivia(program: Program, units: int = 100) -> Wallet:
    """Olivia, who has bought for so much and gives."""
    wallet = make_wallet(program, "olivia")
    Customer.objects.filter(external_id="olivia").update(
        given_name="Olivia", family_name="Hart", email="olivia@example.com"
    )
    record(order("O1", str(units), buyer="olivia"))
    return wallet_of(wallet.account_id)


def maya(program: Program) -> Membership:
    wallet = make_wallet(program, "maya")
    Customer.objects.filter(external_id="maya").update(given_name="Maya", family_name="Lim")
    return Membership.objects.select_related("customer").get(account=wallet.account_id)


def give(wallet: Wallet, to: Membership, units: int, key="g1", *, now=NOW, **how) -> Transfer:
    given = {"message": "", "actor": SYSTEM, "source": "backoffice"} | how
    return give_units(wallet=wallet, to=to, units=units, key=key, now=now, **given)[0]


def donate(wallet: Wallet, units: int, key: str = "d1", *, now=NOW, **how) -> Transfer:
    charity = how.pop("charity", None) or Account.objects.get(kind="charity", code="trees")
    return donate_units(
        wallet=wallet, charity=charity, units=units, actor=SYSTEM, key=key, source="backoffice",
        now=now, **how,
    )[0]  # fmt: skip


def undo(transfer: Transfer, *, now=NOW, note: str = "") -> Transfer:
    how = {"actor": SYSTEM, "source": "backoffice", "now": now, "note": note}
    return undo_movement(transfer=transfer, **how)[0]


def test_what_one_gives_the_other_has_and_both_read_who_it_was(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
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


def test_what_the_giver_owes_cannot_be_given(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    adjust(giver, -100, "spend")
    give_back(refund(of="O1", total="60"))
    record(order("O2", "70", buyer="olivia"))
    with pytest.raises(InsufficientBalanceError), transaction.atomic():
        give(giver, receiver, 11)
    give(giver, receiver, 10)


def test_a_gift_repays_what_the_receiver_owes(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    record(order("M1", "20", buyer="maya"))
    adjust(wallet_of(receiver.account_id), -20, "spend")
    give_back(refund(of="M1", total="20"))
    shown = preview_gift(wallet=giver, to=receiver, units=30, now=NOW)
    give(giver, receiver, 30)
    assert (held("maya").spendable, held("maya").owed) == (10, 0)
    assert (shown.receiver.before, shown.receiver.after) == (0, 10)
    assert (shown.giver.before, shown.giver.after) == (100, 70)


def test_if_the_order_behind_a_gift_is_refunded_the_earner_owes(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
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


# --- limits


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


def test_nothing_is_given_in_a_program_that_has_ended(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    Program.objects.update(status="archived")
    giver.wallet_type.program.refresh_from_db()
    with pytest.raises(GiftRefusedError), transaction.atomic():
        give(giver, receiver, 10)


def test_a_role_moves_no_more_than_it_may(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
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


# --- once


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


def test_a_key_used_for_another_gift_is_refused(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    third = Membership.objects.get(account=make_wallet(program, "c3").account_id)
    give(giver, receiver, 10)
    for to, units in ((receiver, 11), (third, 10)):
        with pytest.raises(KeyReusedError), transaction.atomic():
            give(giver, to, units)
    with pytest.raises(KeyReusedError), transaction.atomic():
        donate(giver, 10, "g1")


# --- undoing


def test_a_gift_is_undone_as_a_whole_by_either_leg(db):
    program = generous(unit=MONTHLY)
    giver, receiver = olivia(program), maya(program)
    for number, leg in enumerate(("out", "in")):
        gift = give(giver, receiver, 30, f"g{number}")
        other = Transfer.objects.get(pair=gift)
        undo(gift if leg == "out" else other)
        assert (spendable("olivia"), spendable("maya")) == (100, 0)
        marked = transfers().filter(pk__in=[gift.pk, other.pk])
        assert [transfer.is_reversed for transfer in marked] == [True, True]
    # With the time it had.
    assert spendable("olivia", at=day(31)) == 0


def test_what_is_left_of_a_gift_comes_back(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    gift = give(giver, receiver, 30)
    adjust(wallet_of(receiver.account_id), -12, "spend")
    undone = undo(gift)
    assert (undone.signed_amount, spendable("olivia"), spendable("maya")) == (-18, 88, 0)
    assert all(transfer.is_reversed for transfer in transfers().filter(kind="gift"))
    with pytest.raises(OverCorrectedError), transaction.atomic():
        undo(gift, note="again")


def test_what_the_receiver_earned_is_not_taken_for_a_gift(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    gift = give(giver, receiver, 30)
    adjust(wallet_of(receiver.account_id), -30, "spend")
    record(order("M1", "50", buyer="maya"))
    with pytest.raises(NotReversibleError), transaction.atomic():
        undo(gift)
    assert spendable("maya") == 50


def test_a_gift_that_has_expired_does_not_come_back(db):
    program = generous(unit={"expiry": {"kind": "inactivity", "length": 1}})
    giver, receiver = olivia(program), maya(program)
    gift = give(giver, receiver, 30)
    with pytest.raises(NotReversibleError), transaction.atomic():
        undo(gift, now=day(40))


def test_undoing_twice_in_the_same_words_is_one_undoing(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
    gift = give(giver, receiver, 30)
    adjust(wallet_of(receiver.account_id), -10, "spend")
    assert undo(gift) == undo(Transfer.objects.get(pair=gift))
    assert spendable("olivia") == 90
    assert AuditEntry.objects.filter(action="points.gift_undone").count() == 2


def test_a_gift_undone_after_a_refund_is_the_orders_again(db):
    """The units that came back are the order's own, so its refund takes them first."""
    program = generous()
    giver, receiver = olivia(program), maya(program)
    gift = give(giver, receiver, 100)
    undo(gift)
    adjust(giver, 10, "other")
    give_back(refund(of="O1", total="100", at=day(1)))
    assert (spendable("olivia", day(1)), held("olivia", day(1)).owed) == (10, 0)


def test_adjustments_are_undone_as_before_and_orders_are_not(db):
    program = generous()
    giver = olivia(program)
    undo(adjust(giver, 10, "a1"))
    assert spendable("olivia") == 100
    with pytest.raises(NotReversibleError), transaction.atomic():
        undo(Transfer.objects.filter(kind="accrual").get())
    with pytest.raises(NotReversibleError), transaction.atomic():
        undo_gift(transfer=Transfer.objects.filter(kind="accrual").get(), actor=SYSTEM,
                  source="backoffice", now=NOW)  # fmt: skip


# --- charities


def test_a_charity_is_given_what_a_member_gives(db):
    program = generous(to_members=False, least=5)
    giver = olivia(program)
    shown = preview_donation(
        wallet=giver, charity=Account.objects.get(kind="charity"), units=40, now=NOW
    )
    gift = donate(giver, 40)
    assert (shown.giver.before, shown.giver.after, spendable("olivia")) == (100, 60, 60)
    assert explain_transfer(gift).title == "Given to Trees"
    assert gift.to_account.name == "Trees"
    assert donated_to(gift.to_account) == {giver.wallet_type: 40}
    undone = undo(gift)
    assert (undone.kind, spendable("olivia")) == ("reversal", 100)
    assert explain_transfer(undone).title == "What was given to Trees came back"
    assert donated_to(gift.to_account) == {giver.wallet_type: 0}


def test_what_a_charity_was_given_is_in_the_books(db):
    program = generous()
    giver = olivia(program)
    donate(giver, 40)
    back = donate(giver, 10, "d2")
    undo(back)
    (found,) = totals(program, NOW).values()
    assert (found.accrued, found.donated, found.outstanding, found.moved) == (100, 40, 60, 0)


@pytest.mark.parametrize(
    ("gifts", "units"), [({"to_charities": False}, 10), ({"least": 20}, 19), ({}, 101)]
)
def test_a_donation_that_may_not_be_is_refused(db, gifts, units):
    giver = olivia(generous(**gifts))
    with pytest.raises(LedgerError), transaction.atomic():
        donate(giver, units)
    with pytest.raises(LedgerError):
        preview_donation(
            wallet=giver, charity=Account.objects.get(kind="charity"), units=units, now=NOW
        )


def test_only_a_charity_of_the_program_is_given_to(db):
    giver = olivia(generous())
    other = make_program("other", charities=[{"code": "x", "name": "X"}],
                         partners=[{"code": "p", "name": "P"}])  # fmt: skip
    for account in (*other.accounts.filter(kind__in=["charity", "partner"]),
                    Account.objects.filter(kind="issued").first()):  # fmt: skip
        with pytest.raises(GiftRefusedError), transaction.atomic():
            donate(giver, 10, charity=account)


def test_a_key_used_for_another_charity_is_refused(db):
    program = make_program(
        charities=[{"code": "trees", "name": "Trees"}, {"code": "seas", "name": "Seas"}]
    )
    giver = olivia(program)
    donate(giver, 10)
    with pytest.raises(KeyReusedError), transaction.atomic():
        donate(giver, 10, charity=Account.objects.get(code="seas"))


# --- books


def test_what_moves_between_members_is_nothing_in_all(db):
    program = generous()
    giver, receiver = olivia(program), maya(program)
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


# --- whom


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
