"""What is told outside of memberships and their tiers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from loyalty.models import Membership, TierChange
from loyalty.selectors.telling.people import (
    SAMPLE_MEMBER,
    MemberData,
    member_values,
    members_by_id,
)
from members.models import OutboxEvent
from members.models.telling import ToldRow
from members.public_events import EventType, PublicEvent, named_rows

Status = Membership.Status


class MembershipData(MemberData):
    """A membership, and how it came about."""

    status: Membership.Status
    enrolled_at: dt.datetime
    source: Membership.Source = Field(description="How they joined.")


class TierData(MemberData):
    """A member has another tier than was told last."""

    was: str = Field(description="The code of the tier before.")
    tier: str = Field(description="The code of the tier now.")
    since: dt.datetime = Field(description="From when on it counts; it may be told later.")
    reason: str = Field(
        description="joined, reached, revoked, review, grace, dropped_out, changed, manual or"
        " manual_ended."
    )


def _sample(status: str) -> MembershipData:
    at = dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)
    return MembershipData(**SAMPLE_MEMBER, status=status, enrolled_at=at, source="till")


MEMBERSHIP_TYPES = tuple(
    EventType(name, sentence, MembershipData, _sample(status))
    for name, sentence, status in (
        ("membership.joined", _("Somebody became a member, or is one again."), "active"),
        ("membership.suspended", _("A membership was suspended."), "suspended"),
        ("membership.resumed", _("A suspended membership goes on."), "active"),
        ("membership.left", _("A member left."), "left"),
        ("membership.merged", _("A membership went up in another one of its program."), "merged"),
    )
)
TIER_TYPES = (
    EventType(
        "tier.changed",
        _("A member has another tier."),
        TierData,
        TierData(
            **SAMPLE_MEMBER, was="silver", tier="gold", reason="reached",
            since=dt.datetime(2026, 3, 4, 16, 12, tzinfo=dt.UTC),
        ),
    ),
)  # fmt: skip


def tell_memberships(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _names)
    members = members_by_id(item.row.id for item in named)
    for item in named:
        member = members[item.row.id]
        data = MembershipData.model_validate(
            member_values(member)
            | {"status": item.row.became, "enrolled_at": member.enrolled_at,
               "source": member.source}
        )  # fmt: skip
        yield item.told(member.program.code, data)


def _names(row: ToldRow) -> Iterable[str]:
    match row.was, row.became:
        # Who was merged is a member again when that is undone.
        case (None | Status.LEFT | Status.MERGED, Status.ACTIVE):
            yield "membership.joined"
        case (Status.SUSPENDED, Status.ACTIVE):
            yield "membership.resumed"
        case (_, Status.SUSPENDED):
            yield "membership.suspended"
        case (_, Status.LEFT):
            yield "membership.left"
        case (_, Status.MERGED):
            yield "membership.merged"


def tell_tiers(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    """Outbox events of `tier.changed`, whose rows never change."""
    changes = TierChange.objects.in_bulk([event.payload["change"] for event in events])
    members = members_by_id(event.payload["membership"] for event in events)
    for event in events:
        change = changes[event.payload["change"]]
        member = members[change.membership_id]
        data = TierData.model_validate(
            member_values(member)
            | {"was": change.was, "tier": change.became, "since": change.at, "reason": change.why}
        )
        yield PublicEvent(
            "tier.changed", f"tier:{change.pk}", event.created_at, member.program.code, data
        )
