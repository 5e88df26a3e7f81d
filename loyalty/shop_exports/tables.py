"""A CSV file of somebody else's: its encoding and its separator are found out, not asked for."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from loyalty.services.import_files import opened
from members.errors import DomainError, FieldError

SEPARATORS = (",", ";", "\t", "|")
# Long enough to hold the header of the widest export there is.
SNIFFED = 1 << 16
SAMPLED = 500
MOST_ROWS = 100_000
MOST_COLUMNS = 300
# Of that many rows, generously, and unpacked.
LARGEST = 256 << 20
# A first line that tells spreadsheets what separates cells; no record of the table.
_SAYS_SEPARATOR = re.compile(r'\ufeff?"?sep=(.)"?\s*', re.IGNORECASE).fullmatch
_NEW_LINE = re.compile(r"\r\n?|\n")
# Put behind the last line: where it is no row of its own, a quotation mark was never closed.
_END = "\x1fend"
# How csv says that a cell exceeds what it reads of one.
_TOO_LONG = "field larger than field limit"


@dataclass(frozen=True, slots=True)
class Table:
    """How a file is written, what its columns are called, and how its first rows look."""

    encoding: str
    separator: str
    header: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]

    def column(self, place: int) -> list[str]:
        """What the first rows have in a column, without the empty cells."""
        return [
            row[place].strip() for row in self.sample if place < len(row) and row[place].strip()
        ]


def read_table(path: Path) -> Table:
    """Look into a file. Raises DomainError where there is no table in it."""
    try:
        with opened(path) as stream:
            start = stream.read(SNIFFED)
        encoding = _encoding(path, start)
        text = start.decode(encoding, errors="replace")
    except (OSError, EOFError) as error:
        raise _no_table(_("This file cannot be read: %s.") % error) from error
    if start.startswith((b"PK", b"\xd0\xcf\x11\xe0", b"%PDF")):
        raise _no_table(
            _("This is a workbook, not CSV. In your spreadsheet choose Save as, and CSV UTF-8.")
        )
    if "\0" in text:
        raise _no_table(_("This is no text. Choose the CSV file that your shop exports."))
    separator = _separator(text)
    with _records(path, encoding, separator) as records:
        header = tuple(name.strip() for name in next(records, []))
        sample = tuple(tuple(row) for row, _number in zip(records, range(SAMPLED), strict=False))
    _check(header, sample)
    return Table(encoding, separator, header, sample)


def rows_of(path: Path, table: Table) -> Iterator[tuple[int, list[str]]]:
    """The rows with their numbers, the header being row 1. A record counts as one row, also where
    a cell of it holds line breaks."""
    with _records(path, table.encoding, table.separator) as records:
        next(records, None)
        for number, row in enumerate(records, start=2):
            if number > MOST_ROWS + 1:
                words = _("At most %s rows at once. Split the file, or export a shorter time.")
                raise _no_table(words % f"{MOST_ROWS:,}")
            if any(row):
                yield number, row


def check_rows(path: Path, table: Table) -> None:
    """Refuse too many rows before anybody looks at columns. Raises DomainError."""
    for _row in rows_of(path, table):
        pass


@contextmanager
def _records(path: Path, encoding: str, separator: str) -> Iterator[Iterator[list[str]]]:
    with opened(path) as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
        yield _readable(csv.reader(_lines(text), delimiter=separator))


def _readable(reader: Any) -> Iterator[list[str]]:
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            if row == [_END]:
                return
            if row and row[-1].endswith(_END):
                raise _no_table(_not_closed(number))
            yield row
    except (csv.Error, EOFError, OSError) as error:
        # A cell that is longer than any is one that was never closed, with all rows behind it.
        if str(error).startswith(_TOO_LONG):
            raise _no_table(_not_closed(number + 1)) from error
        raise _no_table(
            _("Line %(line)s cannot be read: %(error)s.")
            % {"line": reader.line_num + 1, "error": error}
        ) from error


def _not_closed(row: int) -> str:
    words = _(
        "Row %s has a quotation mark that is not closed. Close it, or export the file again if it"
        " was cut off there."
    )
    return words % row


def _lines(text: Any) -> Iterator[str]:
    for number, line in enumerate(text):
        if number or not _SAYS_SEPARATOR(line):
            yield line.replace("\0", "")
    yield _END


def _encoding(path: Path, start: bytes) -> str:
    """How it is written. Read in pieces up to a limit: packed, a small file may hold a line that is
    longer than all memory."""
    found = "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    decoder, size = codecs.getincrementaldecoder(found)(errors="strict"), 0
    with opened(path) as stream:
        while piece := stream.read(SNIFFED):
            size += len(piece)
            if size > LARGEST:
                words = _("This file holds more than %s MB. Split it, or export a shorter time.")
                raise _no_table(words % (LARGEST >> 20))
            if found == "utf-8-sig" and not _decodes(decoder, piece):
                found = "cp1252"
    return "cp1252" if found == "utf-8-sig" and not _decodes(decoder, b"", final=True) else found


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def _separator(text: str) -> str:
    """What the file itself says; else which makes most columns of the first line: nobody puts a
    semicolon into a column's name."""
    first = _NEW_LINE.split(text.lstrip("\ufeff"), 1)[0]
    said = _SAYS_SEPARATOR(first)
    if said and said[1] in SEPARATORS:
        return said[1]
    counts = {mark: len(next(csv.reader([first], delimiter=mark), [])) for mark in SEPARATORS}
    return max(SEPARATORS, key=lambda mark: counts[mark])


def _check(header: tuple[str, ...], sample: tuple[tuple[str, ...], ...]) -> None:
    if len(header) < 2:
        raise _no_table(
            _("There is only one column. The first line must name the columns of the orders.")
        )
    if len(header) > MOST_COLUMNS:
        raise _no_table(_("More than %s columns: this is no export of orders.") % MOST_COLUMNS)
    if not sample:
        raise _no_table(_("The file names columns, and has no rows."))


def _no_table(words: str) -> DomainError:
    return DomainError(words, code="unreadable_file", errors=[FieldError("file", words)])
