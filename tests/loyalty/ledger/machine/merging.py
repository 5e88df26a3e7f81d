"""What a merge of two members does, and its undoing, in plain Python: docs/semantics.md, merged
customers."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from tests.loyalty.ledger.machine.facts import Merge, Rate, Window
from tests.loyalty.ledger.machine.purses import Purse
from tests.loyalty.ledger.machine.shop import Shop


class MergingShop(Shop):
    def join(self, kept: int, merged: int, now: dt.datetime) -> None:
        """Everything of one member goes to another."""
        giver, taker = self.purses[merged], self.purses[kept]
        theirs = [sold for sold in self.orders.values() if sold.buyer == merged]
        used = {(key[0], key[2]): used for key, used in self.used.items() if key[1] == merged}
        self.merge = merge = Merge(
            kept, merged, giver.owed, theirs, {sold: dict(sold.given) for sold in theirs}, used,
            {lot for purse in self.purses for lot in purse.lots},
        )  # fmt: skip
        self.hand_on(giver, taker, giver.move_out(giver.held(now), now), merge)
        self._owe(giver, taker, giver.owed)
        for sold in theirs:
            sold.buyer = kept
        for (index, month), units in used.items():
            self._use(index, kept, month, units)
        changed = []
        for (index, member, month), window in list(self.windows.items()):
            if member == merged:
                target = self.windows[index, kept, month]
                target.parts |= window.parts
                target.duplicates.append(window)
                window.parts = {}
                changed.append((target, kept))
        self._judge_windows(changed, now)

    def part(self, now: dt.datetime) -> None:
        """What is left of what came goes back, with those orders; the rest stays."""
        merge = self.merge
        assert merge is not None
        self.merge = None
        kept, merged, owed = merge.kept, merge.merged, merge.owed
        giver, taker = self.purses[kept], self.purses[merged]
        came = [
            lot for lot in giver.open
            if lot.merge is merge
            or (lot.parent is None and lot.order in merge.orders and lot not in merge.lots)
        ]  # fmt: skip
        units = sum(lot.left for lot in came)
        parts = giver.move_out(units, now, came) if came else []
        owed = min(owed, giver.owed)
        self.hand_on(giver, taker, parts, merge)
        self._owe(giver, taker, owed)
        self._part_caps(merge)
        for sold in merge.orders:
            sold.buyer = merged
        self._part_windows(merge, now)

    def _part_windows(self, merge: Merge, now: dt.datetime) -> None:
        """Each counts alone again, with their own orders and what their own window has given."""
        mine, theirs = [], []
        for (index, member, month), target in list(self.windows.items()):
            back = {sold: net for sold, net in target.parts.items() if sold in merge.orders}
            own = self.windows.get((index, merge.merged, month))
            if member == merge.kept and (back or own in target.duplicates):
                window = self.windows[index, merge.merged, month]
                target.duplicates = [item for item in target.duplicates if item is not window]
                target.parts = {k: net for k, net in target.parts.items() if k not in back}
                window.parts |= back
                mine.append((target, member))
                theirs.append((window, merge.merged))
        self._judge_windows(mine, now)
        self._judge_windows(theirs, now)

    def _owe(self, was: Purse, taker: Purse, units: int) -> None:
        if units:
            taker.blocks = was.blocks or (taker.blocks and taker.owed > 0)
            was.owed, taker.owed = was.owed - units, taker.owed + units

    def _part_caps(self, merge: Merge) -> None:
        """Who came has used what they had by then, and what their orders have used since."""
        used = defaultdict(int, merge.used)
        for sold in merge.orders:
            for index, rule in enumerate(self.rules):
                if isinstance(rule, Rate) and rule.cap is not None:
                    since = sold.given[index] - merge.given[sold].get(index, 0)
                    used[index, self._month(sold)] += since
        for (index, month), units in used.items():
            self.used[index, merge.merged, month] = max(units, 0)
            self._use(index, merge.kept, month, -max(units, 0))

    def _judge_windows(self, changed: list[tuple[Window, int]], now: dt.datetime) -> None:
        """They have other orders than before."""
        places = list(self.windows.values())
        out = []
        for window, member in sorted(changed, key=lambda found: places.index(found[0])):
            more = self._deserved_bonus(window) - window.units
            self._give_bonus(window, member, more, now)
            out += [(member, taking) for taking in self._take_bonus(window, -more, now)]
        for member, taking in out:
            self._return_shared(member, taking, now)
        for member, taking in out:
            self._claw(member, taking, now)
