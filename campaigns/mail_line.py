"""The line to whoever sends mails: a mail server, or a provider by its API (django-anymail)."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parseaddr
from typing import Any

import requests
from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from campaigns.channels import HandOverError, Letter, UnclearError
from members.services.mail import sender

logger = logging.getLogger(__name__)

OK = 250
# The server takes nothing at all now.
CLOSING = 421


class MailLine:
    """One connection for many mails; after an error another one is opened for the next."""

    def __init__(self) -> None:
        self._connection: Any = get_connection()
        self._sender = sender()

    def hand_over(self, letter: Letter) -> str:
        message = EmailMultiAlternatives(
            letter.subject, letter.text, self._sender, [letter.to],
            headers={"Message-ID": _message_id(letter), "Auto-Submitted": "auto-generated",
                     **letter.headers},
            connection=self._connection,
        )  # fmt: skip
        message.attach_alternative(letter.html, "text/html")
        # Providers give it back with what they tell about the mail.
        message.metadata = {"delivery": letter.name}  # type: ignore[attr-defined]
        self._open()
        try:
            self._connection.send_messages([message])
        except Exception as error:
            self.close()
            raise told_apart(error) from error
        status = getattr(message, "anymail_status", None)
        return str(getattr(status, "message_id", None) or _message_id(letter))[:200]

    def _open(self) -> None:
        """Nothing has been handed over by then, whatever goes wrong. Servers hang up on a line that
        was used often, so it is asked first."""
        try:
            open_line = getattr(self._connection, "connection", None)
            if isinstance(open_line, smtplib.SMTP) and open_line.noop()[0] != OK:
                self.close()
        except smtplib.SMTPServerDisconnected:
            self.close()
        try:
            self._connection.open()
        except (smtplib.SMTPException, OSError, AnymailError) as error:
            self.close()
            raise HandOverError("no_provider", _said(error), later=True, outage=True) from error

    def close(self) -> None:
        try:
            self._connection.close()
        except (smtplib.SMTPException, OSError) as error:
            logger.info("the mail server's line broke: %s", type(error).__name__)
        # Django's backend keeps a line that it could not close.
        self._connection = get_connection()


@contextmanager
def mail_line() -> Iterator[MailLine]:
    line = MailLine()
    try:
        yield line
    finally:
        line.close()


def told_apart(error: Exception) -> Exception:
    """What an error while handing over means: refused for good, refused for now, or not known."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            # Of the only recipient there is.
            code, said = next(iter(error.recipients.values()))
            return _by_code(int(code), said, "address_refused")
        case smtplib.SMTPResponseException():
            return _by_code(error.smtp_code, error.smtp_error, "refused")
        case AnymailRecipientsRefused():
            return HandOverError("address_refused", _said(error), later=False, lasting=True)
        case AnymailError():
            return _by_answer(error)
        case smtplib.SMTPNotSupportedError() | ValueError() | UnicodeError():
            return HandOverError("refused", _said(error), later=False)
    return UnclearError(_said(error))


def _by_code(code: int, said: bytes | str, reason: str) -> Exception:
    """An SMTP answer: 4xx is for now, 5xx for good."""
    if code < 0:
        return UnclearError(_words(said))
    later = 400 <= code < 500
    lasting = reason == "address_refused" and code in (550, 551, 553)
    return HandOverError(
        reason, f"{code} {_words(said)}"[:300], later=later, lasting=lasting,
        outage=code == CLOSING,
    )  # fmt: skip


def _by_answer(error: AnymailError) -> Exception:
    """A provider's answer over HTTP, or none."""
    status = getattr(error, "status_code", None)
    if status is None:
        cause = error.__cause__
        never_sent = isinstance(cause, requests.exceptions.ConnectTimeout) or (
            isinstance(cause, requests.exceptions.ConnectionError)
            and "NewConnectionError" in repr(cause)
        )
        if never_sent:
            return HandOverError("no_provider", _said(error), later=True, outage=True)
        if isinstance(cause, requests.exceptions.RequestException):
            return UnclearError(_said(error))
        return HandOverError("refused", _said(error), later=False)
    if status in (408, 502, 504):
        return UnclearError(_said(error))
    later = status == 429 or status >= 500
    return HandOverError("refused", f"HTTP {status}", later=later, outage=later)


def _said(error: Exception) -> str:
    """The kind of error and a number, not its text: that may hold the address."""
    code = getattr(error, "smtp_code", None) or getattr(error, "errno", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


def _words(said: bytes | str) -> str:
    """What a mail server said, without addresses."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return " ".join("…" if "@" in word else word for word in text.split())[:280]


def _message_id(letter: Letter) -> str:
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return f"<{letter.name}@{address.rpartition('@')[2] or 'localhost'}>"
