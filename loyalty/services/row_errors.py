"""What is wrong with the rows of a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one cell. `row` counts from 1, the header of a CSV file being row 1."""

    file: str
    row: int
    column: str
    value: str
    reason: str
    code: str = "invalid"
