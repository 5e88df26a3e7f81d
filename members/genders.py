"""What people may say of their gender, if they like. Empty: they have not said."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

GENDERS: dict[str, Promise] = {"female": _("Female"), "male": _("Male"), "other": _("Other")}
_MEANT = {
    **{code: code for code in GENDERS}, "f": "female", "w": "female", "woman": "female",
    "m": "male", "man": "male", "x": "other", "d": "other", "nonbinary": "other",
    "non-binary": "other",
}  # fmt: skip
# As forms offer it.
CHOICES: list[tuple[str, Promise]] = [("", _("Not said")), *GENDERS.items()]


def gender_name(code: str) -> str:
    return str(GENDERS.get(code, code))


def understood(text: str) -> str:
    """What shops and tools mean; empty: it cannot be told, so it was not said."""
    return _MEANT.get(text.strip().lower(), "")
