"""What this application knows of a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from loyalty.personal_tables import of_member
from members.personal_data import (
    PersonalData,
    register_not_told,
    register_personal_data,
    table,
)

_CART = "checkout__membership"

PARTS = (
    PersonalData(
        "rewards", _("Rewards"),
        (
            # What was drawn, and the code that is kept for it, are told by the voucher once that
            # is handed out: until then it can be given up.
            of_member(
                "rewards.Redemption",
                without="stocked drawn_stocked draw drawn kept_code override_reason reason",
            ),
            of_member("rewards.Voucher", without="program written"),
            of_member("rewards.VoucherUse", without="slot own_slot"),
            of_member("rewards.StaffOverride", "redemption__membership", for_staff=True),
            of_member("rewards.GiftOccasion"),
            of_member("rewards.RewardGoal"),
            of_member("rewards.AutoTake", without="armed crossings look_at"),
            of_member("rewards.EventWait"),
            of_member("rewards.ContentDownload"),
        ),
    ),
    PersonalData(
        "parcels", _("Parcels"),
        (
            of_member("rewards.FulfillmentTask", without="program forgets_address"),
            of_member("rewards.FulfillmentStep", "task__membership", for_staff=True),
        ),
    ),
    PersonalData(
        "gift_cards", _("Gift cards"),
        (table("rewards.GiftCard", "buyer", without="reason"),),
    ),
    PersonalData(
        "carts", _("Carts"),
        (
            of_member("rewards.Checkout", without="reason"),
            of_member("rewards.CheckoutUnits", _CART),
            of_member("rewards.CheckoutGiftCard", _CART),
            of_member("rewards.CheckoutReward", _CART),
            of_member("rewards.CheckoutVoucher", _CART),
        ),
    ),
)  # fmt: skip
NOT_TOLD: dict[str, str] = {}


def register() -> None:
    """Called once, when the application is ready."""
    for place, part in enumerate(PARTS):
        register_personal_data(part, 200 + place)
    register_not_told(NOT_TOLD)
