"""An experiment as what becomes of it locks it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from campaigns.models import Experiment
from campaigns.selectors.experiments import experiments
from loyalty.models import Program
from members.errors import ConflictError


def locked(experiment: Experiment) -> Experiment:
    """The program first, as whatever writes rules does."""
    Program.objects.select_for_update(no_key=True).get(pk=experiment.program_id)
    # Whoever tells its message writes who is in it meanwhile.
    Experiment.objects.select_for_update(of=("self",), no_key=True).get(pk=experiment.pk)
    return experiments().get(pk=experiment.pk)


def require_status(row: Experiment, status: str) -> None:
    if row.status != status:
        raise ConflictError(_("That is not possible now."), code="experiment_state")


def changed_meanwhile() -> ConflictError:
    message = _("Somebody else has changed it meanwhile. Look at it again.")
    return ConflictError(message, code="changed_meanwhile")
