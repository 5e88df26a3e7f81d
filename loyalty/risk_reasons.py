"""What speaks against a member, in words for staff."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from loyalty.risk_signals import risk_signal

LEVELS = {"low": _("Low"), "medium": _("Medium"), "high": _("High")}
LEVEL_KINDS = {"low": "success", "medium": "warning", "high": "danger"}
_GONE = ngettext_lazy("%(n)s fact of a kind that is gone.", "%(n)s facts of a kind that is gone.",
                      "n")  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeptFact:
    """A fact as a score or a case keeps it."""

    kind: str
    id: int
    at: dt.datetime
    place: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A signal that was found, and by what."""

    key: str
    label: str
    text: str
    weight: int
    facts: list[KeptFact]


def reasons_of(signals: Sequence[dict[str, Any]]) -> list[Reason]:
    """The heaviest first."""
    found = []
    for item in signals:
        signal = risk_signal(item["key"])
        facts = [
            KeptFact(fact["kind"], fact["id"], dt.datetime.fromisoformat(fact["at"]), fact["place"])
            for fact in item["facts"]
        ]
        words = signal.reason if signal else _GONE
        label = str(signal.label) if signal else item["key"]
        found.append(Reason(item["key"], label, words % item["told"], item["weight"], facts))
    return sorted(found, key=lambda reason: -reason.weight)
