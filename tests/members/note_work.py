"""A kind of work for tests: pieces that write notes, so that one done twice would be seen."""

from __future__ import annotations

import time

from members.jobs import JobKind, Work, register_job_kind
from members.models import CustomerNote, Job
from members.services.audit import SYSTEM
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import start_or_resume_job

KIND = "test_notes"
PIECES, NOTES = 40, 5


def write_piece(job: Job) -> Step | None:
    """Five notes, named by their number; slowly, so that a kill meets it half-way."""
    piece = job.checkpoint.get("piece", 0)
    if piece == job.params.get("pieces", PIECES):
        return None
    for number in range(NOTES):
        CustomerNote.objects.create(
            customer_id=job.params["customer"], text=str(piece * NOTES + number)
        )
        time.sleep(job.params.get("seconds", 0))
    return Step({"piece": piece + 1}, done=(piece + 1) * NOTES, total=PIECES * NOTES)


def run_notes(job_id: int) -> Job | None:
    return run_in_chunks(job_id, write_piece)


def start_notes(customer: int, *, seconds: float = 0, pieces: int = PIECES) -> Job:
    """A waiting job that writes the notes of this customer."""
    return start_or_resume_job(
        kind=KIND, label="Notes", fingerprint=str(customer), actor=SYSTEM,
        params={"customer": customer, "seconds": seconds, "pieces": pieces},
    )  # fmt: skip


def register(work: Work | None = None) -> None:
    register_job_kind(
        JobKind(
            KIND,
            "Notes",
            "note",
            run_notes,
            description="Writes notes.",
            find_work=lambda now: work,
            start_label="Write notes",
            routine=True,
        )
    )  # fmt: skip


def written() -> list[int]:
    """The numbers of all notes there are, in order; each belongs there once."""
    return sorted(int(text) for text in CustomerNote.objects.values_list("text", flat=True))
