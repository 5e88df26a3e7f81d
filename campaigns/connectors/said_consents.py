"""What tools and shops say of what somebody wants to be told, in their words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from campaigns.connectors.reading import at_path, instant, text, unreadable
from campaigns.connectors.records import Reading
from members.told_consents import ConsentSaid, understood_consent

Row = Mapping[str, Any]
# What a yes to a newsletter, or to marketing, is a yes to here.
TOPIC = "offers"
# What mail tools call what somebody did.
_EVENTS = {
    "subscribe": True, "profile_subscribed": True, "unsubscribe": False, "hard_bounce": False,
    "spam_complaint": False, "abuse": False, "not_subscribed": None, "never_subscribed": None,
    "pending": None, "transactional": None, "invalid": None, "redacted": None,
}  # fmt: skip


def said_by_customer(
    row: Row, about: Reading, changed: dt.datetime | None
) -> tuple[ConsentSaid, ...]:
    """Beside what else a row says of a customer: a word for each way."""
    at = instant(row, "consent_at", zone=about.zone) or changed
    found = []
    for way in ("email", "sms"):
        wanted = _read(_word(row, f"consent_{way}"), f"consent_{way}")
        if wanted is not None:
            found.append(_said(way, wanted, at, about))
    return tuple(found)


def said_by_row(row: Row, about: Reading) -> ConsentSaid:
    """A row that tells of nothing else."""
    wanted = _read(_word(row, "state"), "state")
    if wanted is None:
        raise unreadable("state", _("It says neither yes nor no."))
    at = instant(row, "said_at", zone=about.zone) or about.received_at
    return ConsentSaid(
        text(row, "channel", longest=16) or "email", text(row, "topic", longest=16) or TOPIC,
        wanted, at,
        evidence=text(row, "evidence") or about.source, field="state",
    )  # fmt: skip


def said_to_shopify(payload: Row, about: Reading) -> Iterator[ConsentSaid]:
    """Of each way with its own time. Who was never asked, or has not confirmed it, says nothing.
    https://shopify.dev/docs/api/admin-rest/latest/resources/customer"""
    for way, path in (("email", "email_marketing_consent"), ("sms", "sms_marketing_consent")):
        state = text(payload, f"{path}.state").lower()
        if state not in ("subscribed", "unsubscribed"):
            continue
        at = instant(payload, f"{path}.consent_updated_at") or instant(payload, "updated_at")
        yield _said(way, state == "subscribed", at, about, text(payload, f"{path}.opt_in_level"))


def said_to_woocommerce(
    payload: Row, changed: dt.datetime, about: Reading
) -> Iterator[ConsentSaid]:
    """The shop itself asks nobody; what the widely used plugin of Mailchimp keeps is read."""
    for item in at_path(payload, "meta_data") or ():
        if text(item, "key") == "mailchimp_woocommerce_is_subscribed":
            wanted = understood_consent(_word(item, "value"))
            if wanted is not None:
                yield _said("email", wanted, changed, about, "Mailchimp for WooCommerce")


def _said(
    way: str, wanted: bool, at: dt.datetime | None, about: Reading, how: str = ""
) -> ConsentSaid:
    evidence = f"{about.source}: {how}" if how else about.source
    return ConsentSaid(way, TOPIC, wanted, at, evidence=evidence[:200], field="consent")


def _word(row: Row, name: str) -> str:
    said = at_path(row, name)
    return ("yes" if said else "no") if isinstance(said, bool) else text(row, name)


def _read(said: str, field: str) -> bool | None:
    word = said.strip().lower()
    if not word or word in _EVENTS:
        return _EVENTS.get(word)
    wanted = understood_consent(word)
    if wanted is None:
        raise unreadable(field, _("It says “%s”, which is neither yes nor no.") % said)
    return wanted
