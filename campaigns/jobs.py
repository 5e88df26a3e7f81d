"""The kinds of long work that this application has."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from campaigns.services import told_expiry
from members.jobs import JobKind, register_job_kind


def register() -> None:
    """Make them known; called once, when the application is ready."""
    register_job_kind(
        JobKind(
            key=told_expiry.KIND,
            label=_("Warnings before units expire"),
            icon="hourglass",
            description=_(
                "Tells members 60, 30 and 7 days before what they have expires. Runs by itself"
                " every morning."
            ),
            run=told_expiry.run_warnings,
            find_work=told_expiry.find_warnings,
            start_label=_("Tell what expires"),
            words=told_expiry.warning_words,
            routine=True,
        )
    )
