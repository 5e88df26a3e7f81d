"""This application's part in a merge of two customers."""

from __future__ import annotations

from loyalty.services import merged_candidates
from loyalty.services.merge_previews import preview_joined, preview_parted
from loyalty.services.merging import lock_wallets_of, merge_members, part_members
from members.merging import MergeHandler, register_merge_handler

FOREIGN_KEYS = (
    "loyalty.membership.customer", "loyalty.order.customer", "loyalty.refund.customer",
    "loyalty.activity.customer",
)  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_merge_handler(
        "loyalty",
        MergeHandler(
            fields=FOREIGN_KEYS,
            lock=lock_wallets_of,
            preview=preview_joined,
            merge=merge_members,
            undo=part_members,
            preview_undo=preview_parted,
        ),
        order=50,
    )
    register_merge_handler(
        "candidates",
        MergeHandler(
            fields=merged_candidates.FOREIGN_KEYS,
            preview=merged_candidates.nothing_to_show,
            merge=merged_candidates.merge_candidates,
            undo=merged_candidates.part_candidates,
        ),
        # Once it is known of which programs they are members.
        order=60,
    )
