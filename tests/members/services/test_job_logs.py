"""What a job says is kept, newest first and not without end."""

import pytest
from django.db import transaction

from members.services import job_logs
from members.services.job_logs import LONGEST, Level, log_line
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db


def test_lines_come_newest_first() -> None:
    job = JobFactory()
    for text in ("one", "two"):
        log_line(job, text)
    log_line(job, "three", level=Level.WARNING)
    assert [str(line) for line in job.log_lines.all()] == ["three", "two", "one"]
    assert job.log_lines.first().get_level_display() == "Warning"


def test_of_many_lines_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_logs, "KEPT_LINES", 5)
    job, other = JobFactory(), JobFactory()
    log_line(other, "quiet")
    for number in range(12):
        log_line(job, str(number))
    assert [line.text for line in job.log_lines.all()] == ["11", "10", "9", "8", "7"]
    assert other.log_lines.count() == 1


def test_a_long_line_is_cut() -> None:
    job = JobFactory()
    log_line(job, "x" * 900)
    assert len(job.log_lines.get().text) == LONGEST


def test_what_a_piece_said_is_gone_with_it() -> None:
    job = JobFactory()
    with transaction.atomic():
        log_line(job, "nearly")
        transaction.set_rollback(True)
    assert not job.log_lines.exists()
