"""What the tests of the loyalty core share."""

import datetime as dt
import os
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings

from loyalty.instants import NEVER
from loyalty.ledger.checks import CHECKS, verify_ledger
from loyalty.models import Program
from members.prepared import run_prepared
from tests import sharing
from tests.loyalty.factories import make_program

# A run tries the same examples as the one before, so that it fails by what was changed.
# SETIA_HYPOTHESIS=long looks further and longer, for a night or after a change of the ledger.
shared = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("quick", max_examples=60, derandomize=True, **shared)
settings.register_profile("long", max_examples=2_000, **shared)
settings.load_profile(os.environ.get("SETIA_HYPOTHESIS", "quick"))

# Very many tests end with it: it is asked whether any rule of the ledger is broken, and only then
# which, and how.
BROKEN = " UNION ALL ".join(f"SELECT 1 WHERE EXISTS ({rule})" for rule in CHECKS.values())


def assert_ledger_coherent(now: dt.datetime | None = None) -> None:
    at = now or timezone.now()
    assert not run_prepared(BROKEN, {"now": at, "never": NEVER}), verify_ledger(at)


@pytest.fixture
def coherent_ledger(db: None) -> Iterator[Callable[[], None]]:
    """The books agree with themselves once the test is done."""
    yield assert_ledger_coherent
    assert_ledger_coherent()


# A module whose tests have all this one program says `usefixtures("program_for_all")`: it is made
# once for it.
program_for_all = sharing.shared(make_program)


@pytest.fixture
def program(request: pytest.FixtureRequest, db: None) -> Program:
    """A live program: a point for each dollar, which never lapses."""
    if "program_for_all" in request.fixturenames and not sharing.commits(request.node):
        own: Program = sharing.anew(request.getfixturevalue("program_for_all"))
        return own
    return make_program()
