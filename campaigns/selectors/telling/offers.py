"""What is told outside of personal offers and surprises."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import PersonalOffer, SurpriseTicket
from loyalty.selectors.telling.people import SAMPLE_MEMBER, MemberData, member_values
from members.models import OutboxEvent
from members.models.telling import ToldRow
from members.public_events import EventType, PublicEvent, named_rows

MADE, SEEN, TAKEN = "offer.made", "offer.seen", "offer.taken"
SURPRISED = "surprise.given"
State = PersonalOffer.State


class OfferData(MemberData):
    """Something was offered to a member alone, as it is when it is told."""

    campaign: str = Field(description="The campaign's id in the API: GET /campaigns/{id}.")
    offer: str = Field(description="The offer's id in the API.")
    target: str = Field(description="The category or SKU that it holds for.")
    name: str = Field(description="What that is called.")
    state: PersonalOffer.State
    starts_at: dt.datetime
    ends_at: dt.datetime
    taken_at: dt.datetime | None = Field(description="When the order was placed that took it.")


class SurpriseData(MemberData):
    """A member was drawn and got something out of the blue."""

    campaign: str = Field(description="The campaign's id in the API: GET /campaigns/{id}.")
    draw: int = Field(description="The how-many-th round of it.")
    units: bool = Field(description="Whether it was units; points.earned tells of them.")
    redemption: str | None = Field(description="The reward, by its id in the API; null: none.")


_ID, _START = "c9f0f895-fb98-4b91-9d0b-7d6a5b4c3d2e", dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
_OFFER = OfferData(
    **SAMPLE_MEMBER, campaign=_ID, offer="8f14e45f-ceea-467f-a0e6-1d2b3c4d5e6f", target="COFFEE",
    name="COFFEE", state=State.GIVEN, starts_at=_START,
    ends_at=_START + dt.timedelta(days=14), taken_at=None,
)  # fmt: skip
_TAKEN = {"state": State.TAKEN, "taken_at": _START + dt.timedelta(days=3)}
OFFER_TYPES = [
    EventType(MADE, _("Something was offered to a member alone."), OfferData, _OFFER),
    EventType(SEEN, _("A member has seen what was offered to them."), OfferData,
              _OFFER.model_copy(update={"state": State.SEEN})),
    EventType(TAKEN, _("A member took what was offered to them."), OfferData,
              _OFFER.model_copy(update=_TAKEN)),
]  # fmt: skip
SURPRISE_TYPES = [
    EventType(
        SURPRISED, _("A member was surprised with units or a reward."), SurpriseData,
        SurpriseData(**SAMPLE_MEMBER, campaign=_ID, draw=1, units=True, redemption=None),
    ),
]  # fmt: skip


def tell_offers(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _names)
    rows = PersonalOffer.objects.select_related(
        "campaign__program", "membership__program", "membership__customer"
    )
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        offer = found[item.row.id]
        data = OfferData(
            **member_values(offer.membership), campaign=str(offer.campaign.public_id),
            offer=str(offer.public_id), target=offer.target, name=offer.name,
            state=State(offer.state), starts_at=offer.starts_at, ends_at=offer.ends_at,
            taken_at=offer.taken_at,
        )  # fmt: skip
        yield item.told(offer.campaign.program.code, data)


def tell_surprises(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    """Of those who got it; who was drawn and got nothing is not told of."""
    named = named_rows(events, lambda row: [] if row.is_new else [SURPRISED])
    rows = SurpriseTicket.objects.filter(ungiven="").select_related(
        "draw__campaign__program", "membership__program", "membership__customer", "redemption"
    )
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        if (ticket := found.get(item.row.id)) is None:
            continue
        data = SurpriseData(
            **member_values(ticket.membership), campaign=str(ticket.draw.campaign.public_id),
            draw=ticket.draw.number, units=ticket.activity_id is not None,
            redemption=str(ticket.redemption.public_id) if ticket.redemption else None,
        )  # fmt: skip
        yield item.told(ticket.draw.campaign.program.code, data)


def _names(row: ToldRow) -> list[str]:
    if row.is_new:
        return [MADE]
    names = {State.SEEN: SEEN, State.TAKEN: TAKEN}
    # An order that came to nothing makes it one that was only seen, which is no news.
    if row.was == State.TAKEN:
        return []
    return [names[State(row.became)]] if State(row.became) in names else []
