"""What uploads and staged rows leave behind, and when it goes."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from loyalty.models import Program
from loyalty.services import import_files
from loyalty.services.balance_imports import start_balance_check
from loyalty.services.balance_rows import LAYOUT
from loyalty.services.import_files import discard_old_files, new_folder, store_file
from loyalty.services.row_staging import RowStaging
from loyalty.tasks import discard_old_files as every_night
from members.errors import ConflictError
from members.models import Job
from members.services.audit import SYSTEM
from members.services.jobs import claim_job
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.django_db


def test_two_that_clear_away_at_once_do_not_stop_each_other(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR_DIR = tmp_path
    folders, discard = {new_folder() for _number in range(3)}, import_files.discard_folder

    def discards_all(folder: Path) -> None:
        discard(folder)
        for other in folders:
            shutil.rmtree(other, ignore_errors=True)

    monkeypatch.setattr(import_files, "discard_folder", discards_all)
    discard_old_files(timezone.now() + timedelta(days=8))
    assert not any(folder.exists() for folder in folders)


def test_staged_rows_go_with_the_night_once_nobody_will_work_on_them(
    settings: Any, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    path = tmp_path / "rows.ndjson"
    path.write_text('{"reference": "L1", "units": "1"}\n')
    staged = {}
    for state in Job.State:
        job = Job.objects.create(kind="balance_import", fingerprint=state, state=state)
        staged[state] = RowStaging(job.pk)
    pruned = RowStaging(job.pk + 1)
    for staging in [*staged.values(), pruned]:
        staging.stage(path, LAYOUT, {})
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE loyalty_import_{job.pk + 1}_orders_raw (row bigint)")
    every_night()
    left = [state for state, staging in staged.items() if staging.is_staged()]
    assert left == [Job.State.QUEUED, Job.State.RUNNING, Job.State.FAILED]
    tables = connection.introspection.table_names()
    assert len([name for name in tables if name.startswith("loyalty_import_")]) == 3


class TestReplacedUploads:
    """The same file again, while it waits or has failed, is the same work: one upload is enough."""

    def upload(self, program: Program) -> tuple[Job, Path]:
        folder = new_folder()
        path = store_file(folder, "balances.ndjson", [b'{"reference": "A"}\n'])
        return start_balance_check(
            program=program, path=path, name="a.ndjson", actor=SYSTEM
        ), folder  # fmt: skip

    def test_what_is_replaced_goes_at_once(
        self, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
    ) -> None:
        settings.VAR_DIR = tmp_path
        program = make_program()
        job, first = self.upload(program)
        with django_capture_on_commit_callbacks() as later:
            same, second = self.upload(program)
        assert (same, first.exists()) == (job, True)
        for callback in later:
            callback()
        assert (first.exists(), second.exists()) == (False, True)
        assert Path(same.params["balances"]).is_file()

    def test_what_runs_keeps_its_file(
        self, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
    ) -> None:
        settings.VAR_DIR = tmp_path
        program = make_program()
        job, first = self.upload(program)
        assert claim_job(job.pk) is not None
        with (
            django_capture_on_commit_callbacks(execute=True),
            pytest.raises(ConflictError, match="already running"),
        ):
            self.upload(program)
        assert first.exists()

    def test_what_another_job_names_stays(
        self, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
    ) -> None:
        settings.VAR_DIR = tmp_path
        program = make_program()
        job, first = self.upload(program)
        Job.objects.create(kind="other", fingerprint="x", params=job.params)
        with django_capture_on_commit_callbacks(execute=True):
            self.upload(program)
        assert first.exists()

    def test_a_file_that_a_command_was_given_is_left_alone(
        self, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
    ) -> None:
        settings.VAR_DIR = tmp_path
        path = tmp_path / "own" / "balances.ndjson"
        path.parent.mkdir()
        path.write_text('{"reference": "A"}\n')
        program = make_program()
        start_balance_check(program=program, path=path, name="a.ndjson", actor=SYSTEM)
        with django_capture_on_commit_callbacks(execute=True):
            self.upload(program)
        assert path.is_file()
