"""The kinds of long work of this application (`members.jobs`)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from members.jobs import JobKind, register_job_kind
from rewards.services import timeouts

KINDS = (
    JobKind(
        key=timeouts.KIND,
        label=_("Reservations and vouchers that ran out"),
        icon="hourglass-off",
        description=_(
            "Gives back the units of what was reserved and not fetched, and writes down which"
            " vouchers ran out. Runs by itself every minute."
        ),
        run=timeouts.run_timeouts,
        find_work=timeouts.find_timeouts,
        start_label=_("End what ran out"),
        words=timeouts.timeout_words,
        routine=True,
    ),
)


def register() -> None:
    """Make them known; called once, when the application is ready."""
    for kind in KINDS:
        register_job_kind(kind)
