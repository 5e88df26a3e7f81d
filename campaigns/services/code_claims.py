"""Whether codes that come with orders count, and how often they were used: exact, however many come
at once.

A member's uses are counted while their wallets are locked, those of all while the code's row is;
the database guards both.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from campaigns.campaign_definitions import codes_of
from campaigns.campaign_rules import draw_of
from campaigns.models import Campaign, PromoCode, PromoCodeUse
from campaigns.selectors.campaigns import is_for
from campaigns.services.code_uses import CodeUses
from loyalty.codes_asked import Answers, CodeAnswer, CodesAsked, register_code_keeper
from loyalty.instants import NEVER
from loyalty.models import Membership
from loyalty.rule_definitions import CAMPAIGN_RULES
from members.prepared import KeptQuery, run_prepared
from rewards.codes import plain

State = PromoCodeUse.State
OPEN = (State.HELD, State.USED)
Status = Campaign.Status
_LOCK_LIMITED = """
    SELECT 1 FROM campaigns_promocode p JOIN campaigns_campaign c ON c.id = p.campaign_id
     WHERE p.code = ANY(%s::text[]) AND p.program_id = ANY(%s::bigint[])
       AND c.status <> 'draft' AND p.most_uses IS NOT NULL
     ORDER BY p.id FOR UPDATE OF p
"""
_CODES: KeptQuery[PromoCode] = KeptQuery(
    lambda codes, draft, programs: (
        PromoCode.objects.filter(code__among=codes)
        .exclude(campaign__status=draft)
        .filter(program__among=programs)
        .select_related("campaign__program")
        .order_by("-pk")
    )
)
_MEMBERS: KeptQuery[Membership] = KeptQuery(
    lambda ids: Membership.objects.select_related("customer", "program").filter(pk__among=ids)
)
# What is done with a code that counts.
_Keep = Callable[[PromoCode, CodesAsked], None]


class CampaignCodes:
    """What campaigns say of codes: a `loyalty.codes_asked.CodeKeeper`. A batch of any size asks the
    database as often as one order."""

    def look(self, asked: Sequence[CodesAsked]) -> list[Answers]:
        desk = _Desk.open(asked, max((item.at for item in asked), default=NEVER), lock=False)
        return [desk.answers(item, item.at, lambda *_said: None) for item in asked]

    def claim(self, asked: Sequence[CodesAsked], now: dt.datetime) -> list[Answers]:
        return self._claim(_Desk.open(asked, now, lock=True), asked, now)

    def claim_again(self, asked: Sequence[CodesAsked], now: dt.datetime) -> list[Answers]:
        desk = _Desk.open(asked, now, lock=True)
        desk.again = True
        return self._claim(desk, asked, now)

    def _claim(self, desk: _Desk, asked: Sequence[CodesAsked], now: dt.datetime) -> list[Answers]:
        def use(row: PromoCode, item: CodesAsked) -> None:
            desk.use(row, item, now)

        found = [desk.answers(item, now, use) for item in asked]
        desk.uses.write(now)
        return found

    def hold(self, asked: CodesAsked, until: dt.datetime, now: dt.datetime) -> Answers:
        desk = _Desk.open([asked], now, lock=True)
        desk.own_holds_count = True

        def keep(row: PromoCode, item: CodesAsked) -> None:
            if desk.uses.of_holder(row, item.holder) is None:
                desk.uses.add(row, item, now, until)

        found = desk.answers(asked, now, keep)
        desk.uses.write(now)
        return found

    def pass_on(self, holder: str, order: str, now: dt.datetime) -> None:
        for use in PromoCodeUse.objects.filter(holder=holder, state=State.HELD).order_by("pk"):
            told = PromoCodeUse.objects.filter(
                promo_code=use.promo_code_id, holder=order, state__in=OPEN
            )
            use.state = State.RELEASED if told.exists() else State.USED
            use.holder = holder if use.state == State.RELEASED else order
            use.closed_at, use.held_until = now, None
            use.save()

    def let_go(self, holders: Sequence[str], now: dt.datetime) -> None:
        uses = PromoCodeUse.objects.filter(holder__in=holders, state__in=OPEN)
        for use in uses.order_by("promo_code", "pk"):
            use.state, use.closed_at, use.held_until = State.RELEASED, now, None
            use.save()


def register() -> None:
    """Called once, when the application is ready."""
    register_code_keeper(CampaignCodes())


@dataclass(slots=True)
class _Desk:
    """The codes of a batch, found and, where something is to be written, held."""

    rows: dict[tuple[int, str], list[PromoCode]]
    members: dict[int, Membership]
    uses: CodeUses
    own_holds_count: bool = False
    # What is asked counted before: only how often it was used is in its way.
    again: bool = False
    _for: dict[tuple[int, int], bool] = field(default_factory=dict)

    @classmethod
    def open(cls, asked: Sequence[CodesAsked], latest: dt.datetime, *, lock: bool) -> _Desk:
        codes = sorted({plain(code) for item in asked for code in item.codes})
        if not codes:
            return cls({}, {}, CodeUses([], asked, latest))
        programs = sorted({item.program_id for item in asked})
        if lock:
            run_prepared(_LOCK_LIMITED, [codes, programs])
        rows: defaultdict[tuple[int, str], list[PromoCode]] = defaultdict(list)
        for row in _CODES.rows(codes, Status.DRAFT, programs):
            rows[row.program_id, row.code].append(row)
        people = sorted({item.membership_id for item in asked if item.membership_id})
        members = {row.pk: row for row in _MEMBERS.rows(people)} if rows else {}
        all_rows = [row for found_rows in rows.values() for row in found_rows]
        return cls(dict(rows), members, CodeUses(all_rows, asked, latest))

    def answers(self, asked: CodesAsked, now: dt.datetime, keep: _Keep) -> Answers:
        """Each code once, in its order; what counts is kept by `keep`."""
        counting: set[int] = set()
        return tuple(self._answers(asked, now, keep, counting))

    def _answers(
        self, asked: CodesAsked, now: dt.datetime, keep: _Keep, counting: set[int]
    ) -> Iterator[CodeAnswer]:
        for told in dict.fromkeys(asked.codes):
            row = self._row(asked, told)
            if row is None:
                yield CodeAnswer(told, reason="unknown")
                continue
            reason = "together" if row.campaign_id in counting else self._reason(row, asked, now)
            if not reason:
                counting.add(row.campaign_id)
                keep(row, asked)
            yield CodeAnswer(told, draw_of(row.campaign), row.campaign.name, reason)

    def _row(self, asked: CodesAsked, told: str) -> PromoCode | None:
        """The one whose campaign is on then, else the newest."""
        rows = self.rows.get((asked.program_id, plain(told)), [])
        on = [row for row in rows if _is_on(row, asked)]
        return next(iter([*on, *rows]), None)

    def _reason(self, row: PromoCode, asked: CodesAsked, now: dt.datetime) -> str:
        campaign = row.campaign
        if not self.again and not _is_on(row, asked):
            return _why_not_on(campaign, asked.at)
        if self.uses.of_holder(row, asked.holder) is not None:
            return ""
        member = self.members.get(asked.membership_id)
        if member is None:
            return "needs_member" if campaign.audience or campaign.holdout else self._left(row, now)
        if not self.again and not self._is_for(campaign, member, asked.at):
            return "not_for_you"
        if self._used_by_member(row, asked, now):
            return "used_by_member"
        takes_over = asked.holder and not self.own_holds_count
        if takes_over and self.uses.own_hold(row, member.pk):
            return ""
        return self._left(row, now)

    def _is_for(self, campaign: Campaign, member: Membership, at: dt.datetime) -> bool:
        key = campaign.pk, member.pk
        if key not in self._for:
            self._for[key] = is_for(campaign, member, at)
        return self._for[key]

    def _used_by_member(self, row: PromoCode, asked: CodesAsked, now: dt.datetime) -> bool:
        """What a cart of theirs keeps is not in the way of an order, which takes it over."""
        most = codes_of(row.campaign).per_member
        holds = now if self.own_holds_count else None
        return most is not None and most <= self.uses.count(
            row, asked.membership_id, but=asked.holder, holds_after=holds
        )

    def _left(self, row: PromoCode, now: dt.datetime) -> str:
        if row.most_uses is None or row.uses_taken < row.most_uses:
            return ""
        return "" if row.uses_taken - self.uses.passed(row, now) < row.most_uses else "used_up"

    def use(self, row: PromoCode, asked: CodesAsked, now: dt.datetime) -> None:
        """By an order: what a cart of the member keeps becomes its own, else it is a new one."""
        if self.uses.of_holder(row, asked.holder) is not None:
            return
        held = self.uses.own_hold(row, asked.membership_id)
        if held is not None:
            self.uses.take_over(held, asked.holder, now)
        else:
            self.uses.add(row, asked, now, None)


def _is_on(row: PromoCode, asked: CodesAsked) -> bool:
    return f"{CAMPAIGN_RULES}{row.campaign.code}" in asked.rules


def _why_not_on(campaign: Campaign, at: dt.datetime) -> str:
    if campaign.starts_at is not None and at < campaign.starts_at:
        return "not_yet"
    ends_at = campaign.ended_at or campaign.ends_at
    return "over" if ends_at is not None and ends_at <= at else "not_on"
