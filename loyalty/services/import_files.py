"""Uploaded files of imports: kept private, and no longer than an import needs them."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.template.defaultfilters import filesizeformat
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _

from loyalty.services.import_rows import LINE_COLUMNS
from members.errors import DomainError
from members.models import Job
from members.services.jobs import start_or_resume_job

KEPT = timedelta(days=7)
# The parameters of jobs that name an uploaded file.
FILES = ("orders", "lines", "people", "companies", "codes", "export", "balances", "lots")
NDJSON = {".ndjson", ".jsonl"}
_UNFINISHED = (Job.State.QUEUED, Job.State.RUNNING, Job.State.FAILED)


def new_folder() -> Path:
    """A folder for the files of one import, which nobody else on the machine can read."""
    folder = _root() / uuid.uuid4().hex
    folder.mkdir(mode=0o700, parents=True)
    return folder


def folder_called(name: str) -> Path:
    """Where the files of a begun import are, by the name that its folder was given."""
    return _root() / name


def store_file(folder: Path, name: str, chunks: Iterable[bytes]) -> Path:
    """Write an uploaded file; of its name only what is harmless in a path is kept."""
    path = folder / get_valid_filename(Path(name).name)[-100:]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
    return path


def store_no_lines(folder: Path) -> Path:
    """A file without lines, for orders of which only the totals are known."""
    header, path = ",".join(LINE_COLUMNS) + "\n", folder / "no-lines.csv"
    return path if path.is_file() else store_file(folder, path.name, [header.encode()])


def is_ndjson(path: Path) -> bool:
    """Whether each line of a file is one JSON object: its name says so, packed or not."""
    return bool({suffix.lower() for suffix in path.suffixes[-2:]} & NDJSON)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A plain or gzipped file, told apart by its content."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if packed else path.open("rb") as stream:
        yield cast(IO[bytes], stream)


def digest_files(said: str, *paths: Path) -> str:
    """The same for the same files of which the same was said, so that a second start is known as
    the same work. Raises DomainError for what cannot be unpacked, or comes to too much."""
    digest = hashlib.sha256(said.encode())
    for path in paths:
        size = 0
        try:
            with opened(path) as stream:
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
                    size += len(chunk)
                    if size > settings.IMPORT_MOST_BYTES:
                        raise too_large()
        except (OSError, EOFError, zlib.error) as error:
            message = _("%(file)s cannot be read as a gzip file: %(error)s") % {
                "file": path.name,
                "error": error,
            }
            raise DomainError(message, code="unreadable_file") from error
    return digest.hexdigest()


def too_large() -> DomainError:
    """A file is larger, or comes to more when it is unpacked, than an import takes."""
    most = filesizeformat(settings.IMPORT_MOST_BYTES)
    message = _("The file comes to more than %s. Split it up.") % most
    return DomainError(message, code="too_large", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def discard_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def start_file_job(**said: Any) -> Job:
    """`start_or_resume_job` for a file that is in a folder of its own: where the same work waits or
    has failed with another upload, that one's folder goes."""
    job = start_or_resume_job(**said)
    before = job.replaced
    if before is not None:
        transaction.on_commit(lambda: discard_replaced(before))
    return job


def discard_replaced(params: Mapping[str, Any]) -> None:
    """Remove the folders of these parameters, but for those that a job names all the same: its dry
    run, which may be confirmed, or whatever reads it now."""
    root = _root()
    for folder in {Path(str(params[name])).parent for name in FILES if name in params}:
        named = Q()
        for name in FILES:
            named |= Q(**{f"params__{name}__startswith": f"{folder}/"})
        # A file that a command was given is not ours.
        if folder.parent == root and not Job.objects.filter(named).exists():
            discard_folder(folder)


def discard_old_files(now: datetime) -> None:
    """Remove uploads that are a week old and that no unfinished import still needs."""
    needed = set()
    for params in Job.objects.filter(state__in=_UNFINISHED).values_list("params", flat=True):
        needed |= {Path(str(params[name])).parent for name in FILES if name in params}
    root = _root()
    if not root.is_dir():
        return
    for folder in root.iterdir():
        try:
            age = now - datetime.fromtimestamp(folder.stat().st_mtime, UTC)
        except FileNotFoundError:
            # Somebody else clears away in the same moment.
            continue
        if age > KEPT and folder not in needed:
            discard_folder(folder)


def _root() -> Path:
    return Path(settings.VAR_DIR) / "imports"
