"""What the development phone was sent."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    channel: str
    to: str
    title: str
    text: str
    received_at: datetime


def keep(folder: Path, channel: str, told: dict[str, Any]) -> None:
    """As a file; the name orders them by arrival."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{time.time_ns()}-{os.urandom(4).hex()}"
    kept = {"channel": channel, "to": str(told.get("to", "")), "title": str(told.get("title", "")),
            "text": str(told.get("message", ""))}  # fmt: skip
    # A reader never sees half a message.
    fresh = folder / f".{name}"
    fresh.write_text(json.dumps(kept))
    fresh.rename(folder / f"{name}.json")


def list_texts(folder: Path, *, limit: int = 100) -> list[Text]:
    """The newest first."""
    paths = sorted(folder.glob("[0-9]*.json"), reverse=True)[:limit]
    return [Text(received_at=_when(path), **json.loads(path.read_text())) for path in paths]


def clear(folder: Path) -> None:
    for path in folder.glob("[0-9]*.json"):
        path.unlink(missing_ok=True)


def _when(path: Path) -> datetime:
    return datetime.fromtimestamp(int(path.stem.split("-", maxsplit=1)[0]) / 1e9, tz=UTC)
