"""A shop's random history, for tests of what the books say of the past: orders, refunds told late,
spends, gifts, moves between members, units that expire, and lots that get other times."""

import dataclasses
import datetime as dt
import os
import random

from django.db import transaction

from loyalty.errors import LedgerError
from loyalty.ledger.posting import Retiming, WalletRef, expire_due, movement, post, retime
from loyalty.models import Account, Lot, Program, Transfer, Wallet
from loyalty.services.adjustments import undo_transfer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)

# Whether somebody looks further, and longer (docs/development.md).
LONG = os.environ.get("SETIA_HYPOTHESIS") == "long"
EXPIRIES = {
    "never": {"kind": "never"},
    "monthly": {"kind": "months", "length": 1},
    "start_of_day": {"kind": "months", "length": 1, "last_day": "start_of_day"},
    "month_end": {"kind": "end_of_period", "period": "month", "length": 1},
    "from_maturity": {"kind": "months", "length": 1, "counted_from": "maturity"},
    "inactivity": {"kind": "inactivity", "length": 1},
}
ACTIONS = (
    "buy", "buy", "buy", "refund", "loose", "spend", "spend", "gift", "undo", "move", "write_down",
    "extend", "fulfill",
)  # fmt: skip


@dataclasses.dataclass
class History:
    """What happens to some members of a program; `now` goes on with every step."""

    seed: int
    expiry: str = "monthly"
    debt: str = "carry"
    pending: int = 0
    late: bool = True
    members: int = 2
    now: dt.datetime = NOW

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.number = 0
        self.sold: list[str] = []
        self.program: Program = make_program(
            time_zone="America/New_York",
            debt_policy=self.debt,
            unit={
                "unit_value": "0.01",
                "pending_days": self.pending,
                "pending_from": "fulfilled" if self.expiry == "from_maturity" else "placed",
                "expiry": EXPIRIES[self.expiry],
            },
        )
        self.wallets = [make_wallet(self.program, f"c{n}") for n in range(self.members)]

    def wallet_ids(self) -> list[int]:
        return [wallet.pk for wallet in self.wallets]

    def play(self, steps: int) -> None:
        for _ in range(steps):
            self.step()

    def step(self) -> str:
        """One random act, some time after the one before."""
        self.number += 1
        self.now += dt.timedelta(hours=self.chance.choice([1, 12, 40, 130, 400]))
        act = self.chance.choice(ACTIONS)
        try:
            with transaction.atomic():
                getattr(self, act)(self.chance.randrange(self.members))
        except LedgerError:
            return f"{act}: refused"
        return act

    def when(self) -> dt.datetime:
        """When it happened: sometimes long before it is told."""
        if not self.late or self.chance.random() < 0.7:
            return self.now
        return max(self.now - dt.timedelta(days=self.chance.randrange(1, 50)), day(-30))

    def units(self) -> int:
        return self.chance.randrange(1, 50)

    def buy(self, who: int) -> None:
        name = f"A{self.number}"
        record(order(name, str(self.units()), at=self.when(), buyer=f"c{who}"), now=self.now)
        self.sold.append(name)

    def refund(self, _who: int) -> None:
        if self.sold:
            name = self.chance.choice(self.sold)
            sent = refund(f"R{self.number}", str(self.units()), of=name, at=self.when())
            give_back(sent, now=self.now)

    def loose(self, who: int) -> None:
        sent = refund(f"R{self.number}", str(self.units()), buyer=f"c{who}", at=self.when())
        give_back(sent, now=self.now)

    def spend(self, who: int) -> None:
        adjust(self.fresh(who), -self.units(), f"k{self.number}", now=self.now)

    def gift(self, who: int) -> None:
        adjust(self.fresh(who), self.units(), f"k{self.number}", now=self.now)

    def undo(self, _who: int) -> None:
        made = list(Transfer.objects.filter(kind="adjustment").order_by("pk"))
        if made:
            undo_transfer(
                transfer=self.chance.choice(made), actor=SYSTEM, source="job", now=self.now
            )

    def move(self, who: int) -> None:
        giver, taker = self.fresh(who), self.fresh((who + 1) % self.members)
        transit = Account.objects.get(program=self.program, kind=Account.Kind.TRANSIT).pk
        sent = movement(
            direction="move", kind="gift", counter_account_id=transit, amount=self.units(),
            ref=WalletRef(giver.pk, giver.account_id, giver.wallet_type_id, self.program.zone),
            occurred_at=self.now, key=f"m{self.number}", source="job",
            w2=taker.pk, a2=taker.account_id,
        )  # fmt: skip
        post([sent], now=self.now)

    def write_down(self, _who: int) -> None:
        expire_due(most=self.chance.choice([1, 100]), now=self.now)

    def extend(self, who: int) -> None:
        """Some lots of a member get more time, also such as have expired."""
        lots = Lot.objects.filter(wallet=self.wallets[who], renewable=False).order_by("pk")
        chosen = [lot for lot in lots if lot.expires_at and self.chance.random() < 0.3]
        retime(
            [
                Retiming(
                    lot.pk, lot.spendable_at,
                    max(lot.expires_at, self.now) + dt.timedelta(days=self.chance.randrange(1, 40)),
                    None, "extended", self.now,
                )
                for lot in chosen
            ],
            now=self.now,
        )  # fmt: skip

    def fulfill(self, _who: int) -> None:
        """An order goes on, so that what waits for it matures."""
        if self.sold:
            name = self.chance.choice(self.sold)
            lots = Lot.objects.filter(origin__order__external_id=name, parent=None)
            retime(
                [
                    Retiming(lot.pk, self.now, lot.expires_at, None, "confirmed", self.now)
                    for lot in lots
                    if lot.spendable_at > self.now
                ],
                now=self.now,
            )

    def fresh(self, who: int) -> Wallet:
        return Wallet.objects.select_related("wallet_type__program").get(pk=self.wallets[who].pk)
