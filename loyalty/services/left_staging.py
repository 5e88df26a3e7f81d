"""Staged rows that nobody will work on: their tables go, since people are named in them."""

from __future__ import annotations

import re

from django.db import connection, transaction
from psycopg import sql

from members.models import Job

# As `import_staging` and `row_staging` call them.
_OURS = re.compile(r"loyalty_import_(\d+)_(?:orders|orders_raw|lines|progress|rows)").fullmatch
_ENDED = (Job.State.SUCCEEDED, Job.State.CANCELED)


def drop_left_staging() -> int:
    """Drop the tables of jobs that have ended or are gone; a job that goes on later stages its file
    again. Return of how many jobs they were."""
    found: dict[int, list[str]] = {}
    for name in connection.introspection.table_names():
        ours = _OURS(name)
        if ours:
            found.setdefault(int(ours[1]), []).append(name)
    return sum(_drop(job_id, names) for job_id, names in found.items())


@transaction.atomic
def _drop(job_id: int, names: list[str]) -> bool:
    # Nobody takes the job up meanwhile.
    job = Job.objects.select_for_update().filter(pk=job_id).first()
    if job is not None and job.state not in _ENDED:
        return False
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(name)))
    return True
