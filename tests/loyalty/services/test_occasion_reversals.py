"""What was given for a day of the year is taken back: once, with its reason, for good."""

import datetime as dt
from typing import Any

import pytest

from loyalty.errors import NotReversibleError, OverCorrectedError
from loyalty.explanations import explain_transfer
from loyalty.models import CapCounter, OccasionGrant, Program, Transfer
from loyalty.selectors.transfers import transfers
from loyalty.services.gift_reversals import undo_movement
from loyalty.services.occasion_reversals import taken_back, undo_occasion
from loyalty.services.occasions import give_occasions
from loyalty.services.pools import PoolTerms, create_pool
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from members.services.merging import merge_customers
from tests.loyalty.factories import NOW, adjust, held, make_wallet, moves, order, record, spendable
from tests.loyalty.services.test_occasions import club, member

pytestmark = pytest.mark.usefixtures("coherent_ledger")
LATER = NOW + dt.timedelta(hours=1)


def given(**changes: Any) -> Transfer:
    """A hundred points on the birthday of c1."""
    program = club(**changes)
    member(program, "1990-03-15")
    assert give_occasions(NOW) == 1
    return Transfer.objects.get()


def undo(transfer: Transfer, note: str = "By mistake", **how: Any) -> tuple[Transfer, bool]:
    said = {"actor": SYSTEM, "source": "backoffice", "now": LATER} | how
    return undo_occasion(transfer=transfer, note=note, **said)


def test_all_of_it_goes_back_with_its_reason() -> None:
    made, replayed = undo(given())
    assert (spendable(at=LATER), replayed, made.note) == (0, False, "By mistake")
    assert moves() == [("accrual", 100), ("clawback", -100)]
    shown = transfers().get(pk=made.pk)
    assert explain_transfer(shown).title == "Taken back: Happy birthday"
    entry = AuditEntry.objects.get(action="occasion.reversed")
    assert (entry.reason, entry.after["units"]) == ("By mistake", -100)


def test_once_and_for_one_reason() -> None:
    transfer = given()
    first, _replayed = undo(transfer)
    assert undo(transfer) == (first, True)
    with pytest.raises(OverCorrectedError):
        undo(transfer, note="Another")
    assert taken_back(list(Transfer.objects.all())) == {transfer.pk}


def test_the_day_is_not_kept_again() -> None:
    undo(given())
    assert give_occasions(LATER) == 0
    assert OccasionGrant.objects.get().units == 100


def test_what_was_spent_meanwhile_is_owed() -> None:
    transfer = given()
    adjust(transfer.wallet, -70, "k", now=NOW)
    undo(transfer)
    assert (held(at=LATER).spendable, held(at=LATER).owed) == (0, 70)


def test_or_written_off_where_the_program_says_so() -> None:
    transfer = given()
    Program.objects.update(debt_policy="write_off", revision=99)
    adjust(transfer.wallet, -70, "k", now=NOW)
    undo(transfer)
    assert (held(at=LATER).spendable, held(at=LATER).owed) == (0, 0)


def test_room_under_caps_is_free_again() -> None:
    transfer = given(caps={"per_member": 150, "period": "year", "budget": 1000})
    assert sum(CapCounter.objects.values_list("used", flat=True)) == 200
    undo(transfer)
    assert sum(CapCounter.objects.values_list("used", flat=True)) == 0


def test_after_a_merge_it_is_taken_from_whoever_has_it() -> None:
    transfer = given()
    program = Program.objects.get()
    make_wallet(program, "c2")
    kept, merged = (Customer.objects.get(external_id=number) for number in ("c2", "c1"))
    merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="test", now=NOW)
    assert spendable("c2") == 100
    undo(transfer)
    assert spendable("c2", at=LATER) == 0
    assert str(kept.public_id) in AuditEntry.objects.get(action="occasion.reversed").target


def test_what_went_to_the_pool_comes_back_from_there() -> None:
    program = club()
    wallet = member(program, "1990-03-15")
    create_pool(
        owner=wallet.account.membership, terms=PoolTerms(name="Home"), bring=False, actor=SYSTEM,
        source="backoffice", now=NOW - dt.timedelta(hours=1),
    )  # fmt: skip
    give_occasions(NOW)
    transfer = Transfer.objects.get(kind="accrual")
    assert spendable() == 0
    undo(transfer)
    assert (held(at=LATER).spendable, held(at=LATER).owed) == (0, 0)


def test_what_an_order_earned_is_no_gift_for_a_day() -> None:
    program = club()
    make_wallet(program)
    record(order("A1", "20"))
    with pytest.raises(NotReversibleError):
        undo(Transfer.objects.get())


def test_it_is_one_of_what_is_undone_by_hand() -> None:
    made, _replayed = undo_movement(
        transfer=given(), actor=SYSTEM, source="api", now=LATER, note="Wrong day"
    )
    assert (made.kind, made.amount) == ("clawback", 100)
