"""A file on its way in: written as it comes, never in memory, no larger than an import takes."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from loyalty.services.import_files import store_file, too_large
from members.errors import DomainError

PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that came in; `digest`: of what was sent."""

    path: Path
    digest: str


def store_upload(folder: Path, name: str, chunks: Iterable[bytes], *, packed: bool) -> Stored:
    """Write what comes; `packed`: it is sent gzipped, and written plain. Raises DomainError for
    more than an import takes, sent or unpacked, and for what cannot be unpacked."""
    digest = hashlib.sha256()
    sent = _bounded(chunks, settings.IMPORT_MOST_SENT, digest)
    plain = _bounded(_unpacked(sent), settings.IMPORT_MOST_BYTES) if packed else sent
    path = store_file(folder, name, plain)
    if not path.stat().st_size:
        raise DomainError(_("The file is empty."), code="empty_file")
    return Stored(path, digest.hexdigest())


def _bounded(
    chunks: Iterable[bytes], most: int, digest: hashlib._Hash | None = None
) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise too_large()
        if digest is not None:
            digest.update(chunk)
        yield chunk


def _unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """In pieces of a bounded size, however much a chunk comes to."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                if unpacking.eof:
                    # Several members in a row are one file.
                    unpacking = zlib.decompressobj(wbits=31)
                yield unpacking.decompress(rest, PIECE)
                rest = unpacking.unconsumed_tail or unpacking.unused_data
        yield unpacking.flush()
    except zlib.error as error:
        raise _unreadable() from error
    if not unpacking.eof:
        raise _unreadable()


def _unreadable() -> DomainError:
    return DomainError(_("This cannot be unpacked: it is no whole gzip file."), code="not_gzip")
