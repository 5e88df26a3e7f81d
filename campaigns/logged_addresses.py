"""Addresses in the audit log, which people read who may not change them: their hosts alone."""

from __future__ import annotations

from typing import Any

from campaigns.webhook_addresses import without_secrets


def logged(values: dict[str, Any], name: str) -> dict[str, Any]:
    """With the address of this name as the log keeps it."""
    return values | {name: without_secrets(values[name])} if name in values else values


def logged_change(
    before: dict[str, Any], after: dict[str, Any], name: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both sides. Where the host stayed, that the rest is another one is said without it."""
    was, becomes = logged(before, name), logged(after, name)
    if name in before and was[name] == becomes[name]:
        becomes["other_path"] = True
    return was, becomes
