"""Who took no part, and when."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef, Q

from loyalty.models import Absence


def absent_at(at: dt.datetime) -> Exists:
    """Of a membership: whether it was suspended, or had been left, at this moment."""
    spans = Absence.objects.filter(membership=OuterRef("pk"), began_at__lte=at)
    return Exists(spans.filter(Q(ended_at=None) | Q(ended_at__gt=at)))
