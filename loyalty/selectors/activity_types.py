"""What types of activities are called."""

from __future__ import annotations

from loyalty.models import ActivityType


def activity_type_name(code: str) -> str:
    """Its name; of one that is not there, its code."""
    name = ActivityType.objects.filter(code=code).values_list("name", flat=True).first()
    return name or code
