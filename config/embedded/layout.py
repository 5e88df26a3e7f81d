"""Where the embedded services of one checkout keep their data, their sockets and their locks.

Normally everything is in the checkout's own `var/`. Two things force another place:

- a Unix socket's path may have 107 bytes at most, so a deep checkout gets a short folder in the
  system's temporary directory;
- PostgreSQL refuses to run as root, so under root the servers run as a system account, which may
  be unable to enter the checkout (`/root` is closed to others); then data are in /var/lib/setia.

Either is named after a random identity kept in `var/`, so a copy of the checkout, or a new one at
the same path, never meets another's data.
"""

import os
import secrets
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

SOCKET_PATH_LIMIT = 107 if sys.platform == "linux" else 103
DATABASE = "setia"
ROLE = "setia"
POSTGRES_SOCKET = ".s.PGSQL.5432"
SYSTEM_ROOT = Path("/var/lib/setia")


@dataclass(frozen=True)
class Layout:
    """The folders of one checkout's embedded services."""

    var: Path
    data: Path
    sockets: Path

    @classmethod
    def for_checkout(cls, var: Path) -> "Layout":
        """Work out the folders for `var`, making nothing but the identity."""
        var = var.absolute()
        root = os.geteuid() == 0
        reachable = not root or others_can_enter(var)
        data = var if reachable else SYSTEM_ROOT / "instances" / identity(var)
        sockets = var / "sockets"
        if not reachable or len(bytes(sockets / POSTGRES_SOCKET)) > SOCKET_PATH_LIMIT:
            sockets = Path(tempfile.gettempdir()) / f"setia-{identity(var)}"
            if len(bytes(sockets / POSTGRES_SOCKET)) > SOCKET_PATH_LIMIT:
                sockets = Path("/tmp") / f"setia-{identity(var)}"
        return cls(var=var, data=data, sockets=sockets)

    @property
    def postgres_data(self) -> Path:
        return self.data / "postgres"

    @property
    def valkey_data(self) -> Path:
        return self.data / "valkey"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def locks(self) -> Path:
        return self.var / "locks"

    @property
    def database_url(self) -> str:
        return f"postgres://{ROLE}@{quote(str(self.sockets), safe='')}/{DATABASE}"

    @property
    def cache_url(self) -> str:
        return f"unix://{self.valkey_socket}?db=1"

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.valkey_socket}?virtual_host=0"


def others_can_enter(folder: Path) -> bool:
    """Whether an account that owns none of the folders above `folder` could still pass them.

    `folder` itself is ours and opened when the services start, so only those above it count.
    """
    return all(
        parent.stat().st_mode & stat.S_IXOTH
        for parent in folder.resolve().parents
        if parent.exists()
    )


def identity(var: Path) -> str:
    """The random name of this checkout, made when first asked for."""
    path = var / "instance"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        var.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".instance.{os.getpid()}")
        fresh.write_text(secrets.token_hex(6))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        return path.read_text().strip()
