"""/adjustment-reasons."""

from __future__ import annotations

from collections.abc import Callable

from loyalty.models import AdjustmentReason
from tests.api.conftest import ApiClient, assert_problem


def test_the_reasons_that_may_be_given_are_listed(api: ApiClient) -> None:
    AdjustmentReason.objects.filter(code="fraud").update(is_active=False)
    AdjustmentReason.objects.filter(code="other").update(note_required=True)
    found = api.get("/adjustment-reasons").json()["results"]
    assert found[0] == {"code": "goodwill", "label": "Goodwill", "note_required": False}
    assert found[-1] == {"code": "other", "label": "Other", "note_required": True}
    assert "fraud" not in [reason["code"] for reason in found]


def test_who_may_not(outsider: ApiClient, key_with: Callable[..., ApiClient]) -> None:
    assert_problem(outsider.get("/adjustment-reasons"), 401, "unauthorized")
    answer = key_with("transfers:write").get("/adjustment-reasons")
    assert_problem(answer, 403, "insufficient_scope")
    assert_problem(
        key_with("programs:read").post("/adjustment-reasons", {}), 405, "method_not_allowed"
    )
