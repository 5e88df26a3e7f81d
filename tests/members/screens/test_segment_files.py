"""Who is in a segment is taken as a file, and it is noted who took it."""

from __future__ import annotations

import csv
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.models import AuditEntry, Segment
from members.services.audit import SYSTEM
from members.services.segment_refresh import refresh_segment
from members.services.segments import create_segment
from tests.factories import CustomerFactory
from tests.members.screens.test_segments import GREEK

pytestmark = pytest.mark.django_db
PAGE = "/backoffice/customers/segments/of/greeks/"


@pytest.fixture
def _greeks() -> None:
    CustomerFactory(
        given_name="Anna", family_name="=1+1", external_id="c1", email="anna@shop.gr",
        phone="+302101234567", country="GR", locale="el",
    )  # fmt: skip
    CustomerFactory(given_name="Bert", external_id="c2", country="DE")
    found = create_segment(name="Greeks", condition=GREEK, actor=SYSTEM, now=timezone.now())
    refresh_segment(segment=found, now=timezone.now())


def rows_of(client: Client) -> list[dict[str, str]]:
    answer = client.post(f"{PAGE}file/")
    assert answer["Content-Disposition"].startswith('attachment; filename="greeks-')
    return list(csv.DictReader(answer.getvalue().decode().splitlines()))


@pytest.mark.usefixtures("_greeks")
def test_it_names_everybody_in_it_and_nothing_in_it_calculates(
    browser_of: Callable[[str], Client],
) -> None:
    manager = browser_of("marketing_manager")
    assert "Take everybody in it as a file?" in manager.get(PAGE).text
    [row] = rows_of(manager)
    since = row.pop("since")
    assert row == {
        "external_id": "c1", "email": "anna@shop.gr", "phone": "'+302101234567",
        "given_name": "Anna", "family_name": "'=1+1", "locale": "el",
    }  # fmt: skip
    assert since.startswith(str(timezone.now().year))


@pytest.mark.usefixtures("_greeks")
def test_who_took_it_is_noted_with_how_many_it_names(browser_of: Callable[[str], Client]) -> None:
    rows_of(browser_of("administrator"))
    entry = AuditEntry.objects.get(action="segment.handed_out")
    assert (entry.target_label, entry.after) == ("Greeks", {"customers": 1})


@pytest.mark.usefixtures("_greeks")
@pytest.mark.parametrize("role", ["analyst", "support_agent", "auditor"])
def test_others_do_not_get_it(browser_of: Callable[[str], Client], role: str) -> None:
    client = browser_of(role)
    assert client.post(f"{PAGE}file/").status_code == 403
    assert "Take everybody in it" not in client.get(PAGE).text


@pytest.mark.usefixtures("_greeks")
def test_many_cost_as_many_queries_as_one(browser_of: Callable[[str], Client]) -> None:
    manager = browser_of("marketing_manager")
    rows_of(manager)
    with CaptureQueriesContext(connection) as few:
        rows_of(manager)
    for number in range(20):
        CustomerFactory(external_id=f"m{number}", country="GR")
    refresh_segment(segment=Segment.objects.get(), now=timezone.now())
    with CaptureQueriesContext(connection) as many:
        assert len(rows_of(manager)) == 21
    assert len(many) == len(few)
