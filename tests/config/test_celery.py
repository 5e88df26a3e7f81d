"""The schedule names only what exists."""

import pytest
from celery.fixups.django import DjangoWorkerFixup
from django.conf import settings

from config import schedule_settings
from config.celery import app
from members.jobs import job_kind

SCHEDULE = app.conf.beat_schedule
RUN_SCHEDULED = "members.tasks.run_scheduled"


def test_every_line_of_the_schedule_names_a_task() -> None:
    app.loader.import_default_modules()
    assert {line["task"] for line in SCHEDULE.values()} <= set(app.tasks)


def test_every_kind_in_the_schedule_can_say_what_is_due_and_do_it() -> None:
    kinds = [line["args"][0] for line in SCHEDULE.values() if line["task"] == RUN_SCHEDULED]
    assert "daily_totals" in kinds
    for kind in map(job_kind, kinds):
        assert kind.run is not None, kind.key
        assert kind.find_work is not None, kind.key
        # Otherwise its runs would fill the list without end.
        assert kind.routine, kind.key


def test_a_worker_starts_without_checks_that_nobody_would_hear_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[str] = []
    monkeypatch.setattr("django.core.checks.run_checks", lambda: ran.append("checks"))
    DjangoWorkerFixup(app).validate_models()
    assert ran == []


def test_what_keeps_the_schedule_knows_its_tables_and_no_other_application() -> None:
    assert schedule_settings.INSTALLED_APPS == ["django_celery_beat"]
    assert settings.CELERY_BEAT_SCHEDULER.startswith("django_celery_beat.")
