"""Addresses of providers as apprise (https://appriseit.com) writes them: which may be used for
which way, and where in them the member's address stands."""

from __future__ import annotations

from email import charset
from functools import cache
from urllib.parse import quote, urlsplit

import apprise
from apprise.manager_plugins import NotificationManager
from django.utils.translation import gettext as _

from campaigns.short_texts import PUSH, SMS, WHATSAPP
from campaigns.webhook_addresses import check_url
from members.errors import DomainError, FieldError

PLACE = "{to}"
# Where our name for the message stands, so that what takes it can say what became of it.
NAME = "{id}"
LONGEST = 1000
# Addresses of one's own: what takes a letter there is the merchant's.
OWN = {"json": "http", "jsons": "https", "form": "http", "forms": "https"}
# Here, too, it is typed which host is reached.
_HOSTS = OWN | {"infobip": "https"}
_PROVIDERS = {
    SMS: frozenset({
        "46elks", "atalk", "bulksms", "burstsms", "clickatell", "clicksend", "d7sms", "elks",
        "httpsms", "infobip", "kaleyra", "kavenegar", "msgbird", "nexmo", "octopush", "plivo",
        "seven", "sinch", "smsmanager", "sns", "telnyx", "twilio", "voipms", "vonage",
    }),
    WHATSAPP: frozenset({"awswhatsapp", "gupshup", "twilio", "whapi", "whatsapp"}),
    PUSH: frozenset({"fcm", "onesignal", "pover", "pushy"}),
}  # fmt: skip
_SAMPLES = {SMS: "+15005550006", WHATSAPP: "+15005550006", PUSH: "u" + "1" * 29}
# Who tries again by itself, or in pieces, sends twice; who does not check whom it talks to tells
# anybody.
_REFUSED = ("retry", "overflow", "verify", "redirect")
# Nothing is read from, or written to, the machine; and no step further than the first answer.
ASSET = apprise.AppriseAsset(
    app_id="Setia", async_mode=False, secure_logging=True, http_redirects=False
)


def check_provider(channel: str, url: str) -> str:
    """What was typed, without blanks around it. Raises DomainError that says what is wrong."""
    url = url.strip()
    if problem := _problem(channel, url):
        raise DomainError(problem, errors=[FieldError("url", problem, "invalid_url")])
    if own := own_address(url):
        check_url(own)
    return url


def provider_for(url: str, to: str, name: str = "") -> apprise.NotifyBase | None:
    """What hands over to this address; none: it cannot be written to."""
    _load_providers()
    filled = url.replace(PLACE, quote(to, safe="")).replace(NAME, quote(name, safe=""))
    made = apprise.Apprise.instantiate(filled, asset=ASSET)
    return made if isinstance(made, apprise.NotifyBase) else None


@cache
def _load_providers() -> None:
    """All of them, once. That for mail changes how every mail of this process is encoded, also what
    it has nothing to do with; that is undone."""
    kept = dict(charset.CHARSETS)
    NotificationManager().load_modules()  # type: ignore[no-untyped-call]
    charset.CHARSETS.clear()
    charset.CHARSETS.update(kept)


def is_own(url: str) -> bool:
    """Whether the merchant's own gateway takes it, to whom our name for it is told."""
    return urlsplit(url).scheme in OWN and NAME in url


def own_address(url: str) -> str:
    """Which address is reached, where it is one of one's own; empty: a provider's. The host is the
    one that apprise reads there: of an address with two “@” others read another one."""
    parts = urlsplit(url)
    if parts.scheme not in _HOSTS:
        return ""
    made = provider_for(url, _SAMPLES[SMS])
    host = str(made.host or "") if made else ""
    port = f":{made.port}" if made and made.port else ""
    return f"{_HOSTS[parts.scheme]}://{host}{port}{parts.path}"


def hint_of(url: str) -> str:
    """As it may be read: without keys."""
    made = provider_for(url, _SAMPLES[PUSH]) or provider_for(url, _SAMPLES[SMS])
    if made is None:
        return ""
    if urlsplit(url).scheme in OWN:
        return own_address(url)[:300]
    return f"{made.service_name} ({urlsplit(url).scheme})"[:300]


def names_for(channel: str) -> list[str]:
    """How addresses for it may begin."""
    return sorted(_PROVIDERS[channel] | OWN.keys())


def _problem(channel: str, url: str) -> str:
    if not url or len(url) > LONGEST or not url.isascii() or any(one.isspace() for one in url):
        return _("Write an address without blanks, of at most %s characters.") % LONGEST
    try:
        parts = urlsplit(url)
        asked = (apprise.NotifyBase.parse_url(url, verify_host=False) or {}).get("qsd", {})
    except ValueError:
        return _("This is not an address like twilio://SID:TOKEN@FROM/{to}.")
    if parts.scheme not in names_for(channel):
        known = ", ".join(names_for(channel))
        return _("It begins with one of these and “://”: %s.") % known
    if PLACE not in url or PLACE in parts.netloc:
        return _("Write {to} where the member’s address stands, after a “/” or a “=”.")
    if NAME in url and (parts.scheme not in OWN or NAME in parts.netloc):
        return _("Write {id} only in an address of your own, after a “/” or a “=”.")
    if refused := [name for name in _REFUSED if name in asked]:
        return _("Leave out “%s”: Setia sees to that itself.") % refused[0]
    if provider_for(url, _SAMPLES[channel]) is None:
        return _("Something is missing in it, or too much. Compare it with the provider’s page.")
    return ""
