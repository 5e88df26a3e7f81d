"""How providers are told which of the words that they have approved a message has."""

from __future__ import annotations

import json
from typing import Any

from campaigns.approved_words import Approved
from campaigns.provider_urls import OWN

_KNOW = frozenset({"whatsapp", "gupshup", "twilio"}) | OWN.keys()


def knows_approved(scheme: str) -> bool:
    return scheme in _KNOW


def say_approved(provider: Any, scheme: str, approved: Approved) -> dict[str, str]:
    """Put them into what hands over. Returns what is told by a form besides; empty takes away what
    apprise would say."""
    numbered = {str(at): value for at, value in enumerate(approved.values, start=1)}
    if scheme == "twilio":
        said = {"ContentSid": approved.name, "Body": ""}
        return said | ({"ContentVariables": json.dumps(numbered)} if numbered else {})
    if scheme == "whatsapp":
        provider.template, provider.language = approved.name, approved.language
        provider.components = {
            at: {"type": "text", "text": value} for at, value in numbered.items()
        }
        provider.component_keys = provider.components.keys()
    elif scheme == "gupshup":
        provider.template = approved.name
        provider.template_params = {int(at): ("text", value) for at, value in numbered.items()}
    else:
        values: Any = list(approved.values)
        if scheme.startswith("form"):
            values = json.dumps(values)
        provider.payload_extras = provider.payload_extras | {
            "template": approved.name, "language": approved.language, "variables": values,
        }  # fmt: skip
    return {}
