"""Lists are put in order and taken as files: with their filter, by who may, and noted."""

import csv
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.backoffice.customers import ORDERINGS
from members.models import AuditEntry
from members.selectors.customers import tagged_customers
from tests.factories import CustomerFactory
from tests.plans import plan_by_index

pytestmark = pytest.mark.django_db
PAGE = "/backoffice/customers/"


@pytest.fixture
def _three() -> None:
    CustomerFactory(
        given_name="=1+1", family_name="Adams", external_id="c1", email="a@shop.test",
        phone="+12125550101", country="US", locale="en", tags=["vip", "old"],
    )  # fmt: skip
    CustomerFactory(given_name="Bea", family_name="Zimmer", external_id="c2", tags=["vip"])
    CustomerFactory(given_name="Cem", family_name="Moss", external_id="c3")


def rows_of(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.post(f"{PAGE}{query}")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(answer.getvalue().decode().splitlines()))


@pytest.mark.usefixtures("_three")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["c3", "c2", "c1"]), ("?sort=since", ["c1", "c2", "c3"]),
        ("?sort=name", ["c1", "c3", "c2"]), ("?sort=-name", ["c2", "c3", "c1"]),
        ("?tag=vip&sort=name", ["c1", "c2"]), ("?q=Zimmer", ["c2"]),
    ],
)  # fmt: skip
def test_a_file_has_what_the_list_shows_in_its_order(
    browser_of: Callable[[str], Client], query: str, found: list[str]
) -> None:
    manager = browser_of("marketing_manager")
    shown = [hit.customer.external_id for hit in manager.get(f"{PAGE}{query}").context["hits"]]
    assert shown == [row["external_id"] for row in rows_of(manager, query)] == found


@pytest.mark.usefixtures("_three")
def test_nothing_in_it_calculates(browser_of: Callable[[str], Client]) -> None:
    row = rows_of(browser_of("administrator"), "?sort=name")[0]
    assert row.pop("since")
    assert row.pop("id")
    assert row == {
        "external_id": "c1", "email": "a@shop.test", "phone": "'+12125550101",
        "given_name": "'=1+1", "family_name": "Adams", "locale": "en", "country": "US",
        "tags": "vip; old",
    }  # fmt: skip


@pytest.mark.usefixtures("_three")
def test_who_took_it_is_noted_with_the_filter_but_not_with_what_was_typed(
    browser_of: Callable[[str], Client],
) -> None:
    rows_of(browser_of("administrator"), "?tag=vip&sort=name")
    rows_of(browser_of("administrator"), "?q=a@shop.test")
    noted = AuditEntry.objects.filter(action="list.handed_out").order_by("pk")
    assert [entry.after["filter"] for entry in noted] == [{"tag": "vip"}, {"q": "…"}]
    log = browser_of("administrator").get(reverse("backoffice:audit_log")).content.decode()
    assert "Took a list as a file" in log


@pytest.mark.usefixtures("_three")
def test_a_filter_that_no_column_holds_does_not_stop_it(
    browser_of: Callable[[str], Client],
) -> None:
    assert rows_of(browser_of("administrator"), "?tag=vip%00&other%00=%00") == []
    [entry] = AuditEntry.objects.filter(action="list.handed_out")
    assert entry.after["filter"] == {"tag": "vip", "other": ""}


@pytest.mark.usefixtures("_three")
@pytest.mark.parametrize("role", ["analyst", "support_agent", "auditor"])
def test_others_are_neither_offered_nor_given_it(
    browser_of: Callable[[str], Client], role: str
) -> None:
    client = browser_of(role)
    assert client.post(PAGE).status_code == 403
    assert "Take as a file" not in client.get(PAGE).content.decode()


@pytest.mark.usefixtures("_three")
def test_heads_say_how_the_list_is_in_order_and_keep_the_filter(
    browser_of: Callable[[str], Client],
) -> None:
    page = browser_of("marketing_manager").get(f"{PAGE}?tag=vip&sort=name").content.decode()
    assert page.count("aria-sort") == 1
    assert 'aria-sort="ascending"' in page
    assert "?tag=vip&amp;sort=-name" in page
    assert "?tag=vip&amp;sort=since" in page
    # The form that takes the file asks for the same.
    assert 'action="/backoffice/customers/?tag=vip&amp;sort=name"' in page


@pytest.mark.usefixtures("_three")
def test_many_cost_as_many_queries_as_one(browser_of: Callable[[str], Client]) -> None:
    manager = browser_of("marketing_manager")
    rows_of(manager)
    with CaptureQueriesContext(connection) as few:
        rows_of(manager)
    CustomerFactory.create_batch(30)
    with CaptureQueriesContext(connection) as many:
        rows_of(manager)
    assert len(many) == len(few)


@pytest.mark.parametrize("sort", ["name", "-name"])
def test_an_index_has_customers_by_name(sort: str) -> None:
    found = tagged_customers("").order_by(*ORDERINGS[sort])[:25]
    plan = plan_by_index(found)
    assert "customer_by_name" in plan
    assert "Sort" not in plan
