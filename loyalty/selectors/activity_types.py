"""What types of activities are called."""

from __future__ import annotations

from django.utils.translation import gettext as _

from loyalty.models import ActivityType
from loyalty.ready_activities import name_for_reader
from members.read_once import read_once


def activity_type_choices() -> list[tuple[str, str]]:
    """Codes and names of all types, to choose from; those that are taken no more say so."""
    return [
        (code, name if active else _("%s (not taken any more)") % name)
        for code, name, active in ActivityType.objects.order_by("name", "pk").values_list(
            "code", "name", "active"
        )
    ]


def activity_type_name(code: str) -> str:
    """Its name, as its reader calls it; of one that is not there, its code."""
    return name_for_reader(read_once("activity types", _names).get(code) or code)


def _names() -> dict[str, str]:
    return dict(ActivityType.objects.values_list("code", "name"))
