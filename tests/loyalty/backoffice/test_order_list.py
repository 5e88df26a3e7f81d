"""All orders on one page: narrowed, put in order, taken as a file."""

import csv
import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty.backoffice import order_list
from loyalty.models import Order
from loyalty.selectors.order_lists import ListedOrders, list_orders
from members.models import AuditEntry
from members.query_limits import TookTooLongError
from tests.factories import CustomerFactory, StaffMemberFactory
from tests.loyalty.backoffice.conftest import Member, htmx, url
from tests.loyalty.factories import give_back, make_program, order, record, refund
from tests.plans import plan_by_index

pytestmark = pytest.mark.usefixtures("ana_for_all")
TODAY = timezone.now()


def numbers(client: Client, **query: str) -> list[str]:
    answer = client.get(url("order_list"), query)
    assert answer.status_code == 200
    return [row.order.external_id for row in answer.context["rows"]]


@pytest.fixture
def several(ana: Member) -> None:
    """Besides Ana's, of which she gave back a part, two of a colleague of hers and a guest's."""
    CustomerFactory(given_name="Ben", family_name="=Costa", external_id="c2", email="ben@shop.test")
    record(
        order("B-1", "30", at=TODAY - dt.timedelta(days=3), buyer="c2", channel="web"),
        order("B-2", "20", at=TODAY - dt.timedelta(days=2), buyer="c2", channel="till"),
        order("G-1", "10", at=TODAY - dt.timedelta(days=1), buyer=None, channel="till",
              status="cancelled"),
    )  # fmt: skip
    give_back(refund("R-2", "20", of="B-2", at=TODAY - dt.timedelta(days=1)))


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["G-1", "B-2", "B-1", "A-1001"]),
        ({"sort": "placed"}, ["A-1001", "B-1", "B-2", "G-1"]),
        ({"channel": "till"}, ["G-1", "B-2"]),
        ({"state": "partly_refunded"}, ["A-1001"]),
        ({"state": "refunded"}, ["B-2"]),
        ({"state": "completed"}, ["B-1"]),
        ({"state": "cancelled"}, ["G-1"]),
        ({"program": "beans"}, ["B-2", "B-1", "A-1001"]),
        ({"q": "b-"}, ["B-2", "B-1"]), ({"q": "#A-1001"}, ["A-1001"]),
        ({"q": "Ana Lima"}, ["A-1001"]), ({"q": "nobody like that"}, []),
        ({"since": f"{TODAY - dt.timedelta(days=10):%Y-%m-%d}", "channel": "web"}, ["B-1"]),
        ({"until": f"{TODAY - dt.timedelta(days=10):%Y-%m-%d}"}, ["A-1001"]),
        # No choices, and no days: passed over.
        ({"state": "odd", "program": "odd", "since": "odd", "sort": "odd", "until": "9999-12-31",
          "channel": "\x00"},
         ["G-1", "B-2", "B-1", "A-1001"]),
    ],
)  # fmt: skip
def test_orders_are_narrowed_and_put_in_order(
    manager: Client, query: dict[str, str], found: list[str]
) -> None:
    assert sorted(numbers(manager, **query)) == sorted(found)
    if "q" not in query:
        assert numbers(manager, **query) == found


@pytest.mark.usefixtures("several")
def test_the_page_and_its_part_say_who_bought_and_how_it_is_in_order(agent: Client) -> None:
    page = agent.get(url("order_list"), {"channel": "till"}).content.decode()
    assert "Ben =Costa" in page
    assert "Guest" in page
    assert 'aria-sort="descending"' in page
    assert "?channel=till&amp;sort=placed" in page
    part = agent.get(url("order_list"), {"sort": "placed"}, headers=htmx("results"))
    assert "<html" not in part.content.decode()
    assert 'aria-sort="ascending"' in part.content.decode()
    # Whoever may not have it is offered no file.
    assert "Take as a file" not in page


@pytest.mark.usefixtures("several")
def test_what_is_shown_is_taken_as_a_file_in_its_order(manager: Client) -> None:
    address = f"{url('order_list')}?channel=till&sort=placed&q=B&cursor=x"
    assert "Take as a file" in manager.get(address).content.decode()
    answer = manager.post(address)
    assert answer["Content-Disposition"].startswith('attachment; filename="orders-')
    [row] = csv.DictReader(answer.getvalue().decode().splitlines())
    assert (row["order"], row["state"], row["channel"]) == ("B-2", "refunded", "till")
    assert (row["customer"], row["email"], row["name"]) == ("c2", "ben@shop.test", "Ben =Costa")
    assert (row["currency"], row["total"], row["given_back"]) == ("USD", "20.00", "20.00")
    entry = AuditEntry.objects.get(action="list.handed_out")
    # What was typed may be about somebody.
    assert entry.after == {"list": "orders", "filter": {"channel": "till", "q": "…"}}


@pytest.mark.parametrize("role", ["analyst", "support_agent", "auditor"])
def test_others_do_not_get_names_and_addresses(
    client_of: Callable[[str], Client], role: str
) -> None:
    assert client_of(role).post(url("order_list")).status_code == 403
    assert not AuditEntry.objects.filter(action="list.handed_out").exists()


@pytest.mark.usefixtures("several")
def test_whose_role_is_of_another_program_sees_and_takes_only_its_orders(beans: object) -> None:
    other = make_program("other", name="Others")
    client = Client()
    member = StaffMemberFactory(role="marketing_manager", programs=[other.pk])
    client.force_login(member.user, "django.contrib.auth.backends.ModelBackend")
    seen = numbers(client)
    assert "A-1001" not in seen
    rows = csv.DictReader(client.post(url("order_list")).getvalue().decode().splitlines())
    assert [row["order"] for row in rows] == seen


@pytest.mark.usefixtures("several")
def test_many_cost_as_many_queries_as_few(manager: Client) -> None:
    def asked() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as page:
            numbers(manager)
        with CaptureQueriesContext(connection) as file:
            assert manager.post(url("order_list")).getvalue()
        return len(page), len(file)

    asked()
    few = asked()
    record(*(order(f"M-{at}", "5", at=TODAY, buyer=f"m{at}") for at in range(20)))
    assert asked() == few


def test_what_takes_too_long_says_how_to_narrow_it(
    manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_args: object, **_how: object) -> None:
        raise TookTooLongError

    monkeypatch.setattr(order_list, "paginate", slow)
    page = manager.get(url("order_list"), {"channel": "fax"}).content.decode()
    assert "This takes too long to look for" in page


@pytest.mark.parametrize("sort", order_list.ORDERINGS)
def test_an_index_has_the_orders_in_their_order(sort: str, ana: Member) -> None:
    found = list_orders(ListedOrders()).order_by(*order_list.ORDERINGS[sort])[:25]
    plan = plan_by_index(found)
    assert "order_newest" in plan
    assert "Sort" not in plan.split("SubPlan")[0]


def test_the_search_box_leads_to_it(agent: Client) -> None:
    found = agent.get("/backoffice/search/", {"q": "orders"}, headers=htmx("x")).content.decode()
    assert url("order_list") in found
    assert Order.objects.exists()
