"""How far somebody is in a challenge, from tables; the order of arrival changes nothing."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from campaigns.challenges.progress import Plan, Progress, Window, progress_of
from campaigns.challenges.purchases import Item, Purchase, purchase_of
from campaigns.challenges.steps import read_steps
from loyalty.rules.facts import Basket, Line, Return, ReturnedLine

ATHENS = zoneinfo.ZoneInfo("Europe/Athens")
START = dt.datetime(2024, 3, 4, tzinfo=ATHENS)  # a Monday
DAY = dt.timedelta(days=1)
WINDOW = Window(START, START + 60 * DAY)


def bought(days: float, *items: Item, key: int = 1) -> Purchase:
    return Purchase(START + days * DAY, key, items or (Item(Decimal(10)),))


def item(amount: str = "10", category: str = "", sku: str = "", quantity: str = "1") -> Item:
    return Item(Decimal(amount), Decimal(quantity), sku, category)


def go(
    steps: list[dict[str, Any]], *purchases: Purchase, window: Window = WINDOW,
    now: dt.datetime | None = None, **plan: Any,
) -> Progress:  # fmt: skip
    return progress_of(Plan(read_steps(steps), **plan), purchases, window, ATHENS, now=now)


def done(progress: Progress) -> list[float]:
    return [(at - START) / DAY for at in progress.rounds]


SPEND = {"kind": "spend", "amount": 25}
TEA = {"categories": ["Tea"]}


STEPS = [
    (SPEND, [bought(1), bought(2)], []),
    (SPEND, [bought(1), bought(2), bought(3)], [3]),
    ({**SPEND, "amount": 20}, [bought(1), bought(2)], [2]),
    ({**SPEND, "amount": 20, "more_than": True}, [bought(1), bought(2)], []),
    ({**SPEND, "in_one": True}, [bought(1), bought(2), bought(3)], []),
    ({**SPEND, "in_one": True}, [bought(1, item("25"))], [1]),
    ({**SPEND, "in_one": True, "more_than": True}, [bought(1, item("25"))], []),
    ({**SPEND, "in_one": True, "more_than": True}, [bought(1, item("25.01"))], [1]),
    ({**SPEND, "only": TEA}, [bought(1, item("30", "Jam"), item("20", "Tea"))], []),
    ({**SPEND, "only": TEA}, [bought(1, item("30", "Jam"), item("25", "Tea"))], [1]),
    ({"kind": "count", "number": 2}, [bought(1), bought(1.5)], [1.5]),
    ({"kind": "count", "number": 2, "only": TEA}, [bought(1), bought(2, item("1", "Tea"))], []),
    ({"kind": "count", "of": "items", "number": 5}, [bought(1, item(quantity="5"))], [1]),
    (
        {"kind": "count", "of": "items", "number": 5, "only": {"skus": ["T1"]}},
        [bought(1, item(sku="T1", quantity="4"), item(sku="J1", quantity="9"))], [],
    ),
    ({"kind": "count", "number": 1}, [bought(1, item("0", quantity="0"))], []),
    ({"kind": "streak", "every": "day", "number": 3}, [bought(1), bought(2), bought(3)], [3]),
    ({"kind": "streak", "every": "day", "number": 3}, [bought(1), bought(2), bought(4)], []),
    ({"kind": "streak", "every": "day", "number": 2}, [bought(1), bought(1.4), bought(2)], [2]),
    # From Sunday to Monday is another week; Monday and Sunday are the same one.
    ({"kind": "streak", "every": "week", "number": 2}, [bought(6.5), bought(7.1)], [7.1]),
    ({"kind": "streak", "every": "week", "number": 2}, [bought(0.5), bought(6.5)], []),
    ({"kind": "streak", "every": "week", "number": 2}, [bought(1), bought(15)], []),
    ({"kind": "streak", "every": "month", "number": 2}, [bought(1), bought(30)], [30]),
    (
        {"kind": "streak", "every": "day", "number": 2, "least": 20},
        [bought(1, item("20")), bought(2), bought(3, item("20"))], [],
    ),
    (
        {"kind": "categories", "number": 2},
        [bought(1, item(category="Tea")), bought(2, item(category="Tea"), item())], [],
    ),
    (
        {"kind": "categories", "number": 2},
        [bought(1, item(category="Tea")), bought(2, item(category="Jam"))], [2],
    ),
    (
        {"kind": "collection", "names": ["A", "B"]},
        [bought(1, item(sku="A")), bought(2, item(sku="A"), item(sku="C"))], [],
    ),
    (
        {"kind": "collection", "names": ["A", "B"]},
        [bought(1, item(sku="A")), bought(2, item(sku="B"))], [2],
    ),
    (
        {"kind": "collection", "of": "categories", "names": ["Tea", "Jam"]},
        [bought(3, item(category="Tea"), item(category="Jam"))], [3],
    ),
]  # fmt: skip


def test_a_step_is_done_by_the_purchase_that_makes_it_whole():
    found = [(row, done(go([row[0]], *row[1]))) for row in STEPS]
    assert [(row, when) for row, when in found if when != pytest.approx(row[2])] == []


TWO = [{"kind": "count", "number": 1, "only": TEA}, {"kind": "spend", "amount": 20}]


ORDERS = [
    (False, [bought(1, item("20", "Tea"))], [1]),
    (True, [bought(1, item("20", "Tea"))], []),
    (True, [bought(1, item("20")), bought(2, item("1", "Tea"))], []),
    (False, [bought(1, item("20")), bought(2, item("1", "Tea"))], [2]),
    (True, [bought(1, item("1", "Tea")), bought(2, item("20"))], [2]),
]


def test_in_order_each_purchase_serves_the_step_that_is_next():
    found = [(row, done(go(TWO, *row[1], in_order=row[0]))) for row in ORDERS]
    assert [(row, when) for row, when in found if when != row[2]] == []


def test_it_can_be_done_so_often_and_each_purchase_serves_once():
    found = go([{"kind": "count", "number": 2}], *(bought(n, key=n) for n in range(1, 8)), times=3)
    assert done(found) == [2, 4, 6]
    assert found.is_done
    further = go([{"kind": "count", "number": 2}], *(bought(n) for n in range(1, 4)), times=3)
    assert (done(further), further.percent, further.is_done) == ([2], 50, False)


WINDOWS = [
    (Window(START + 1 * DAY, START + 2 * DAY), [1]),
    (Window(START + 1 * DAY, START + 2 * DAY, inclusive=True), [1, 2]),
    (Window(START, START + 9 * DAY, pauses=((START + DAY, START + 2 * DAY),)), [0, 2, 3]),
    (Window(START, START + 9 * DAY, pauses=((START + 2 * DAY, None),)), [0, 1]),
]


def test_only_purchases_of_the_window_count():
    purchases, step = [bought(n) for n in range(4)], {"kind": "count", "number": 1}
    found = [(row, done(go([step], *purchases, window=row[0], times=9))) for row in WINDOWS]
    assert [(row, when) for row, when in found if when != row[1]] == []


def test_a_row_of_weeks_that_was_not_kept_up_is_shown_as_none():
    step = [{"kind": "streak", "every": "week", "number": 4}]
    purchases = [bought(1), bought(8)]
    kept = go(step, *purchases, now=START + 20 * DAY)
    broken = go(step, *purchases, now=START + 22 * DAY)
    assert (kept.reached[0].got, broken.reached[0].got) == (2, 0)


def test_only_what_is_done_is_a_hundred_percent():
    shares = {(): 0, ("5",): 20, ("24.99",): 99, ("25",): 100, ("90",): 100}
    found = {
        amounts: go([SPEND], *(bought(n, item(a)) for n, a in enumerate(amounts))).percent
        for amounts in shares
    }
    assert found == shares


def test_what_is_collected_is_named():
    step = {"kind": "collection", "names": ["A", "B", "C"]}
    found = go([step], bought(1, item(sku="C")), bought(2, item(sku="A")))
    assert found.reached[0].names == ("A", "C")


LINES = (
    Line(1, Decimal(20), "A", "Tea", quantity=Decimal(2)),
    Line(2, Decimal(30), "B", "Jam"),
    Line(3, Decimal(50), "GIFT", stored_value=True),
)


RETURNS = [
    ([], [("A", 20, 2), ("B", 30, 1)]),
    ([Return(Decimal(10), (ReturnedLine(Decimal(10), "A", "Tea", Decimal(1)),))],
     [("A", 10, 1), ("B", 30, 1)]),
    ([Return(Decimal(30), (ReturnedLine(Decimal(30), "B", "Jam", Decimal(1)),))],
     [("A", 20, 2), ("B", 0, 0)]),
    ([Return(Decimal(100))], [("A", 0, 0), ("B", 0, 0)]),
]  # fmt: skip


def test_what_came_back_is_not_bought_and_a_gift_card_never_counts():
    found = [(row, purchase_of(1, START, Basket(LINES), row[0])) for row in RETURNS]
    kept = [(row, [(x.sku, x.amount, x.quantity) for x in all_of.items]) for row, all_of in found]
    assert [(row, items) for row, items in kept if items != row[1]] == []


MEANINGLESS = [
    [],
    [{"kind": "spend", "amount": 0}],
    [{"kind": "spend"}],
    [{"kind": "streak", "number": 1}],
    [{"kind": "collection", "names": ["A"]}],
    [{"kind": "collection", "names": ["A", "A"]}],
    [{"kind": "dance", "number": 3}],
    [{"kind": "count", "number": 1}] * 9,
]


def test_what_nobody_can_mean_is_refused():
    read = []
    for said in MEANINGLESS:
        with suppress(ValidationError):
            read.append((said, read_steps(said)))
    assert read == []


items = st.builds(
    Item,
    st.decimals(0, 40, places=2),
    st.integers(0, 3).map(Decimal),
    st.sampled_from(["A", "B", "C"]),
    st.sampled_from(["Tea", "Jam", ""]),
)
purchases = st.lists(
    st.builds(
        lambda hours, own: (hours, tuple(own)), st.integers(-48, 24 * 40),
        st.lists(items, min_size=1, max_size=3),
    ),
    max_size=20,
)  # fmt: skip
steps = st.lists(
    st.sampled_from(
        [
            {"kind": "spend", "amount": 30},
            {"kind": "spend", "amount": 15, "in_one": True, "more_than": True},
            {"kind": "count", "number": 2, "only": TEA},
            {"kind": "count", "of": "items", "number": 3},
            {"kind": "streak", "every": "day", "number": 2},
            {"kind": "streak", "every": "week", "number": 2},
            {"kind": "categories", "number": 2},
            {"kind": "collection", "names": ["A", "C"]},
        ]
    ),
    min_size=1, max_size=3,
)  # fmt: skip


@given(purchases, steps, st.booleans(), st.integers(1, 3), st.randoms(use_true_random=False))
def test_whatever_came_when_the_end_is_the_same(told, chosen, in_order, times, chance):
    """Told one by one in any order, what is reckoned at the end is what is reckoned of all."""
    known = [
        Purchase(START + dt.timedelta(hours=hours), key, own)
        for key, (hours, own) in enumerate(told)
    ]
    plan = Plan(read_steps(chosen), in_order, times)
    window = Window(START, START + 30 * DAY, pauses=((START + 5 * DAY, START + 6 * DAY),))
    whole = progress_of(plan, known, window, ATHENS)
    mixed = list(known)
    chance.shuffle(mixed)
    assert progress_of(plan, mixed, window, ATHENS) == whole
    assert list(whole.rounds) == sorted(whole.rounds)
    assert len(whole.rounds) <= times
    assert all(window.holds(at) for at in whole.rounds)


@given(purchases, steps, st.booleans(), st.integers(1, 3))
def test_one_more_purchase_at_the_end_undoes_nothing(told, chosen, in_order, times):
    known = [
        Purchase(START + dt.timedelta(hours=hours), key, own)
        for key, (hours, own) in enumerate(told)
    ]
    plan = Plan(read_steps(chosen), in_order, times)
    window = Window(START, START + 60 * DAY)
    before = progress_of(plan, known, window, ATHENS)
    last = Purchase(START + 50 * DAY, 999, (Item(Decimal(5), Decimal(1), "B", "Jam"),))
    after = progress_of(plan, [*known, last], window, ATHENS)
    assert after.rounds[: len(before.rounds)] == before.rounds
