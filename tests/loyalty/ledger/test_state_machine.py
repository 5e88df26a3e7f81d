"""Whatever happens in whatever order, the ledger holds what a plain-Python model of lots says.

SETIA_HYPOTHESIS=long searches longer.
"""

import dataclasses
import datetime as dt
import os
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from loyalty.errors import InsufficientBalanceError, OverCorrectedError
from loyalty.ledger.balances import holdings
from loyalty.rules.calendar import add_days
from loyalty.rules.lots import LotTerms, expires_at
from loyalty.services.adjustments import undo_transfer
from members.services.audit import SYSTEM
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    adjust,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    wallet_of,
)

LONG = os.environ.get("SETIA_HYPOTHESIS") == "long"
UTC = ZoneInfo("UTC")


@dataclasses.dataclass
class ModelLot:
    left: int
    spendable_at: dt.datetime
    expires_at: dt.datetime | None

    def lapsed(self, at: dt.datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at


@dataclasses.dataclass
class Taken:
    """What a movement out did, so that it can be undone."""

    parts: list[tuple[ModelLot, int]]
    debt: int = 0


class Model:
    """Lots and a debt; slow, obvious and written without looking at the SQL."""

    def __init__(self, pending_days: int, months: int | None) -> None:
        self.pending_days = pending_days
        self.terms = LotTerms(kind="months" if months else "never", length=months)
        self.lots: list[ModelLot] = []
        self.owed = 0

    def give(
        self, units: int, at: dt.datetime, now: dt.datetime, *, wait: bool
    ) -> tuple[ModelLot, int]:
        lot = ModelLot(
            units,
            add_days(at, self.pending_days if wait else 0, UTC),
            expires_at(self.terms, at, UTC),
        )
        repaid = 0
        if lot.spendable_at <= now and not lot.lapsed(now):
            repaid = min(self.owed, units)
        lot.left -= repaid
        self.owed -= repaid
        self.lots.append(lot)
        return lot, repaid

    def take(self, units: int, at: dt.datetime, *, own: ModelLot | None, pending: bool) -> Taken:
        first = [own] if own else []
        others = [
            lot for lot in self.lots
            if lot is not own and not lot.lapsed(at) and (pending or lot.spendable_at <= at)
        ]  # fmt: skip
        never = dt.datetime.max.replace(tzinfo=dt.UTC)
        others.sort(key=lambda lot: lot.expires_at or never)  # stable: older first
        parts = []
        for lot in first + others:
            part = min(lot.left, units)
            if part:
                lot.left -= part
                units -= part
                parts.append((lot, part))
        return Taken(parts, units)

    def balance(self, at: dt.datetime) -> int:
        return sum(lot.left for lot in self.lots if lot.spendable_at <= at and not lot.lapsed(at))

    def pending(self, at: dt.datetime) -> int:
        return sum(lot.left for lot in self.lots if lot.spendable_at > at and not lot.lapsed(at))

    def spendable(self, at: dt.datetime) -> int:
        return max(self.balance(at) - self.owed, 0)


@dataclasses.dataclass
class Sold:
    """An order with what it was given: each lot with what of it can still be corrected."""

    number: str
    total: int
    at: dt.datetime
    cancelled: bool = False
    refunded: int = 0
    given: list[list] = dataclasses.field(default_factory=list)

    @property
    def deserved(self) -> int:
        return 0 if self.cancelled else max(self.total - self.refunded, 0)


class Ledger(RuleBasedStateMachine):
    """Real services on PostgreSQL beside the model, step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.world = transaction.atomic()
        self.world.__enter__()

    def teardown(self) -> None:
        assert_ledger_coherent(self.now)
        transaction.set_rollback(True)
        self.world.__exit__(None, None, None)

    @initialize(pending=st.sampled_from([0, 0, 10]), months=st.sampled_from([None, 1, 3]))
    def begin(self, pending: int, months: int | None) -> None:
        self.now, self.number = NOW, 0
        expiry = {"kind": "months", "length": months} if months else {"kind": "never"}
        program = make_program(unit={"pending_days": pending, "expiry": expiry})
        self.account = make_wallet(program).account_id
        self.model = Model(pending, months)
        self.orders: list[Sold] = []
        self.adjusted: list[dict] = []

    def key(self) -> str:
        self.number += 1
        return f"k{self.number}"

    def wallet(self):
        return wallet_of(self.account)

    # --- by hand

    @rule(units=st.integers(1, 60))
    def grant(self, units: int) -> None:
        transfer = adjust(self.wallet(), units, self.key(), now=self.now)
        lot, repaid = self.model.give(units, self.now, self.now, wait=False)
        self.adjusted.append({"transfer": transfer, "lot": lot, "repaid": repaid})

    @rule(units=st.integers(1, 60))
    def spend(self, units: int) -> None:
        key = self.key()
        if units > self.model.spendable(self.now):
            with pytest.raises(InsufficientBalanceError) as refused, transaction.atomic():
                adjust(self.wallet(), -units, key, now=self.now)
            assert refused.value.spendable == self.model.spendable(self.now)
            return
        transfer = adjust(self.wallet(), -units, key, now=self.now)
        taken = self.model.take(units, self.now, own=None, pending=False)
        self.adjusted.append({"transfer": transfer, "taken": taken})

    @precondition(lambda self: self.adjusted)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        made = data.draw(st.sampled_from(self.adjusted))
        how = {"transfer": made["transfer"], "actor": SYSTEM, "source": "job", "now": self.now}
        if made.get("undone"):
            with pytest.raises(OverCorrectedError), transaction.atomic():
                undo_transfer(**how, note="again")
            return
        if "taken" in made:
            undo_transfer(**how)
            for lot, part in made["taken"].parts:
                lot.left += part
            made["undone"] = True
            return
        self.undo_grant(made, how)

    def undo_grant(self, made: dict, how: dict) -> None:
        own, units = made["lot"], made["transfer"].amount
        model, at = self.model, self.now
        others = sum(
            lot.left for lot in model.lots
            if lot is not own and not lot.lapsed(at) and lot.spendable_at <= at
        )  # fmt: skip
        missing = units - own.left - others
        in_debt = model.owed > 0 and model.balance(at) - model.owed < units - made["repaid"]
        if missing > made["repaid"] or in_debt:
            with pytest.raises(InsufficientBalanceError), transaction.atomic():
                undo_transfer(**how)
            return
        undo_transfer(**how)
        model.owed += model.take(units, at, own=own, pending=False).debt
        made["undone"] = True

    # --- orders

    @rule(total=st.integers(0, 50), days_ago=st.integers(0, 40), cents=st.integers(0, 99))
    def buy(self, total: int, days_ago: int, cents: int) -> None:
        sold = Sold(self.key(), total, self.now - dt.timedelta(days=days_ago))
        self.orders.append(sold)
        self.send(sold, cents)
        self.reconcile(sold, self.now)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), total=st.integers(0, 50))
    def change(self, data: st.DataObject, total: int) -> None:
        sold = data.draw(st.sampled_from(self.orders))
        sold.total = max(total, sold.refunded)
        self.send(sold)
        self.reconcile(sold, self.now)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def call_off_or_on(self, data: st.DataObject) -> None:
        sold = data.draw(st.sampled_from(self.orders))
        sold.cancelled = not sold.cancelled
        self.send(sold)
        self.reconcile(sold, self.now)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        self.send(data.draw(st.sampled_from(self.orders)))

    @precondition(lambda self: any(sold.total > sold.refunded for sold in self.orders))
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        sold = data.draw(st.sampled_from([s for s in self.orders if s.total > s.refunded]))
        part = data.draw(st.integers(1, sold.total - sold.refunded))
        at = data.draw(st.sampled_from([self.now, max(sold.at, self.now - dt.timedelta(days=3))]))
        sent = refund(self.key(), str(part), of=sold.number, at=at)
        for _repeated in range(2):
            give_back(sent, now=self.now)
        sold.refunded += part
        self.reconcile(sold, at)

    def send(self, sold: Sold, cents: int = 0) -> None:
        status = "cancelled" if sold.cancelled else "completed"
        total = str(Decimal(sold.total) + Decimal(cents) / 100)
        record(order(sold.number, total, at=sold.at, status=status), now=self.now)

    def reconcile(self, sold: Sold, at: dt.datetime) -> None:
        had = sum(room for _lot, room in sold.given)
        if sold.deserved > had:
            more = sold.deserved - had
            lot, _repaid = self.model.give(more, sold.at, self.now, wait=True)
            sold.given.append([lot, more])
        surplus = had - sold.deserved
        for given in reversed(sold.given):
            part = min(surplus, given[1])
            if part > 0:
                self.model.owed += self.model.take(part, at, own=given[0], pending=True).debt
                given[1] -= part
                surplus -= part

    # --- time

    @rule(days=st.sampled_from([0.5, 1, 9, 10, 31, 95]))
    def time_passes(self, days: float) -> None:
        self.now += dt.timedelta(days=days)

    @invariant()
    def balances_are_the_models(self) -> None:
        if not hasattr(self, "model"):
            return
        wallet = self.wallet()
        found = holdings([wallet], self.now)[wallet.pk]
        model, now = self.model, self.now
        assert (found.balance, found.pending, found.owed, found.spendable) == (
            model.balance(now), model.pending(now), model.owed, model.spendable(now)
        )  # fmt: skip
        assert_ledger_coherent(now)


@pytest.mark.timeout(3600 if LONG else 120)
def test_the_ledger_is_its_model(db):
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=150 if LONG else 20,
            stateful_step_count=50 if LONG else 25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
