"""Files with what is known of a person, as a kind of job."""

from __future__ import annotations

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from members.jobs import JobKind, register_job_kind
from members.models import Job
from members.services.personal_packages import KIND, run_package


def package_words(job: Job) -> str:
    """How much it came to; nothing where the person was erased or merged meanwhile."""
    size = job.result.get("bytes")
    return filesizeformat(size) if size else ""


def register() -> None:
    """Called once, when the application is ready."""
    register_job_kind(
        JobKind(
            key=KIND, label=_("Data of a person"), icon="file-export",
            description=_("Puts all that is known of a person into a file that can be handed out."),
            run=run_package, view_permission="customers.export",
            run_permission="customers.export", words=package_words, routine=True,
        )
    )  # fmt: skip
