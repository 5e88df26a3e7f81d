"""Activities with a real browser: the queue, its dialogs, and their types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Activity, ActivityType
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import Member, url
from tests.loyalty.factories import make_type, reward, tell, told

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_review_is_approved_and_another_rejected(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    make_type(told="Review of {subject}", approval=True, proof="optional")
    definition = definition_of(ana.program, timezone.now())
    data = definition.model_dump(mode="json", exclude_none=True)
    data["earning_rules"].append(reward())
    apply_definition(type(definition).model_validate(data), actor=SYSTEM, now=timezone.now())
    now = timezone.now()
    tell(told("V1", at=now, subject="MUG", subject_name="Blue Mug"))
    tell(told("V2", at=now, subject="CUP", subject_name="Red Cup"))

    page = sign_in("support_agent")
    page.goto("/backoffice/approvals/")

    def row_of(subject: str) -> Any:
        return page.get_by_role("row").filter(has_text=f"Review of {subject}")

    assert_no_axe_violations(page)
    row_of("Blue Mug").get_by_role("link").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("heading", name="What it would bring").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Approve").click()
    page.get_by_text("Approved: Review of Blue Mug.").wait_for()
    row_of("Blue Mug").wait_for(state="detached")

    row_of("Red Cup").get_by_role("link").click()
    dialog.get_by_role("link", name="Reject instead").click()
    dialog.get_by_label("Why").fill("No photo")
    dialog.get_by_role("button", name="Reject").click()
    page.get_by_text("Rejected: Review of Red Cup.").wait_for()

    approved = Activity.objects.get(external_id="V1")
    page.goto(url("activity_reverse", approved.public_id))
    page.get_by_label("Why").wait_for()
    assert_no_axe_violations(page)


def test_a_type_is_added_from_the_keyboard(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("marketing_manager")
    page.goto("/backoffice/activity-types/")
    page.get_by_text("No types yet").wait_for()
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What it is called").fill("Survey")
    dialog.get_by_label("Short name").fill("survey")
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Add type").click()
    page.get_by_role("cell", name="Survey survey").wait_for()
    assert_no_axe_violations(page)
    assert ActivityType.objects.get().code == "survey"
