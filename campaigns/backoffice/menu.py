"""What messages add to the shells of the back-office: an entry, a panel, words of the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.backoffice.places import NAMESPACE
from campaigns.channels import all_channels
from campaigns.models import Consent, Delivery
from campaigns.occasions import all_occasions
from campaigns.topics import known_topics
from campaigns.webhook_addresses import without_secrets
from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
    register_audit_values,
)
from members.navigation import NavItem, register_nav_item
from members.panels import register_customer_panel

Text = str | Promise
ITEM = NavItem(
    "messages",
    _("Messages"),
    f"{NAMESPACE}:occasion_list",
    "mail",
    order=38,
    permission="programs.view",
    match=(f"{NAMESPACE}:",),
    shortcut="g m",
)
ACTIONS = {
    "occasion.set": _("Changed how members are told of something"),
    "messaging.policy": _("Changed when and how often members are written to"),
    "topic.created": _("Added a topic of messages"),
    "topic.changed": _("Changed a topic of messages"),
    "messaging.measuring": _("Changed what is counted of the messages of a program"),
    "template.saved": _("Saved the words of a message"),
    "template.archived": _("Put the words of a message away"),
    "template.tested": _("Sent a message to oneself"),
    "consent.changed": _("Changed what somebody wants to be told"),
    "contact.time_zone": _("Changed by which clock somebody lives"),
    "address.unblocked": _("Let an address be written to again"),
    "channel.set": _("Changed who sends by a way"),
    "channel.forgotten": _("Forgot who sends by a way"),
    "channel.secret": _("Made another secret for a way"),
    "channel.stop_address": _("Made another address for answers"),
    "channel.receipts": _("Said how a provider tells what became of messages"),
    "channel.tested": _("Tried a way"),
    "address.named": _("Named a device or a number"),
    "address.confirmed": _("Showed by a code that a number is theirs"),
    "address.removed": _("Removed a device or a number"),
    "message.sent_again": _("Sent a message again"),
    "broadcast.created": _("Began to write a broadcast"),
    "broadcast.changed": _("Changed a broadcast"),
    "broadcast.scheduled": _("Scheduled a broadcast"),
    "broadcast.withdrawn": _("Took a broadcast back"),
    "broadcast.paused": _("Paused a broadcast"),
    "broadcast.resumed": _("Went on with a broadcast"),
    "broadcast.stopped": _("Stopped a broadcast"),
    "broadcast.deleted": _("Deleted the draft of a broadcast"),
    "journey.created": _("Began to write a journey"),
    "journey.published": _("Put a journey live"),
    "journey.led_in": _("Led a member into a journey"),
    "journey.taken_out": _("Took a member out of a journey"),
    "journey.paused": _("Paused a journey"),
    "journey.resumed": _("Went on with a journey"),
    "journey.ended": _("Ended a journey"),
}
FIELDS = {
    "is_on": _("Is told"),
    "send_at": _("Is sent"),
    "by_member_clock": _("By members' own clocks"),
    "channels": _("Ways"),
    "only_first": _("By the first alone"),
    "provider": _("Provider"),
    "stop_word": _("Word that ends it"),
    "test_to": _("Tests go to"),
    "channel": _("Way"),
    "topic": _("Topic"),
    "quiet_from": _("Quiet from"),
    "quiet_until": _("Quiet until"),
    "cap": _("Messages at most"),
    "cap_days": _("In so many days"),
    "double_opt_in": _("A yes is confirmed"),
    "assumed_topics": _("Told without a yes"),
    "track_clicks": _("Clicks are counted"),
    "track_opens": _("Opens are counted"),
    "tracking_asks": _("Counted only with a yes"),
    "order_days": _("Days for an order"),
    "counted": _("Counted"),
    "email_tracking": _("Counting what they open"),
    "subject": _("Subject"),
    "version": _("Version"),
    "language": _("Language"),
    "occasion": _("Occasion"),
    "trigger": _("Begins with"),
    "email_points": _("Points and tier by e-mail"),
    "email_offers": _("Offers by e-mail"),
    "sms_points": _("Points and tier by text message"),
    "sms_offers": _("Offers by text message"),
    "whatsapp_points": _("Points and tier by WhatsApp"),
    "whatsapp_offers": _("Offers by WhatsApp"),
    "push_points": _("Points and tier by notification"),
    "push_offers": _("Offers by notification"),
    "webhook_points": _("Points and tier by another system"),
    "webhook_offers": _("Offers by another system"),
}


def _channels() -> dict[str, Text]:
    return {channel.key: channel.label for channel in all_channels()}


def _occasions() -> dict[str, Text]:
    return {occasion.code: occasion.label for occasion in all_occasions()}


def _topics() -> dict[str, Text]:
    return {code: topic.label for code, topic in known_topics().items()}


# What the log keeps for programs, as people call it.
VALUES: dict[str, dict[str, Callable[[], Mapping[Any, Text]]]] = {
    "consent.changed": {"": lambda: dict(Consent.State.choices)},
    "message.sent_again": {"state": lambda: dict(Delivery.State.choices), "occasion": _occasions},
    "occasion.set": {"channels": _channels, "topic": _topics},
    "messaging.policy": {"assumed_topics": _topics},
    "template.tested": {"occasion": _occasions, "channel": _channels},
    "channel.tested": {"channel": _channels},
    "address.unblocked": {"channel": _channels},
    "address.named": {"channel": _channels},
    "address.confirmed": {"channel": _channels},
    "address.removed": {"channel": _channels},
}


def register() -> None:
    """Add everything; called once, when the application is ready."""
    register_nav_item(ITEM)
    register_customer_panel(
        "messages", _("Messages"), f"{NAMESPACE}:message_panel", 26, icon="mail", rows=4
    )
    register_audit_actions(ACTIONS)
    register_audit_fields(FIELDS)
    for action, words in VALUES.items():
        register_audit_values(action, words)
    register_audit_target(
        "campaigns.occasionsetting", TargetKind(_("Occasion"), f"{NAMESPACE}:occasion")
    )
    register_audit_target("campaigns.channelsetting", TargetKind(_("Way"), hides=without_secrets))
    register_audit_target("campaigns.messagetemplate", TargetKind(_("Words of a message")))
    register_audit_target(
        "campaigns.broadcast", TargetKind(_("Broadcast"), f"{NAMESPACE}:broadcast")
    )
    register_audit_target("campaigns.journey", TargetKind(_("Journey")))
    register_audit_target("campaigns.messagingpolicy", TargetKind(_("Messages")))
