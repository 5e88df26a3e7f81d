"""What was said of the codes of recorded orders."""

from __future__ import annotations

from loyalty.codes_asked import Answers, answers_from_json
from loyalty.models import OrderEvaluation


def code_answers_of(order_id: int) -> Answers:
    """By all programs that judged it. A shop's own codes are not among them."""
    found = OrderEvaluation.objects.filter(order=order_id).order_by("program")
    return tuple(
        item
        for context in found.values_list("context", flat=True)
        for item in answers_from_json(context)
    )
