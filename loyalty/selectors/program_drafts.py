"""What somebody has begun in the wizard and not finished."""

from __future__ import annotations

from django.db.models import QuerySet

from loyalty.models import ProgramDraft
from members.models import User


def open_drafts(owner: User) -> QuerySet[ProgramDraft]:
    """The latest first."""
    return ProgramDraft.objects.filter(owner=owner, program=None).order_by("-updated_at")
