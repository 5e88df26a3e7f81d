"""Drafts of tiers: a program's own, and those that wait for a second person."""

from __future__ import annotations

from django.db.models import QuerySet

from loyalty.models import Program, TierDraft
from loyalty.tier_definitions import TiersDefinition


def tier_draft_of(program: Program) -> TierDraft | None:
    found = TierDraft.objects.select_related("program", "written_by", "asked_by")
    return found.filter(program=program).first()


def drafted_tiers(draft: TierDraft) -> TiersDefinition:
    """What it says."""
    return TiersDefinition.model_validate(draft.tiers)


def waiting_tiers() -> QuerySet[TierDraft]:
    """Those that somebody wants published by a second person, the longest waiting first."""
    return (
        TierDraft.objects.filter(asked_at__isnull=False)
        .select_related("program", "written_by", "asked_by")
        .order_by("asked_at")
    )
