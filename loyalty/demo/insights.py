"""The demonstration's key figures, as its first night would measure them."""

from __future__ import annotations

from django.utils import timezone

from loyalty.models import Program
from loyalty.services.insight_points import measure_due


def measure_figures(program: Program) -> None:
    """Once; loaded again, what is due alone."""
    measure_due(program, timezone.now())
