"""Months of partners: who owes whom, closed once."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import DatabaseError, connections, transaction

from loyalty.ledger.checks import check_rule
from loyalty.models import PartnerSettlement, PartnerTally, SettledTransfer, Transfer
from loyalty.selectors.partner_statements import closed_statement, running_statement
from loyalty.services.partner_settlements import (
    KIND,
    find_settlements,
    pay_settlement,
    run_settlements,
)
from loyalty.services.partners import end_partner
from loyalty.services.tallies import fold_tallies, recount_tallies
from members.errors import ConflictError, DomainError
from members.services.audit import SYSTEM
from members.services.jobs import start_or_resume_job
from tests.loyalty.factories import NOW, day, give_back, order, record, refund
from tests.loyalty.partnering import BAKERY, RATE, bakery, buy, close, coalition, lines, spend, undo

APRIL = dt.datetime(2024, 4, 10, 12, tzinfo=dt.UTC)
MAY = dt.datetime(2024, 5, 10, 12, tzinfo=dt.UTC)


def test_a_month_says_what_each_owes_and_who_pays(db):
    coalition()
    buy("B1", "400")
    spend(100, "s1", when=day(1))
    statement = running_statement(bakery(), day(2).date())
    assert lines(statement) == [
        ("issued", 400, Decimal("4.00"), False), ("taken_in", 100, Decimal("0.80"), False),
    ]  # fmt: skip
    assert (statement.issued, statement.taken_in, statement.net) == (
        4,
        Decimal("0.8"),
        Decimal("3.2"),
    )
    closed = close(APRIL)
    assert (closed.number, closed.since, closed.until) == (
        1,
        dt.date(2024, 3, 1),
        dt.date(2024, 3, 31),
    )
    assert (closed.issued, closed.taken_in, closed.net, closed.movements) == (
        4, Decimal("0.8"), Decimal("3.2"), 2,
    )  # fmt: skip
    assert lines(closed_statement(closed)) == lines(statement)


def test_what_comes_back_later_is_in_the_next_month_at_the_rate_of_its_day(db):
    later = {**RATE, "from_on": "2024-04-01", "issued": "0.05", "taken_in": "0.04"}
    coalition(partners=[{**BAKERY, "rates": [RATE, later]}])
    buy("B1", "400")
    spent = spend(100, "s1", when=day(1))
    close(APRIL)
    give_back(refund("R1", "100", of="B1", at=APRIL))
    undo(spent, "u1", when=APRIL)
    buy("B2", "10", when=APRIL)
    assert lines(running_statement(bakery(), APRIL.date())) == [
        ("issued", 10, Decimal("0.50"), False), ("issued", -100, Decimal("-1.00"), True),
        ("taken_in", -100, Decimal("-0.80"), True),
    ]  # fmt: skip
    second = close(MAY)
    assert (second.number, second.net) == (2, Decimal("0.3"))


def test_what_is_told_after_the_month_was_closed_is_in_the_next(db):
    coalition()
    buy("B1", "400")
    close(APRIL)
    buy("B0", "50", when=NOW, now=APRIL)
    assert lines(running_statement(bakery(), APRIL.date())) == [
        ("issued", 50, Decimal("0.50"), True)
    ]
    assert close(MAY).issued == Decimal("0.5")
    assert SettledTransfer.objects.count() == 2


def test_what_is_not_settled_is_kept_as_sums_that_are_folded_and_made_anew(db):
    coalition()
    buy("B1", "400")
    buy("B2", "100", when=day(1))
    give_back(refund("R1", "100", of="B1", at=day(1)))
    spend(100, "s1", when=day(1))
    said = lines(running_statement(bakery(), day(2).date()))
    assert said == [
        ("issued", 400, Decimal("4.00"), False), ("taken_in", 100, Decimal("0.80"), False),
    ]  # fmt: skip
    fold_tallies()
    assert lines(running_statement(bakery(), day(2).date())) == said
    PartnerTally.objects.all().delete()
    assert recount_tallies() > 0
    assert lines(running_statement(bakery(), day(2).date())) == said
    assert recount_tallies() == 0
    close(APRIL)
    fold_tallies()
    assert not PartnerTally.objects.exists()
    assert recount_tallies() == 0


def test_a_month_is_closed_when_it_is_over_and_once(db):
    coalition()
    buy("B1", "400")
    with pytest.raises(ConflictError, match="not over"):
        close(day(3))
    close(APRIL)
    with pytest.raises(ConflictError, match="not over"):
        close(APRIL)
    assert PartnerSettlement.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_close_a_month_at_once_close_it_once():
    coalition()
    buy("B1", "400")

    def try_it(_number: int) -> str:
        try:
            return str(close(APRIL).number)
        except ConflictError:
            return "refused"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(try_it, range(2))) == ["1", "refused"]


def test_units_without_a_rate_cost_nothing(db):
    coalition(partners=[{**BAKERY, "rates": []}])
    buy("B1", "400")
    assert lines(running_statement(bakery(), NOW.date())) == [("issued", 400, 0, False)]


def test_a_settlement_is_marked_as_paid_once_and_says_what_it_said(db):
    coalition()
    buy("B1", "400")
    closed = close(APRIL)
    how = {"actor": SYSTEM, "now": MAY, "paid_on": APRIL.date()}
    with pytest.raises(DomainError):
        pay_settlement(settlement=closed, reference=" ", **how)
    with pytest.raises(DomainError):
        pay_settlement(settlement=closed, reference="X", **how | {"paid_on": dt.date(2024, 6, 1)})
    pay_settlement(settlement=closed, reference="SEPA 1", **how)
    assert pay_settlement(settlement=closed, reference="SEPA 1", **how).status == "paid"
    with pytest.raises(ConflictError):
        pay_settlement(settlement=closed, reference="SEPA 2", **how)
    rows = PartnerSettlement.objects.all()
    for change in (lambda: rows.update(net=9, issued=9), lambda: rows.update(status="open"),
                   rows.delete, SettledTransfer.objects.all().delete):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_job_closes_months_some_days_after_they_are_over(db):
    coalition()
    buy("B1", "400")
    assert find_settlements(dt.datetime(2024, 4, 3, 12, tzinfo=dt.UTC)) is None
    job = _job(MAY)
    assert run_settlements(job.pk) is not None
    job.refresh_from_db()
    assert job.result["closed"] == 2
    assert [row.number for row in PartnerSettlement.objects.order_by("number")] == [1, 2]
    assert find_settlements(MAY) is None


def test_of_a_partner_that_has_ended_months_are_closed_while_something_comes_back(db):
    coalition()
    buy("B1", "400")
    end_partner(partner=bakery(), actor=SYSTEM, now=day(5))
    run_settlements(_job(MAY).pk)
    assert PartnerSettlement.objects.count() == 1
    late = dt.datetime(2024, 6, 10, 12, tzinfo=dt.UTC)
    give_back(refund("R1", "100", of="B1", at=late))
    july = dt.datetime(2024, 7, 10, 12, tzinfo=dt.UTC)
    run_settlements(_job(july).pk)
    assert [row.net for row in PartnerSettlement.objects.order_by("number")] == [4, 0, 0, -1]


def test_the_self_check_knows_what_belongs_to_a_settlement(db):
    coalition()
    record(order("A1", "5"))
    buy("B1", "400")
    closed = close(APRIL)
    rule = "a settlement with a partner holds the movements that it counts"
    assert check_rule(rule, MAY) is None
    own = Transfer.objects.get(order__external_id="A1")
    before = transaction.savepoint()
    SettledTransfer(transfer=own, settlement=closed).save(force_insert=True)
    assert check_rule(rule, MAY) is not None
    # Undone, for all tests here end with coherent books.
    transaction.savepoint_rollback(before)


def _job(now: dt.datetime):
    work = find_settlements(now)
    assert work is not None
    return start_or_resume_job(
        kind=KIND, label=work.label, fingerprint=now.isoformat(), params=work.params,
        actor=SYSTEM, total=work.total,
    )  # fmt: skip
