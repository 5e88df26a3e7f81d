"""The line to who sends text messages and notifications: any provider that apprise knows.

It says only whether something was taken. Why not is in what it logs: the provider's number, or that
the line broke. So its log is read here, and goes nowhere else, because it has addresses in it. Nor
does it say under which name the provider knows a letter; that is in the answer, which is read, too.
"""

from __future__ import annotations

import contextvars
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import apprise
import requests

from campaigns.approved_lines import knows_approved, say_approved
from campaigns.channels import HandOverError, Letter, UnclearError
from campaigns.pinned_connections import install, pinned
from campaigns.provider_urls import own_address, provider_for
from campaigns.receipt_mappings import NOTHING, Asked, name_in
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
    "whatsapp": {131026},
}
# For: they have told us that they want nothing more.
_STOPPED = {"twilio": {21610}, "whatsapp": {131050}}
# For: nothing else would be taken now either.
_DOWN = {"twilio": {20003, 20429, 20500, 20503, 30001}, "whatsapp": {130429, 131048, 190}}
_LONGEST_ANSWER = 20_000
_answers: contextvars.ContextVar[list[bytes] | None] = contextvars.ContextVar(
    "answers", default=None
)
# What a provider that takes a form is told besides; it takes the place of what stands there.
_form: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar("form", default=None)
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
    if not hasattr(requests.Session.send, "listens"):
        requests.Session.send = _listening(requests.Session.send)  # type: ignore[method-assign]


def _listening(send: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    """Keeps what is answered while a letter is handed over, of this thread alone, and adds to the
    form what apprise has no place for."""

    def heard(
        session: requests.Session, request: requests.PreparedRequest, **more: Any
    ) -> requests.Response:
        if (more_said := _form.get()) and isinstance(request.body, str):
            form = dict(parse_qsl(request.body, keep_blank_values=True)) | more_said
            said = {name: value for name, value in form.items() if value}
            request.prepare_body(urlencode(said), None)
        answer = send(session, request, **more)
        answers = _answers.get()
        if answers is not None and not more.get("stream"):
            answers.append(answer.content[:_LONGEST_ANSWER])
        return answer

    heard.listens = True  # type: ignore[attr-defined]
    return heard


class ProviderLine:
    """Each letter is one request, with time-outs, and is tried once."""

    def __init__(self, channel: str, url: str, *, titled: bool, asked: Asked = NOTHING) -> None:
        self._channel, self._url, self._titled = channel, url, titled
        self._asked = asked

    def hand_over(self, letter: Letter) -> str:
        if not self._url:
            raise HandOverError("no_provider", "unreadable", later=True, outage=True)
        own = self._look_where()
        provider = provider_for(self._url, letter.to, letter.name)
        if provider is None:
            raise HandOverError("address_refused", "", later=False)
        form = self._form(provider, letter)
        taken, heard, answers = self._notify(provider, letter, own, form)
        if not taken:
            raise told_apart(self._channel, urlsplit(self._url).scheme, heard)
        path = self._asked.name_path
        return (name_in(answers[-1], path) if path and answers else "") or letter.name

    def _notify(
        self,
        provider: apprise.NotifyBase,
        letter: Letter,
        own: Target | None,
        form: dict[str, str],
    ) -> tuple[bool, list[str], list[bytes]]:
        """Whether it was taken, what was logged and what was answered. `own`: where it goes, and
        nowhere else."""
        token, answers = _heard.set([]), _answers.set([])
        more = _form.set(form)
        try:
            with pinned(own) if own else nullcontext():
                taken = provider.notify(
                    body=letter.text, title=letter.subject if self._titled else "",
                    body_format=apprise.NotifyFormat.TEXT, notify_type=apprise.NotifyType.INFO,
                )  # fmt: skip
            return bool(taken), _heard.get() or [], _answers.get() or []
        except RefusedAddressError as error:
            raise _nowhere(error) from error
        finally:
            _heard.reset(token)
            _answers.reset(answers)
            _form.reset(more)

    def _form(self, provider: apprise.NotifyBase, letter: Letter) -> dict[str, str]:
        """What is told besides: where to tell what becomes of it, and words that were approved."""
        scheme, callback = urlsplit(self._url).scheme, self._asked.callback
        # What others take is no form, or has no such field.
        form = {"StatusCallback": callback} if callback and scheme == "twilio" else {}
        if letter.approved is None:
            return form
        if not knows_approved(scheme):
            raise HandOverError("not_approved", "", later=False)
        return form | say_approved(provider, scheme, letter.approved)

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
    channel: str, url_of: Callable[[str], str], asked_of: Callable[[str], Asked], *, titled: bool
) -> Callable[[], AbstractContextManager[ProviderLine]]:
    """Opens the line to whoever the merchant has named by then."""

    @contextmanager
    def line() -> Iterator[ProviderLine]:
        yield ProviderLine(channel, url_of(channel), titled=titled, asked=asked_of(channel))

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
