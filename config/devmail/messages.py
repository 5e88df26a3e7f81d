"""Reading the messages that the development inbox has kept."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html import unescape
from pathlib import Path

NAME = re.compile(r"\d{1,20}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Message:
    """One message as the inbox shows it."""

    name: str
    received_at: datetime
    sender: str
    recipients: str
    subject: str
    text: str


def list_messages(folder: Path, *, limit: int = 200) -> list[Message]:
    """The newest messages, newest first."""
    names = sorted((path.stem for path in folder.glob("[0-9]*.eml")), reverse=True)
    return [read_message(folder, name) for name in names[:limit]]


def read_message(folder: Path, name: str) -> Message:
    """Raises FileNotFoundError for a name that is none of ours."""
    path = path_of(folder, name)
    with path.open("rb") as file:
        mail = BytesParser(EmailMessage, policy=policy.default).parse(file)
    return Message(
        name=name,
        received_at=datetime.fromtimestamp(int(name.split("-", maxsplit=1)[0]) / 1e9, tz=UTC),
        sender=str(mail.get("From", "")),
        recipients=str(mail.get("To", "")),
        subject=str(mail.get("Subject", "")),
        text=text_of(mail),
    )


def path_of(folder: Path, name: str) -> Path:
    if not NAME.fullmatch(name):
        raise FileNotFoundError(name)
    return folder / f"{name}.eml"


def text_of(mail: EmailMessage) -> str:
    """The plain text, or what remains of the HTML without its tags."""
    body = mail.get_body(preferencelist=("plain", "html"))
    if body is None:
        return ""
    content = str(body.get_content())
    if body.get_content_type() == "text/html":
        content = re.sub(r"(?s)<(style|script|head).*?</\1>|<[^>]+>", "", content)
        content = unescape(re.sub(r"\n\s*\n+", "\n\n", content)).strip()
    return content
