"""What is owed to charities is paid out, each line once."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connections, transaction

from loyalty.models import Charity, CharityEntry, CharityPayout
from loyalty.selectors.impact import owed_to
from loyalty.services.charity_payouts import make_payout, pay_payout, take_back_payout
from members.errors import ConflictError, DomainError
from members.services.audit import SYSTEM
from tests.loyalty.factories import day
from tests.loyalty.services.giving import club, donate, member, trees, undo


def pay(charity: Charity, until: dt.date, *, now=None) -> CharityPayout:
    return make_payout(charity=charity, until=until, actor=SYSTEM, now=now or day(40))


def test_each_line_is_in_one_payout_and_what_is_undone_later_is_less_in_the_next(db):
    club()
    ann = member()
    first = donate(ann, 50)
    donate(ann, 10, "d2", now=day(10))
    payout = pay(trees(), day(5).date())
    assert (payout.money, payout.things, payout.entries_count, payout.number) == (5, 1, 1, 1)
    assert [item.money for item in owed_to([trees()])] == [6]
    with pytest.raises(ConflictError):
        pay(trees(), day(5).date())
    pay_payout(payout=payout, reference="SEPA 1", paid_on=day(6).date(), actor=SYSTEM, now=day(40))
    assert [item.money for item in owed_to([trees()])] == [1]
    undo(first, now=day(12))
    with pytest.raises(ConflictError):
        pay(trees(), day(20).date())
    donate(ann, 50, "d3", now=day(15))
    assert pay(trees(), day(20).date()).money == 1


def test_a_payout_is_taken_back_with_a_reason_and_its_lines_wait_again(db):
    club()
    donate(member(), 50)
    payout = pay(trees(), day(5).date())
    with pytest.raises(DomainError):
        take_back_payout(payout=payout, reason=" ", actor=SYSTEM)
    take_back_payout(payout=payout, reason="Wrong account", actor=SYSTEM)
    with pytest.raises(ConflictError):
        pay_payout(payout=payout, reference="X", paid_on=day(6).date(), actor=SYSTEM, now=day(40))
    again = pay(trees(), day(5).date())
    assert (again.number, again.money, again.entries.count()) == (2, 5, 1)
    payout.refresh_from_db()
    assert (payout.money, payout.note) == (5, "Wrong account")


def test_the_database_holds_what_is_paid(db):
    club()
    donate(member(), 50)
    payout = pay(trees(), day(5).date())
    for change in ({"money": 9}, {"status": "paid"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            CharityPayout.objects.filter(pk=payout.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        CharityEntry.objects.update(payout=None)


@pytest.mark.django_db(transaction=True)
def test_a_line_is_paid_once_however_many_make_payouts():
    club()
    donate(member(), 50)

    def make(_number: int) -> bool:
        try:
            pay(trees(), day(5).date())
        except ConflictError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(make, range(8))).count(True) == 1
    assert CharityPayout.objects.count() == 1
