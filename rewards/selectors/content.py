"""The library of a program."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, QuerySet, Sum

from loyalty.models import Program
from members.errors import NotFoundError
from rewards.models import ContentItem


def content_items() -> QuerySet[ContentItem]:
    return ContentItem.objects.select_related(
        "program", "window", "reward__wallet_type", "reward__program", "reward__window"
    )


def content_of(program: Program) -> QuerySet[ContentItem]:
    """With how many members fetched each, and how often."""
    return (
        content_items()
        .filter(program=program)
        .annotate(people=Count("downloads"), times=Sum("downloads__count", default=0))
        .order_by("title", "pk")
    )


def library(program: Program) -> QuerySet[ContentItem]:
    """What members may see."""
    return content_items().filter(program=program, status=ContentItem.Status.LIVE)


def get_content(public_id: UUID | str) -> ContentItem:
    """Raises NotFoundError."""
    found = content_items().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such content.")
    return found
