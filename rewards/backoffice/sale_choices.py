"""Sales that something may come with, to choose from."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from loyalty.models import Program
from rewards.models import AccessWindow


def sale_choices(program: Program, chosen: AccessWindow | None) -> list[tuple[str, str]]:
    """By code; of those that were put away only what is chosen already."""
    there = Q(archived_at=None) | Q(pk=chosen.pk if chosen else None)
    found = AccessWindow.objects.filter(there, program=program).order_by("closes_at", "pk")
    return [("", _("No: at its own time")), *found.values_list("code", "name")]
