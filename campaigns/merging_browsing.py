"""What two customers who are one looked at: all of it is the kept one's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from campaigns.models import BrowsingEvent
from campaigns.services.browsing import agreed_among
from campaigns.services.browsing_sums import rebuild_sums
from campaigns.services.forgotten_browsing import forget_browsing
from members.formatting import format_number
from members.merging import MergeHandler, MergeRow, MergeSection, Merging, Record
from members.merging import register_merge_handler as register_handler
from members.models import Customer


def preview_browsing(kept: Customer, merged: Customer, _now: datetime) -> Sequence[MergeSection]:
    counts = [BrowsingEvent.objects.filter(customer=one).count() for one in (kept, merged)]
    if not any(counts):
        return ()
    row = MergeRow(
        _("Looked at in the shop"), format_number(counts[0]), format_number(counts[1]),
        format_number(sum(counts)),
        note=_("Where one of them said no to it being kept, all of it is forgotten."),
    )  # fmt: skip
    return (MergeSection(_("Looked at in the shop"), "eye", [row]),)


def merge_browsing(merging: Merging) -> Record:
    """All of it is the kept one's, if they agree to it after the merge; what both were told of by
    the same number was told once."""
    kept, merged = merging.kept, merging.merged
    theirs = BrowsingEvent.objects.filter(customer=merged)
    if kept.pk not in agreed_among([kept.pk]):
        forget_browsing([kept.pk, merged.pk])
        return {"events": []}
    same = BrowsingEvent.objects.filter(customer=kept, external_id=OuterRef("external_id"))
    theirs.filter(Exists(same)).delete()
    moved = list(theirs.values_list("pk", flat=True))
    BrowsingEvent.objects.filter(pk__in=moved).update(customer=kept)
    rebuild_sums([kept.pk, merged.pk], now=merging.now)
    return {"events": moved}


def part_browsing(merging: Merging, record: Record) -> None:
    """Each has their own again; what was forgotten meanwhile stays forgotten."""
    kept, merged = merging.kept, merging.merged
    moved = BrowsingEvent.objects.filter(pk__in=record["events"], customer=kept)
    moved.update(customer=merged)
    rebuild_sums([kept.pk, merged.pk], now=merging.now)


def register() -> None:
    """After it is known what they want; called once, when the application is ready."""
    register_handler(
        "browsing",
        MergeHandler(
            fields=(
                "campaigns.browsingevent.customer", "campaigns.browsingday.customer",
                "campaigns.cartline.customer",
            ),
            preview=preview_browsing,
            merge=merge_browsing,
            undo=part_browsing,
        ),
        order=81,
    )  # fmt: skip
