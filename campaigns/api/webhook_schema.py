"""The catalog of events in the OpenAPI document: its section `webhooks`."""

from __future__ import annotations

from typing import Any

from campaigns.webhook_events import message_schema, sample_message, told_types
from members.public_events import EventType

_HEADERS = {
    "webhook-id": "The same whenever this is sent again.",
    "webhook-timestamp": "When this attempt was sent, in seconds since 1970.",
    "webhook-signature": "One or more of “v1,…”, as Standard Webhooks says.",
}


def add_webhooks(result: dict[str, Any], **_how: Any) -> dict[str, Any]:
    """Called by drf-spectacular once the rest is there. Many types tell the same data, so these are
    components."""
    schemas = result["components"]["schemas"]
    for kind in told_types():
        schemas[_name(kind)] = kind.schema
    result["webhooks"] = {kind.name: {"post": _operation(kind)} for kind in told_types()}
    return result


def _name(kind: EventType) -> str:
    return f"Told{kind.data.__name__}"


def _operation(kind: EventType) -> dict[str, Any]:
    schema = message_schema(kind)
    schema["properties"]["data"] = {"$ref": f"#/components/schemas/{_name(kind)}"}
    return {
        "operationId": f"webhook_{kind.name.replace('.', '_')}",
        "description": str(kind.sentence),
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            {
                "in": "header", "name": name, "required": True, "description": text,
                "schema": {"type": "string"},
            }
            for name, text in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": schema, "example": sample_message(kind),
                }
            },
        },
        "responses": {"2XX": {"description": "It has arrived. Anything else is tried again."}},
    }  # fmt: skip
