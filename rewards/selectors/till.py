"""Who stands at the till: by what they show or say."""

from __future__ import annotations

import re

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from loyalty.models import Membership
from loyalty.selectors.memberships import memberships, with_card
from members.errors import DomainError
from members.phones import normalize_phone, region_of_time_zone
from members.selectors.identities import having_any
from members.selectors.merchants import get_merchant
from members.selectors.merges import current_ids
from rewards.codes import plain
from rewards.models import Voucher

_GROUPING = re.compile(r"[\s-]")


def members_at_till(*, scanned: str = "", phone: str = "", email: str = "") -> list[Membership]:
    """Active memberships of whoever is meant, in the order in which they joined. `scanned`: the
    number of a card or customer, or the code of a voucher, as its picture or print has it. Nobody
    is found by a part of anything."""
    found = memberships().filter(status=Membership.Status.ACTIVE)
    chosen = Q(pk__in=[])
    if scanned:
        chosen |= Q(pk__in=with_card(_GROUPING.sub("", scanned)))
        chosen |= Q(pk__in=with_card(scanned)) | Q(pk__in=_with_voucher(scanned))
    people = having_any(
        email=email, phone=_as_e164(phone), external_ids=[scanned] if scanned else []
    )
    chosen |= Q(customer__in=current_ids(people))
    return list(found.filter(chosen).order_by("enrolled_at", "pk"))


def _with_voucher(written: str) -> QuerySet[Voucher, int]:
    """The keys of the members whose voucher it is, also after a merge."""
    found = Voucher.objects.filter(code=plain(written) or "-", membership__isnull=False)
    return found.values_list(Coalesce("membership__merged_into_id", "membership_id"), flat=True)


def _as_e164(text: str) -> str:
    """Of a number as it is dialed here; "" where it is none."""
    if not text:
        return ""
    try:
        return normalize_phone(text, region=region_of_time_zone(get_merchant().time_zone))
    except DomainError:
        return ""
