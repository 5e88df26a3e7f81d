"""Replay real offers as challenges: .venv/bin/python -m tests.replay_offers FOLDER

In a database of its own, which is dropped afterwards. Ends with 1 where anything differs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")

import django

from config import embedded

DATABASE = "replayed_offers"


def main(folder: Path) -> int:
    with embedded.leased(embedded.layout(), ("postgres", "valkey")):
        django.setup()
        from django.core.management import call_command

        from tests.bench import databases
        from tests.campaigns.offer_replay import replay

        databases.create(DATABASE)
        try:
            with databases.used(DATABASE):
                call_command("migrate", verbosity=0)
                found = replay(folder)
        finally:
            databases.drop(DATABASE)
    print(
        f"recorded {found.expected.total()}, by challenges {found.found.total()}: the same"
        f" {found.matches}, extra {found.extra}, missed {found.missed}"
    )
    return 0 if found.is_exact else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
