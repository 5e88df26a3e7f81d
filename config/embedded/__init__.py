"""PostgreSQL and Valkey from wheels, for a machine that has no servers of its own.

They run while something uses them: `services_for_command` starts them for a management command,
`leased` for anything else. With DATABASE_URL or REDIS_URL set, the one named there is used and
nothing is embedded in its place.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.embedded.account import EmbeddedError
from config.embedded.layout import Layout
from config.embedded.leases import PROJECT, leased

__all__ = ["EmbeddedError", "leased", "needed_services", "services_for_command"]

# Commands that read neither database nor cache; `up` takes its lease itself, to tell about it.
WITHOUT_SERVICES = {
    "check",
    "condition_reference",
    "collectstatic",
    "compilemessages",
    "data_model",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "program_reference",
    "up",
    "version",
}


def needed_services() -> tuple[str, ...]:
    """The services that are not given by the environment."""
    needed = []
    if not os.environ.get("DATABASE_URL"):
        needed.append("postgres")
    if not os.environ.get("REDIS_URL"):
        needed.append("valkey")
    return tuple(needed)


def layout() -> Layout:
    return Layout.for_checkout(Path(os.environ.get("SETIA_VAR", PROJECT / "var")))


@contextmanager
def services_for_command(arguments: Sequence[str]) -> Iterator[None]:
    """Have the services running for as long as a management command runs."""
    command = arguments[1] if len(arguments) > 1 else "help"
    asks_for_help = not {"-h", "--help", "--version"}.isdisjoint(arguments)
    services = needed_services()
    if asks_for_help or command in WITHOUT_SERVICES or not services:
        yield
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(leased(layout(), services))
        except EmbeddedError as error:
            sys.exit(f"{error}")
        yield
