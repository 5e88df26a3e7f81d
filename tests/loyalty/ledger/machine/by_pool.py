"""What two members share: a pool that they found and join, put units into, take from, spend of and
leave. What they earn stays their own here; what of it is in the pool returns with its order."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from loyalty.errors import InsufficientBalanceError
from loyalty.models import Membership, PoolMember
from loyalty.services.pool_leaving import leave_pool
from loyalty.services.pool_moves import put_into_pool, spend_from_pool, take_from_pool
from loyalty.services.pools import PoolTerms, add_pool_member, change_pool_member, create_pool
from members.services.audit import SYSTEM
from tests.loyalty.ledger.machine.facts import Redemption
from tests.loyalty.ledger.machine.purses import Purse, TooFewError
from tests.loyalty.ledger.machine.world import MEMBERS, World

MEMBER = st.integers(0, MEMBERS - 1)


class ByPool(World):
    @precondition(lambda self: len(self.accounts) == MEMBERS)
    @rule(owner=MEMBER, share=st.sampled_from([None, 40]), bring=st.booleans(),
          leaving=st.sampled_from(["own", "equal_share", "stays"]))  # fmt: skip
    def found(self, owner: int, share: int | None, bring: bool, leaving: str) -> None:
        owner = self.who(owner)
        terms = PoolTerms(
            "Home", contribution="share" if share else "all", share=share, leaving=leaving
        )
        self.pool = create_pool(
            owner=self.membership(owner), terms=terms, bring=bring, **self.by_job()
        )
        self.keeps_what_they_earn(owner)
        self.accounts.append(self.pool.account_id)
        self.shop.purses.append(Purse())
        self.shop.sharing.add(owner)
        if bring:
            self.brought(owner)

    @precondition(lambda self: len(self.shop.sharing) == 1 and not self.shop.merge)
    @rule(bring=st.booleans())
    def join(self, bring: bool) -> None:
        member = next(number for number in range(MEMBERS) if number not in self.shop.sharing)
        add_pool_member(
            pool=self.pool, membership=self.membership(member), bring=bring, **self.by_job()
        )
        self.keeps_what_they_earn(member)
        self.shop.sharing.add(member)
        if bring:
            self.brought(member)

    def keeps_what_they_earn(self, member: int) -> None:
        change_pool_member(member=self.place(member), changes={"contributes": False}, actor=SYSTEM)

    def brought(self, member: int) -> None:
        """What they hold beyond their debt, pending units too, as far as it is shared."""
        purse = self.purse(member)
        held = max(purse.balance(self.now) + purse.pending(self.now) - purse.owed, 0)
        units = held * self.pool.percent // 100
        if units:
            parts = purse.move_out(units, self.now)
            self.shop.renew(purse, "pool", self.now)
            self.shop.renew(self.common, "pool", self.now)
            self.hand_over(parts, self.common)

    @precondition(lambda self: self.shop.sharing)
    @rule(data=st.data(), into=st.booleans())
    def move_by_hand(self, data: st.DataObject, into: bool) -> None:
        member = data.draw(st.sampled_from(sorted(self.shop.sharing)))
        giver, taker = self.purse(member), self.common
        if not into:
            giver, taker = taker, giver
        units = data.draw(st.integers(1, giver.spendable(self.now) + 3))
        how = {"member": self.place(member), "wallet_type": self.program.wallet_types.get(),
               "units": units, "key": self.key()} | self.by_job()  # fmt: skip
        move = put_into_pool if into else take_from_pool
        try:
            parts = giver.spend(units, self.now, self.now)
        except TooFewError:
            with self.refused(InsufficientBalanceError):
                move(**how)
            return
        transfer, _known = move(**how)
        assert move(**how) == (transfer, True)
        self.shop.renew(giver, "pool", self.now)
        self.shop.renew(taker, "pool", self.now)
        self.hand_over(parts, taker)

    @precondition(lambda self: self.shop.sharing)
    @rule(data=st.data())
    def spend_together(self, data: st.DataObject) -> None:
        member = data.draw(st.sampled_from(sorted(self.shop.sharing)))
        units = data.draw(st.integers(1, self.common.spendable(self.now) + 3))
        how = {"membership": self.membership(member), "units": units, "key": self.key(),
               "wallet_type": self.program.wallet_types.get()} | self.by_job()  # fmt: skip
        if units > self.common.spendable(self.now):
            with self.refused(InsufficientBalanceError):
                spend_from_pool(**how)
            return
        transfer, _known = spend_from_pool(**how)
        self.shop.renew(self.common, "redemption", self.now)
        parts = self.common.spend(units, self.now, self.now)
        self.redemptions.append(Redemption(MEMBERS, units, self.now, parts, transfer))

    @precondition(lambda self: self.shop.sharing)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        member = data.draw(st.sampled_from(sorted(self.shop.sharing)))
        leave_pool(member=self.place(member), **self.by_job())
        units = self.common.balance(self.now) + self.common.pending(self.now)
        chosen = None
        if len(self.shop.sharing) > 1 and self.pool.leaving == "own":
            chosen = [lot for lot in self.common.open if lot.parent in self.purse(member).lots]
            units = sum(lot.left for lot in chosen)
        elif len(self.shop.sharing) > 1:
            units = 0 if self.pool.leaving == "stays" else units // len(self.shop.sharing)
        self.shop.sharing.remove(member)
        if units:
            self.shop.renew(self.common, "", self.now)
            self.shop.renew(self.purse(member), "", self.now)
            self.hand_over(self.common.move_out(units, self.now, chosen), self.purse(member))

    # --- short ways

    @property
    def common(self) -> Purse:
        return self.purse(MEMBERS)

    def membership(self, member: int) -> Membership:
        return Membership.objects.get(account=self.accounts[member])

    def place(self, member: int) -> PoolMember:
        places = PoolMember.objects.select_related("pool__program", "membership")
        return places.get(membership__account=self.accounts[member], left_at=None)
