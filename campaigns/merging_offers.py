"""Personal offers of two customers who turn out to be one person: what either was offered goes on,
once of each campaign."""

from __future__ import annotations

from campaigns.models import PersonalOffer
from members.merging import MergeHandler, Merging, Record, register_merge_handler


def merge_offers(merging: Merging) -> Record:
    """What the duplicate was offered is theirs now, where they were offered nothing of the same
    campaign."""
    moved: list[list[int]] = []
    rows = PersonalOffer.objects.filter(
        membership__customer=merging.merged, membership__merged_into__isnull=False
    )
    for offer in rows.select_related("membership").order_by("pk"):
        kept = offer.membership.merged_into_id
        assert kept is not None
        others = PersonalOffer.objects.filter(campaign=offer.campaign_id, membership=kept)
        came = [pk for pk, _membership in moved]
        if others.exclude(pk__in=came).exists():
            continue
        moved.append([offer.pk, offer.membership_id])
        offer.membership_id = kept
        offer.save(update_fields=["membership"])
    return {"offers": moved}


def part_offers(_merging: Merging, record: Record) -> None:
    """Each is where it was."""
    for pk, membership in record["offers"]:
        PersonalOffer.objects.filter(pk=pk).update(membership=membership)


def register() -> None:
    """After memberships know which of them counts; called once, when the application is ready."""
    register_merge_handler(
        "offers",
        MergeHandler(
            fields=(), merge=merge_offers, undo=part_offers,
        ),
        order=86,
    )  # fmt: skip
