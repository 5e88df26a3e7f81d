"""How public events name members, programs and units."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from loyalty.models import Membership, WalletType
from loyalty.plain_numbers import whole
from members.public_events import CustomerRef, EventData
from members.selectors.told_customers import SAMPLE as CUSTOMER

MEMBERSHIP = "7d4b1c52-54a0-4a55-9a0f-0c6c5f7e2b10"
PROGRAM = "house-of-beans"


class MemberData(EventData):
    """A member of a program."""

    membership: str = Field(
        description="The membership's id in the API.", json_schema_extra={"format": "uuid"}
    )
    program: str = Field(description="The program's code.")
    customer: CustomerRef


SAMPLE_MEMBER = {"membership": MEMBERSHIP, "program": PROGRAM, "customer": CUSTOMER}


def member_values(membership: Membership) -> dict[str, object]:
    """The fields of `MemberData`."""
    return {
        "membership": str(membership.public_id),
        "program": membership.program.code,
        "customer": CustomerRef.of(membership.customer),
    }


def members_by_id(ids: Iterable[int]) -> dict[int, Membership]:
    return Membership.objects.select_related("program", "customer").in_bulk(set(ids))


def units_told(units: int, wallet_type: WalletType) -> str:
    """As the API writes them: all decimals of the wallet type."""
    return f"{whole(units, wallet_type):.{wallet_type.scale}f}"
