"""A shop's history whose worker, or database, dies between two pages comes in whole, and once."""

from __future__ import annotations

import pytest

from tests.kill.installation import Installation
from tests.kill.shop_server import PAGE, ShopServer, shop_server
from tests.kill.work import (
    another_in_charge,
    kill_in_the_middle,
    recover_little,
    wait_until_done,
)

pytestmark = [pytest.mark.kill, pytest.mark.long, pytest.mark.timeout(300)]
ORDERS = 200
# Of each order by its place in the shop: how often it is there, what it moved, what came back.
BROUGHT_IN = """
    SELECT o.external_id::bigint - %s, count(DISTINCT o.id), count(DISTINCT t.id),
           (SELECT coalesce(sum(m.amount), 0)::bigint FROM loyalty_transfer m
             WHERE m.order_id = o.id),
           (SELECT count(*) FROM loyalty_refund r WHERE r.order_id = o.id)
      FROM loyalty_order o
      LEFT JOIN loyalty_transfer t ON t.order_id = o.id
     WHERE o.source = %s
     GROUP BY o.id ORDER BY 1
"""
Brought = list[tuple[int, ...]]
_undisturbed: Brought = []


def start(installation: Installation, shop: ShopServer, source: str) -> int:
    job: int = installation.do("bring_in_history", url=shop.url, source=source)
    return job


def brought_in(installation: Installation, shop: ShopServer, source: str) -> Brought:
    return installation.query(BROUGHT_IN, shop.first, source)


def without_a_kill(installation: Installation) -> Brought:
    """What comes of it where nobody disturbs."""
    if not _undisturbed:
        with shop_server(first=1_000_000, orders=ORDERS, seconds=0) as shop:
            wait_until_done(installation, start(installation, shop, "undisturbed"))
            _undisturbed.extend(brought_in(installation, shop, "undisturbed"))
            assert max(shop.asked.values()) == 1
            assert sum(row[4] for row in _undisturbed) == shop.refunds
        assert [row[:2] for row in _undisturbed] == [(place, 1) for place in range(ORDERS)]
        assert all(row[3] > 0 for row in _undisturbed)
    return _undisturbed


@pytest.mark.parametrize(("part", "first"), [("worker", 2_000_000), ("postgres", 3_000_000)])
def test_it_goes_on_with_the_page_that_was_not_taken_in(
    installation: Installation, part: str, first: int
) -> None:
    recover_little(installation, part)
    source = f"history-{part}"
    with shop_server(first=first, orders=ORDERS) as shop:
        job = start(installation, shop, source)
        kill_in_the_middle(installation, job, part)
        found = wait_until_done(installation, job)
        assert brought_in(installation, shop, source) == without_a_kill(installation)
        assert (found["done"], found["total"]) == (ORDERS, ORDERS)
        assert found["result"]["created"] == ORDERS + shop.refunds
        # Nothing is begun from the start: a kill costs the page that was under way.
        assert shop.asked.total() <= ORDERS // PAGE + 2, shop.asked
    assert installation.do("verify") == []


def test_two_workers_that_have_it_bring_each_order_in_once(installation: Installation) -> None:
    with shop_server(first=4_000_000, orders=ORDERS) as shop:
        job = start(installation, shop, "history-twice")
        with another_in_charge(installation, job):
            found = wait_until_done(installation, job)
        brought = brought_in(installation, shop, "history-twice")
        assert brought == without_a_kill(installation)
        assert found["result"]["created"] == ORDERS + shop.refunds
    assert installation.do("verify") == []
