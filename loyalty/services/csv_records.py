"""The records of a CSV file, read without ever holding more than one of a bounded length."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import IO

from django.utils.translation import gettext as _

from loyalty.services.import_bodies import LONGEST_LINE


def records(
    stream: IO[bytes], *, first: int, undecodable: str, nul: str
) -> Iterator[tuple[int, list[str], str]]:
    """Number, cells, and why it is no record: those of a stream from where it is, counted from
    `first`. `undecodable`: what is done with bytes that are no text; `nul`: what stands for NUL."""
    lines = _Lines(stream, undecodable, nul)
    reader = csv.reader(lines)
    number = first
    while True:
        lines.size = 0
        try:
            yield number, next(reader), ""
        except StopIteration:
            return
        except _TooLongError:
            yield number, [], _("A row has at most one megabyte.")
        except csv.Error as error:
            yield number, [], _("Not readable as CSV: %s.") % error
        number += 1


class _TooLongError(Exception):
    """A record comes to more than a row may."""


class _Lines:
    """The lines that a record is made of, as long as they come to no more than it may."""

    def __init__(self, stream: IO[bytes], undecodable: str, nul: str) -> None:
        self._stream, self._undecodable, self._nul = stream, undecodable, nul
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self._stream.readline(LONGEST_LINE + 1)
        if not raw:
            raise StopIteration
        self.size += len(raw)
        if self.size > LONGEST_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = self._stream.readline(LONGEST_LINE)
            raise _TooLongError
        return raw.decode("utf-8", self._undecodable).replace("\0", self._nul)
