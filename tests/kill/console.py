"""Steps inside an installation under test: `python -m tests.kill.console` reads one JSON line for
each, `[step, arguments]`, and answers with one.

A test of another kind of work adds a step that starts it and returns the job's id.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from celery import current_app  # noqa: E402  (after Django)
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from loyalty.ledger.checks import verify_ledger  # noqa: E402
from loyalty.selectors.programs import get_program  # noqa: E402
from loyalty.services.imports import start_import  # noqa: E402
from members.models import Job  # noqa: E402
from members.services.api_keys import create_api_key  # noqa: E402
from members.services.audit import SYSTEM  # noqa: E402
from members.services.job_runs import queue_job  # noqa: E402
from tests.loyalty.factories import make_program  # noqa: E402

PROGRAM = "club"


def prepare() -> str:
    """A live program with a point for each dollar, and the key of a till."""
    call_command("migrate", interactive=False, verbosity=0)
    make_program(PROGRAM)
    return create_api_key(actor=SYSTEM, name="Till", scopes=["orders:write"])[1]


def verify() -> list[str]:
    """What does not hold in the ledger."""
    return [f"{drift.check}: {drift.rows}" for drift in verify_ledger(timezone.now())]


def import_orders(orders: str, lines: str, source: str) -> int:
    job = start_import(
        program=get_program(PROGRAM),
        orders_path=Path(orders),
        lines_path=Path(lines),
        actor=SYSTEM,
        source=source,
    )
    queue_job(job)
    return job.pk


def resume_jobs() -> None:
    """What the schedule does twice a minute."""
    current_app.send_task("members.tasks.resume_stale_jobs")


def look_at(job: int) -> dict[str, Any]:
    return Job.objects.values("state", "done", "total", "result", "error").get(pk=job)


STEPS: dict[str, Callable[..., Any]] = {
    step.__name__: step for step in (prepare, verify, import_orders, resume_jobs, look_at)
}


def main() -> None:
    for line in sys.stdin:
        step, arguments = json.loads(line)
        try:
            answer = {"result": STEPS[step](**arguments)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        # The server may be killed before the next step.
        connections.close_all()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
