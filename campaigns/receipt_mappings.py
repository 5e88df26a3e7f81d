"""How a provider tells what became of a message, and what was answered: where it stands in what it
sends, which of its words mean what, and how it signs. A mapping is kept with the way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field

from campaigns.connectors.reading import at_path

MOST_ROWS = 1_000
LONGEST_NAME = 200


class Signed(StrEnum):
    """How it is known who tells it."""

    STANDARD = "standard"
    KEY = "key"
    TWILIO = "twilio"
    META = "meta"


class Outcome(StrEnum):
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    # There is no such address.
    GONE = "gone"


class ReceiptMapping(BaseModel):
    """Paths are names joined by dots; on the way to rows, lists are gone through. `named_at`: where
    the provider's own name for a message stands in its answer to us; empty: it is told ours.
    `gone`: words at `status` or `why` for an address that there is none of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    signed: Signed = Signed.KEY
    named_at: str = Field("", max_length=200)
    rows: str = Field("", max_length=200)
    id: str = Field(max_length=200, min_length=1)
    status: str = Field(max_length=200, min_length=1)
    why: str = Field("", max_length=200)
    to: str = Field("", max_length=200)
    delivered: tuple[str, ...] = ("delivered",)
    undelivered: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    # What members answered, where it comes to the same address. `reply_text`: the first of several
    # that says something, such as what was written, or the button that was pressed.
    reply_rows: str = Field("", max_length=200)
    reply_from: str = Field("", max_length=200)
    reply_text: str = Field("", max_length=200)


PRESETS: dict[str, ReceiptMapping] = {
    "twilio": ReceiptMapping(
        signed=Signed.TWILIO, named_at="sid", id="MessageSid", status="MessageStatus",
        why="ErrorCode", to="To", delivered=("delivered", "read"), undelivered=("undelivered",),
        failed=("failed",), gone=("30005", "30006"), reply_from="From", reply_text="Body",
    ),
    "meta": ReceiptMapping(
        signed=Signed.META, named_at="messages.0.id", rows="entry.changes.value.statuses", id="id",
        status="status", why="errors.0.code", to="recipient_id", delivered=("delivered", "read"),
        failed=("failed",), gone=("131026",),
        reply_rows="entry.changes.value.messages", reply_from="from",
        reply_text="text.body, button.text",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a provider as a message is handed over, so that it can tell what became of
    it: its own name for the message, and, where it is not told once for all, where to tell it."""

    name_path: str = ""
    callback: str = ""


NOTHING = Asked()


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one message."""

    name: str
    outcome: Outcome
    to: str


@dataclass(frozen=True, slots=True)
class Reply:
    sender: str
    text: str


class UnreadableError(Exception):
    """It is neither JSON nor a form."""


def read_body(body: bytes, content_type: str) -> Any:
    """JSON, or a form, by what it says it is."""
    try:
        if "form-urlencoded" in content_type.lower():
            return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableError from error


def outcomes_in(told: Any, mapping: ReceiptMapping) -> Iterator[Told]:
    """What is told of messages; what is on its way, and what cannot be read, is passed over."""
    for row in _rows(told, mapping.rows):
        name, outcome = _text(row, mapping.id), _outcome(row, mapping)
        if name and outcome is not None:
            yield Told(name[:LONGEST_NAME], outcome, _text(row, mapping.to))


def replies_in(told: Any, mapping: ReceiptMapping) -> Iterator[Reply]:
    if not (mapping.reply_from and mapping.reply_text):
        return
    for row in _rows(told, mapping.reply_rows):
        sender = _text(row, mapping.reply_from)
        texts = (_text(row, path.strip()) for path in mapping.reply_text.split(","))
        text = next(filter(None, texts), "")
        if sender and text:
            yield Reply(sender, text)


def name_in(answer: bytes, path: str) -> str:
    """The provider's own name for a message, from its answer; empty: it cannot be read."""
    try:
        return _text(json.loads(answer), path)[:LONGEST_NAME]
    except (ValueError, RecursionError):
        return ""


def _outcome(row: Any, mapping: ReceiptMapping) -> Outcome | None:
    status, why = (_text(row, path).lower() for path in (mapping.status, mapping.why))
    words = {
        Outcome.DELIVERED: mapping.delivered,
        Outcome.UNDELIVERED: mapping.undelivered,
        Outcome.FAILED: mapping.failed,
    }
    found = next((key for key, known in words.items() if _among(status, known)), None)
    is_gone = _among(status, mapping.gone) or _among(why, mapping.gone)
    # An error beside a message that arrived says nothing of its address.
    return Outcome.GONE if is_gone and found != Outcome.DELIVERED else found


def _among(word: str, known: tuple[str, ...]) -> bool:
    return bool(word) and word in {one.lower() for one in known}


def _rows(told: Any, path: str) -> list[Mapping[str, Any]]:
    found = [told]
    for part in path.split(".") if path else ():
        found = [
            item[part]
            for one in found
            for item in (one if isinstance(one, list) else [one])
            if isinstance(item, Mapping) and part in item
        ]
    flat = [item for one in found for item in (one if isinstance(one, list) else [one])]
    return [row for row in flat[:MOST_ROWS] if isinstance(row, Mapping)]


def _text(row: Any, path: str) -> str:
    found = at_path(row, path) if path else None
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    return str(found).replace("\x00", "").strip()[:500]
