"""Where mail providers tell what became of mails: only if it can be checked who says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import URLResolver, include, path


def mail_event_urls(provider: str, anymail: Mapping[str, Any]) -> list[URLResolver]:
    """None without a provider, and none without the secret: everybody could tell anything then."""
    if not provider or not anymail.get("WEBHOOK_SECRET"):
        return []
    return [path("mail-events/", include("anymail.urls"))]
