"""Offers as challenges, with a small history of our own."""

import gzip
from pathlib import Path

import pytest

from tests.campaigns.offer_replay import replay

pytestmark = pytest.mark.django_db
OFFERS = """offer_id,offer_type,difficulty,reward,duration_days,channels
buy,bogo,10,10,2,web
save,discount,20,5,3,web
news,informational,0,0,3,web
"""
EVENTS = """event_no,customer_id,at,hour,event,offer_id,reward
1,ann,2018-07-27T00:00:00,0,received,buy,
2,ann,2018-07-27T00:00:00,0,received,save,
3,ann,2018-07-28T00:00:00,24,received,save,
4,bob,2018-07-27T00:00:00,0,received,buy,
5,bob,2018-07-27T00:00:00,0,received,news,
6,cid,2018-07-27T00:00:00,0,received,save,
7,ann,2018-07-29T00:00:00,48,completed,buy,10
8,ann,2018-07-29T00:00:00,48,completed,save,5
9,ann,2018-07-29T06:00:00,54,completed,save,5
"""
ORDERS = """order_id,customer_id,placed_at,currency,total,kind,returns_order_id
A,ann,2018-07-27T06:00:00,USD,9.99,sale,
B,ann,2018-07-29T00:00:00,USD,10.01,sale,
C,ann,2018-07-29T06:00:00,USD,9.99,sale,
D,bob,2018-07-27T06:00:00,USD,10.00,sale,
E,bob,2018-07-29T00:00:01,USD,50.00,sale,
F,cid,2018-07-30T00:00:00,USD,19.99,sale,
G,,2018-07-28T00:00:00,USD,99.00,sale,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "offers.csv").write_text(OFFERS)
    for name, text in (("offer_events", EVENTS), ("orders", ORDERS)):
        with gzip.open(tmp_path / f"{name}.csv.gz", "wt") as file:
            file.write(text)
    return tmp_path


def test_challenges_are_completed_when_offers_were(folder: Path) -> None:
    """Ten dollars are not more than ten; the last instant of the days counts."""
    found = replay(folder)
    assert found.found == found.expected
    assert (found.matches, found.extra, found.missed, found.is_exact) == (3, 0, 0, True)


def test_what_differs_is_counted(folder: Path) -> None:
    with gzip.open(folder / "offer_events.csv.gz", "at") as file:
        file.write("10,cid,2018-07-30T00:00:00,72,completed,save,5\n")
    found = replay(folder)
    assert (found.matches, found.extra, found.missed, found.is_exact) == (3, 0, 1, False)
