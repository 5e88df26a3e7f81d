"""What begins a journey."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Trigger:
    """`asks`: which of the settings of `journey_definitions.Start` it has. `by_event`: an event
    tells of it at once; the others are looked for every hour."""

    code: str
    label: Promise
    icon: str
    asks: tuple[str, ...] = ()
    by_event: bool = False
    # Days that are kept every year.
    yearly: bool = False


TRIGGERS = {
    trigger.code: trigger
    for trigger in (
        Trigger("joined", _("Somebody joins"), "user-plus", by_event=True),
        Trigger("order", _("An order is placed"), "receipt", by_event=True),
        Trigger("tier_up", _("A higher tier is reached"), "medal", by_event=True),
        Trigger("tier_ends", _("A tier will be lost in some days"), "trending-down", ("days",)),
        Trigger("birthday", _("A birthday"), "cake", ("days",), yearly=True),
        Trigger("enrollment", _("The day of joining comes back"), "calendar", ("days",),
                yearly=True),
        Trigger("first_order", _("The day of the first order comes back"), "calendar-heart",
                ("days",), yearly=True),
        Trigger("quiet", _("No order for some days"), "moon", ("days",)),
        Trigger("overdue", _("Their own purchase cycle is exceeded"), "clock", ("factor",)),
        Trigger("cart_left", _("A cart is left for some hours"), "shopping-cart", ("hours",)),
        Trigger("looked", _("They looked and ordered nothing for some hours"), "eye", ("hours",)),
        Trigger("balance", _("A balance is reached"), "trophy", ("balances",)),
        Trigger("expiring", _("Units will expire in some days"), "hourglass", ("distances",)),
        Trigger("reachable", _("The first reward can be taken"), "gift"),
        Trigger("near", _("A reward is nearly reached"), "target", ("share",)),
        Trigger("near_tier", _("A tier is nearly reached"), "stairs-up", ("share",), by_event=True),
        Trigger("month", _("A month begins"), "calendar"),
        Trigger("year", _("A year begins"), "calendar"),
    )
}  # fmt: skip


def trigger_label(code: str) -> str:
    return str(TRIGGERS[code].label) if code in TRIGGERS else code
