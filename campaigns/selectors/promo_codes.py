"""The codes of campaigns, and how often they were used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Q

from campaigns.models import Campaign, PromoCode, PromoCodeUse

State = PromoCodeUse.State


@dataclass(frozen=True, slots=True)
class CodeCount:
    """Codes that there are, uses by orders, and those that carts keep now. `most`: uses in all;
    None: no limit."""

    codes: int
    used: int
    held: int
    most: int | None

    @property
    def percent(self) -> int:
        return min((self.used + self.held) * 100 // self.most, 100) if self.most else 0


def count_codes(campaign: Campaign) -> CodeCount:
    codes = campaign.promo_codes.count()
    uses = PromoCodeUse.objects.filter(campaign=campaign).aggregate(
        used=Count("pk", filter=Q(state=State.USED)), held=Count("pk", filter=Q(state=State.HELD))
    )
    single = campaign.codes.get("kind") == "single"
    most = codes if single else campaign.codes.get("most_uses")
    return CodeCount(codes, uses["used"], uses["held"], most)


def latest_uses(campaign: Campaign, limit: int = 8) -> list[PromoCodeUse]:
    """By orders and carts, the newest first."""
    rows = PromoCodeUse.objects.filter(campaign=campaign).exclude(state=State.RELEASED)
    return list(rows.select_related("promo_code", "membership__customer").order_by("-pk")[:limit])


def codes_as_rows(campaign: Campaign) -> Iterator[tuple[str, str]]:
    rows = PromoCode.objects.filter(campaign=campaign).order_by("pk")
    for written, taken in rows.values_list("written", "uses_taken").iterator(2_000):
        yield written, "yes" if taken else ""
