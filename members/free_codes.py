"""Short names that nobody has yet."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.text import slugify


def code_stem(wished: str, *, otherwise: str, longest: int = 56) -> str:
    """A short name made of what people call something; `otherwise`: where nothing is left of it."""
    return slugify(wished)[:longest].strip("-_").replace("_", "-") or otherwise


def first_free(stem: str, taken: Collection[str]) -> str:
    """The stem, or the first with a number after it that is not taken."""
    numbers = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return next(code for code in (stem, *numbers) if code not in taken)
