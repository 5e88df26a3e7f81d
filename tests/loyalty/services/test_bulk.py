"""One by one or all in one call: the books are the same."""

import dataclasses
from decimal import Decimal

from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.models import Lot, Membership, Order, OrderEvaluation, Program, Transfer, Wallet
from loyalty.services.order_inputs import CustomerRef
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import day, give_back, line, make_program, order, record, refund

NOW = day(30)


def books() -> list[object]:
    """Every row of the ledger without what must differ (keys of rows, and when it was written)."""
    transfers = Transfer.objects.order_by(
        "order__external_id", "refund__external_id", "wallet", "pk"
    )
    return [
        [
            (
                t.kind, t.wallet_type.code, t.signed_amount, t.occurred_at, t.booked_on,
                t.order.external_id if t.order else None,
                t.refund.external_id if t.refund else None,
                t.explanation,
            )
            for t in transfers.select_related("wallet", "wallet_type", "order", "refund")
        ],
        sorted(
            Lot.objects.values_list(
                "transfer__order__external_id", "wallet__wallet_type__code", "granted", "remaining",
                "spendable_at", "expires_at",
            )
        ),
        sorted(
            Wallet.objects.values_list(
                "account__membership__customer__external_id", "wallet_type__code", "balance",
                "pending", "owed", "next_change_at",
            )
        ),
        sorted(Membership.objects.values_list("customer__external_id", "source")),
        sorted(OrderEvaluation.objects.values_list("order__external_id", "program__code")),
    ]  # fmt: skip


def in_its_own_world(write) -> list[object]:
    """Do it, look, and undo it, so that both ways begin alike."""
    with transaction.atomic():
        write()
        assert_ledger_coherent(NOW)
        found = books()
        transaction.set_rollback(True)
    return found


amounts = st.integers(0, 60_00).map(lambda cents: Decimal(cents) / 100)


@st.composite
def histories(draw: st.DrawFn):
    count = draw(st.integers(1, 7))
    orders = []
    for number in range(count):
        parts = draw(st.lists(amounts, min_size=1, max_size=3))
        buyer = draw(st.sampled_from(["c1", "c2", "c3", None]))
        orders.append(
            order(
                f"A{number}", str(sum(parts)), at=day(draw(st.integers(0, 20))),
                customer=CustomerRef(buyer) if buyer else None,
                lines=tuple(
                    line(n, str(part), category=draw(st.sampled_from(["food", "fuel"])))
                    for n, part in enumerate(parts)
                ),
                status=draw(st.sampled_from(["completed", "completed", "cancelled"])),
            )
        )  # fmt: skip
    refunds = [
        refund(f"R{n}", str(draw(amounts)), of=f"A{draw(st.integers(0, count))}", at=day(25))
        for n in range(draw(st.integers(0, 3)))
    ]
    return orders, refunds


@settings(max_examples=12)
@given(history=histories())
def test_a_batch_leaves_the_same_books_as_its_orders_one_by_one(db, history):
    orders, refunds = history
    with transaction.atomic():
        make_program(
            unit={"pending_days": 3, "expiry": {"kind": "months", "length": 1}},
            earning_rules=[{"exclude": {"categories": ["fuel"]}}],
        )
        make_program("second", earning_rules=[{"units": 2}], unit={"decimals": 1})
        Program.objects.filter(code="second").update(enrollment="automatic")

        def together() -> None:
            record(*orders, now=NOW)
            give_back(*refunds, now=NOW)

        def singly() -> None:
            for found in orders:
                record(found, now=NOW)
            for found in refunds:
                give_back(found, now=NOW)

        def refunds_first() -> None:
            give_back(*refunds, now=NOW)
            record(*orders, now=NOW)

        one_by_one = in_its_own_world(singly)
        assert in_its_own_world(together) == one_by_one
        parked = in_its_own_world(refunds_first)
        assert [row[:6] for row in parked[2]] == [row[:6] for row in one_by_one[2]]
        transaction.set_rollback(True)


def test_a_repeated_batch_with_one_newcomer_records_the_newcomer_only(program):
    known = [order(f"A{n}", "10") for n in range(3)]
    record(*known)
    changed = dataclasses.replace(known[0], total=Decimal(12))
    outcomes = [r.outcome for r in record(changed, known[1], order("B"), known[2], now=day(1))]
    assert outcomes == ["updated", "unchanged", "created", "unchanged"]
    assert Order.objects.count() == 4
