"""Which events webhooks tell, and how one reads on its way."""

from __future__ import annotations

from typing import Any

import orjson
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import WebhookEvent
from members.public_events import EventData, EventType, event_type, event_types

PING = "webhook.ping"
TYPES_AT_MOST = 200


class PingData(EventData):
    """A test: somebody wanted to see whether it arrives."""

    endpoint: str = Field(description="The endpoint’s id in the API.")


PING_TYPE = EventType(
    PING,
    _("Somebody sends a test; it comes whatever else is chosen."),
    PingData,
    PingData(endpoint="0d7cbb46-6a34-4c0b-9d0c-5a8c9f3f1a25"),
)


def told_types() -> list[EventType]:
    """All that an endpoint may get, by name."""
    return sorted([*event_types(), PING_TYPE], key=lambda item: item.name)


def told_type(name: str) -> EventType | None:
    return PING_TYPE if name == PING else event_type(name)


def known_types() -> set[str]:
    """Those that an endpoint may ask for."""
    return {item.name for item in event_types()}


def message_id(event: WebhookEvent) -> str:
    """The `webhook-id`: the same for every attempt, and when it is sent again."""
    return f"msg_{event.public_id.hex}"


def message_of(event: WebhookEvent) -> dict[str, Any]:
    """What is told."""
    return {
        "type": event.type,
        "timestamp": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "sequence": event.pk,
        "program": event.program or None,
        "data": event.data,
    }


def body_of(event: WebhookEvent) -> bytes:
    """The same bytes whenever it is sent."""
    return orjson.dumps(message_of(event), option=orjson.OPT_SORT_KEYS)


def message_schema(kind: EventType) -> dict[str, Any]:
    """JSON schema of the whole message."""
    return {
        "type": "object",
        "description": str(kind.sentence),
        "required": ["type", "timestamp", "sequence", "program", "data"],
        "properties": {
            "type": {"const": kind.name},
            "timestamp": {
                "type": "string", "format": "date-time",
                "description": "When it was written down.",
            },
            "sequence": {
                "type": "integer",
                "description": "Grows with every event; of two about the same thing the larger one"
                " is the later.",
            },
            "program": {"type": ["string", "null"], "description": "Its code; null: of none."},
            "data": kind.schema,
        },
        "additionalProperties": False,
    }  # fmt: skip


def sample_message(kind: EventType) -> dict[str, Any]:
    """An example of the whole message."""
    return {
        "type": kind.name,
        "timestamp": "2026-03-01T09:30:02.512Z",
        "sequence": 4711,
        "program": getattr(kind.sample, "program", None),
        "data": kind.sample.model_dump(mode="json"),
    }
