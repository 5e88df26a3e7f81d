"""Whatever three members buy, return, give, share and spend in whatever order: the books agree with
themselves, what moved between wallets is nothing in all, and nobody but a buyer owes."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from loyalty.errors import InsufficientBalanceError, LedgerError
from loyalty.ledger.balances import holdings
from loyalty.ledger.reports import totals
from loyalty.models import Account, Membership, Pool, PoolMember, Program, Transfer, Wallet
from loyalty.services.gift_reversals import undo_gift
from loyalty.services.gifts import donate_units, give_units
from loyalty.services.pool_leaving import close_pool, leave_pool
from loyalty.services.pool_moves import put_into_pool, spend_from_pool, take_from_pool
from loyalty.services.pools import PoolTerms, add_pool_member, change_pool_member, create_pool
from members.services.audit import SYSTEM
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    wallet_of,
)
from tests.loyalty.histories import LONG
from tests.sharing import rolled_back

PEOPLE = ("ann", "ben", "cleo")
STEPS = (
    "buy", "buy", "correct", "refund", "loose", "give", "undo", "donate", "put_in", "take",
    "spend", "switch", "leave", "join", "close",
)  # fmt: skip

histories = st.lists(
    st.tuples(
        st.sampled_from(STEPS),
        st.sampled_from(PEOPLE),
        st.sampled_from(PEOPLE),
        st.integers(1, 60),
        st.sampled_from([0, 0, 0.5, 3, 12]),
    ),
    min_size=4,
    max_size=22 if LONG else 14,
)
terms = st.sampled_from(
    [
        {"contribution": "all", "leaving": "own"},
        {"contribution": "share", "share": 40, "leaving": "own"},
        {"contribution": "share", "share": 75, "leaving": "equal_share"},
        {"contribution": "by_hand", "leaving": "stays"},
    ]
)


class Town:
    """A program with three members, told what to do in one word."""

    def __init__(self, program: Program) -> None:
        self.program = program
        for name in PEOPLE:
            make_wallet(program, name)

    def begun(self, terms: dict) -> Town:
        """Anew, with a pool by these terms."""
        members = Membership.objects.select_related("customer")
        self.members = {member.customer.external_id: member for member in members}
        self.terms, self.now, self.count = terms, NOW, 0
        self.found("ann")
        return self

    def do(self, what: str, who: str, whom: str, units: int) -> None:
        self.count += 1
        try:
            with transaction.atomic():
                getattr(self, what)(who, whom, units)
        except (LedgerError, InsufficientBalanceError):
            pass  # refused: nothing happened

    def how(self) -> dict:
        return {"actor": SYSTEM, "source": "api", "now": self.now}

    def key(self) -> str:
        return f"k{self.count}"

    def wallet(self, who: str) -> Wallet:
        return wallet_of(self.members[who].account_id)

    def place(self, who: str) -> PoolMember | None:
        places = PoolMember.objects.select_related("pool", "membership__customer")
        return places.filter(membership=self.members[who], left_at=None).first()

    def found(self, who: str) -> None:
        create_pool(
            owner=self.members[who], terms=PoolTerms(name="Pool", **self.terms), bring=False,
            **self.how(),
        )  # fmt: skip

    def buy(self, who: str, whom: str, units: int) -> None:
        placed = order(f"{who}{self.count}", str(units), at=self.now, buyer=who)
        record(placed, now=self.now)

    def correct(self, who: str, whom: str, units: int) -> None:
        last = self.last_order(who)
        if last is not None:
            changed = order(last.external_id, str(units), at=last.placed_at, buyer=who)
            record(changed, now=self.now)

    def refund(self, who: str, whom: str, units: int) -> None:
        last = self.last_order(who)
        if last is not None:
            give_back(refund(self.key(), str(units), of=last.external_id, at=self.now))

    def loose(self, who: str, whom: str, units: int) -> None:
        give_back(refund(self.key(), str(units), buyer=who, at=self.now))

    def give(self, who: str, whom: str, units: int) -> None:
        give_units(
            wallet=self.wallet(who), to=self.members[whom], units=units, message="",
            key=self.key(), **self.how(),
        )  # fmt: skip

    def undo(self, who: str, whom: str, units: int) -> None:
        gift = Transfer.objects.filter(kind="gift", wallet=self.wallet(who)).last()
        if gift is not None:
            undo_gift(transfer=gift, **self.how())

    def donate(self, who: str, whom: str, units: int) -> None:
        charity = Account.objects.get(kind="charity")
        donate_units(
            wallet=self.wallet(who), charity=charity, units=units, key=self.key(), **self.how()
        )

    def put_in(self, who: str, whom: str, units: int) -> None:
        self.move(put_into_pool, who, units)

    def take(self, who: str, whom: str, units: int) -> None:
        self.move(take_from_pool, who, units)

    def move(self, act, who: str, units: int) -> None:
        place = self.place(who)
        if place is not None:
            wallet_type = self.program.wallet_types.get()
            act(member=place, wallet_type=wallet_type, units=units, key=self.key(), **self.how())

    def spend(self, who: str, whom: str, units: int) -> None:
        spend_from_pool(
            membership=self.members[who], wallet_type=self.program.wallet_types.get(),
            units=units, key=self.key(), **self.how(),
        )  # fmt: skip

    def switch(self, who: str, whom: str, units: int) -> None:
        place = self.place(who)
        if place is not None:
            changes = {"contributes": not place.contributes}
            change_pool_member(member=place, changes=changes, actor=SYSTEM)

    def leave(self, who: str, whom: str, units: int) -> None:
        place = self.place(who)
        if place is not None:
            leave_pool(member=place, **self.how())

    def join(self, who: str, whom: str, units: int) -> None:
        pool = Pool.objects.filter(status="open").first()
        if pool is None:
            self.found(who)
        else:
            add_pool_member(
                pool=pool, membership=self.members[who], bring=units % 2 == 0, **self.how()
            )

    def close(self, who: str, whom: str, units: int) -> None:
        pool = Pool.objects.filter(status="open").first()
        if pool is not None and units > 40:
            close_pool(pool=pool, **self.how())

    def last_order(self, who: str):
        from loyalty.models import Order

        return Order.objects.filter(customer=self.members[who].customer).last()


@pytest.fixture
def town(db: None, pending: int, expiry: dict) -> Town:
    return Town(
        make_program(
            unit={"pending_days": pending, "expiry": expiry, "gifts": {"to_members": True}},
            charities=[{"code": "trees", "name": "Trees"}],
        )
    )


@pytest.mark.parametrize("pending", [0, 4])
@pytest.mark.parametrize("expiry", [{}, {"kind": "months", "length": 1}])
def test_the_books_agree_and_what_moves_is_nothing_in_all(town, pending, expiry):
    # Each of the four has histories of its own.
    @seed(pending + len(expiry))
    @settings(max_examples=500 if LONG else 10)
    @given(history=histories, terms=terms)
    def each(history, terms):
        with rolled_back():
            _live(town.begun(terms), history)

    each()


def _live(town: Town, history: list[tuple[str, str, str, int, float]]) -> None:
    for what, who, whom, units, later in history:
        town.now += dt.timedelta(days=later)
        town.do(what, who, whom, units)
    assert_ledger_coherent(town.now)
    wallets = list(Wallet.objects.select_related("account"))
    held = holdings(wallets, town.now)
    (found,) = totals(town.program, town.now).values()
    assert found.moved == 0
    assert found.outstanding == sum(item.balance + item.pending for item in held.values())
    assert found.owed == sum(item.owed for item in held.values())
    pools = [held[wallet.pk] for wallet in wallets if wallet.account.kind == "pool"]
    assert all(item.owed == 0 for item in pools)
    closed = Pool.objects.filter(status="closed").values_list("account", flat=True)
    assert all(
        held[wallet.pk].balance + held[wallet.pk].pending == 0
        for wallet in wallets
        if wallet.account_id in closed
    )
