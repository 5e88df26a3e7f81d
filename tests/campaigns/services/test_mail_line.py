"""Mails go out by a real conversation with a mail server, and its answers are understood."""

import smtplib
import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pytest_django import Settings

from campaigns.channels import HandOverError, UnclearError
from campaigns.mail_line import told_apart
from campaigns.models import Delivery
from campaigns.selectors.consents import blocked_because
from tests.campaigns.factories import send, states, tell
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]


class Server:
    """A mail server that answers as a test wants."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.lines = 0
        self.to_recipient = "250 OK"
        self.to_data = "250 OK"
        self.hang_up = False

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str,
        responses: list[str],
    ) -> list[str]:  # fmt: skip
        self.lines += 1
        session.host_name = hostname  # type: ignore[assignment]
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.hang_up:
            assert server.transport is not None
            server.transport.close()
            return "250 nobody hears this"
        content = envelope.original_content or b""
        self.mails.append(message_from_bytes(content, _class=EmailMessage, policy=policy.default))
        return self.to_data


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = int(probe.getsockname()[1])
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    handler = Server()
    controller = Controller(handler, hostname="127.0.0.1", port=settings.EMAIL_PORT)
    controller.start()
    yield handler
    controller.stop()


def test_many_mails_go_over_one_line_with_all_that_belongs_to_them(server: Server) -> None:
    for number in range(5):
        tell(CustomerFactory(email=f"ana{number}@example.com", given_name="Zoë"), str(number))
    send()
    assert states() == [("sent", "")] * 5
    assert (len(server.mails), server.lines) == (5, 1)
    first = server.mails[0]
    assert first["To"] == "ana0@example.com"
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain, html = (first.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert "Hello Zoë" in str(plain.get_content())
    assert "50 Beans" in str(html.get_content())
    assert first["Message-ID"] == Delivery.objects.order_by("pk")[0].reference


@pytest.mark.parametrize(
    ("to_recipient", "to_data", "state", "blocked"),
    [
        ("550 No such user <ana@example.com>", "250 OK", ("failed", "address_refused"), True),
        ("452 Mailbox full", "250 OK", ("queued", "address_refused"), False),
        ("250 OK", "554 Looks like spam", ("failed", "refused"), False),
        ("250 OK", "451 Try later", ("queued", "refused"), False),
    ],
)
def test_a_refusal_for_good_fails_and_one_for_now_is_tried_again(
    server: Server, to_recipient: str, to_data: str, state: tuple[str, str], blocked: bool
) -> None:
    server.to_recipient, server.to_data = to_recipient, to_data
    tell(CustomerFactory(email="ana@example.com"))
    send()
    assert states() == [state]
    assert (blocked_because("email", "ana@example.com") is not None) is blocked
    assert "ana@example.com" not in Delivery.objects.get().detail


def test_one_that_is_refused_holds_up_none_of_the_others(server: Server) -> None:
    server.to_recipient = "550 No such user"
    tell(CustomerFactory(), "one")
    send()
    server.to_recipient = "250 OK"
    tell(CustomerFactory(), "two")
    send()
    assert states() == [("failed", "address_refused"), ("sent", "")]


def test_a_line_that_breaks_before_the_answer_leaves_it_uncertain(server: Server) -> None:
    server.hang_up = True
    tell(CustomerFactory())
    send()
    assert states() == [("uncertain", "unclear")]


def test_a_mail_server_that_is_not_there_is_tried_again(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(probe.getsockname()[1])
    tell(CustomerFactory())
    send()
    assert states() == [("queued", "no_provider")]


def test_a_provider_by_its_api_is_understood_as_well() -> None:
    import requests
    from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused

    def answered(status: int | None, cause: Exception | None = None) -> Exception:
        error = AnymailAPIError("said", status_code=status)
        error.__cause__ = cause
        return told_apart(error)

    later = answered(503)
    assert isinstance(later, HandOverError)
    assert later.later
    gone = told_apart(AnymailRecipientsRefused("no"))
    assert isinstance(gone, HandOverError)
    assert gone.lasting
    refused = answered(422)
    assert isinstance(refused, HandOverError)
    assert not refused.later
    assert isinstance(answered(504), UnclearError)
    assert isinstance(answered(None, requests.ReadTimeout()), UnclearError)
    never = answered(None, requests.ConnectTimeout())
    assert isinstance(never, HandOverError)
    assert never.later
    assert isinstance(told_apart(smtplib.SMTPServerDisconnected("gone")), UnclearError)
