"""What people do with units besides buying: adjustments, redemptions, gifts, and what staff may do
with lots and debts."""

import copy
import datetime as dt
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from loyalty.errors import InsufficientBalanceError, OverCorrectedError
from loyalty.ledger.posting import WalletRef, movement, post
from loyalty.models import Account, Order, Transfer
from loyalty.models import Lot as Row
from loyalty.rules.lots import warned_expiry
from loyalty.services import lots as lot_services
from loyalty.services.adjustments import undo_transfer
from loyalty.services.expiry import write_down_expired
from loyalty.services.policy_changes import apply_policy_change
from loyalty.services.redemptions import redeem_units, reverse_redemption, terms_of
from members.services.audit import SYSTEM
from tests.loyalty.factories import adjust, make_program
from tests.loyalty.ledger.machine.facts import Redemption
from tests.loyalty.ledger.machine.purses import Lot, Purse, TooFewError
from tests.loyalty.ledger.machine.world import EXPIRIES, World, lot_terms, same

MEMBER = st.integers(0, 1)
UNITS = st.integers(1, 60)


class ByHand(World):
    # --- adjustments

    @rule(member=MEMBER, units=UNITS)
    def grant(self, member: int, units: int) -> None:
        transfer = adjust(self.wallet(member), units, self.key(), now=self.now)
        member = self.who(member)
        lot = self.shop.lot(units, self.now, self.now, self.shop.terms)
        if lot.renewable:
            self.shop.renew(self.purse(member), "adjustment", self.now)
        repaid = self.purse(member).arrive(lot, self.now)
        self.adjusted.append({"transfer": transfer, "member": member, "lot": lot, "repaid": repaid})

    @rule(member=MEMBER, units=UNITS)
    def take(self, member: int, units: int) -> None:
        try:
            parts = self.purse(self.who(member)).spend(units, self.now, self.now)
        except TooFewError as few:
            with self.refused(InsufficientBalanceError) as refused:
                adjust(self.wallet(member), -units, self.key(), now=self.now)
            same("what can be spent", refused.value.spendable, few.spendable)
            return
        transfer = adjust(self.wallet(member), -units, self.key(), now=self.now)
        self.adjusted.append({"transfer": transfer, "member": self.who(member), "parts": parts})

    @precondition(lambda self: self.adjusted)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        made = data.draw(st.sampled_from(self.adjusted))
        how = {"transfer": made["transfer"], "actor": SYSTEM, "source": "job", "now": self.now}
        purse, units = self.purse(self.who(made["member"])), made["transfer"].amount
        if made.get("undone"):
            with self.refused(OverCorrectedError):
                undo_transfer(**how, note="again")
            return
        if "parts" in made:
            undo_transfer(**how)
            self.shop.come_back(made["member"], made["parts"], units, self.now)
        else:
            elsewhere = self.shop.lapsed_elsewhere(made["lot"], purse)
            try:
                purse.undo_gift(made["lot"], units, made["repaid"], self.now, elsewhere)
            except TooFewError:
                with self.refused(InsufficientBalanceError):
                    undo_transfer(**how)
                return
            undo_transfer(**how)
        made["undone"] = True

    # --- redemptions

    @rule(member=MEMBER, data=st.data(), hours=st.sampled_from([0, 0, 0, 10, 60]))
    def redeem(self, member: int, data: st.DataObject, hours: int) -> None:
        wallet, member = self.wallet(member), self.who(member)
        units = data.draw(st.integers(1, self.purse(member).spendable(self.now) + 3))
        at = self.now - dt.timedelta(hours=hours)
        mine = [sold for sold in self.shop.orders.values() if sold.buyer == member]
        sold = data.draw(st.sampled_from([None, *mine]))
        order = Order.objects.get(external_id=sold.number) if sold else None
        how = {"wallet": wallet, "units": units, "key": self.key(), "actor": SYSTEM,
               "source": "api", "now": self.now, "occurred_at": at, "order": order}  # fmt: skip
        try:
            self.spent(self.purse(member).copied(), units, at)
        except TooFewError as few:
            with self.refused(InsufficientBalanceError) as refused:
                redeem_units(**how)
            same("what can be spent", refused.value.spendable, few.spendable)
            return
        parts = self.spent(self.purse(member), units, at)
        transfer, _known = redeem_units(**how)
        assert redeem_units(**how) == (transfer, True)
        found = Redemption(member, units, at, parts, transfer, sold)
        self.redemptions.append(found)
        if sold is not None:
            sold.paid.append(found)

    def spent(self, purse: Purse, units: int, at: dt.datetime) -> list[list[Any]]:
        self.shop.renew(purse, "redemption", at)
        purse.advance(self.now)
        return purse.spend(units, at, self.now)

    @precondition(lambda self: self.redemptions)
    @rule(data=st.data(), units=st.none() | UNITS)
    def give_back(self, data: st.DataObject, units: int | None) -> None:
        spent = data.draw(st.sampled_from(self.redemptions))
        how = {"transfer": spent.transfer, "units": units, "key": self.key(), "source": "api",
               "actor": SYSTEM, "now": self.now}  # fmt: skip
        if not spent.out or (units or 0) > spent.out:
            with self.refused(OverCorrectedError):
                reverse_redemption(**how)
            return
        transfer, _known = reverse_redemption(**how)
        assert reverse_redemption(**how) == (transfer, True)
        self.shop.come_back(
            spent.purse, spent.parts, units or spent.out, self.now, self.shop.grace(self.now)
        )

    # --- gifts

    @precondition(lambda self: not self.shop.merge)
    @rule(giver=MEMBER, data=st.data())
    def give(self, giver: int, data: st.DataObject) -> None:
        """To the other member, as every service does that moves units between wallets."""
        units = data.draw(st.integers(1, self.purse(giver).spendable(self.now) + 3))
        mine, theirs = self.purse(giver), self.purse(1 - giver)
        try:
            parts = mine.spend(units, self.now, self.now)
        except TooFewError:
            with self.refused(InsufficientBalanceError):
                self.move(giver, units)
            return
        self.move(giver, units)
        self.shop.renew(mine, "gift", self.now)
        if self.shop.renewal is not None:
            self.shop.renew(theirs, "", self.now)
        self.hand_over(parts, theirs)

    def move(self, giver: int, units: int) -> None:
        wallet, other = self.wallet(giver), self.wallet(1 - giver)
        program = terms_of(wallet)
        entry = movement(
            direction="move", kind="gift",
            ref=WalletRef(wallet.pk, wallet.account_id, wallet.wallet_type_id, program.zone),
            counter_account_id=program.accounts[Account.Kind.TRANSIT], amount=units,
            occurred_at=self.now, key=self.key(), source="api", w2=other.pk, a2=other.account_id,
            **program.renewal(wallet.wallet_type_id, "gift", self.now),
        )  # fmt: skip
        post([entry], now=self.now)

    # --- lots

    @rule(data=st.data(), days=st.integers(0, 60))
    def extend(self, data: st.DataObject, days: int) -> None:
        chosen = self.some_lot(data)
        if chosen is None:
            return
        purse, lot = chosen
        until = self.now + dt.timedelta(days=days)
        how = {"lot": Row.objects.get(pk=lot.pk), "until": until} | self.by_staff()
        together = lot.renewable and lot.expires_at is None
        ends = purse.active_until if together else lot.expires_at or lot.planned
        if days and lot.left and ends == until:
            lot_services.extend_lot(**how)  # is so already
            return
        if not days or not lot.left or ends is None or until < ends:
            with self.refused():
                lot_services.extend_lot(**how)
            return
        lot_services.extend_lot(**how)
        if together:
            purse.active_until = until
            return
        lot.given_time = True
        if lot.expires_at is None:
            lot.planned = until
        else:
            lot.expires_at = until

    @rule(data=st.data(), units=st.integers(1, 40), days=st.integers(1, 40))
    def reinstate(self, data: st.DataObject, units: int, days: int) -> None:
        write_down_expired(self.now)
        gone = list(Transfer.objects.filter(kind="expiry").order_by("pk"))
        if not gone:
            return
        expiry = data.draw(st.sampled_from(gone))
        pk = expiry.lot_uses.get().lot_id
        purse, lot = next(
            (purse, lot) for purse in self.shop.purses for lot in purse.lots if lot.pk == pk
        )
        back = sum(Transfer.objects.filter(corrects=expiry).values_list("amount", flat=True))
        until = self.now + dt.timedelta(days=days)
        how = {"transfer": expiry, "units": units, "until": until, "key": self.key(),
               "source": "backoffice"} | self.by_staff()  # fmt: skip
        if units > expiry.amount - back:
            with self.refused(OverCorrectedError):
                lot_services.reinstate_units(**how)
            return
        first = lot_services.reinstate_units(**how)
        assert lot_services.reinstate_units(**how) == (first[0], True)
        lot.expires_at = max(until, lot.end) if lot.left else until
        lot.renewable, lot.given_time = False, True
        self.bring_back(purse, lot, units, expiry.occurred_at)
        self.shop.pass_on(self.shop.purses.index(purse), self.now)

    def bring_back(self, purse: Purse, lot: Lot, units: int, gone_at: dt.datetime) -> None:
        for lapse in lot.lapsed:
            if lapse.at == gone_at:
                part = min(lapse.units, units)
                lapse.units -= part
                units -= part
                repaid = 0 if purse.blocks else min(purse.owed, part)
                purse.owed -= repaid
                lot.left += part - repaid
        assert not units

    @rule(data=st.data())
    def warn(self, data: st.DataObject) -> None:
        chosen = self.some_lot(data)
        if chosen is None:
            return
        _purse, lot = chosen
        days = lot.terms.warned_days or 0
        lot_services.warn_lots([Row.objects.get(pk=lot.pk)], now=self.now)
        if lot.planned is not None and lot.expires_at is None:
            lot.expires_at = warned_expiry(lot.planned, self.now, days, self.shop.zone)
            lot.given_time = True

    # --- debts and terms

    @rule(member=MEMBER, way=st.sampled_from(["write_off", "repay"]))
    def settle(self, member: int, way: str) -> None:
        purse = self.purse(self.who(member))
        how = {"wallet": self.wallet(member), "way": way, "key": self.key(),
               "source": "backoffice"} | self.by_staff()  # fmt: skip
        if not purse.owed or (way == "repay" and purse.balance(self.now) < purse.owed):
            with self.refused():
                lot_services.settle_debt(**how)
            return
        assert lot_services.settle_debt(**how) == lot_services.settle_debt(**how)
        if way == "repay":
            purse.repay(self.now)
        else:
            purse.written_off, purse.owed = purse.written_off + purse.owed, 0

    @rule(expiry=st.sampled_from(EXPIRIES), also_existing=st.booleans())
    def change_terms(self, expiry: dict[str, Any], also_existing: bool) -> None:
        """For units from now on; or, on purpose, for those that exist too."""
        self.now += dt.timedelta(seconds=1)
        self.shop.advance(self.now)
        self.program = make_program(
            unit=self.pending | {"expiry": expiry}, at=self.now, **self.settings
        )
        terms = lot_terms(self.pending, expiry)
        self.shop.terms = terms
        if terms.renewable:
            self.shop.renewal = terms
        if not also_existing or terms.renewable:
            return
        apply_policy_change(
            self.program.wallet_types.get(), after=0, actor_id=None, note="", now=self.now
        )
        for purse in self.shop.purses:
            for lot in purse.open:
                if not lot.keeps_terms:
                    self.live_under(lot, copy.copy(terms))
            purse.advance(self.now)

    def live_under(self, lot: Lot, terms: Any) -> None:
        was = lot.expires_at, lot.planned
        lot.terms, former, renewable = terms, lot.terms, lot.renewable
        lot.renewable = False
        self.shop.set_end(lot)
        if lot.expires_at is not None:
            lot.expires_at = max(lot.expires_at, self.now)
        if was == (lot.expires_at, lot.planned) and lot.spendable_at <= self.now:
            # Nothing was changed, so nothing is kept of it.
            lot.terms, lot.renewable = former, renewable
        else:
            lot.given_time = False
