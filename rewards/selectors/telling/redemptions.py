"""What is told outside of what members took, and of its vouchers and parcels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from loyalty.selectors.telling.people import (
    SAMPLE_MEMBER,
    MemberData,
    member_values,
    units_told,
)
from members.models import OutboxEvent
from members.models.telling import ToldRow
from members.public_events import CustomerRef, EventData, EventType, PublicEvent, named_rows
from rewards.models import FulfillmentTask, Redemption, Voucher
from rewards.selectors.redemptions import redemptions

Status = Redemption.Status


class RedemptionData(MemberData):
    """A reward that a member took, or was given."""

    redemption: str = Field(description="Its id in the API: GET /reward-redemptions/{id}.")
    reward: str = Field(description="The reward’s code.")
    status: Redemption.Status
    wallet_type: str
    units: str = Field(description="What it took of the member; 0: it was given.")
    gift: str = Field(description="Why it was given; empty: it was taken.")
    voucher: str | None = Field(description="The voucher’s id; its code is read by the API.")


class VoucherData(EventData):
    """A voucher; its code is worth money and is not told."""

    voucher: str = Field(description="The voucher’s id.")
    program: str
    status: Voucher.Status
    membership: str | None = Field(description="Whose it is; null: it is shared, or in its pool.")
    customer: CustomerRef | None
    reward: str | None = Field(description="The code of the reward that it is of.")
    expires_at: dt.datetime | None


class ParcelData(MemberData):
    """Something that is sent to a member; the address is read by the API."""

    task: str = Field(description="Its id in the API: GET /fulfillment-tasks/{id}.")
    kind: FulfillmentTask.Kind
    status: FulfillmentTask.Status
    redemption: str | None = Field(description="What was taken; null: a surprise, or a note.")
    carrier: str
    tracking_number: str


_ID = "c1f7a1de-7f7b-4b4a-9b0e-0f9e53d51a77"
_VOUCHER = "e2c7f7b0-93ce-4a3d-8c0c-1d8f0b5d2a90"
_TAKEN = SAMPLE_MEMBER | {
    "redemption": _ID, "reward": "free-espresso", "wallet_type": "points", "units": "100",
    "gift": "", "voucher": _VOUCHER,
}  # fmt: skip
REDEMPTION_TYPES = tuple(
    EventType(
        f"redemption.{name}", sentence, RedemptionData,
        RedemptionData.model_validate(_TAKEN | {"status": status}),
    )
    for name, sentence, status in (
        ("reserved", _("A reward is kept for a member."), Status.RESERVED),
        ("issued", _("A member has a reward that can be used."), Status.ISSUED),
        ("used", _("A reward was used."), Status.USED),
        ("expired", _("A reward, or what was kept, ran out."), Status.EXPIRED),
        ("cancelled", _("A reward was canceled."), Status.CANCELED),
        ("refunded", _("What a reward had taken came back."), Status.CANCELED),
        ("reopened", _("A reward can be used again."), Status.ISSUED),
    )
)  # fmt: skip
VOUCHER_TYPES = tuple(
    EventType(
        f"voucher.{name}", sentence, VoucherData,
        VoucherData.model_validate(
            SAMPLE_MEMBER | {"voucher": _VOUCHER, "reward": "free-espresso", "status": status,
                             "expires_at": "2026-06-01T00:00:00Z"}
        ),
    )
    for name, sentence, status in (
        ("issued", _("A voucher was given out."), "issued"),
        ("used", _("A voucher was used at a checkout."), "used"),
        ("expired", _("A voucher ran out."), "expired"),
        ("void", _("A voucher was called back."), "void"),
        ("reopened", _("A voucher can be used again."), "issued"),
    )
)  # fmt: skip
PARCEL_TYPES = tuple(
    EventType(
        f"fulfillment.{name}", sentence, ParcelData,
        ParcelData.model_validate(
            SAMPLE_MEMBER | {"task": "8e0c2b1f-52a1-4cf5-8f1b-5b1a0f7d3c66", "kind": "reward",
                             "status": name, "redemption": _ID, "carrier": "Pos Laju",
                             "tracking_number": "EN123456789MY"}
        ),
    )
    for name, sentence in (
        ("awaited", _("A parcel waits for its address, or waits again.")),
        ("to_do", _("A parcel is to be packed.")),
        ("packed", _("A parcel is packed.")),
        ("sent", _("A parcel was sent.")),
        ("returned", _("A parcel came back.")),
        ("canceled", _("A parcel is not sent.")),
    )
)  # fmt: skip


def tell_redemptions(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _redemption_names)
    found = redemptions().in_bulk([item.row.id for item in named])
    for item in named:
        taken = found[item.row.id]
        unit = taken.reward.wallet_type
        values = member_values(taken.membership) | {
            "redemption": str(taken.public_id), "reward": taken.reward.code,
            "status": item.row.became, "wallet_type": unit.code,
            "units": units_told(taken.units, unit), "gift": taken.gift,
            "voucher": str(taken.voucher.public_id) if taken.voucher else None,
        }  # fmt: skip
        data = RedemptionData.model_validate(values)
        yield item.told(taken.membership.program.code, data)


def _redemption_names(row: ToldRow) -> Iterable[str]:
    if row.was != row.became:
        again = row.became == Status.ISSUED and row.was in (Status.USED, Status.EXPIRED)
        yield "redemption.reopened" if again else f"redemption.{row.became}"
    if "returned_id" in row.changed:
        yield "redemption.refunded"


def tell_vouchers(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _voucher_names)
    rows = Voucher.objects.select_related("program", "reward", "membership__customer")
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        voucher = found[item.row.id]
        member = voucher.membership
        code = voucher.program.code
        data = VoucherData.model_validate(
            {
                "voucher": str(voucher.public_id), "program": code, "status": item.row.became,
                "membership": str(member.public_id) if member else None,
                "customer": CustomerRef.of(member.customer) if member else None,
                "reward": voucher.reward.code if voucher.reward else None,
                "expires_at": voucher.expires_at,
            }
        )  # fmt: skip
        yield item.told(code, data)


def _voucher_names(row: ToldRow) -> Iterable[str]:
    match row.was, row.became:
        case (_, Voucher.Status.WAITING):
            return
        case (Voucher.Status.USED | Voucher.Status.EXPIRED, Voucher.Status.ISSUED):
            yield "voucher.reopened"
        case (_, became):
            yield f"voucher.{became}"


def tell_parcels(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: [f"fulfillment.{row.became}"])
    rows = FulfillmentTask.objects.select_related(
        "membership__program", "membership__customer", "redemption"
    )
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        task = found[item.row.id]
        values = member_values(task.membership) | {
            "task": str(task.public_id), "kind": task.kind, "status": item.row.became,
            "redemption": str(task.redemption.public_id) if task.redemption else None,
            "carrier": task.carrier, "tracking_number": task.tracking_number,
        }  # fmt: skip
        yield item.told(task.membership.program.code, ParcelData.model_validate(values))
