"""What this application knows of a person."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from members.personal_data import (
    PersonalData,
    PersonalTable,
    register_not_told,
    register_personal_data,
    table,
)

_PROGRAM = "program__code"


def of_member(label: str, way: str = "membership", **how: Any) -> PersonalTable:
    """A table whose rows lead to a membership that way; first comes the program."""
    also = [("program", f"{way}__{_PROGRAM}"), *how.pop("also", ())]
    return table(label, f"{way}__customer", also=also, **how)


_WALLET = "wallet__account__membership"
# By the transfer that brought them, which is one of the wallet's: lots are not found by their
# wallet once they are used up. Nor are evaluations and awards by their membership.
_BROUGHT = f"transfer__{_WALLET}"
_LOT = f"lot__{_BROUGHT}"


def _without_keys(signals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was found, without the numbers of rows: some are those of other people's accounts."""
    return [
        item | {"facts": [{name: fact[name] for name in ("kind", "at", "place")}
                          for fact in item["facts"]]}
        for item in signals
    ]  # fmt: skip


_SIGNALS = [("signals", _without_keys)]

PARTS = (
    PersonalData(
        "memberships", _("Memberships and levels"),
        (
            table(
                "loyalty.Membership", "customer", without="merged_into",
            ),
            of_member("loyalty.Absence"),
            of_member("loyalty.MemberTier", without="turn due landing"),
            of_member("loyalty.TierChange"),
            of_member("loyalty.ManualTier", without="reason"),
            of_member("loyalty.FoundingGrant"),
            table("loyalty.Candidate", "customer"),
            table("loyalty.LaunchPlace", "customer"),
        ),
    ),
    PersonalData(
        "risk", _("Fraud review"),
        (
            of_member(
                "loyalty.RiskScore", without="lookalikes cleared", for_staff=True, told=_SIGNALS
            ),
            of_member("loyalty.RiskCase", without="chosen", for_staff=True, told=_SIGNALS),
        ),
    ),
    PersonalData(
        "passes", _("Card in a phone’s wallet"),
        (
            of_member("loyalty.WalletPass", without="digest apple_told_at google_told_at due_at"),
            of_member(
                "loyalty.PassDevice", "wallet_pass__membership", without="wallet_pass push_token"
            ),
        ),
    ),
    PersonalData(
        "units", _("Points, and why"),
        (
            of_member(
                "loyalty.Transfer", _WALLET,
                without="from_account to_account actor pair wallet note",
            ),
            of_member("loyalty.Lot", _BROUGHT, without="wallet"),
            of_member("loyalty.LotUse", _LOT),
            of_member("loyalty.LotChange", _LOT, without="note"),
            of_member("loyalty.AdjustmentRequest", _WALLET, without="wallet", for_staff=True),
            of_member(
                "loyalty.OrderTaking", f"accrual__{_WALLET}", without="key", for_staff=True
            ),
            of_member("loyalty.OccasionGrant"),
            of_member("loyalty.WindowAward", without="merged_into"),
        ),
    ),
    PersonalData(
        "orders", _("Orders"),
        (
            table("loyalty.Order", "customer"),
            # What the shop paid for it says nothing about the buyer.
            table("loyalty.OrderLine", "order__customer", without="unit_cost"),
            table("loyalty.Tender", "order__customer"),
            table("loyalty.UnitTender", "order__customer", without="bearer"),
            table("loyalty.OrderDiscount", "order__customer"),
            table("loyalty.OrderRate", "order__customer"),
            table("loyalty.OrderConversion", "order__customer", also=[("program", _PROGRAM)]),
            table("loyalty.MissingRate", "order__customer", also=[("program", _PROGRAM)]),
            table(
                "loyalty.OrderEvaluation", "order__customer",
                also=[("program", f"membership__{_PROGRAM}")],
            ),
            table("loyalty.Refund", "customer"),
            table("loyalty.RefundLine", "refund__customer"),
        ),
    ),
    PersonalData(
        "activities", _("Activities"),
        (
            table("loyalty.Activity", "customer", without="decision_note"),
            table(
                "loyalty.ActivityAward", "activity__customer",
                also=[("program", f"membership__{_PROGRAM}")],
            ),
        ),
    ),
    PersonalData(
        "plans", _("Paid plans"),
        (
            of_member("loyalty.Subscription", without="provider_method"),
            of_member("loyalty.PlanCharge", "subscription__membership"),
            of_member("loyalty.PlanCredit", "charge__subscription__membership"),
        ),
    ),
    PersonalData(
        "giving", _("Donations"),
        (
            of_member("loyalty.CharityEntry"),
            of_member("loyalty.StandingGift", without="carry looked_at"),
            of_member("loyalty.PledgeEvent"),
        ),
    ),
    PersonalData(
        "pools", _("Shared with others"),
        (
            of_member("loyalty.PoolMember"),
            of_member(
                "loyalty.SpendRequest", "asked_by__membership",
                without="asked_by decided_by",
            ),
        ),
    ),
)  # fmt: skip
NOT_TOLD = {
    "loyalty.UndoneOrder": "which undo of an import canceled the order; its state tells that",
    "loyalty.CapCounter": "counts towards caps, out of movements that are told",
    "loyalty.TierCheckpoint": "from where tiers are worked out on; the tier is told",
    "loyalty.WindowPart": "counts towards awards that are told",
    "loyalty.DiscountBudgetUse": "what of a promotion's budget an order has; the order tells it",
    "loyalty.DiscountEntry": "the shop's books: what discounts cost it",
    "loyalty.PaymentEvent": "what the payment provider called it; the charge is told",
    "loyalty.BulkRow": "a line of a list of the team; the movement is told",
    "loyalty.SettledTransfer": "which month of a partner holds a movement; the movement is told",
    "loyalty.ConvertedWallet": "links two movements that are told",
}


def register() -> None:
    """Called once, when the application is ready."""
    for place, part in enumerate(PARTS):
        register_personal_data(part, 100 + place)
    register_not_told(NOT_TOLD)
