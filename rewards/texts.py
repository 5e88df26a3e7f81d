"""What a reward is called, and what is said of it, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from members.languages import said_in
from rewards.models import Reward

NAMES = ("name", "summary", "details")
# In which members can be told of rewards, whether or not the screens speak them.
LANGUAGES: dict[str, Any] = dict(settings.KNOWN_LANGUAGES)


@dataclass(frozen=True, slots=True)
class Told:
    """A reward in one language; what is not said in it is as in the first one."""

    name: str
    summary: str
    details: str


def told(reward: Reward, locale: str = "") -> Told:
    """In the language of `locale`, or of the page where that is empty."""
    said: Mapping[str, str] = said_in(reward.texts, locale) or {}
    return Told(**{name: said.get(name) or getattr(reward, name) for name in NAMES})


def other_languages(first: str) -> list[tuple[str, str]]:
    """Those that can be written besides the merchant's own, with their names."""
    return [(code, str(name)) for code, name in LANGUAGES.items() if code != first]
