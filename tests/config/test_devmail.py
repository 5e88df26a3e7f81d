"""Mail in development: sent by SMTP, kept in a folder, read on a page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client
from pytest_django import Settings

from config.devmail.messages import list_messages, read_message
from config.devmail.server import Delivery
from tests.processes import free_port


@pytest.fixture
def inbox(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A running SMTP server and the folder it delivers into."""
    settings.DEVMAIL_DIR = tmp_path
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    controller = Controller(Delivery(tmp_path), hostname="127.0.0.1", port=settings.EMAIL_PORT)
    controller.start()
    yield tmp_path
    controller.stop()


def send(subject: str, text: str, html: str = "") -> None:
    connection = get_connection("django.core.mail.backends.smtp.EmailBackend")
    mail = EmailMultiAlternatives(
        subject, text, "Setia <no-reply@setia.example>", ["ana@example.com"], connection=connection
    )
    if html:
        mail.attach_alternative(html, "text/html")
    assert mail.send() == 1


def test_a_message_sent_is_a_message_kept(inbox: Path) -> None:
    send("Your code: Καλημέρα", "Your code is 123456.", "<p>Your code is <b>123456</b>.</p>")
    (message,) = list_messages(inbox)
    assert message.subject == "Your code: Καλημέρα"
    assert message.recipients == "ana@example.com"
    assert message.sender == "Setia <no-reply@setia.example>"
    assert message.text.strip() == "Your code is 123456."
    assert read_message(inbox, message.name) == message


def test_the_newest_message_comes_first(inbox: Path) -> None:
    for number in range(3):
        send(f"Message {number}", "text")
    assert [message.subject for message in list_messages(inbox)] == [
        "Message 2",
        "Message 1",
        "Message 0",
    ]


def test_html_alone_is_shown_without_its_tags(inbox: Path) -> None:
    (inbox / "1-00000000.eml").write_bytes(
        b"Subject: Hello\r\nContent-Type: text/html\r\n\r\n"
        b"<style>p {color: red}</style><p>Fish &amp; chips</p>"
    )
    assert read_message(inbox, "1-00000000").text == "Fish & chips"


@pytest.mark.parametrize("name", ["../secret-key", "1-0000000", "..", "1-00000000.eml", "x"])
def test_only_names_of_messages_are_read(inbox: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        read_message(inbox, name)


@pytest.mark.django_db
def test_the_pages_show_and_delete_messages(inbox: Path, client: Client) -> None:
    assert client.get("/dev/inbox/").status_code == 200
    send("Your code", "<script>alert(1)</script> 123456")
    listed = client.get("/dev/inbox/").content.decode()
    assert "Your code" in listed
    (message,) = list_messages(inbox)
    shown = client.get(f"/dev/inbox/{message.name}/").content.decode()
    assert "123456" in shown
    assert "<script>alert" not in shown
    source = client.get(f"/dev/inbox/{message.name}/source/")
    assert source["Content-Type"].startswith("text/plain")
    assert client.get("/dev/inbox/1-ffffffff/").status_code == 404
    assert client.get("/dev/inbox/clear/").status_code == 405
    assert client.post("/dev/inbox/clear/").status_code == 302
    assert list_messages(inbox) == []
