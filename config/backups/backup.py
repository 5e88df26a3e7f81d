"""Making a backup: a dump in PostgreSQL's custom format, and beside it what it must hold.

Dump and figures are taken from one snapshot, so they agree although work goes on meanwhile. A
backup appears under its name when it is whole, written through to the disk, and its figures are
there; whatever interrupts it leaves older backups as they were.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from config.backups import BackupError
from config.backups.figures import LEFT_OUT, Figures, read_rows, read_totals
from config.backups.server import Server
from config.embedded.locks import try_lock

KEPT = 7
NAMES = "setia-*.dump"
PARTIAL = ".partial"
CHUNK = 1 << 20


@dataclass(frozen=True)
class Backup:
    """A finished backup, as the file beside it describes it."""

    path: Path
    taken_at: dt.datetime
    server: int
    bytes: int
    sha256: str
    seconds: float
    figures: Figures

    @classmethod
    def read(cls, path: Path) -> Backup:
        """The backup at `path`, or BackupError if it is none."""
        if not path.is_file():
            raise BackupError(_("There is no file %(path)s.") % {"path": path})
        try:
            noted = json.loads(note_of(path).read_text(encoding="utf-8"))
            return cls(
                path=path,
                taken_at=dt.datetime.fromisoformat(noted["taken_at"]),
                server=noted["server"],
                bytes=noted["bytes"],
                sha256=noted["sha256"],
                seconds=noted["seconds"],
                figures=Figures(**noted["figures"]),
            )
        except FileNotFoundError:
            raise BackupError(
                _(
                    "%(path)s is missing: it says what the dump must hold. The command that makes "
                    "backups writes both; keep them together."
                )
                % {"path": note_of(path)}
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise BackupError(
                _("%(path)s cannot be read: %(error)s") % {"path": note_of(path), "error": error}
            ) from error

    def check(self) -> None:
        """Raise BackupError if the file is not what was written."""
        if sha256_of(self.path) != self.sha256:
            raise BackupError(
                _("%(path)s is damaged: its SHA-256 is not %(sum)s.")
                % {"path": self.path, "sum": self.sha256}
            )

    def note(self) -> str:
        """The text of the file beside the dump."""
        noted = asdict(self) | {"path": self.path.name, "taken_at": self.taken_at.isoformat()}
        return json.dumps(noted, indent=2) + "\n"


def backups_folder() -> Path:
    folder: Path = settings.VAR_DIR / "backups"
    return folder


def list_backups() -> list[Path]:
    """The backups in the default folder, the newest first."""
    return sorted(backups_folder().glob(NAMES), reverse=True)


def make_backup(path: Path | None = None, *, keep: int = KEPT) -> tuple[Backup, list[Path]]:
    """Write a backup to `path`; without one into the default folder, where `keep` remain.

    Returns it, and the older ones that were removed.
    """
    server = Server.configured()
    folder = backups_folder()
    with _alone(folder):
        taken_at = timezone.now()
        if path is not None:
            return _write(server, path.absolute(), taken_at), []
        # Whoever left these was killed: there is one backup at a time.
        for left in folder.glob(f"*{PARTIAL}"):
            left.unlink()
        backup = _write(server, folder / f"setia-{taken_at:%Y%m%dT%H%M%SZ}.dump", taken_at)
        return backup, _remove_older(keep)


def note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(server: Server, path: Path, taken_at: dt.datetime) -> Backup:
    begun = time.monotonic()
    partial = path.with_name(f"{path.name}{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = _dump(server, partial, taken_at)
        backup = Backup(
            path=path,
            taken_at=taken_at,
            server=server.version,
            bytes=partial.stat().st_size,
            sha256=sha256_of(partial),
            seconds=round(time.monotonic() - begun, 1),
            figures=figures,
        )
        _put(note_of(path), backup.note())
        _sync(partial)
        partial.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise BackupError(
            _("%(path)s cannot be written: %(error)s") % {"path": path, "error": error}
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return backup


def _dump(server: Server, partial: Path, taken_at: dt.datetime) -> Figures:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        server.run(
            "pg_dump",
            "--format=custom",
            f"--snapshot={snapshot}",
            f"--exclude-table={LEFT_OUT}",
            f"--file={partial}",
            f"--dbname={server.address()}",
        )
        return Figures(read_rows(), read_totals(taken_at))


def _put(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}{PARTIAL}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_older(keep: int) -> list[Path]:
    older = list_backups()[keep:]
    for path in older:
        path.unlink()
        note_of(path).unlink(missing_ok=True)
    return older


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = try_lock(folder / ".lock")
    if lock is None:
        raise BackupError(_("Another backup is being made right now."))
    try:
        yield
    finally:
        os.close(lock)
