"""What shops say: orders in all their states, in any order and any number of times; refunds that
come early, late or twice; returns without an order."""

import dataclasses
import datetime as dt
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from loyalty.errors import OrderConflictError
from loyalty.models import Order
from loyalty.services.order_holds import confirm_order, hold_order, release_order
from members.services.audit import SYSTEM
from tests.loyalty import factories
from tests.loyalty.ledger.machine.facts import Message, Refund, Sold
from tests.loyalty.ledger.machine.world import World

BUYER = st.sampled_from([0, 0, 1, None])
STATUS = st.sampled_from(
    ["placed", "paid", "fulfilled", "completed", "completed", "cancelled", "refunded"]
)
CENTS = st.integers(0, 6000).map(lambda cents: Decimal(cents) / 100)
DAYS_AGO = st.sampled_from([0, 0, 0, 1, 5, 20, 40])


class ByOrder(World):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[Message] = []
        self.returned: list[Refund] = []

    def stock(self) -> None:
        """Two orders of each member, which are a few days old."""
        for number in range(4):
            placed_at = self.now - dt.timedelta(days=6 * (number // 2))
            total = Decimal(20 + 7 * number)
            self.tell(Message(self.key(), number % 2, placed_at, total, "completed"))

    @rule(buyer=BUYER, total=CENTS, status=STATUS, days_ago=DAYS_AGO,
          how=st.sampled_from(["", "", "sequence", "changed_at"]))  # fmt: skip
    def buy(self, buyer: int | None, total: Decimal, status: str, days_ago: int, how: str) -> None:
        placed_at = self.now - dt.timedelta(days=days_ago)
        message = Message(self.key(), buyer, placed_at, total, status)
        if how == "sequence":
            message = dataclasses.replace(message, sequence=5)
        elif how == "changed_at":
            message = dataclasses.replace(message, changed_at=placed_at)
        self.tell(message)

    @precondition(lambda self: any(refund.of not in self.shop.orders for refund in self.parked))
    @rule(data=st.data(), total=CENTS, status=STATUS)
    def buy_what_was_refunded(self, data: st.DataObject, total: Decimal, status: str) -> None:
        waiting = [item for item in self.parked if item.of not in self.shop.orders]
        chosen = data.draw(st.sampled_from(waiting))
        placed_at = chosen.at - dt.timedelta(days=2)
        self.tell(Message(chosen.of, self.buyers[chosen.of], placed_at, total, status))

    @precondition(lambda self: self.shop.orders)
    @rule(data=st.data(), total=st.none() | CENTS, status=STATUS, ahead=st.integers(-1, 2),
          reached=st.booleans())  # fmt: skip
    def change(self, data: st.DataObject, total: Decimal | None, status: str, ahead: int,
               reached: bool) -> None:  # fmt: skip
        sold = self.some_order(data)
        buyer = data.draw(st.sampled_from(self.names(sold)))
        times = {}
        if reached:
            times = {"paid_at": sold.placed_at + (self.now - sold.placed_at) / 2}
        self.tell(
            Message(
                sold.number, buyer, sold.placed_at, sold.told.total if total is None else total,
                status, None if sold.sequence is None else sold.sequence + ahead,
                None if sold.changed_at is None else self.now - dt.timedelta(days=1 - ahead),
                **times,
            )
        )  # fmt: skip

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """A message comes again, perhaps after newer ones."""
        message = data.draw(st.sampled_from(self.said))
        sold = self.shop.orders[message.number]
        self.tell(dataclasses.replace(message, buyer=sold.told.buyer))

    def tell(self, message: Message) -> None:
        self.said.append(message)
        buyer = None if message.buyer is None else f"c{message.buyer}"
        sent = factories.order(
            message.number, str(message.total), at=message.placed_at, buyer=buyer,
            status=message.status, sequence=message.sequence, changed_at=message.changed_at,
            paid_at=message.paid_at, fulfilled_at=message.fulfilled_at,
        )  # fmt: skip
        outcome = factories.record(sent, now=self.now)[0].outcome
        assert outcome == self.shop.tell(message, self.now)

    @precondition(lambda self: self.shop.orders)
    @rule(data=st.data(), what=st.sampled_from(["hold", "release", "confirm"]))
    def by_hand(self, data: st.DataObject, what: str) -> None:
        sold = self.some_order(data)
        act = {"hold": hold_order, "release": release_order, "confirm": confirm_order}[what]
        how = {"order": Order.objects.get(external_id=sold.number), "actor": SYSTEM, "reason": "",
               "now": self.now}  # fmt: skip
        if what == "confirm" and not sold.confirmed_at and (sold.held or sold.void):
            with self.refused(OrderConflictError):
                act(**how)
            return
        act(**how)
        if what == "confirm":
            if sold.confirmed_at:
                return
            sold.confirmed_at = self.now
        elif sold.held == (what == "hold"):
            return
        else:
            sold.held = what == "hold"
        self.shop.reconcile(sold, [], self.now)

    # --- refunds

    @precondition(lambda self: self.shop.orders)
    @rule(data=st.data(), amount=CENTS, days_ago=DAYS_AGO, share=st.booleans())
    def refund(self, data: st.DataObject, amount: Decimal, days_ago: int, share: bool) -> None:
        sold = self.some_order(data)
        if share:
            amount = min(amount, sold.told.total)
        at = max(self.now - dt.timedelta(days=days_ago), sold.placed_at)
        self.give_back_money(Refund(self.key(), sold.number, amount, at))

    @rule(buyer=BUYER, amount=CENTS, days_ago=DAYS_AGO, named=st.booleans())
    def refund_before_its_order(self, buyer: int | None, amount: Decimal, days_ago: int,
                                named: bool) -> None:  # fmt: skip
        number = self.key()
        self.buyers[number] = buyer
        at = self.now - dt.timedelta(days=days_ago)
        self.give_back_money(Refund(self.key(), number, amount, at, buyer if named else None))

    @precondition(lambda self: self.parked)
    @rule(data=st.data(), amount=CENTS)
    def another_before_its_order(self, data: st.DataObject, amount: Decimal) -> None:
        first = data.draw(st.sampled_from(self.parked))
        self.give_back_money(Refund(self.key(), first.of, amount, first.at))

    @rule(buyer=st.integers(0, 1), amount=CENTS, days_ago=DAYS_AGO)
    def return_without_order(self, buyer: int, amount: Decimal, days_ago: int) -> None:
        at = self.now - dt.timedelta(days=days_ago)
        self.give_back_money(Refund(self.key(), "", amount, at, buyer))

    @precondition(lambda self: self.returned)
    @rule(data=st.data())
    def repeat_a_refund(self, data: st.DataObject) -> None:
        self.give_back_money(data.draw(st.sampled_from(self.returned)))

    def give_back_money(self, refund: Refund) -> None:
        self.returned.append(refund)
        sent = factories.refund(
            refund.number, str(refund.amount), of=refund.of, at=refund.at,
            buyer=None if refund.buyer is None else f"c{refund.buyer}",
        )  # fmt: skip
        known = refund.number in self.shop.refunds
        found = factories.give_back(sent, now=self.now)[0]
        assert (found.outcome == "unchanged") == known
        self.shop.refund(refund, self.now)

    # --- short ways

    def names(self, sold: Sold) -> list[int | None]:
        """Whom a message may name as the buyer: who bought, or who was that person at some time."""
        if sold.buyer is None:
            return [0, 0, 1, None]
        return [0, 1] if self.merges else [sold.buyer]

    def some_order(self, data: st.DataObject) -> Sold:
        return data.draw(st.sampled_from(list(self.shop.orders.values())))

    @property
    def parked(self) -> list[Refund]:
        return self.shop.parked

    @property
    def buyers(self) -> dict[str, int | None]:
        """Who will have bought what was refunded before."""
        return self.__dict__.setdefault("_buyers", {})
