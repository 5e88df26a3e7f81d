"""What the parts of a program's definition are called, for people who look at one."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

SECTIONS = {
    "wallet_types": gettext_lazy("Kinds of units"),
    "earning_rules": gettext_lazy("Earning rules"),
    "discount_rules": gettext_lazy("Discounts"),
    "activity_types": gettext_lazy("Activity types, of all programs"),
    "tiers": gettext_lazy("Tiers"),
    "plans": gettext_lazy("Paid plans"),
    "partners": gettext_lazy("Partners"),
    "charities": gettext_lazy("Giving"),
    "pledges": gettext_lazy("Giving"),
    "account_codes": gettext_lazy("Account codes of the journal"),
    "companies": gettext_lazy("New companies"),
    "launch": gettext_lazy("Launch"),
    "pause": gettext_lazy("Pause and end"),
    "ending": gettext_lazy("Pause and end"),
    "voucher_pools": gettext_lazy("Lists of codes"),
    "access_windows": gettext_lazy("Early access"),
    "rewards": gettext_lazy("Rewards"),
    "gift_days": gettext_lazy("Rewards on days of the year"),
    "surveys": gettext_lazy("Surveys"),
    "challenges": gettext_lazy("Challenges"),
    "challenge_levels": gettext_lazy("Levels of challenges"),
    "journeys": gettext_lazy("Journeys"),
    "games": gettext_lazy("Games"),
    "referrals": gettext_lazy("Bringing friends"),
    "campaigns": gettext_lazy("Promotions"),
    "posts": gettext_lazy("Posts"),
}


def section_title(name: str) -> str:
    """That of a field of the definition; what is no list of things is a setting."""
    return str(SECTIONS.get(name, gettext_lazy("Settings")))
