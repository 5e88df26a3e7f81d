"""Uploaded files of imports: kept private, and no longer than an import needs them."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils.text import get_valid_filename

from loyalty.services.import_rows import LINE_COLUMNS
from members.models import Job

KEPT = timedelta(days=7)
# The parameters of jobs that name an uploaded file.
FILES = ("orders", "lines", "people", "companies", "codes", "export")
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
    header = ",".join(LINE_COLUMNS) + "\n"
    return store_file(folder, "no-lines.csv", [header.encode()])


def discard_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def discard_old_files(now: datetime) -> None:
    """Remove uploads that are a week old and that no unfinished import still needs."""
    needed = set()
    for params in Job.objects.filter(state__in=_UNFINISHED).values_list("params", flat=True):
        needed |= {Path(str(params[name])).parent for name in FILES if name in params}
    root = _root()
    if not root.is_dir():
        return
    for folder in root.iterdir():
        age = now - datetime.fromtimestamp(folder.stat().st_mtime, UTC)
        if age > KEPT and folder not in needed:
            discard_folder(folder)


def _root() -> Path:
    return Path(settings.VAR_DIR) / "imports"
