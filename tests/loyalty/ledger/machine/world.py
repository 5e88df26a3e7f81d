"""A program with two members on PostgreSQL beside the model of it. Time passes, jobs run or not,
and after every step both say the same."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from loyalty.errors import LedgerError
from loyalty.instants import NEVER
from loyalty.ledger.balances import holdings
from loyalty.ledger.reports import totals
from loyalty.models import Lot as Row
from loyalty.models import Wallet
from loyalty.rules.lots import LotTerms
from loyalty.services.expiry import confirm_matured, write_down_expired
from loyalty.unit_definitions import ExpiryDefinition, PendingDefinition
from members.models import CustomerMerge
from members.services.audit import SYSTEM
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import NOW, make_program, make_wallet, wallet_of
from tests.loyalty.ledger.machine.facts import Bonus, Rate, Redemption
from tests.loyalty.ledger.machine.merging import MergingShop
from tests.loyalty.ledger.machine.purses import Lot, Purse

MEMBERS = 2
ZONES = ("UTC", "America/New_York", "Asia/Kuala_Lumpur")
EXPIRIES: tuple[dict[str, Any], ...] = (
    {"kind": "never"},
    {"kind": "days", "length": 20},
    {"kind": "days", "length": 20, "counted_from": "maturity", "last_day": "start_of_day"},
    {"kind": "months", "length": 1},
    {"kind": "months", "length": 2, "restored_days": 10},
    {"kind": "days", "length": 15, "restored_days": 10, "counted_from": "maturity"},
    {"kind": "end_of_period", "period": "month", "length": 0},
    {"kind": "end_of_period", "period": "quarter", "length": 0, "last_day": "start_of_day"},
    {"kind": "fixed_date", "month_day": "04-30"},
    {"kind": "inactivity", "length": 1},
    {"kind": "inactivity", "length": 1, "renewed_by": ["redemption", "gift"]},
    {"kind": "days", "length": 12, "warned_days": 5},
)
PENDINGS: tuple[dict[str, Any], ...] = (
    {"pending_from": "placed", "pending_days": 0},
    {"pending_from": "placed", "pending_days": 0},
    {"pending_from": "placed", "pending_days": 9},
    {"pending_from": "paid", "pending_days": 0},
    {"pending_from": "fulfilled", "pending_days": 3},
)
QUICK = {"kind": "days", "length": 6}
# What the model knows of a rule, and what the program says of it.
RULES: tuple[tuple[Rate | Bonus, dict[str, Any]], ...] = (
    (Rate(), {}),
    (Rate(10), {"code": "tenth", "name": "Tenth", "per": 10, "expiry": QUICK}),
    (Rate(1, 60), {"code": "cap", "name": "Cap", "caps": {"per_member": 60, "period": "month"}}),
    (Bonus(), {"code": "bonus", "name": "Bonus", "kind": "threshold_bonus", "reach": 60,
               "window": "month", "units": 25}),
)  # fmt: skip
CHOSEN_RULES = ((0,), (0,), (0, 1), (2,), (0, 3), (1, 2, 3))


def lot_terms(pending: dict[str, Any], expiry: dict[str, Any]) -> LotTerms:
    wanted = ExpiryDefinition.model_validate(expiry)
    return LotTerms(
        **PendingDefinition.model_validate(pending).model_dump(),
        **wanted.model_dump(exclude={"renewed_by"}),
        renewed_by=wanted.renewals,
    )


class World(RuleBasedStateMachine):
    """What all the operations share."""

    def __init__(self) -> None:
        super().__init__()
        self.world = transaction.atomic()
        self.world.__enter__()
        self.now, self.keys, self.steps, self.moved = NOW, 0, 0, False

    def teardown(self) -> None:
        try:
            assert_ledger_coherent(self.now)
        finally:
            transaction.set_rollback(True)
            self.world.__exit__(None, None, None)

    @initialize(
        expiry=st.sampled_from(EXPIRIES), pending=st.sampled_from(PENDINGS),
        chosen=st.sampled_from(CHOSEN_RULES), zone=st.sampled_from(ZONES),
        debt=st.sampled_from(("carry", "carry", "write_off", "refuse_redemption_only")),
        clawback=st.sampled_from(("own_first", "own_first", "oldest_first")),
    )  # fmt: skip
    def begin(self, expiry: dict[str, Any], pending: dict[str, Any], chosen: tuple[int, ...],
              zone: str, debt: str, clawback: str) -> None:  # fmt: skip
        self.pending = pending
        self.settings = {
            "time_zone": zone, "debt_policy": debt, "clawback_order": clawback,
            "earning_rules": [RULES[index][1] for index in chosen],
        }  # fmt: skip
        self.program = make_program(unit=pending | {"expiry": expiry}, **self.settings)
        self.accounts = [
            make_wallet(self.program, f"c{number}").account_id for number in range(MEMBERS)
        ]
        rules = [
            Rate(10, terms=lot_terms(pending, QUICK)) if index == 1 else RULES[index][0]
            for index in chosen
        ]
        self.shop = MergingShop(
            lot_terms(pending, expiry), rules, ZoneInfo(zone), debt=debt,
            oldest_first=clawback == "oldest_first", members=MEMBERS,
        )  # fmt: skip
        self.shop.arrange = self.arrange  # type: ignore[method-assign]
        self.adjusted: list[dict[str, Any]] = []
        self.redemptions: list[Redemption] = []
        # All there ever were; the last one may be in force.
        self.merges: list[CustomerMerge] = []
        self.stock()

    def stock(self) -> None:
        """What there is before the first step."""

    # --- short ways

    def key(self) -> str:
        self.keys += 1
        return f"k{self.keys}"

    def by_job(self) -> dict[str, Any]:
        return {"actor": SYSTEM, "source": "job", "now": self.now}

    def by_staff(self) -> dict[str, Any]:
        return {"actor": SYSTEM, "note": "", "now": self.now}

    def wallet(self, member: int) -> Wallet:
        return wallet_of(self.accounts[member])

    def purse(self, member: int) -> Purse:
        return self.shop.purses[member]

    def who(self, member: int) -> int:
        """Whose purse stands for this member's."""
        return self.shop.who(member)

    def wallets(self) -> list[Wallet]:
        return list(Wallet.objects.filter(account__in=self.accounts))

    def pair_up(self, *, all_known: bool = True) -> dict[int, dict[str, Any]]:
        """Tell new lots of the model which rows they are."""
        lots = Row.objects.filter(wallet__account__in=self.accounts).order_by("pk").values(
            "pk", "wallet__account_id", "parent_id", "renewable", "expires_at", "due_at",
            "remaining", "spendable_at", "planned_expires_at",
        )  # fmt: skip
        rows = {row["pk"]: row for row in lots}
        known = {lot.pk for purse in self.shop.purses for lot in purse.lots}
        new = [row for pk, row in rows.items() if pk not in known]
        for member, account in enumerate(self.accounts):
            for lot in self.purse(member).lots:
                if not lot.pk:
                    parent = lot.parent.pk if lot.parent else None
                    row = next(
                        row for row in new
                        if (row["wallet__account_id"], row["parent_id"]) == (account, parent)
                    )  # fmt: skip
                    new.remove(row)
                    lot.pk = row["pk"]
        assert not new or not all_known, f"lots that the model does not know: {new}"
        return rows

    def arrange(self, purse: Purse) -> None:
        """The lots of a wallet are in the order of their rows. There may be more of these: what the
        model does step by step has been done."""
        self.moved = True
        self.pair_up(all_known=False)
        purse.lots.sort(key=lambda lot: lot.pk)
        for number, lot in enumerate(purse.lots):
            lot.number = number

    def hand_over(self, parts: list[list[Any]], taker: Purse) -> None:
        """What the ledger has just moved to a wallet comes there in the model too."""
        children = taker.take_over(parts)
        self.arrange(taker)
        taker.repay_with(children, self.now)

    def refused(self, error: type[Exception] = LedgerError) -> Any:
        """Refused, and nothing has changed."""
        return _Refused(error)

    # --- time and jobs, which change nothing

    @rule(days=st.sampled_from([0.5, 1, 2, 5]))
    def days_pass(self, days: float) -> None:
        self.now += dt.timedelta(days=days)
        self.shop.advance(self.now)

    @rule(weeks=st.sampled_from([1, 2, 4, 10]))
    def weeks_pass(self, weeks: int) -> None:
        self.now += dt.timedelta(weeks=weeks)
        self.shop.advance(self.now)

    @rule()
    def expiry_is_written_down(self) -> None:
        write_down_expired(self.now)

    @rule()
    def balances_are_brought_up_to_now(self) -> None:
        confirm_matured(self.now)

    # --- what both say

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "shop"):
            return
        self.steps += 1
        found = {wallet.account_id: wallet for wallet in self.wallets()}
        wallets = [found[account] for account in self.accounts]
        self.balances_are_the_models(wallets)
        self.lots_are_the_models(wallets)
        if self.steps % 5 == 0:
            self.totals_are_the_models()
        if self.steps % 15 == 0:
            assert_ledger_coherent(self.now)
        if self.moved:
            # What is given to a lot from now on is not of what has gone on from it.
            self.now, self.moved = self.now + dt.timedelta(seconds=1), False
            self.shop.advance(self.now)

    def balances_are_the_models(self, wallets: list[Wallet]) -> None:
        """Now, and later if nothing happens until then."""
        for at in (self.now, self.now + dt.timedelta(days=13)):
            found = holdings(wallets, at)
            for member, wallet in enumerate(wallets):
                purse = self.purse(member).copied()
                purse.advance(at)
                held = found[wallet.pk]
                same(
                    f"balance, pending, owed and spendable of member {member} at {at}",
                    (held.balance, held.pending, held.owed, held.spendable),
                    (purse.balance(at), purse.pending(at), purse.owed, purse.spendable(at)),
                )

    def lots_are_the_models(self, wallets: list[Wallet]) -> None:
        rows = self.pair_up()
        for member, wallet in enumerate(wallets):
            for lot in self.purse(member).lots:
                row = rows[lot.pk]
                by_inactivity = row["renewable"] and row["expires_at"] is None
                end = wallet.active_until if by_inactivity else row["due_at"]
                left = row["remaining"] if (end or NEVER) > self.now else 0
                same(f"what is left of lot {lot.pk}", left, lot.left)
                if left:
                    same(
                        f"the times of lot {lot.pk}",
                        (row["spendable_at"], row["expires_at"], row["planned_expires_at"]),
                        (lot.spendable_at, lot.expires_at, lot.planned),
                    )

    def totals_are_the_models(self) -> None:
        found = totals(self.program, self.now)["points"]
        purses, now = self.shop.purses, self.now
        same(
            "pending, matured, owed, expired and written off in all",
            (found.pending, found.outstanding - found.pending, found.owed, found.expired,
             found.written_off),
            tuple(
                sum(values)
                for values in zip(
                    *((purse.pending(now), purse.balance(now), purse.owed, purse.expired,
                       purse.written_off) for purse in purses),
                    strict=True,
                )
            ),
        )  # fmt: skip

    def some_lot(self, data: st.DataObject) -> tuple[Purse, Lot] | None:
        lots = [(purse, lot) for purse in self.shop.purses for lot in purse.lots]
        return data.draw(st.sampled_from(lots)) if lots else None


def same(what: str, found: object, expected: object) -> None:
    assert found == expected, f"{what}: {found}, the model says {expected}"


class _Refused:
    """A savepoint that is taken back, around what has to be refused."""

    def __init__(self, error: type[Exception]) -> None:
        self.raises = pytest.raises(error)
        self.savepoint = transaction.atomic()

    def __enter__(self) -> Any:
        found = self.raises.__enter__()
        self.savepoint.__enter__()
        return found

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        self.savepoint.__exit__(kind, error, trace)
        return self.raises.__exit__(kind, error, trace)
