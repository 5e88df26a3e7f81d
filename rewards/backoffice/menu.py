"""What rewards add to the shells of the back-office: entries, a panel, words of the log."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.occasion_verdicts import register_occasion_verdicts
from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
)
from members.navigation import (
    NavItem,
    ProgramLink,
    register_nav_item,
    register_program_link,
)
from members.panels import register_customer_panel
from members.places import register_place_finder
from rewards.backoffice.links import NAMESPACE
from rewards.backoffice.reward_places import find_rewards
from rewards.selectors.gift_day_reasons import gift_day_verdicts, has_gift_days

ITEMS = (
    NavItem(
        "redemptions",
        _("Redemptions"),
        f"{NAMESPACE}:redemption_list",
        "gift",
        order=15,
        permission="customers.view",
        section="operations",
        match=(f"{NAMESPACE}:redemption",),
        shortcut="g r",
    ),
    NavItem(
        "gift-cards",
        _("Gift cards"),
        f"{NAMESPACE}:gift_card_list",
        "gift-card",
        order=16,
        permission="customers.view",
        section="operations",
        match=(f"{NAMESPACE}:gift_card",),
    ),
    NavItem(
        "fulfillment",
        _("Fulfillment"),
        f"{NAMESPACE}:task_list",
        "package",
        order=17,
        permission="customers.view",
        section="operations",
        match=(f"{NAMESPACE}:task",),
        shortcut="g f",
    ),
    NavItem(
        "storefront",
        _("Storefront"),
        f"{NAMESPACE}:storefront",
        "building-store",
        order=15,
        permission="merchant.edit",
        section="settings",
    ),
    NavItem(
        "override-limits",
        _("Exceptions for rewards"),
        f"{NAMESPACE}:override_limit_list",
        "door-enter",
        order=51,
        permission="limits.view",
        section="settings",
        match=(f"{NAMESPACE}:override_limit",),
    ),
)
ACTIONS = {
    "storefront.changed": _("Changed what the shop's pages show"),
    "reward.created": _("Made a reward"),
    "reward.changed": _("Changed a reward"),
    "reward.picture_changed": _("Changed a reward's picture"),
    "rewards.sorted": _("Sorted the rewards"),
    "reward.taken": _("Took a reward"),
    "reward.issued": _("Handed a reward out"),
    "reward.used": _("Used a reward"),
    "reward.cancelled": _("Canceled a reward"),
    "reward.reopened": _("Brought a reward back"),
    "reward.minimum_waived": _("Let a code be used for smaller orders"),
    "override_limit.changed": _("Changed how many exceptions a role may make"),
    "reward.given": _("Gave a reward"),
    "reward.given_to_many": _("Gave a reward to many"),
    "gift_day.started": _("Gives a reward on a day of the year"),
    "gift_day.stopped": _("Stopped giving a reward on a day of the year"),
    "checkout.cancelled": _("Let a cart go"),
    "reward.goal_chosen": _("Chose a reward to save for"),
    "reward.goal_dropped": _("Stopped saving for a reward"),
    "reward.auto_chosen": _("Wants a reward taken by itself"),
    "reward.auto_ended": _("Wants no reward taken by itself any more"),
    "reward.auto_refused": _("A reward could not be taken by itself"),
    "shared_code.created": _("Made a shared code"),
    "shared_code.stopped": _("Stopped a shared code"),
    "shared_code.used": _("Used a shared code"),
    "voucher.released": _("Let a voucher go"),
    "gift_card.issued": _("Issued a gift card"),
    "gift_card.activated": _("Sold a gift card"),
    "gift_card.blocked": _("Blocked a gift card"),
    "gift_card.unblocked": _("Let a gift card go"),
    "gift_card.replaced": _("Replaced a gift card"),
    "gift_card.cancelled": _("Canceled a gift card"),
    "gift_card.topped_up": _("Topped up a gift card"),
    "gift_card.moved": _("Put a gift card to store credit"),
    "gift_card.people_forgotten": _("Erased for whom a gift card is"),
    "gift_card_batch.created": _("Made gift cards in bulk"),
    "gift_card_batch.codes_read": _("Fetched the codes of gift cards"),
    "gift_card_batch.codes_forgotten": _("Forgot the codes of gift cards"),
    "credit.refunded": _("Refunded an order as store credit"),
    "reward.unused": _("Took back that a reward was used"),
    "fulfillment.given": _("Gave a gift or a note"),
    "fulfillment.addressed": _("Noted an address"),
    "fulfillment.assigned": _("Said who sends it"),
    "fulfillment.advanced": _("Went on with a parcel"),
    "fulfillment.undone": _("Took a step back"),
    "fulfillment.days": _("Changed how soon is sent"),
    "fulfillment.forgotten": _("Forgot addresses"),
    "content.created": _("Added to the library"),
    "content.changed": _("Changed something in the library"),
    "access_window.created": _("Planned early access"),
    "access_window.changed": _("Changed early access"),
    "access_window.archived": _("Put early access away"),
    "event.changed": _("Changed an event"),
    "event.waited": _("Waits for a seat"),
    "event.left": _("Waits no longer for a seat"),
    "event.missed": _("Noted who did not come"),
    "event.canceled": _("Called an event off"),
    "voucher_pool.created": _("Made a list of codes"),
    "voucher_pool.renamed": _("Renamed a list of codes"),
    "voucher_pool.filled": _("Added codes to a list"),
}
FIELDS: dict[str, str | Promise] = {
    "elements": _("What is shown"),
    "reward": _("Reward"),
    "rewards": _("Rewards"),
    # A number of ours: the reward beside it says what it was.
    "redemption": "",
    "voucher": _("Voucher"),
    "cart": _("Cart"),
    "gift_card": _("Gift card"),
    "what": _("What"),
    "event": _("Event"),
    "window": _("Window"),
    "closes_at": _("Closes"),
    "assignee": _("Who sees to it"),
    "days": _("Days"),
    "sent": _("Is sent"),
    "price": _("Price"),
    "tier_prices": _("Prices by tier"),
    "most_uses": _("How many times"),
    "picture": _("Picture"),
    "texts": _("In further languages"),
    "prizes": _("What may be in it"),
    "let_pass": _("Let pass"),
    "most_in_a_day": _("How many in a day"),
    "units_at_once": _("Units at once"),
    "units_in_a_day": _("Units in a day"),
    "charity": _("Given to"),
    "things": _("Things"),
    "stacking_group": _("Group"),
    "applies": _("Its turn"),
    "stock": _("Stock"),
    "per_member": _("For one member at most"),
    "per_period": _("In which time"),
    "valid_days": _("Days to use it"),
    "worth": _("Worth to a member"),
    "cost": _("Cost"),
    "added": _("Added"),
    "known": _("Known already"),
    "refused": _("Refused"),
}


def register() -> None:
    """Add everything; called once, when the application is ready."""
    for item in ITEMS:
        register_nav_item(item)
    register_customer_panel(
        "rewards", _("Rewards"), f"{NAMESPACE}:redemption_panel", 22, icon="gift", rows=4
    )
    register_customer_panel(
        "checkouts", _("Carts"), f"{NAMESPACE}:checkout_panel", 23, icon="shopping-cart", rows=3
    )
    register_customer_panel(
        "gift-cards", _("Gift cards"), f"{NAMESPACE}:gift_card_panel", 23, icon="gift-card", rows=2
    )
    register_customer_panel(
        "fulfillment", _("Parcels and notes"), f"{NAMESPACE}:task_panel", 24, icon="package", rows=3
    )
    register_occasion_verdicts("rewards", gift_day_verdicts, has_gift_days)
    register_audit_actions(ACTIONS)
    register_audit_fields(FIELDS)
    register_audit_target("rewards.reward", TargetKind(_("Reward"), f"{NAMESPACE}:reward_by_id"))
    register_audit_target(
        "rewards.giftcard", TargetKind(_("Gift card"), f"{NAMESPACE}:gift_card_page")
    )
    register_audit_target("rewards.giftcardbatch", TargetKind(_("Batch of gift cards")))
    register_audit_target(
        "rewards.overridelimit",
        TargetKind(_("Exceptions"), f"{NAMESPACE}:override_limit_list", takes_id=False),
    )
    register_audit_target(
        "rewards.storefront",
        TargetKind(_("Storefront"), f"{NAMESPACE}:storefront", takes_id=False),
    )
    register_audit_target("rewards.voucherpool", TargetKind(_("List of codes")))
    register_place_finder("rewards", find_rewards)
    register_program_link(ProgramLink(_("Rewards"), f"{NAMESPACE}:reward_list", "gift", order=30))
    register_program_link(
        ProgramLink(_("Events"), f"{NAMESPACE}:event_list", "calendar-event", order=31)
    )
    register_program_link(ProgramLink(_("Library"), f"{NAMESPACE}:content_list", "books", order=32))
    register_program_link(
        ProgramLink(_("Early access"), f"{NAMESPACE}:window_list", "door-enter", order=33)
    )
