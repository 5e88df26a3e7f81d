"""The line to who sends text messages and notifications: any provider that apprise knows.

It says only whether something was taken. Why not is in what it logs: the provider's number, or that
the line broke. So its log is read here, and goes nowhere else, because it has addresses in it.
"""

from __future__ import annotations

import contextvars
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from urllib.parse import urlsplit

import apprise

from campaigns.channels import HandOverError, Letter, UnclearError
from campaigns.pinned_connections import install, pinned
from campaigns.provider_urls import own_address, provider_for
from campaigns.short_texts import PUSH
from campaigns.webhook_addresses import RefusedAddressError, Target, resolve

_ERROR = re.compile(r"error=(\d{3,6})")
# Nothing left the machine.
_NEVER_SENT = (
    "NewConnectionError", "ConnectTimeout", "ConnectionRefused", "NameResolution", "SSLError",
    "Failed to establish a new connection",
)  # fmt: skip
# Numbers of providers for: there is no such address.
_LASTING = {
    "twilio": {21211, 21214, 21217, 21614, 63003},
    "whatsapp": {131026, 131030},
}
# For: they have told us that they want nothing more.
_STOPPED = {"twilio": {21610}, "whatsapp": {131050}}
# For: nothing else would be taken now either.
_DOWN = {"twilio": {20003, 20429, 20500, 20503, 30001}, "whatsapp": {130429, 131048, 190}}
_heard: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("heard", default=None)


class _Ear(logging.Handler):
    """Keeps what is logged while a letter is handed over, of this thread alone."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = _heard.get()
        if heard is not None and record.levelno >= logging.DEBUG:
            heard.append(record.getMessage()[:2000])


def listen() -> None:
    """Called once, when the application is ready."""
    log = logging.getLogger("apprise")
    if not any(isinstance(handler, _Ear) for handler in log.handlers):
        log.addHandler(_Ear())
    log.setLevel(logging.DEBUG)
    log.propagate = False
    install()


class ProviderLine:
    """Each letter is one request, with time-outs, and is tried once."""

    def __init__(self, channel: str, url: str, *, titled: bool) -> None:
        self._channel, self._url, self._titled = channel, url, titled

    def hand_over(self, letter: Letter) -> str:
        if not self._url:
            raise HandOverError("no_provider", "unreadable", later=True, outage=True)
        own = self._look_where()
        provider = provider_for(self._url, letter.to, letter.name)
        if provider is None:
            raise HandOverError("address_refused", "", later=False)
        taken, heard = self._notify(provider, letter, own)
        if not taken:
            raise told_apart(self._channel, urlsplit(self._url).scheme, heard)
        # Providers know it by names of their own, which are not told here.
        return letter.name

    def _notify(
        self, provider: apprise.NotifyBase, letter: Letter, own: Target | None
    ) -> tuple[bool, list[str]]:
        """Whether it was taken, and what was logged. `own`: where it goes, and nowhere else."""
        token = _heard.set([])
        try:
            with pinned(own) if own else nullcontext():
                taken = provider.notify(
                    body=letter.text, title=letter.subject if self._titled else "",
                    body_format=apprise.NotifyFormat.TEXT, notify_type=apprise.NotifyType.INFO,
                )  # fmt: skip
            return bool(taken), _heard.get() or []
        except RefusedAddressError as error:
            raise _nowhere(error) from error
        finally:
            _heard.reset(token)

    def _look_where(self) -> Target | None:
        """An address of one's own must not lead to what only this machine reaches."""
        own = own_address(self._url)
        if not own:
            return None
        try:
            return resolve(own)
        except (RefusedAddressError, OSError) as error:
            raise _nowhere(error) from error


def _nowhere(error: Exception) -> HandOverError:
    return HandOverError("no_provider", type(error).__name__, later=True, outage=True)


def provider_line(
    channel: str, url_of: Callable[[str], str], *, titled: bool
) -> Callable[[], AbstractContextManager[ProviderLine]]:
    """Opens the line to whoever the merchant has named by then."""

    @contextmanager
    def line() -> Iterator[ProviderLine]:
        yield ProviderLine(channel, url_of(channel), titled=titled)

    return line


def told_apart(channel: str, scheme: str, heard: list[str]) -> Exception:
    """What the log says of a letter that was not taken: refused for good, for now, or not known."""
    said = " ".join(heard)
    if found := _ERROR.findall(said):
        return _by_number(channel, scheme, int(found[-1]))
    if "onnection error" in said or "Socket Exception" in said:
        if any(word in said for word in _NEVER_SENT):
            return HandOverError("no_provider", "not reached", later=True, outage=True)
        return UnclearError("the line broke")
    # It was not even asked, such as for a number that cannot be one.
    return HandOverError("address_refused", "", later=False)


def _by_number(channel: str, scheme: str, number: int) -> Exception:
    """A provider's own number, or that of HTTP."""
    detail = f"HTTP {number}" if number < 600 else f"{scheme} {number}"
    if number in _STOPPED.get(scheme, ()):
        return HandOverError("unsubscribed", detail, later=False, stopped=True)
    if number in _LASTING.get(scheme, ()) or number == 410 or (number == 404 and channel == PUSH):
        return HandOverError("address_refused", detail, later=False, lasting=True)
    if number in {408, 502, 504}:
        return UnclearError(detail)
    # Keys that are wrong, an account without money: nothing is lost by that.
    down = number in {401, 402, 403, 429} or 500 <= number < 600
    if down or number in _DOWN.get(scheme, ()):
        return HandOverError("refused", detail, later=True, outage=True)
    return HandOverError("refused", detail, later=False)
