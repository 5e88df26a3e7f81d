"""Undoing an enrollment from a file with a real browser: after a look, wide and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.models import Membership, Program
from loyalty.services.enrollment_files import run_enrollment_import, start_enrollment_import
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import add_note
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import order, record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_it_is_looked_at_and_undone(
    beans: Program,
    tmp_path: Path,
    sign_in: Callable[[str], Any],
    assert_in_order: Callable[[Any], None],
) -> None:
    path = tmp_path / "people.csv"
    path.write_text("external_id,given_name\n" + "".join(f"p{one},Ann\n" for one in range(5)))
    job = start_enrollment_import(program=beans, path=path, name="people.csv", actor=SYSTEM)
    run_enrollment_import(job.pk)
    record(order("A", "10", buyer="p0", at=timezone.now()))
    known = Customer.objects.get(external_id="p1")
    add_note(customer=known, actor=SYSTEM, text="Called")

    page = sign_in("administrator")
    page.goto(url("enrollment_undo", job.public_id))
    expect(page.get_by_text("3 members whom the file enrolled")).to_be_visible()
    expect(page.get_by_text("1: They have bought something.")).to_be_visible()
    expect(page.get_by_label("Also erase the people whom it brought")).to_be_visible()
    assert_in_order(page)
    page.get_by_label("Reason").fill("The wrong file")
    page.get_by_role("button", name="Undo this enrollment").click()
    expect(page.get_by_text("3 members left, 2 stay as they are")).to_be_visible()
    # Who stays is named, and leads to their page.
    noted = page.get_by_role("row", name="Ann Staff have noted something about them.")
    expect(noted.get_by_role("link")).to_have_attribute(
        "href", reverse("backoffice:customer", args=[known.public_id])
    )
    assert_in_order(page)
    assert Membership.objects.filter(status="left").count() == 3
