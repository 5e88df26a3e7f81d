"""What higher applications add to the demonstration, once its program and its history are there.

Each part may be run again, after a load that was killed too.
"""

from __future__ import annotations

from collections.abc import Callable

from loyalty.models import Program

Part = Callable[[Program], None]
_parts: dict[str, Part] = {}


def register_demo_part(name: str, part: Part) -> None:
    """Called once, when the application is ready."""
    _parts[name] = part


def run_demo_parts(program: Program) -> None:
    for name in sorted(_parts):
        _parts[name](program)
