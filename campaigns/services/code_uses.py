"""The uses of codes that matter to a batch of orders: read at once however many there are, and what
is new written at once. Of a code that everybody types no more is read than what these members and
orders have, and the holds that have passed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from campaigns.campaign_definitions import codes_of
from campaigns.models import PromoCode, PromoCodeUse
from loyalty.codes_asked import CodesAsked
from members.prepared import run_prepared

State = PromoCodeUse.State
OPEN = (State.HELD, State.USED)
# By the index promo_code_in_each_slot_of_a_member, whose last entry it is.
_LAST_SLOTS = """
    SELECT a.campaign, a.member, coalesce((
               SELECT max(u.own_slot) FROM campaigns_promocodeuse u
                WHERE u.campaign_id = a.campaign AND u.membership_id = a.member
                  AND u.state IN ('held', 'used')), 0)
      FROM unnest(%s::bigint[], %s::bigint[]) AS a (campaign, member)
"""
_MERGED = """
    SELECT id, merged_into_id FROM loyalty_membership WHERE merged_into_id = ANY(%s::bigint[])
"""


class CodeUses:
    """As they will be once `write` has been called. The caller holds the rows of limited codes."""

    def __init__(
        self, rows: Sequence[PromoCode], asked: Sequence[CodesAsked], latest: dt.datetime
    ) -> None:
        self._rows = {row.pk: row for row in rows}
        self._limits = {row.campaign_id: codes_of(row.campaign).per_member for row in rows}
        members = {item.membership_id for item in asked} if rows else set()
        self._self_of = _selves(members)
        self._by_holder: dict[tuple[int, str], PromoCodeUse] = {}
        self._of_member: defaultdict[tuple[int, int], list[PromoCodeUse]] = defaultdict(list)
        self._passed: defaultdict[int, list[PromoCodeUse]] = defaultdict(list)
        self._last_slots: dict[tuple[int, int], int] | None = None
        self._new: list[PromoCodeUse] = []
        self._taken_over: list[PromoCodeUse] = []
        self._released: list[PromoCodeUse] = []
        self._read({item.holder for item in asked if item.holder}, latest)

    def of_holder(self, row: PromoCode, holder: str) -> PromoCodeUse | None:
        """What this order or cart has of it already."""
        return self._by_holder.get((row.pk, holder)) if holder else None

    def own_hold(self, row: PromoCode, member: int) -> PromoCodeUse | None:
        """What a cart of the member keeps of it."""
        held = [
            use for use in self._of(row, member)
            if use.promo_code_id == row.pk and use.state == State.HELD
        ]  # fmt: skip
        return held[0] if held else None

    def count(
        self, row: PromoCode, member: int, *, but: str, holds_after: dt.datetime | None
    ) -> int:
        """How often a member used its campaign, without this order or cart; with `holds_after`
        what their carts keep longer counts as well. For campaigns with a limit alone."""
        return sum(
            use.holder != but
            and (use.state == State.USED or (holds_after is not None and _keeps(use, holds_after)))
            for use in self._of(row, member)
        )

    def passed(self, row: PromoCode, now: dt.datetime) -> int:
        """How many of its uses are kept for nobody any more."""
        return sum(not _keeps(use, now) for use in self._passed[row.pk])

    def take_over(self, use: PromoCodeUse, holder: str, now: dt.datetime) -> None:
        """What a cart kept is an order's."""
        self._by_holder.pop((use.promo_code_id, use.holder), None)
        if use in self._passed[use.promo_code_id]:
            self._passed[use.promo_code_id].remove(use)
        use.holder, use.state, use.held_until, use.closed_at = holder, State.USED, None, now
        self._by_holder[use.promo_code_id, holder] = use
        self._taken_over.append(use)

    def add(
        self, row: PromoCode, asked: CodesAsked, now: dt.datetime, held_until: dt.datetime | None
    ) -> None:
        """Another one; what is kept for nobody any more is let go before."""
        for use in [item for item in self._passed[row.pk] if not _keeps(item, now)]:
            self._let_go(row, use, now)
        use = PromoCodeUse(
            promo_code=row, campaign=row.campaign, membership_id=asked.membership_id,
            own_slot=self._free_slot(row, asked.membership_id), holder=asked.holder,
            state=State.USED if held_until is None else State.HELD, held_until=held_until,
            created_at=now, closed_at=now if held_until is None else None,
        )  # fmt: skip
        self._new.append(use)
        self._by_holder[row.pk, asked.holder] = use
        self._of(row, asked.membership_id).append(use)
        row.uses_taken += 1

    def write(self, now: dt.datetime) -> None:
        """In the order of their keys, so that two who tidy up wait for each other."""
        if self._released:
            passed = PromoCodeUse.objects.filter(
                pk__in=[use.pk for use in self._released], state=State.HELD, held_until__lte=now
            )
            list(passed.order_by("pk").select_for_update().values_list("pk"))
            # As they are by then: an order of its member may have just taken one over.
            passed.update(state=State.RELEASED, closed_at=now, held_until=None)
        if self._taken_over:
            changed = sorted(self._taken_over, key=lambda use: use.pk)
            PromoCodeUse.objects.bulk_update(
                changed, ["holder", "state", "held_until", "closed_at"]
            )  # fmt: skip
        PromoCodeUse.objects.bulk_create(self._new)
        self._new, self._taken_over, self._released = [], [], []

    def _of(self, row: PromoCode, member: int) -> list[PromoCodeUse]:
        return self._of_member[row.campaign_id, self._self_of.get(member, member)]

    def _let_go(self, row: PromoCode, use: PromoCodeUse, now: dt.datetime) -> None:
        self._passed[row.pk].remove(use)
        self._released.append(use)
        self._by_holder.pop((row.pk, use.holder), None)
        # What is held of members who are asked for is in both lists, as two objects of one row.
        own = self._of(row, use.membership_id)
        own[:] = [item for item in own if item.pk != use.pk]
        row.uses_taken -= 1

    def _free_slot(self, row: PromoCode, membership: int) -> int:
        key = row.campaign_id, membership
        if self._limits[row.campaign_id] is not None:
            taken = {
                use.own_slot for use in self._of(row, membership) if use.membership_id == membership
            }
            return next(slot for slot in range(1, len(taken) + 2) if slot not in taken)
        if self._last_slots is None:
            self._last_slots = self._read_last_slots()
        self._last_slots[key] = self._last_slots.get(key, 0) + 1
        return self._last_slots[key]

    def _read(self, holders: Iterable[str], latest: dt.datetime) -> None:
        uses = PromoCodeUse.objects.filter(state__in=OPEN).order_by("pk")
        names = list(holders)
        if not self._rows:
            return
        known: dict[int, PromoCodeUse] = {}
        if names:
            for use in uses.filter(holder__in=names, promo_code__in=self._rows):
                known[use.pk] = self._by_holder[use.promo_code_id, use.holder] = use
        limited = [pk for pk, most in self._limits.items() if most is not None]
        of_members = uses.filter(membership__in=self._self_of)
        kept = of_members.filter(state=State.HELD, campaign__in=self._limits)
        counted = of_members.filter(state=State.USED, campaign__in=limited)
        for use in [*kept, *counted] if limited else kept:
            own = known.setdefault(use.pk, use)
            self._of_member[own.campaign_id, self._self_of[own.membership_id]].append(own)
        passed = uses.filter(promo_code__in=self._rows, state=State.HELD, held_until__lte=latest)
        for use in passed:
            self._passed[use.promo_code_id].append(known.setdefault(use.pk, use))

    def _read_last_slots(self) -> dict[tuple[int, int], int]:
        pairs = [(pk, member) for pk in self._limits for member in self._self_of]
        asked = [[pk for pk, _member in pairs], [member for _pk, member in pairs]]
        rows = run_prepared(_LAST_SLOTS, asked)
        return {(campaign, member): last for campaign, member, last in rows}


def _selves(members: Iterable[int]) -> Mapping[int, int]:
    """By membership who it is now: these, and those that were merged into them."""
    own = set(members)
    found = {pk: pk for pk in own}
    if own:
        found |= dict(run_prepared(_MERGED, [sorted(own)]))
    return found


def _keeps(use: PromoCodeUse, now: dt.datetime) -> bool:
    return use.state == State.HELD and use.held_until is not None and use.held_until > now
