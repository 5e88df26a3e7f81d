"""The parts of a bundle as people write them, one in each line: “2 category: Coffee, Tea”."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.rules.body_parts import BundlePart, LineFilter

KINDS = {"category": "categories", "product": "skus", "tag": "tags"}
_PIECES = re.compile(r"(?:(\d{1,3})\s*[x×]?\s+)?(.+)", re.IGNORECASE)
_NAMED = re.compile(r"(category|product|tag)s?\s*:\s*(.+)", re.IGNORECASE)
# Not within quotation marks.
_ALSO = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
_SPECIAL = re.compile('[",;]')


def bundle_text(parts: Iterable[BundlePart]) -> str:
    return "\n".join(f"{part.pieces} {_what(part.include)}" for part in parts)


def read_bundle(text: str) -> tuple[BundlePart, ...]:
    """Raises ValueError with the line that cannot be read."""
    return tuple(_read(line.strip()) for line in text.splitlines() if line.strip())


class BundleField(forms.CharField):
    """Gives the parts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=gettext_lazy("What belongs together"), max_length=2000, required=False,
            widget=forms.Textarea(
                attrs={"rows": 3, "placeholder": "1 product: CUP-01\n2 category: Coffee, Tea"}
            ),
            help_text=gettext_lazy(
                "In each line how many pieces, and of what: category, product (its SKU) or tag, a"
                " colon and its name; several names with commas. Or: 1 anything."
            ),
            **options,
        )  # fmt: skip

    def clean(self, value: Any) -> tuple[BundlePart, ...]:
        try:
            return read_bundle(super().clean(value))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


def _read(line: str) -> BundlePart:
    found = _PIECES.fullmatch(line)
    assert found is not None
    pieces = int(found[1] or "1")
    if not 1 <= pieces <= 100:
        raise ValueError(_("Between 1 and 100 pieces, and not “%s”.") % line[:80])
    if found[2].strip().lower() == "anything":
        return BundlePart(pieces=pieces)
    include: dict[str, list[str]] = {}
    for text in _ALSO.split(found[2]):
        named = _NAMED.fullmatch(text.strip())
        names = _names(named[2]) if named else []
        if named is None or not names:
            raise ValueError(_("Write each line as 2 category: Coffee, and not “%s”.") % line[:80])
        include[KINDS[named[1].lower()]] = names
    return BundlePart(pieces=pieces, include=LineFilter.model_validate(include))


def _names(text: str) -> list[str]:
    """With quotation marks around those that have commas."""
    return [
        name.strip() for name in next(csv.reader([text], skipinitialspace=True)) if name.strip()
    ]


def _what(include: LineFilter) -> str:
    said = [
        f"{word}: {', '.join(map(_quoted, getattr(include, name)))}"
        for word, name in KINDS.items()
        if getattr(include, name)
    ]
    return "; ".join(said) or "anything"


def _quoted(name: str) -> str:
    if not _SPECIAL.search(name):
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
