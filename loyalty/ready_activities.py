"""Activities that Setia itself knows of, such as having done a challenge.

What they are called is kept in English, as the names that merchants give are kept in theirs, and
is read in the reader's language for as long as nobody has called it something else.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

SUBJECT = "{subject}"
# What people do with Setia itself: where it is told from, that they joined, that all is filled in,
# that they have brought a friend.
OWN_SOURCE = "setia"
SIGN_UP, PROFILE, REFERRAL = "sign-up", "profile", "friend-brought"


@dataclass(frozen=True, slots=True)
class ReadyActivity:
    """Its name, and what members read of it, which ends with `{subject}`; both in English."""

    name: str
    told: str


_ready: dict[str, ReadyActivity] = {}


def register_ready_activity(code: str, ready: ReadyActivity) -> None:
    """Called once, in AppConfig.ready."""
    _ready[code] = ready


def name_for_reader(name: str) -> str:
    """What an activity is called, of which this is the name that is kept."""
    return gettext(name) if any(name == ready.name for ready in _ready.values()) else name


def told_for_reader(said: str) -> str:
    """What was said of an activity when it was posted."""
    for ready in _ready.values():
        before = ready.told.removesuffix(SUBJECT)
        if said.startswith(before):
            return gettext(ready.told).replace(SUBJECT, said.removeprefix(before))
    return said
