"""Rows are read and checked, an error for each cell that is wrong, before anything moves."""

import io

import pytest

from loyalty.models import (
    AdjustmentReason,
    BulkAdjustment,
    Membership,
    Transfer,
)
from loyalty.selectors.bulk_adjustments import preview_rows
from loyalty.services import bulk_checking, bulk_sources
from loyalty.services.bulk_adjustments import (
    Plan,
    create_bulk,
    resume_bulk,
)
from loyalty.services.bulk_sources import from_file
from members.errors import DomainError
from members.services.job_runs import run_job
from tests.loyalty.factories import NOW, make_program, make_wallet
from tests.loyalty.services.bulk.batches import (
    Killed,
    adjustment,
    file_of,
    grant,
    killed_after,
    problems,
    rows_of,
    worked,
)


def test_rows_are_checked_added_up_and_nothing_moves_yet(program, members, mia):
    batch = adjustment(program, mia, rows_of([-20, 30, 7]))
    assert (batch.state, batch.row_count, batch.member_count) == ("checked", 3, 3)
    assert (batch.given, batch.taken, batch.outstanding) == (37, 20, 0)
    shown = preview_rows(batch, NOW, 2)
    assert [(str(item.customer), item.before, item.after) for item in shown] == [
        ("c1", 50, 30), ("c2", 0, 30),
    ]  # fmt: skip
    assert Transfer.objects.count() == 1


def test_customers_are_found_by_whatever_names_them(program, members, mia):
    people = [membership.customer for membership in Membership.objects.order_by("pk")[:4]]
    type(people[0]).objects.filter(pk=people[1].pk).update(email="Ann@Example.com")
    type(people[0]).objects.filter(pk=people[2].pk).update(phone="+60123456789")
    card = Membership.objects.get(customer=people[3]).card_number
    text = f"""customer_id;email;phone;card_number;units
        c1;;;;1
        ;ann@example.COM;;;2
        ;;+60 12-345 6789;;3
        ;;;{card[:4]} {card[4:]};4"""
    batch = adjustment(program, mia, text)
    assert problems(batch) == []
    assert list(batch.rows.values_list("units", flat=True)) == [1, 2, 3, 4]
    anything = grant(program, mia, ["c1", "ann@example.com", "+60123456789", card])
    assert set(anything.rows.values_list("wallet", flat=True)) == set(
        batch.rows.values_list("wallet", flat=True)
    )


def test_every_wrong_cell_is_named(program, members, mia):
    make_wallet(make_program("other"), "elsewhere")
    text = """customer_id,email,units,note
c1,,many,
nobody,,5,
elsewhere,,5,
,,5,
c1,none@example.com,0,
c2,,1.5,
c3,,50001,
c4,,99999999999999,
c1,,-51,
c5,,5,""" + "x" * 501 + """
c6,,5
c7,,5,
c7,,6,
c8,,-1,
"""  # fmt: skip
    batch = adjustment(program, mia, text)
    assert problems(batch) == [
        (2, "units", "Write a number such as 250 or -50."),
        (3, "customer_id", "There is no such customer."),
        (4, "customer_id", "This customer is not a member of Club."),
        (5, "customer_id", "Say whose row this is."),
        (6, "units", "Give a number other than zero."),
        (6, "email", "There is no such customer."),
        (7, "units", "Write a whole number."),
        (8, "units", "Your role may move at most 50,000 at once."),
        (9, "units", "Write a number such as 250 or -50."),
        (10, "units", "Only 50\N{NO-BREAK SPACE}points can be taken away."),
        (11, "note", "At most 500 characters."),
        (12, "", "The row has 3 cells, the header 4."),
        (14, "customer_id", "This customer is in row 13 already."),
        (15, "units", "Only 0\N{NO-BREAK SPACE}points can be taken away."),
    ]
    assert (batch.member_count, batch.given) == (1, 5)


def test_two_cells_that_name_two_customers_are_refused(program, members, mia):
    customer = Membership.objects.order_by("pk")[1].customer
    type(customer).objects.filter(pk=customer.pk).update(email="ann@example.com")
    text = "customer_id,email,units\nc1,ann@example.com,5\nc2,ann@example.com,5"
    assert problems(adjustment(program, mia, text)) == [
        (2, "email", "This is somebody else than customer_id says.")
    ]


def test_a_customer_twice_is_noticed_across_chunks(program, members, mia, monkeypatch):
    monkeypatch.setattr(bulk_checking, "CHUNK", 2)
    text = "customer_id,units\nc1,1\nc2,1\nc3,1\nc1,1"
    assert problems(adjustment(program, mia, text)) == [
        (5, "customer_id", "This customer is in row 2 already.")
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must name the columns"),
        (b"name,units\nAnn,5", "must name the columns"),
        (b"customer_id\nc1", "missing: units"),
        (b"customer_id,units,units\nc1,1,2", "names a column twice"),
        (b"customer_id,units\n", "nobody in it"),
        (b"customer_id,units\n\n  \n", "nobody in it"),
        (b"customer_id,units\nc\xff1,5", "not written in UTF-8"),
        (b"\xff\xfec", "not written in UTF-8"),
        (b'customer_id,units\n"' + b"x" * 140_000 + b'",5', "not readable as CSV"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(program, mia, content, message):
    plan = Plan("adjustment", program.wallet_types.get(), "goodwill")
    with pytest.raises(DomainError) as refused:
        create_bulk(
            plan=plan, source=from_file(io.BytesIO(content), "x.csv", with_units=True), actor=mia,
            now=NOW,
        )  # fmt: skip
    assert message in str(refused.value.message)
    assert refused.value.errors[0].field == "file"
    assert not BulkAdjustment.objects.exists()


def test_more_rows_than_can_be_are_refused(program, members, mia, monkeypatch):
    monkeypatch.setattr(bulk_sources, "MOST_ROWS", 2)
    with pytest.raises(DomainError):
        adjustment(program, mia, rows_of([1, 2, 3]))
    assert adjustment(program, mia, rows_of([1, 2])).member_count == 2


def test_a_gift_file_does_not_say_how_many(program):
    with pytest.raises(DomainError):
        file_of("customer_id,units\nc1,5", with_units=False)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"units_each": 0}, "units"),
        ({"units_each": 10**16}, "units"),
        ({"units_each": 50_001}, "units"),
        ({"budget": 99}, "budget"),
        ({"message": "x" * 201}, "message"),
        ({"reason": "invented"}, "reason"),
    ],
)
def test_a_gift_that_cannot_be_is_refused_by_field(program, members, mia, changes, field):
    with pytest.raises(DomainError) as refused:
        grant(program, mia, ["c1"], **changes)
    assert refused.value.errors[0].field == field


def test_a_reason_that_wants_a_note_wants_it_on_every_row(program, members, mia):
    AdjustmentReason.objects.filter(code="goodwill").update(note_required=True)
    text = "customer_id,units,note\nc1,1,Late parcel\nc2,1,"
    assert problems(adjustment(program, mia, text)) == [
        (3, "note", "With this reason, say in a note what happened.")
    ]
    assert problems(adjustment(program, mia, text, note="Storm")) == []


def test_a_check_that_is_killed_goes_on(program, members, mia, monkeypatch):
    monkeypatch.setattr(bulk_checking, "CHUNK", 7)
    killed_after(monkeypatch, bulk_checking, "_check_chunk", 2)
    plan = Plan("adjustment", program.wallet_types.get(), "goodwill")
    batch = create_bulk(plan=plan, source=file_of(rows_of([1] * 30)), actor=mia, now=NOW)
    with pytest.raises(Killed):
        run_job(batch.job_id)
    batch = worked(resume_bulk(batch=batch, actor=mia))
    assert (batch.state, batch.member_count, batch.given) == ("checked", 30, 30)


def test_only_active_members_get_gifts_and_each_once(program, members, mia):
    Membership.objects.filter(customer__external_id="c2").update(status="suspended")
    batch = grant(program, mia, ["c1", "c2", "", "c3", "c1"])
    assert problems(batch) == [
        (2, "customer", "This membership is not active, so it gets no gift."),
        (5, "customer", "This customer is in row 1 already."),
    ]
    assert batch.given == 200
