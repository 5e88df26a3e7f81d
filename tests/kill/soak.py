"""`make soak`: PostgreSQL is killed many times under load, and nothing acknowledged may be lost."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from tests.kill.books import assert_exactly
from tests.kill.crashes import Crash, crash_postgres
from tests.kill.installation import Installation
from tests.kill.till import Tills

TOLD_EVERY = 10


def main() -> None:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how many times (default: 100)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with tempfile.TemporaryDirectory(prefix="setia-soak-") as folder:
        installation = Installation(Path(folder))
        try:
            installation.start()
            soak(installation, options.kills)
        finally:
            installation.stop()


def soak(installation: Installation, kills: int) -> None:
    begun = time.monotonic()
    crashes: list[Crash] = []
    with Tills(installation, "soak") as tills:
        for crash in crash_postgres(installation, tills, kills):
            crashes.append(crash)
            if len(crashes) % TOLD_EVERY == 0:
                print(f"{len(crashes)} kills: {crash.acknowledged} orders kept", flush=True)
    assert_exactly(installation, "soak", tills.acknowledged)
    recovery = max(crash.recovery_seconds for crash in crashes)
    print(
        f"PostgreSQL was killed {kills} times in {time.monotonic() - begun:.0f} s:"
        f" {len(tills.acknowledged)} orders acknowledged, {tills.resent} sent again,"
        f" none lost, none doubled, the ledger coherent. Slowest recovery: {recovery:.1f} s."
    )


if __name__ == "__main__":
    main()
