"""What members answer to a message: a word by which they want nothing more."""

from __future__ import annotations

import datetime as dt
import re

from django.db import transaction
from django.utils.crypto import constant_time_compare

from campaigns.addresses import digest_of
from campaigns.channels import Channel, channel_named
from campaigns.models import ChannelSetting, ConsentChange, ContactAddress
from campaigns.services.consents import set_consents
from campaigns.topics import choosable_topics
from members.errors import DomainError
from members.kept_secrets import revealed
from members.models import Customer
from members.phones import normalize_phone
from members.selectors.merges import current
from members.services.audit import SYSTEM

# Those that networks know everywhere, besides the merchant's own.
STOP_WORDS = frozenset({
    "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "ARRET", "STOPP", "BERHENTI", "ALTO",
})  # fmt: skip
_WORD = re.compile(r"\w+")


def way_of_token(channel: str, token: str) -> tuple[Channel, ChannelSetting] | None:
    """The way that this is the secret address of."""
    found = channel_named(channel)
    setting = ChannelSetting.objects.filter(pk=channel).first()
    if found is None or setting is None or not found.by_word:
        return None
    secret = revealed(setting.stop_token)
    return (found, setting) if secret and constant_time_compare(secret, token) else None


@transaction.atomic
def note_reply(
    *, channel: Channel, setting: ChannelSetting, sender: str, text: str, now: dt.datetime
) -> bool:
    """Withdraw what they want by this way, if that is what they say. Returns whether they did.
    Told again it changes nothing; of a number that nobody has, too."""
    words = _WORD.findall(text.upper())
    if len(words) != 1 or words[0] not in STOP_WORDS | {setting.stop_word or "STOP"}:
        return False
    for owner in _owners(channel, sender):
        decline(customer=owner, channel=channel.key, now=now)
    return True


def decline(*, customer: Customer, channel: str, now: dt.datetime) -> None:
    """They want nothing more by this way that can be declined."""
    set_consents(
        customer=current(customer),
        wanted={(channel, topic.code): False for topic in choosable_topics()},
        source=ConsentChange.Source.REPLY, actor=SYSTEM, now=now,
    )  # fmt: skip


def _owners(channel: Channel, sender: str) -> list[Customer]:
    """All who are told there: who named the number, and whose phone it is."""
    # As Twilio writes whose WhatsApp it is.
    number = sender.removeprefix("whatsapp:").strip()
    try:
        number = normalize_phone(number if number.startswith("+") else f"+{number}")
    except DomainError:
        return []
    named = ContactAddress.objects.select_related("customer__merged_into")
    found = [row.customer for row in named.filter(channel=channel.key, digest=digest_of(number))]
    found += Customer.objects.select_related("merged_into").filter(phone=number)
    owners = {owner.pk: owner for owner in map(current, found)}
    # In one order, so that no two wait for each other.
    return [owners[pk] for pk in sorted(owners)]
