"""This application's part in a merge of two customers."""

from __future__ import annotations

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
