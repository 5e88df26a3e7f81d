"""Jobs that work through staged rows, piece by piece."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext as _

from loyalty.services.import_jobs import record_row_errors
from loyalty.services.row_staging import Layout, RowStaging
from members.errors import DomainError
from members.models import Job
from members.services.job_runs import Chunk, Step, run_in_chunks


def run_staged(job_id: int, piece: Chunk) -> Job | None:
    """Work until no row is left; None when another run has the job. The rows go with its end."""
    job = run_in_chunks(job_id, piece)
    if job is not None and job.state in {Job.State.SUCCEEDED, Job.State.CANCELED}:
        RowStaging(job.pk).drop()
    return job


def needs_staging(job: Job, staging: RowStaging) -> bool:
    """Whether the rows are not there: not yet, or not any more."""
    staged = job.checkpoint.get("staged")
    return staged is None or (staged > 0 and not staging.is_staged())


def stage_rows(job: Job, staging: RowStaging, path: Path, layout: Layout) -> Step:
    """The first piece: the rows of the file. Those that are none are refused, once."""
    if not path.is_file():
        raise DomainError(_("The file is gone. Upload it again."), code="files_gone")
    errors = staging.stage(path, layout, job.params.get("mapping", {}))
    record_row_errors(job, errors)
    total = staging.total()
    refused = len({error.row for error in errors})
    counted = refused if "row" not in job.checkpoint else 0
    result = dict(job.result)
    if counted:
        result["refused"] = result.get("refused", 0) + counted
    return Step(
        checkpoint={"row": _place(job), "staged": total},
        done=job.done + counted,
        total=total + refused,
        result=result,
    )


def _place(job: Job) -> int:
    """After which row it goes on. A version before counted from the first row below the header."""
    row: int = job.checkpoint.get("row", 0)
    return row + 1 if row and "staged" not in job.checkpoint else row
