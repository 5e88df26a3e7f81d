"""What is told outside of who takes part in challenges, and who wins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import ChallengeEntry, ChallengeWin
from loyalty.selectors.telling.people import MEMBERSHIP, PROGRAM
from members.models import OutboxEvent
from members.models.telling import ToldRow
from members.public_events import CustomerRef, EventData, EventType, PublicEvent, named_rows
from members.selectors.told_customers import SAMPLE as CUSTOMER

STARTED, PROGRESSED = "challenge.started", "challenge.progressed"
NEARLY, ENDED = "challenge.nearly_there", "challenge.ended"
WON, UNDONE = "challenge.won", "challenge.undone"
State = ChallengeEntry.State


class ChallengeData(EventData):
    """How far somebody is in a challenge, as it is when it is told."""

    challenge: str = Field(description="The challenge's id in the API: GET /challenges/{id}.")
    code: str = Field(description="The challenge's code.")
    program: str = Field(description="The program's code.")
    membership: str = Field(description="The membership's id in the API.")
    customer: CustomerRef
    entry: str = Field(description="Tells apart what somebody takes part in twice.")
    state: ChallengeEntry.State
    percent: int = Field(description="How far the next time is that it is done.")
    rounds: int = Field(description="How often it was done so far.")
    starts_at: dt.datetime
    ends_at: dt.datetime


class ChallengeWonData(EventData):
    """Somebody has done a challenge, or has it no more because what was bought for it came back."""

    challenge: str = Field(description="The challenge's id in the API: GET /challenges/{id}.")
    code: str = Field(description="The challenge's code.")
    program: str = Field(description="The program's code.")
    membership: str = Field(description="The membership's id in the API.")
    customer: CustomerRef
    entry: str = Field(description="Tells apart what somebody takes part in twice.")
    number: int = Field(description="For the how many-th time.")
    reached_at: dt.datetime = Field(description="When the order was placed that made it whole.")
    badge: str = Field(description="The badge that it brings; or empty.")
    redemption: str | None = Field(description="The reward, by its id in the API; null: none.")


_ENTRY, _ID = "8f14e45f-ceea-467f-a0e6-1d2b3c4d5e6f", "c9f0f895-fb98-4b91-9d0b-7d6a5b4c3d2e"
_START, _END = dt.datetime(2026, 3, 2, tzinfo=dt.UTC), dt.datetime(2026, 3, 16, tzinfo=dt.UTC)
_SAMPLE = ChallengeData(
    challenge=_ID, code="coffee-week", program=PROGRAM, membership=MEMBERSHIP, customer=CUSTOMER,
    entry=_ENTRY, state=State.OPEN, percent=40, rounds=0, starts_at=_START, ends_at=_END,
)  # fmt: skip
_WON = ChallengeWonData(
    challenge=_ID, code="coffee-week", program=PROGRAM, membership=MEMBERSHIP, customer=CUSTOMER,
    entry=_ENTRY, number=1, reached_at=_END - dt.timedelta(days=2), badge="Coffee lover",
    redemption=None,
)  # fmt: skip
ENTRY_TYPES = [
    EventType(
        STARTED, _("A member takes part in a challenge."), ChallengeData,
        _SAMPLE.model_copy(update={"percent": 0}),
    ),
    EventType(PROGRESSED, _("A member came further in a challenge, or back."), ChallengeData,
              _SAMPLE),
    EventType(
        NEARLY, _("A member has nearly done a challenge: three quarters of it."), ChallengeData,
        _SAMPLE.model_copy(update={"percent": 80, "state": State.NEAR}),
    ),
    EventType(
        ENDED, _("A challenge is over for a member who has not done it."), ChallengeData,
        _SAMPLE.model_copy(update={"state": State.ENDED}),
    ),
]  # fmt: skip
WIN_TYPES = [
    EventType(WON, _("A member has done a challenge."), ChallengeWonData, _WON),
    EventType(UNDONE, _("What a member had done in a challenge came back."), ChallengeWonData,
              _WON),
]  # fmt: skip


def tell_entries(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _entry_names)
    rows = ChallengeEntry.objects.select_related(
        "challenge__campaign__program", "membership__customer"
    )
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        entry = found[item.row.id]
        # Who has done it once does not hear that they have not.
        if item.name != ENDED or not entry.rounds:
            yield item.told(entry.challenge.campaign.program.code, _data(entry))


def tell_wins(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: [WON if row.became == "won" else UNDONE])
    rows = ChallengeWin.objects.select_related(
        "entry__challenge__campaign__program", "entry__membership__customer", "redemption"
    )
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        win = found[item.row.id]
        yield item.told(win.entry.challenge.campaign.program.code, _won(win))


def _entry_names(row: ToldRow) -> list[str]:
    names = [STARTED] if row.is_new else []
    if set(row.changed) & {"percent", "rounds"}:
        names.append(PROGRESSED)
    if row.became == State.NEAR and row.was in (State.OPEN, None):
        names.append(NEARLY)
    if row.became == State.ENDED and row.was in ChallengeEntry.GOING:
        names.append(ENDED)
    return names


def _data(entry: ChallengeEntry) -> ChallengeData:
    campaign = entry.challenge.campaign
    return ChallengeData(
        challenge=str(campaign.public_id), code=campaign.code, program=campaign.program.code,
        membership=str(entry.membership.public_id),
        customer=CustomerRef.of(entry.membership.customer), entry=str(entry.public_id),
        state=State(entry.state), percent=entry.percent, rounds=entry.rounds,
        starts_at=entry.starts_at, ends_at=entry.ends_at,
    )  # fmt: skip


def _won(win: ChallengeWin) -> ChallengeWonData:
    entry = win.entry
    campaign = entry.challenge.campaign
    return ChallengeWonData(
        challenge=str(campaign.public_id), code=campaign.code, program=campaign.program.code,
        membership=str(entry.membership.public_id),
        customer=CustomerRef.of(entry.membership.customer), entry=str(entry.public_id),
        number=win.number, reached_at=win.reached_at, badge=entry.challenge.badge,
        redemption=str(win.redemption.public_id) if win.redemption else None,
    )  # fmt: skip
