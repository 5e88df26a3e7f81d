"""Two wordings of a rule side by side: which sentences are the same, which are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from loyalty.models import EarningRuleVersion


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """A sentence on each side; empty where the other side has none like it."""

    left: str
    right: str

    @property
    def changed(self) -> bool:
        return self.left != self.right


@dataclass(frozen=True, slots=True)
class Comparison:
    """The two wordings, and their sentences in rows."""

    left: EarningRuleVersion
    right: EarningRuleVersion
    rows: list[ComparedRow]

    @property
    def changes(self) -> int:
        return sum(row.changed for row in self.rows)


def compare(left: Sequence[str], right: Sequence[str]) -> list[ComparedRow]:
    """Sentences that are the same stand beside each other, and what is between them too."""
    rows: list[ComparedRow] = []
    for _tag, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        pairs = zip_longest(left[i1:i2], right[j1:j2], fillvalue="")
        rows += [ComparedRow(one, other) for one, other in pairs]
    return rows
