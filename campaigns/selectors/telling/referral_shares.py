"""What is told outside of shares of further purchases of friends who were brought."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import ReferralPayment
from campaigns.selectors.referrals import advocate_of
from loyalty.models import Membership
from loyalty.selectors.telling.people import SAMPLE_MEMBER, MemberData, member_values, units_told
from members.models import OutboxEvent
from members.models.telling import ToldRow
from members.public_events import EventType, PublicEvent, named_rows
from members.selectors.merges import current

PAID, TAKEN_BACK = "referral.share_paid", "referral.share_taken_back"


class ReferralShareData(MemberData):
    """What one side of a referral got of a further purchase; points.earned tells of it, too."""

    referral: str = Field(description="Its id in the API: GET /referrals/{id}.")
    side: ReferralPayment.Side = Field(description="Of whom the member is.")
    order_source: str
    order_external_id: str
    wallet_type: str
    units: str = Field(description="As decimal text: what was given.")
    units_back: str = Field(description="What of it was taken back.")


_SAMPLE = ReferralShareData(
    **SAMPLE_MEMBER, referral="0b8f7c1e-5a77-4c57-8f0f-3f7f0b6f5d10",
    side=ReferralPayment.Side.ADVOCATE, order_source="shop", order_external_id="1002",
    wallet_type="points", units="12", units_back="0",
)  # fmt: skip
SHARE_TYPES = [
    EventType(PAID, _("A share of a friend’s further purchase was given."), ReferralShareData,
              _SAMPLE),
    EventType(TAKEN_BACK, _("A share was taken back, or a part of it: the purchase went back."),
              ReferralShareData, _SAMPLE.model_copy(update={"units_back": "12"})),
]  # fmt: skip


_ADVOCATE = "referral__link__membership"
_JOINED = (
    "order", "wallet_type", "referral__program", "referral__friend",
    f"{_ADVOCATE}__customer", f"{_ADVOCATE}__program",
    f"{_ADVOCATE}__merged_into__customer", f"{_ADVOCATE}__merged_into__program",
)  # fmt: skip


def tell_shares(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _names)
    rows = ReferralPayment.objects.filter(order__isnull=False, missed="")
    found = rows.select_related(*_JOINED).in_bulk([item.row.id for item in named])
    friends = _friends(found.values())
    for item in named:
        payment = found.get(item.row.id)
        if payment is None:
            continue
        referral = payment.referral
        if payment.side == ReferralPayment.Side.ADVOCATE:
            member = advocate_of(referral.link)
        else:
            member = friends.get((current(referral.friend).pk, referral.program_id))
        if member is not None:
            yield item.told(referral.program.code, _data(payment, member))


def _names(row: ToldRow) -> list[str]:
    return [PAID if row.is_new else TAKEN_BACK]


def _friends(payments: Iterable[ReferralPayment]) -> dict[tuple[int, int], Membership]:
    """The memberships of who was brought, by customer and program."""
    referrals = [payment.referral for payment in payments]
    rows = Membership.objects.select_related("customer", "program").filter(
        customer__in={current(item.friend).pk for item in referrals},
        program__in={item.program_id for item in referrals},
    )
    return {(member.customer_id, member.program_id): member for member in rows}


def _data(payment: ReferralPayment, member: Membership) -> ReferralShareData:
    assert payment.order is not None
    assert payment.wallet_type is not None
    unit = payment.wallet_type
    return ReferralShareData(
        **member_values(member), referral=str(payment.referral.public_id),
        side=ReferralPayment.Side(payment.side), order_source=payment.order.source,
        order_external_id=payment.order.external_id, wallet_type=unit.code,
        units=units_told(payment.units, unit), units_back=units_told(payment.units_back, unit),
    )  # fmt: skip
