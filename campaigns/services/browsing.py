"""What members look at in the shop, written as it is told: a batch is one statement, whatever it is
about, and touches nothing that orders are written to."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from campaigns.browsing_words import words_of
from campaigns.channels import SHOP
from campaigns.models import BrowsingDay, BrowsingEvent, Consent
from campaigns.selectors.browsing_policies import get_browsing_policy
from campaigns.services.forgotten_browsing import kept_since
from campaigns.topics import BROWSING
from members.conditions.moments import Moment
from members.selectors.segments import merchant_moment
from members.services.outbox import record_event
from members.services.transactions import run_atomically

# The outbox event that follows: whose facts are others now.
HEARD = "browsing.heard"
MOST_AT_ONCE = 100
Kind, What = BrowsingEvent.Kind, BrowsingDay.What
# Why nothing is kept of what was told.
OFF, UNKNOWN, NO_CONSENT, TOO_OLD = "off", "unknown_customer", "no_consent", "too_old"


@dataclass(frozen=True, slots=True)
class Told:
    """What a page or a shop tells of somebody. `customer_id`: None, nobody knows them."""

    customer_id: int | None
    external_id: str
    kind: str
    subject: str
    occurred_at: dt.datetime
    name: str = ""
    category: str = ""
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`recorded`, `unchanged` (it was told before) or `dropped`, and why."""

    external_id: str
    outcome: str
    reason: str = ""


# Rows in the order of their keys, so that two batches about the same people take turns. What was
# told before is not counted again: days and carts follow the rows that are new.
_WRITE = """
    WITH told AS (
        SELECT * FROM jsonb_to_recordset(%(told)s::jsonb) AS t(
            customer bigint, external_id text, kind text, subject text, name text, category text,
            quantity int, at timestamptz, day date, facts jsonb)),
    kept AS (
        INSERT INTO campaigns_browsingevent
               (customer_id, external_id, kind, subject, name, category, quantity, occurred_at)
        SELECT customer, external_id, kind, subject, name, category, quantity, at
          FROM told ORDER BY customer, external_id
            ON CONFLICT (customer_id, external_id) DO NOTHING
        RETURNING id, customer_id, external_id, kind, subject, name, quantity, occurred_at),
    days AS (
        INSERT INTO campaigns_browsingday AS d (customer_id, what, subject, day, times, last_at)
        SELECT k.customer_id, f.what, f.subject, t.day, count(*), max(k.occurred_at)
          FROM kept k JOIN told t ON t.customer = k.customer_id AND t.external_id = k.external_id
         CROSS JOIN LATERAL jsonb_to_recordset(t.facts) AS f(what text, subject text)
         GROUP BY k.customer_id, f.what, f.subject, t.day
         ORDER BY k.customer_id, f.what, f.subject, t.day
            ON CONFLICT (customer_id, what, subject, day) DO UPDATE
           SET times = d.times + excluded.times, last_at = greatest(d.last_at, excluded.last_at)),
    carts AS (
        INSERT INTO campaigns_cartline AS c (customer_id, sku, name, quantity, changed_at)
        SELECT DISTINCT ON (customer_id, subject)
               customer_id, subject, name, quantity, occurred_at
          FROM kept WHERE kind = 'cart_updated'
         ORDER BY customer_id, subject, occurred_at DESC, id DESC
            ON CONFLICT (customer_id, sku) DO UPDATE
           SET quantity = excluded.quantity, changed_at = excluded.changed_at,
               name = excluded.name
         WHERE c.changed_at <= excluded.changed_at)
    SELECT customer_id, external_id FROM kept
"""


def record_browsing(told: Sequence[Told], *, now: dt.datetime) -> list[Outcome]:
    """Keep what was told of members who agreed; what became of each, in their order. Told again it
    is unchanged. What is said to be still to come has just happened."""
    why = _why_not(told, now)
    wanted = {
        (item.customer_id, item.external_id): item
        for item, reason in zip(reversed(told), reversed(why), strict=True)
        if not reason
    }
    new = run_atomically(lambda: _write(list(wanted.values()), now)) if wanted else set()
    found = []
    for item, reason in zip(told, why, strict=True):
        key = (item.customer_id, item.external_id)
        outcome = "dropped" if reason else "recorded" if key in new else "unchanged"
        new.discard(key)  # the same twice in a batch was told before by the first
        found.append(Outcome(item.external_id, outcome, reason))
    return found


def agreed_among(customer_ids: Sequence[int]) -> set[int]:
    """Those who said yes to it being kept what they look at."""
    rows = Consent.objects.filter(
        customer__in=customer_ids, channel=SHOP.key, topic=BROWSING.code,
        state=Consent.State.GRANTED,
    )  # fmt: skip
    return set(rows.values_list("customer", flat=True))


def facts_in(kind: str, subject: str, category: str) -> Iterator[tuple[str, str]]:
    """What a day's sums count of it: a product's view is one of its category, too."""
    match kind:
        case Kind.PRODUCT:
            yield What.PRODUCT.value, subject
            if category:
                yield What.CATEGORY.value, category
        case Kind.CATEGORY:
            yield What.CATEGORY.value, subject
        case Kind.SEARCH:
            for word in words_of(subject):
                yield What.WORD.value, word
        case Kind.CART:
            yield What.CART.value, subject


def _why_not(told: Sequence[Told], now: dt.datetime) -> list[str]:
    """Why nothing is kept of each; empty: it is."""
    if not get_browsing_policy().is_on:
        return [OFF] * len(told)
    agreed = agreed_among(sorted({item.customer_id for item in told if item.customer_id}))
    since = kept_since(now)

    def reason(item: Told) -> str:
        if item.customer_id is None:
            return UNKNOWN
        if item.customer_id not in agreed:
            return NO_CONSENT
        return TOO_OLD if item.occurred_at < since else ""

    return [reason(item) for item in told]


def _write(wanted: Sequence[Told], now: dt.datetime) -> set[tuple[int | None, str]]:
    """Which were new. Who took their yes back meanwhile waits here, or is waited for: then nothing
    of them is kept."""
    people = sorted({item.customer_id for item in wanted if item.customer_id})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM members_customer WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [people]
        )
    agreed, moment = agreed_among(people), merchant_moment(now)
    rows = [_row(item, moment) for item in wanted if item.customer_id in agreed]
    if not rows:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, {"told": json.dumps(rows)})
        new = {(row[0], row[1]) for row in cursor.fetchall()}
    if new:
        record_event(HEARD, {"customers": sorted({customer for customer, _id in new})})
    return new


def _row(item: Told, moment: Moment) -> dict[str, Any]:
    at = min(item.occurred_at, moment.now)
    facts = [
        {"what": what, "subject": subject}
        for what, subject in facts_in(item.kind, item.subject, item.category)
    ]
    return {
        "customer": item.customer_id, "external_id": item.external_id, "kind": item.kind,
        "subject": item.subject, "name": item.name, "category": item.category,
        "quantity": item.quantity, "at": at.isoformat(), "day": moment.day_of(at).isoformat(),
        "facts": facts,
    }  # fmt: skip
