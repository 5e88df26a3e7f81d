"""The events that webhooks tell, as Markdown: from the catalog itself."""

from __future__ import annotations

import json

from campaigns.webhook_events import sample_message, told_types
from config.documents.parts import cell, table
from members.public_events import EventType

PAGE = "webhooks.md"
NAME = "event_reference"


def event_reference() -> str:
    """Every type with its data, and under it what each kind of data consists of."""
    kinds = told_types()
    rows = [[f"`{kind.name}`", cell(str(kind.sentence)), _link(kind)] for kind in kinds]
    parts = [table(["event", "when", "data"], rows)]
    models = {kind.data: kind for kind in kinds}
    parts += [_section(kind) for _model, kind in sorted(models.items(), key=_by_name)]
    return "\n\n".join(parts)


def _by_name(item: tuple[type, EventType]) -> str:
    return _title(item[1])


def _title(kind: EventType) -> str:
    return kind.data.__name__


def _link(kind: EventType) -> str:
    return f"[{_title(kind)}](#{_title(kind).lower()})"


def _section(kind: EventType) -> str:
    schema = kind.schema
    rows = [
        [f"`{name}`", _type(part), cell(part.get("description", ""))]
        for name, part in schema["properties"].items()
    ]
    sample = json.dumps(sample_message(kind), indent=2, ensure_ascii=False)
    return "\n\n".join(
        [
            f"### {_title(kind)}",
            schema["description"],
            table(["field", "type", "meaning"], rows),
            f"```json\n{sample}\n```",
        ]
    )


def _type(part: dict[str, object]) -> str:
    """ "text, null" or the choices there are."""
    choices = part.get("anyOf")
    if isinstance(choices, list):
        return ", ".join(_type(choice) for choice in choices)
    if isinstance(part.get("enum"), list):
        return ", ".join(f"`{value}`" for value in part["enum"])  # type: ignore[attr-defined]
    names = {"string": "text", "integer": "number", "array": "list", "boolean": "true or false"}
    kind = str(part.get("type", "object"))
    return str(part.get("format") or names.get(kind, kind))
