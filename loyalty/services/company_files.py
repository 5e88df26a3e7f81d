"""A file of companies and their buyers: one row for each buyer, those of a company together or not.

Everything stays text here; what a cell means is the business of `company_imports`.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import gettext as _

from loyalty.services.bulk_sources import without_nul
from loyalty.services.import_files import opened
from members.errors import DomainError, FieldError

# What is said about the company; the first row of it that says something decides.
OF_COMPANY = (
    "name", "legal_name", "registration_number", "vat_number", "billing_email", "address",
    "employees", "tags", "manager",
)  # fmt: skip
OF_BUYER = ("customer_id", "email", "given_name", "family_name", "role")
COLUMNS = ("company_id", *OF_COMPANY, *OF_BUYER)
MOST_ROWS = 20_000
LONGEST_CELL = 501


@dataclass(frozen=True, slots=True)
class BuyerRow:
    number: int
    cells: dict[str, str]


@dataclass(slots=True)
class CompanyRows:
    """A company as the file has it: by its number, with the row that says each detail."""

    external_id: str
    details: dict[str, tuple[int, str]] = field(default_factory=dict)
    buyers: list[BuyerRow] = field(default_factory=list)

    @property
    def first_row(self) -> int:
        return self.buyers[0].number


def read_companies(path: Path) -> list[CompanyRows]:
    """In the order in which companies appear. Raises DomainError on `file`."""
    found: dict[str, CompanyRows] = {}
    for number, cells in _rows(path):
        external_id = cells.get("company_id", "")
        company = found.setdefault(external_id, CompanyRows(external_id))
        for name in OF_COMPANY:
            if cells.get(name):
                company.details.setdefault(name, (number, cells[name]))
        company.buyers.append(BuyerRow(number, cells))
    if not found:
        raise _unreadable(_("There is nobody in it."))
    return list(found.values())


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    rows: list[tuple[int, dict[str, str]]] = []
    with opened(path) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        try:
            head = text.readline(10_000)
            delimiter = max(",;\t", key=head.count)
            columns = [
                name.strip().lower() for name in next(csv.reader([head], delimiter=delimiter), [])
            ]
            _check(columns)
            for number, row in enumerate(csv.reader(without_nul(text), delimiter=delimiter), 2):
                if not any(cell.strip() for cell in row):
                    continue
                if len(rows) >= MOST_ROWS:
                    raise _unreadable(_("These are more than 20,000 rows. Split them up."))
                cells = zip(columns, row, strict=False)
                rows.append((number, {name: cell.strip()[:LONGEST_CELL] for name, cell in cells}))
        except UnicodeDecodeError as error:
            raise _unreadable(_("The file is not written in UTF-8.")) from error
        except csv.Error as error:
            raise _unreadable(_("The file is not readable as CSV: %s.") % error) from error
    return rows


def _check(columns: list[str]) -> None:
    unknown = sorted(set(columns) - set(COLUMNS) - {""})
    if len(set(columns)) < len(columns):
        raise _unreadable(_("The first line names a column twice."))
    if "company_id" not in columns or not {"customer_id", "email"} & set(columns):
        raise _unreadable(
            _("The first line must name the columns; missing: %s.") % "company_id, customer_id"
        )
    if unknown:
        raise _unreadable(_("These columns are not known: %s.") % ", ".join(unknown))


def _unreadable(message: str) -> DomainError:
    return DomainError(message, code="unreadable_file", errors=[FieldError("file", message)])
