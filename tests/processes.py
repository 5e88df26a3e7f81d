"""Processes of their own on the database of the running test, to be killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection

BEGIN = (
    "import os; from tests import settings;"
    "settings.DATABASES['default']['NAME'] = os.environ['SETIA_TEST_CHILD_DATABASE'];"
    "settings.CELERY_BROKER_TRANSPORT_OPTIONS['global_keyprefix'] = os.environ['SETIA_TEST_QUEUE'];"
    "settings.CELERY_TASK_ALWAYS_EAGER = os.environ['SETIA_TEST_QUEUE'] == '';"
    "import django; django.setup();"
)


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


def alive(pid: int) -> bool:
    try:
        with Path(f"/proc/{pid}/stat").open() as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
