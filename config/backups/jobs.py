"""The kind of job by which staff see when a restore was rehearsed last."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.backups.rehearsal import KIND, rehearsal_words, run_rehearsal
from members.jobs import JobKind, register_job_kind


def register() -> None:
    """Add the kind; called once, when the application is ready."""
    register_job_kind(
        JobKind(
            key=KIND,
            label=_("Restore rehearsal"),
            icon="database-import",
            description=_(
                "Restores a backup into a scratch database, verifies the ledger there and compares "
                "it with what was backed up. Whoever runs the server starts it."
            ),
            run=run_rehearsal,
            run_permission="jobs.maintain",
            words=rehearsal_words,
            routine=True,
        )
    )
