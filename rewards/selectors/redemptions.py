"""What members took."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from loyalty.models import Membership
from loyalty.selectors.selves import selves
from members.errors import NotFoundError
from members.prepared import KeptQuery
from rewards.models import Redemption, Reward, Voucher

# What has a page of its own instead of a code to be shown.
WITHOUT_CODE = Q(reward__sent=True) | Q(reward__kind=Reward.Kind.CONTENT)


def redemptions() -> QuerySet[Redemption]:
    """With all that is shown of it."""
    return Redemption.objects.select_related(
        "reward__program", "reward__wallet_type", "reward__event", "reward__content_item",
        "membership__customer", "membership__program", "voucher", "gift_card", "credit", "staff",
        "drawn__program",
    )  # fmt: skip


def of_member(membership: Membership) -> Q:
    """What a member took, also under an account that was merged into theirs."""
    return Q(membership__in=selves([membership]))


def redemption_rows() -> QuerySet[Redemption]:
    """With what is needed to change it and to answer for it, and no more: the database plans a
    wide join longer than it runs it."""
    return Redemption.objects.select_related(
        "reward__program", "reward__wallet_type", "membership__customer", "membership__program",
        "spent__wallet",
    )  # fmt: skip


def get_redemption(public_id: UUID | str) -> Redemption:
    """Raises NotFoundError."""
    found = _with_id.first(UUID(str(public_id)))
    if found is None:
        raise NotFoundError("There is no such redemption.")
    return found


def redemption_of_key(key: str) -> Redemption | None:
    """What was taken by a key."""
    return _of_key.first(key)


def locked_row(pk: int) -> Redemption:
    """What is needed to change it, as it is now that nobody else can."""
    return _locked.one(pk)


_with_id = KeptQuery(lambda public_id: redemption_rows().filter(public_id=public_id))
_of_key = KeptQuery(lambda key: redemption_rows().filter(key=key))
_locked = KeptQuery(lambda pk: redemption_rows().select_for_update(of=("self",)).filter(pk=pk))


def taken_by(members: Sequence[Membership]) -> QuerySet[Redemption]:
    """What these members took, also under accounts that were merged into theirs."""
    return redemptions().filter(membership__in=selves(members))


def open_vouchers(membership: Membership, now: dt.datetime) -> QuerySet[Redemption]:
    """What a member can use now."""
    usable = Q(voucher__expires_at=None) | Q(voucher__expires_at__gt=now)
    found = taken_by([membership]).filter(usable, voucher__status=Voucher.Status.ISSUED)
    return found.exclude(WITHOUT_CODE)
