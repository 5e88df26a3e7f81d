"""What is told outside of referrals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import Referral
from campaigns.selectors.referrals import advocate_of, referrals
from loyalty.selectors.telling.people import MEMBERSHIP, PROGRAM
from members.models import OutboxEvent
from members.public_events import CustomerRef, EventData, EventType, PublicEvent, named_rows
from members.selectors.merges import current
from members.selectors.told_customers import SAMPLE as CUSTOMER

Status = Referral.Status
NAMES = {
    Status.JOINED: ("referral.joined", _("A friend has joined by somebody's link.")),
    Status.PENDING: ("referral.pending", _("A friend has bought; it is paid once they keep it.")),
    Status.IN_REVIEW: ("referral.in_review", _("Something speaks against a referral.")),
    Status.PAID: ("referral.paid", _("Both sides of a referral have got what was promised.")),
    Status.REFUSED: ("referral.refused", _("A referral brings nothing.")),
    Status.LAPSED: ("referral.lapsed", _("A friend has bought nothing in time.")),
    Status.TAKEN_BACK: (
        "referral.taken_back", _("What a referral brought was taken back: the purchase went back."),
    ),
}  # fmt: skip


class ReferralData(EventData):
    """A friend who came by somebody's link, and how far that is."""

    referral: str = Field(description="Its id in the API: GET /referrals/{id}.")
    program: str = Field(description="The program's code.")
    code: str = Field(description="The code by which they came.")
    advocate: str | None = Field(
        description="The membership of who brought them; null: an affiliate did."
    )
    friend: CustomerRef
    via: Referral.Via
    status: Referral.Status = Field(description="As it is when this is told.")
    reasons: list[str] = Field(description="Why it is in review, as codes.")
    refusal: str = Field(description="Why it brings nothing, as a code; or empty.")
    due_at: dt.datetime | None = Field(description="When it can be paid, or lapses.")


_SAMPLE = ReferralData(
    referral="0b8f7c1e-5a77-4c57-8f0f-3f7f0b6f5d10", program=PROGRAM, code="7K3M9QXF",
    advocate=MEMBERSHIP, friend=CUSTOMER, via=Referral.Via.LINK, status=Status.JOINED, reasons=[],
    refusal="", due_at=dt.datetime(2026, 5, 30, 9, 30, tzinfo=dt.UTC),
)  # fmt: skip
_SAID: dict[Referral.Status, dict[str, Any]] = {
    Status.IN_REVIEW: {"reasons": ["same_device"]},
    Status.REFUSED: {"refusal": "refunded"},
}
REFERRAL_TYPES = [
    EventType(
        name, sentence, ReferralData,
        _SAMPLE.model_copy(update={"status": status, **_SAID.get(status, {})}),
    )
    for status, (name, sentence) in NAMES.items()
]  # fmt: skip


def tell_referrals(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: _names(row.was, row.became))
    found = referrals().in_bulk([item.row.id for item in named])
    for item in named:
        referral = found.get(item.row.id)
        if referral is not None:
            yield item.told(referral.program.code, _data(referral))


def _names(was: str | None, became: str) -> list[str]:
    if was == became or became not in NAMES:
        return []
    return [NAMES[Status(became)][0]]


def _data(referral: Referral) -> ReferralData:
    advocate = advocate_of(referral.link)
    return ReferralData(
        referral=str(referral.public_id), program=referral.program.code, code=referral.link.code,
        advocate=str(advocate.public_id) if advocate else None,
        friend=CustomerRef.of(current(referral.friend)), via=Referral.Via(referral.via),
        status=Status(referral.status), reasons=referral.reasons, refusal=referral.refusal,
        due_at=referral.due_at,
    )  # fmt: skip
