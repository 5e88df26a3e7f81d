"""What is wrong with the rows of a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from members.errors import DomainError
from members.formatting import format_number

# A file with more rows that are none is another one than was meant; nobody corrects so many.
MOST = 100_000


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one cell. `row` counts from 1, the header of a CSV file being row 1."""

    file: str
    row: int
    column: str
    value: str
    reason: str
    code: str = "invalid"


class RowErrors(list[RowError]):
    """Those of a file that is being read, at most `MOST`. Raises DomainError for more."""

    def append(self, error: RowError) -> None:
        super().append(error)
        if len(self) > MOST:
            raise _too_many(self[0])

    def extend(self, errors: Iterable[RowError]) -> None:
        for error in errors:
            self.append(error)


def _too_many(first: RowError) -> DomainError:
    words = _("More than %(most)s rows are not right, so nothing came in. The first is %(row)s of"
              " %(file)s: %(reason)s")  # fmt: skip
    said = {"most": format_number(MOST), "row": first.row, "file": first.file}
    return DomainError(words % {**said, "reason": first.reason}, code="too_many_errors")
