"""Orders that the API has acknowledged survive the death of web processes and of PostgreSQL."""

from __future__ import annotations

import pytest

from tests.kill.books import assert_exactly, assert_kept
from tests.kill.crashes import crash_postgres
from tests.kill.installation import Installation, descendants, kill, kill_process, start
from tests.kill.till import Tills
from tests.kill.work import recover_little

pytestmark = [pytest.mark.kill, pytest.mark.long, pytest.mark.timeout(300)]
KILLS = 5


def test_what_was_acknowledged_survives_dying_web_processes(installation: Installation) -> None:
    with Tills(installation, "web") as tills:
        tills.wait_for(50)
        # One of the processes that answer; the web server replaces it.
        kill_process(descendants(installation.web.process.pid)[-1])
        tills.wait_for(50)
        kill(installation.web)
        assert_kept(installation, "web", tills.snapshot())
        start(installation.web)
        tills.wait_for(50)
    assert tills.resent
    assert_exactly(installation, "web", tills.acknowledged)


def test_what_was_acknowledged_survives_a_dying_database(installation: Installation) -> None:
    recover_little(installation, "postgres")
    with Tills(installation, "postgres") as tills:
        crashes = list(crash_postgres(installation, tills, KILLS))
        # The web server goes on by itself.
        tills.wait_for(50)
    assert len(crashes) == KILLS
    assert tills.resent
    assert_exactly(installation, "postgres", tills.acknowledged)
