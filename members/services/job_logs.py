"""What a job says while it runs, line by line, for those who look at its page."""

from __future__ import annotations

from django.utils import timezone

from members.models import Job, JobLogLine

Level = JobLogLine.Level
KEPT_LINES = 500
LONGEST = JobLogLine._meta.get_field("text").max_length


def log_line(job: Job, text: str, *, level: JobLogLine.Level = Level.INFO) -> None:
    """Write a line, in the caller's transaction if there is one; of a job's lines the newest stay.

    What a chunk writes is gone with it when the chunk is rolled back.
    """
    JobLogLine.objects.create(job=job, at=timezone.now(), level=level, text=text[:LONGEST])
    lines = JobLogLine.objects.filter(job=job).order_by("-pk")
    oldest = lines.values_list("pk", flat=True)[KEPT_LINES : KEPT_LINES + 1].first()
    if oldest is not None:
        lines.filter(pk__lte=oldest).delete()
