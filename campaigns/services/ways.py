"""Who sends by a way: named by the merchant, tried, and how it does."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.approved_words import Approved
from campaigns.channels import Channel, HandOverError, Letter, UnclearError
from campaigns.models import ChannelOutage, ChannelSetting
from campaigns.provider_urls import check_provider, hint_of
from campaigns.selectors.ways import installed_url, is_usable, setting_of_channel
from campaigns.short_texts import WEBHOOK
from campaigns.webhook_addresses import check_url, without_secrets
from campaigns.webhook_secrets import SEED_BYTES, written
from campaigns.words import reason_words
from members.errors import ConflictError, DomainError, FieldError
from members.kept_secrets import hidden
from members.services.audit import Actor, record_audit

LONGEST_WORD, LONGEST_ADDRESS = 20, 500
# A line or two more than it takes to be seen that something goes out.
_SEEN = dt.timedelta(minutes=1)
_SENT = """
    INSERT INTO campaigns_channelsetting AS s
           (channel, is_on, url, url_hint, secret, receipts, stop_word, stop_token, test_to,
            sent_at, failure)
    VALUES (%(channel)s, true, '', '', '', '{}', 'STOP', '', '', %(now)s, '')
        ON CONFLICT (channel) DO UPDATE SET sent_at = excluded.sent_at
     WHERE s.sent_at IS NULL OR s.sent_at < %(seen)s
"""


@dataclass(frozen=True, slots=True)
class WaySettings:
    """What somebody wrote. `url`: empty, the one that is there stays."""

    is_on: bool
    url: str = ""
    stop_word: str = ""
    test_to: str = ""


@transaction.atomic
def set_way(*, channel: Channel, wanted: WaySettings, actor: Actor) -> ChannelSetting:
    """Raises DomainError that names the field. What changes nothing leaves no trace."""
    url = _checked_url(channel, wanted.url) if wanted.url.strip() else ""
    row = _own_row(channel)
    before = _said(row)
    if url:
        row.url = hidden(url)
        row.failed_at, row.failure = None, ""
        row.url_hint = url[:300] if channel.key == WEBHOOK else hint_of(url)
    if channel.key == WEBHOOK and not row.secret:
        row.secret = hidden(written(secrets.token_bytes(SEED_BYTES)))
    row.is_on = wanted.is_on
    row.stop_word = _checked_word(wanted.stop_word) if channel.by_word else ""
    row.test_to = " ".join(wanted.test_to.replace("\x00", "").split())[:LONGEST_ADDRESS]
    if row.is_on and not (row.url or installed_url(channel.key)):
        message = _("Write the provider’s address first.")
        raise DomainError(message, errors=[FieldError("url", message, "required")])
    row.save()
    after = _said(row)
    if url or before != after:
        # What was wrong with another provider says nothing of this one.
        ChannelOutage.objects.filter(pk=channel.key).delete()
        changed = {name: after[name] for name in after if before[name] != after[name]}
        if url:
            changed["provider"] = without_secrets(row.url_hint)
        record_audit(
            actor=actor, action="channel.set", target=row, after=changed,
            before={name: before[name] for name in changed if name in before},
        )  # fmt: skip
    return row


@transaction.atomic
def forget_provider(*, channel: Channel, actor: Actor) -> None:
    """Its keys are gone; the installation's, if there are any, are used again."""
    row = _own_row(channel)
    if not row.url:
        return
    row.url, row.url_hint = b"", ""
    if row.receipts:
        # What it signs with is a key of it, too.
        row.receipts, row.secret = {}, b""
    row.is_on = bool(installed_url(channel.key))
    row.save()
    ChannelOutage.objects.filter(pk=channel.key).delete()
    record_audit(actor=actor, action="channel.forgotten", target=row)


@transaction.atomic
def renew_signing_secret(*, channel: Channel, actor: Actor) -> str:
    """What signs from now on; it is told once."""
    row = _own_row(channel)
    secret = written(secrets.token_bytes(SEED_BYTES))
    row.secret = hidden(secret)
    row.save()
    record_audit(actor=actor, action="channel.secret", target=row)
    return secret


@transaction.atomic
def renew_stop_address(*, channel: Channel, actor: Actor) -> str:
    """The secret part of the address for answers; the one before it ends at once."""
    row = _own_row(channel)
    token = secrets.token_urlsafe(32)
    row.stop_token = hidden(token)
    row.save()
    record_audit(actor=actor, action="channel.stop_address", target=row)
    return token


def try_way(
    *, channel: Channel, to: str, subject: str, text: str, actor: Actor,
    approved: Approved | None = None,
) -> None:  # fmt: skip
    """Hand one over now, outside of all transactions. Raises DomainError with what the provider
    said."""
    setting = setting_of_channel(channel.key)
    if not is_usable(setting) or channel.open_line is None:
        raise ConflictError(_("Set this way up first."), code="channel_off")
    if not to:
        message = _("Say where tests go: on the page of this way.")
        raise DomainError(message, errors=[FieldError("test_to", message, "required")])
    letter = Letter(
        name=str(uuid4()), to=to, subject=subject, text=text, about={"is_test": True},
        approved=approved,
    )  # fmt: skip
    try:
        with channel.open_line() as line:
            line.hand_over(letter)
    except HandOverError as error:
        words = f"{reason_words(error.reason)} ({error.detail})" if error.detail else ""
        raise DomainError(words or reason_words(error.reason), code="not_taken") from error
    except UnclearError as error:
        raise DomainError(_("It may have arrived: %s.") % error, code="unclear") from error
    if actor.user is not None:
        record_audit(
            actor=actor, action="channel.tested", target=actor.user,
            after={"channel": channel.key},
        )  # fmt: skip


def note_sent(channel: str, now: dt.datetime) -> None:
    """Something was taken; written down once a minute at most."""
    with connection.cursor() as cursor:
        cursor.execute(_SENT, {"channel": channel, "now": now, "seen": now - _SEEN})


def note_failure(channel: str, reason: str, detail: str, now: dt.datetime) -> None:
    """What was wrong last."""
    words = f"{reason} {detail}".strip()[:300]
    ChannelSetting.objects.update_or_create(
        channel=channel, defaults={"failed_at": now, "failure": words}
    )


def _own_row(channel: Channel) -> ChannelSetting:
    ChannelSetting.objects.get_or_create(pk=channel.key)
    return ChannelSetting.objects.select_for_update().get(pk=channel.key)


def _checked_url(channel: Channel, url: str) -> str:
    return check_url(url) if channel.key == WEBHOOK else check_provider(channel.key, url)


def _checked_word(word: str) -> str:
    word = word.strip()
    if len(word) > LONGEST_WORD or (word and not word.isalnum()):
        message = _("Write one word of letters and digits, such as STOP.")
        raise DomainError(message, errors=[FieldError("stop_word", message)])
    return word.upper()


def _said(row: ChannelSetting) -> dict[str, Any]:
    return {"is_on": row.is_on, "stop_word": row.stop_word, "test_to": bool(row.test_to)}
