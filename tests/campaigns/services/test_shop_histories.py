"""Bringing in a shop's history from its API, which a server here speaks as documented."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from campaigns.connectors import pages
from campaigns.models import Connection
from campaigns.services import shop_histories
from campaigns.services.connections import api_access, set_api_access
from campaigns.services.shop_histories import run_history, start_history
from loyalty.models import Order, Refund
from members.errors import ConflictError, DomainError
from members.models import Customer, Job
from members.services.audit import SYSTEM
from members.services.jobs import retry_job
from tests.campaigns.shops import (
    connect,
    shopify,
    shopify_customer,
    shopify_order,
    shopify_refund,
    woo_customer,
    woo_order,
    woocommerce,
    work,
)
from tests.loyalty.factories import day, make_program, spendable
from tests.sharing import anew, shared

# A job that fails writes so outside the work's transaction, as it does in a worker.
pytestmark = pytest.mark.django_db

Answer = tuple[int, dict[str, str], Any]


@dataclass
class Shop:
    """A shop's API: `answer` says what comes of a path; `asked` what was asked for."""

    port: int
    answer: Callable[[str, dict[str, str]], Answer] = lambda _path, _query: (404, {}, {})
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def api() -> Iterator[Shop]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            found.headers.append(dict(self.headers))
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, headers, body = found.answer(parts.path, query)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Shop(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _coherent(coherent_ledger):
    """Whatever a test here did, it left coherent books."""


made_once = shared(lambda: make_program(at=day(-30)))


@pytest.fixture
def program(made_once, db):
    return anew(made_once)


def opened(kind: str, api: Shop, key: str = "shpat_1", secret: str = "") -> Connection:
    return set_api_access(
        connection=connect(kind), shop_url=api.url, key=key, secret=secret, actor=SYSTEM
    )


def shopify_shop(api: Shop, orders: list[Any], customers: list[Any], size: int) -> None:
    """By cursors in the Link header, as Shopify's REST API answers."""

    def answer(path: str, query: dict[str, str]) -> Answer:
        what = path.rpartition("/")[2].removesuffix(".json")
        if what == "count":
            found = orders if "/orders/" in path else customers
            return 200, {}, {"count": len(found)}
        found = orders if what == "orders" else customers
        if "page_info" in query:
            assert "status" not in query, "a cursor brings all but the limit along"
        begin = int(query.get("page_info", "0"))
        headers = {}
        if begin + size < len(found):
            following = f"{api.url}{path}?limit={query['limit']}&page_info={begin + size}"
            before = f'<{api.url}{path}?limit=250&page_info=0>; rel="previous", '
            headers["Link"] = f'{before if begin else ""}<{following}>; rel="next"'
        return 200, headers, {what: found[begin : begin + size]}

    api.answer = answer


def refunds_of(path: str) -> list[Any]:
    """As WooCommerce lists the refunds of an order."""
    number = int(path.split("/")[-2])
    return [
        {"id": 7_000 + number, "date_created": "2024-03-16T09:00:00",
         "date_created_gmt": "2024-03-16T13:00:00", "amount": "10.00", "reason": "",
         "refunded_by": 1, "refunded_payment": False, "meta_data": [], "line_items": []}
    ]  # fmt: skip


def woocommerce_shop(api: Shop, orders: list[Any], customers: list[Any], size: int) -> None:
    """By numbers of pages, as WooCommerce's REST API answers."""

    def answer(path: str, query: dict[str, str]) -> Answer:
        if path.endswith("/refunds"):
            return 200, {}, refunds_of(path)
        found = orders if path.endswith("/orders") else customers
        number = int(query["page"])
        headers = {
            "X-WP-Total": str(len(found)), "X-WP-TotalPages": str(-(-len(found) // size) or 1)
        }  # fmt: skip
        return 200, headers, found[(number - 1) * size : number * size]

    api.answer = answer


def shopify_orders(count: int) -> list[Any]:
    return [shopify_order(1000 + number, updated="2024-03-15T08:00:01-04:00")
            for number in range(count)]  # fmt: skip


def run(connection: Connection) -> Job:
    job = start_history(connection=connection, since=None, actor=SYSTEM)
    run_history(job.pk)
    return Job.objects.get(pk=job.pk)


def test_all_pages_of_a_shopify_shop_come_in_and_again_change_nothing(program, api):
    orders = shopify_orders(5)
    orders[4] |= {"refunds": [shopify_refund(of=1004)], "financial_status": "partially_refunded"}
    shopify_shop(api, orders, [shopify_customer(updated="2024-03-14T08:00:00-04:00")], size=2)
    shop = opened("shopify", api)
    job = run(shop)
    assert (job.state, job.done, job.total) == ("succeeded", 6, 6)
    assert job.result == {"created": 7}
    assert Order.objects.count() == 5
    assert Refund.objects.get().order.external_id == "1004"
    assert Customer.objects.get().phone == "+16135551111"
    assert {headers["X-Shopify-Access-Token"] for headers in api.headers} == {"shpat_1"}
    assert "status=any" in next(path for path in api.asked if "/orders.json" in path)
    units = spendable("207119551")
    again = run(shop)
    assert again.result.keys() == {"known"}
    # What was told live meanwhile is the same thing, too.
    shopify(shop, "orders/updated", orders[4])
    work()
    assert spendable("207119551") == units


def test_all_pages_of_a_woocommerce_shop_come_in(program, api):
    orders = [woo_order(700 + number, modified="2024-03-15T12:05:00") for number in range(3)]
    woocommerce_shop(api, orders, [woo_customer(modified="2024-03-14T12:00:00")], size=2)
    job = run(opened("woocommerce", api, "ck_1", "cs_2"))
    assert (job.state, job.done, job.total) == ("succeeded", 4, 4)
    assert spendable("26") == 3 * 28
    pair = base64.b64encode(b"ck_1:cs_2").decode()
    assert {headers["Authorization"] for headers in api.headers} == {f"Basic {pair}"}


def test_a_refund_of_long_ago_has_the_day_that_the_shop_says(program, api):
    told = {"refunds": [{"id": 7_700, "reason": "", "total": "-10.00"}]}
    # Somebody wrote a note on it months later.
    orders = [woo_order(700, modified="2024-08-15T12:05:00", **told),
              woo_order(701, modified="2024-03-15T12:05:00")]  # fmt: skip
    woocommerce_shop(api, orders, [], size=2)
    shop = opened("woocommerce", api, "ck_1", "cs_2")
    assert run(shop).state == "succeeded"
    found = Refund.objects.get()
    assert (found.external_id, found.total) == ("7700", 10)
    assert found.refunded_at.isoformat() == "2024-03-16T13:00:00+00:00"
    assert sum("/refunds" in path for path in api.asked) == 1
    units = spendable("26")
    # What the shop tells of it live is the same refund, and moves it nowhere.
    woocommerce(shop, "order.updated", orders[0])
    work()
    assert run(shop).result.keys() == {"known"}
    assert Refund.objects.get().refunded_at == found.refunded_at
    assert spendable("26") == units


def test_it_waits_as_long_as_the_shop_asks_for(program, api):
    shopify_shop(api, shopify_orders(1), [], size=2)
    answer, busy = api.answer, [429, 503, 429]

    def sometimes(path: str, query: dict[str, str]) -> Answer:
        if busy:
            return busy.pop(), {"Retry-After": "0.01"}, {"errors": "Exceeded 2 calls per second"}
        return answer(path, query)

    api.answer = sometimes
    job = run(opened("shopify", api))
    assert job.state == "succeeded"
    assert Order.objects.count() == 1
    assert "asks to wait (429)" in " ".join(line.text for line in job.log_lines.all())


def test_it_goes_on_where_it_stopped(program, api, monkeypatch):
    monkeypatch.setattr(shop_histories, "PAUSES", ())
    shopify_shop(api, shopify_orders(5), [], size=2)
    answer = api.answer
    api.answer = lambda path, query: (
        (500, {}, {}) if query.get("page_info") == "2" else answer(path, query)
    )
    shop = opened("shopify", api)
    job = start_history(connection=shop, since=None, actor=SYSTEM)
    with pytest.raises(DomainError):
        run_history(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, Order.objects.count()) == ("failed", 2, 2)
    api.answer = answer
    asked = len(api.asked)
    retry_job(job=job, actor=SYSTEM)
    run_history(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, Order.objects.count()) == ("succeeded", 5, 5)
    assert [path for path in api.asked[asked:] if "page_info" not in path] == []


def test_an_order_that_is_wrong_is_named_and_the_others_come_in(program, api):
    orders = shopify_orders(3)
    orders[0] = orders[0] | {"total_price": "free"}
    orders[1] = orders[1] | {"currency": "EUR"}
    shopify_shop(api, orders, [], size=5)
    job = run(opened("shopify", api))
    assert job.state == "succeeded"
    assert job.result["refused"] == 2
    assert Order.objects.get().external_id == "1002"
    price, currency = job.errors.order_by("row").values_list("row", "column", "value", "reason")
    assert price == (1, "total_price", "1000", "Write a number such as 12.50.")
    assert currency[:3] == (2, "currency", "1001")
    assert "Add one of that day" in currency[3]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {}, {"errors": "[API] Invalid API key"}), "does not accept the key"),
        ((302, {"Location": "/login"}, {}), "answered with 302"),
        ((200, {}, b"<html>"), "something else than JSON"),
        ((200, {}, {"products": []}), "something else than a page"),
    ],
)
def test_what_will_not_answer_fails_with_words(program, api, answer, words):
    api.answer = lambda _path, _query: answer
    job = start_history(connection=opened("shopify", api), since=None, actor=SYSTEM)
    with pytest.raises(DomainError):
        run_history(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert words in job.error


def test_the_key_goes_to_nobody_but_the_shop():
    page = pages.PAGES[Connection.Kind.SHOPIFY].page
    headers = {"Link": '<https://elsewhere.example/admin/api/orders.json?page_info=x>; rel="next"'}
    assert page("", headers, {"orders": []}, "orders").following == (
        "/admin/api/orders.json?page_info=x"
    )


def test_without_a_key_nothing_begins(program):
    with pytest.raises(ConflictError):
        start_history(connection=connect(), since=None, actor=SYSTEM)


def test_it_is_begun_on_its_page_and_a_kept_key_goes_nowhere_else(client_of, program, api):
    shopify_shop(api, [], [], size=2)
    shop = connect()
    admin = client_of("administrator")
    url = reverse("connections:connection_history", args=[shop.public_id])
    assert admin.post(url, {"shop_url": api.url}).status_code == 422
    response = admin.post(url, {"shop_url": api.url, "key": "shpat_9", "since": "2024-01-01"})
    assert response.status_code == 302
    job = Job.objects.get()
    assert job.params["since"] == "2024-01-01T00:00:00Z"
    shop.refresh_from_db()
    assert api_access(shop) == ("shpat_9", "")
    assert b"shpat_9" not in bytes(shop.api_access)
    moved = admin.post(url, {"shop_url": "https://elsewhere.example", "key": ""})
    assert moved.status_code == 422
    assert api_access(shop) == ("shpat_9", "")
