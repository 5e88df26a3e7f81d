"""Processes of their own on the database of the running test, to be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection, connections

BEGIN = (
    "import os; from tests import settings;"
    "settings.DATABASES['default']['NAME'] = os.environ['SETIA_TEST_CHILD_DATABASE'];"
    "settings.CELERY_BROKER_TRANSPORT_OPTIONS['global_keyprefix'] = os.environ['SETIA_TEST_QUEUE'];"
    "settings.CELERY_TASK_ALWAYS_EAGER = os.environ['SETIA_TEST_QUEUE'] == '';"
    "import django; django.setup();"
)


INHERITED: list[object] = []


def leave_inherited_connections() -> None:
    """First of all in a forked process: what was open before stays its parent's, and whatever asks
    the database gets a connection of its own.

    That the parent closes its own is not enough. Where an event loop runs in it, as Playwright's
    does once a browser was there, it sees other connections than its child, in which none runs.
    """
    for found in connections.all(initialized_only=True):
        # Kept, for whoever lets go of it would end it for the parent as well.
        INHERITED.append(found.connection)
        found.connection = None


def start_python(code: str, *, queue: str = "") -> subprocess.Popen[str]:
    """Run code with Django set up. With a queue of its own, tasks go to workers that share it."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "SETIA_TEST_CHILD_DATABASE": connection.settings_dict["NAME"],
        "SETIA_TEST_QUEUE": queue,
        "PYTHONPATH": str(settings.BASE_DIR),
    }
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + code], env=environment, cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something holds, while the process lives."""
    deadline = time.monotonic() + 60
    while not condition():
        if process.poll() is not None and not condition():
            raise AssertionError(f"it ended too early: {process.communicate()[0]}")
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)
