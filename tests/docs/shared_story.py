"""What happens between two members and their pool, told in the words of docs/semantics.md and done
by the services. A step may begin with whose it is ("Ben: order B 10.00"); otherwise it is Ann's."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import transaction

from loyalty.ledger.balances import holdings
from loyalty.models import Account, Membership, Order, Pool, PoolMember, Transfer, Wallet
from loyalty.services.claims import claim_order, unclaim_order
from loyalty.services.gift_reversals import undo_movement
from loyalty.services.gifts import donate_units, give_units
from loyalty.services.memberships import enroll_customer
from loyalty.services.order_inputs import OrderInput
from loyalty.services.orders import record_orders
from loyalty.services.pool_leaving import close_pool, leave_pool
from loyalty.services.pool_moves import put_into_pool, spend_from_pool, take_from_pool
from loyalty.services.pools import (
    PoolTerms,
    add_pool_member,
    change_pool_member,
    create_pool,
)
from members.errors import DomainError
from members.models import Customer, CustomerMerge
from members.services.audit import SYSTEM
from members.services.customers import create_customer
from members.services.merging import merge_customers, undo_merge
from tests.docs.story import NOON, Story
from tests.docs.tables import parse

PEOPLE = ("Ann", "Ben")


class SharedStory(Story):
    """`play` does one step; answers with its movements, and what each of the two has after it."""

    def __init__(self) -> None:
        super().__init__()
        self.people: dict[str, Customer] = {}

    def tell(self, day: dt.date, step: str) -> dict[str, str]:
        """One step, as a row of the table says it."""
        self.now = dt.datetime.combine(day, NOON)
        last = Transfer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        found = re.fullmatch(r"(?:(Ann|Ben): )?(.*)", step)
        assert found is not None
        self.number, words = found[1] or "Ann", found[2]
        if self.people:
            self.customer = self.people[self.number]
        try:
            with transaction.atomic():
                self._do(words)
        except DomainError as error:
            movement = f"refused: {error.code}"
        else:
            new = Transfer.objects.filter(pk__gt=last).select_related("wallet").order_by("pk")
            movement = ", ".join(map(self._in_words, new)) or "none"
        return {"movement": movement} | self._holdings()

    def _steps(self) -> dict[str, Callable[..., None]]:
        return super()._steps() | {
            r"give (\d+) to (\w+)": self._give,
            r"merge (\w+)": self._merge,
            r"part": self._part,
            r"guest order (\w+) ([\d.]+)": self._guest_order,
            r"claim (\w+)": self._claim,
            r"unclaim (\w+)": self._unclaim,
            r"undo": self._undo_latest,
            r"found pool (\{.*\})": self._found_pool,
            r"join": lambda: self._join(bring=False),
            r"join and bring": lambda: self._join(bring=True),
            r"leave": self._leave,
            r"put in (\d+)": lambda units: self._move(put_into_pool, units),
            r"take out (\d+)": lambda units: self._move(take_from_pool, units),
            r"spend (\d+) from pool": self._spend,
            r"share (on|off)": self._switch,
            r"close pool": lambda: close_pool(pool=self.pool(), **self._how()),
        }

    def _enroll(self) -> None:
        self.people = {
            name: create_customer(actor=SYSTEM, external_id=name, given_name=name)
            for name in PEOPLE
        }
        for customer in self.people.values():
            enroll_customer(
                customer=customer, program=self.program, source="staff", at=self.now, actor=SYSTEM
            )
        self.customer = self.people["Ann"]

    def _give(self, units: str, to: str) -> None:
        self.keys += 1
        how: dict[str, Any] = {
            "wallet": self.wallet(), "units": int(units), "actor": SYSTEM, "source": "api",
            "key": f"step-{self.keys}", "now": self.now,
        }  # fmt: skip
        if to in self.people:
            member = Membership.objects.select_related("customer").get(customer=self.people[to])
            give_units(to=member, message="", **how)
        else:
            donate_units(charity=Account.objects.get(kind="charity", name=to), **how)

    def _merge(self, name: str) -> None:
        merge_customers(
            kept=self.people[self.number], merged=self.people[name], actor=SYSTEM,
            source="backoffice", now=self.now,
        )  # fmt: skip

    def _part(self) -> None:
        latest = CustomerMerge.objects.latest("pk")
        undo_merge(merge=latest, actor=SYSTEM, source="backoffice", now=self.now)

    def _guest_order(self, number: str, total: str) -> None:
        order = OrderInput(number, self.now, "USD", Decimal(total))
        record_orders([order], now=self.now, transfer_source="api")

    def _claim(self, number: str) -> None:
        claim_order(
            order=Order.objects.get(external_id=number), customer=self.people[self.number],
            actor=SYSTEM, source="backoffice", now=self.now,
        )  # fmt: skip

    def _unclaim(self, number: str) -> None:
        order = Order.objects.get(external_id=number)
        unclaim_order(order=order, actor=SYSTEM, source="backoffice", now=self.now)

    def _undo_latest(self) -> None:
        kinds = ("adjustment", "gift", "donation")
        latest = Transfer.objects.filter(kind__in=kinds).latest("pk")
        undo_movement(transfer=latest, actor=SYSTEM, source="backoffice", now=self.now)

    def pool(self) -> Pool:
        return Pool.objects.select_related("program").get()

    def _found_pool(self, text: str) -> None:
        given = {"name": "Ours", **parse(text)}
        if "share" in given:
            given["share"] = int(given["share"])
        create_pool(owner=self._membership(), terms=PoolTerms(**given), bring=False, **self._how())

    def _join(self, *, bring: bool) -> None:
        add_pool_member(pool=self.pool(), membership=self._membership(), bring=bring, **self._how())

    def _leave(self) -> None:
        leave_pool(member=self._place(), **self._how())

    def _switch(self, state: str) -> None:
        changes = {"contributes": state == "on"}
        change_pool_member(member=self._place(), changes=changes, actor=SYSTEM)

    def _move(self, act: Callable[..., Any], units: str) -> None:
        self.keys += 1
        wallet_type = self.program.wallet_types.get()
        act(
            member=self._place(), wallet_type=wallet_type, units=int(units),
            key=f"step-{self.keys}", **self._how(),
        )  # fmt: skip

    def _spend(self, units: str) -> None:
        self.keys += 1
        spend_from_pool(
            membership=self._membership(), wallet_type=self.program.wallet_types.get(),
            units=int(units), key=f"step-{self.keys}", **self._how(),
        )  # fmt: skip

    def _how(self) -> dict[str, Any]:
        return {"actor": SYSTEM, "source": "api", "now": self.now}

    def _membership(self) -> Membership:
        return Membership.objects.select_related("customer").get(customer=self.customer)

    def _place(self) -> PoolMember:
        places = PoolMember.objects.select_related("pool", "membership__customer")
        return places.get(membership__customer=self.customer, left_at=None)

    def _in_words(self, transfer: Transfer) -> str:
        return f"{self._owner(transfer.wallet.account_id)} {transfer.signed_amount:+d}"

    def _owner(self, account_id: int) -> str:
        member = Membership.objects.filter(account=account_id).first()
        return str(member.customer) if member else "pool"

    def _holdings(self) -> dict[str, str]:
        wallets = {
            name: Wallet.objects.get(account__membership__customer=customer)
            for name, customer in self.people.items()
        }
        common = Wallet.objects.filter(account__pool__isnull=False).first()
        if common is not None:
            wallets["pool"] = common
        held = {name: self._held(wallet) for name, wallet in wallets.items()}
        return held if common else held | {"pool": "0"}

    def _held(self, wallet: Wallet) -> str:
        held = holdings([wallet], self.now)[wallet.pk]
        pending = f", {held.pending} pending" if held.pending else ""
        owed = f", owes {held.owed}" if held.owed else ""
        return f"{held.spendable}{pending}{owed}"
