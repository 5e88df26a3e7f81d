"""Whether the books agreed with themselves, whenever somebody looked."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from loyalty.models import SelfCheck
from members.errors import NotFoundError


def list_self_checks() -> QuerySet[Any]:
    """All, the newest first when ordered so, each with how many rules did not hold (`broken`)."""
    found = SelfCheck.objects.annotate(broken=Count("findings"))
    return found.select_related("asked_by", "job")


def get_self_check(pk: int) -> Any:
    """One, with its findings, or NotFoundError."""
    found = list_self_checks().prefetch_related("findings").filter(pk=pk).first()
    if found is None:
        raise NotFoundError(_("There is no such self-check."))
    return found


def latest_verdict() -> Any:
    """The newest self-check that says something: it is finished, or has found something already."""
    said = Q(finished_at__isnull=False) | Q(broken__gt=0)
    return list_self_checks().filter(said).order_by("-pk").first()
