"""What members and staff give of what is there, and whose it is after a merge."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import DatabaseError, connections, transaction

from loyalty.errors import InsufficientBalanceError, LedgerError
from loyalty.models import CharityEntry
from loyalty.selectors.impact import impact_of_member
from members.services.audit import SYSTEM
from members.services.merging import undo_merge
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import day, spendable
from tests.loyalty.services.giving import club, donate, lines, member, merge, seas, undo


def test_what_is_given_is_worth_what_the_charity_says(db):
    club()
    ann = member()
    donate(ann, 75)
    donate(ann, 25, "d2", to=seas())
    assert lines() == [(Decimal("7.5"), Decimal("1.5")), (Decimal("0.25"), Decimal(0))]
    assert [item.words for item in impact_of_member(ann)] == ["1\N{NO-BREAK SPACE}tree", "$0.25"]
    assert spendable("ann") == 0


def test_a_repeat_gives_once_and_an_undone_gift_is_taken_back_in_the_lines(db):
    club()
    ann = member()
    gift = donate(ann, 50)
    assert donate(ann, 50) == gift
    undo(gift, now=day(1))
    undo(gift, now=day(1))
    assert lines() == [(5, 1), (-5, -1)]
    assert spendable("ann") == 100
    assert impact_of_member(ann) == []


def test_gifts_are_multiples_of_the_step(db):
    club(unit={"gifts": {"step": 20, "least": 20}})
    ann = member()
    for units in (10, 30):
        with pytest.raises(LedgerError), transaction.atomic():
            donate(ann, units, f"d{units}")
    assert donate(ann, 60, note="Asked by phone").note == "Asked by phone"


@pytest.mark.django_db(transaction=True)
def test_a_balance_for_one_gift_is_given_once_however_many_try():
    club()
    ann = member()

    def give(number: int) -> bool:
        try:
            donate(ann, 60, f"try-{number}")
        except InsufficientBalanceError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(give, range(50)))
    assert (done.count(True), spendable("ann"), CharityEntry.objects.count()) == (1, 40, 1)
    assert_ledger_coherent()


def test_lines_never_change_and_are_taken_back_as_a_whole(db):
    club()
    donate(member(), 50)
    entry = CharityEntry.objects.get()
    for change in ({"money": 1}, {"units": 1}, {"charity": seas()}):
        with pytest.raises(DatabaseError), transaction.atomic():
            CharityEntry.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.delete()
    entry.pk, entry.key, entry.transfer = None, "x", None
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.save(force_insert=True)


def test_what_either_gave_is_told_of_the_one_that_is_kept_and_of_each_again(db):
    club()
    ann, ben = member(), member("ben")
    donate(ann, 50)
    gift = donate(ben, 100, "d2")
    merged = merge(ann, ben)
    assert [item.words for item in impact_of_member(ann)] == ["3\N{NO-BREAK SPACE}trees"]
    undo(gift, now=day(2))
    assert [item.words for item in impact_of_member(ann)] == ["1\N{NO-BREAK SPACE}tree"]
    undo_merge(merge=merged, actor=SYSTEM, source="api", now=day(3))
    assert [item.words for item in impact_of_member(ann)] == ["1\N{NO-BREAK SPACE}tree"]


def test_less_than_one_thing_is_told_in_money(db):
    club()
    ann = member()
    donate(ann, 30)
    [found] = impact_of_member(ann)
    assert (found.words, found.sub) == ("$3.00", "30\N{NO-BREAK SPACE}points")
    donate(ann, 20, "d2")
    [found] = impact_of_member(ann)
    assert found.words == "1\N{NO-BREAK SPACE}tree"
    assert found.sub.startswith("$5.00 · ")
