"""Journeys: what it costs to look for who begins one among a million members, by how many are due.
On a database of its own, which is dropped afterwards."""

from __future__ import annotations

import argparse
import datetime as dt
import math
import time
from collections.abc import Callable
from dataclasses import replace

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from campaigns.journey_definitions import Start
from campaigns.models import Journey
from campaigns.selectors.journey_starts import LOOK_UPS, Window
from campaigns.selectors.journeys import version_in_force
from campaigns.services.journey_dues import note_due
from campaigns.services.journeys import create_journey, publish_journey
from loyalty.models import Account, Program
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from tests.bench import databases
from tests.bench.figures import Figures, Goal
from tests.loyalty.factories import define

WANTED = ("quiet", "overdue", "birthday", "enrollment")
GOALS = {
    **{
        trigger: Goal(f"who is due by “{trigger}”, cost against how many are due, exponent", 1.1,
                      at_most=True)
        for trigger in WANTED
    },
    "idle": Goal("nobody due, the slowest of them, ms", 20, at_most=True),
}  # fmt: skip
DATABASE = "bench_journeys"
DUE = (1_000, 10_000)
# The others ordered, were born and joined at times of which none is near; these are.
_MEMBERS = """
    WITH people AS (
        INSERT INTO members_customer (public_id, external_id, given_name, family_name, email,
                                      phone, locale, country, tags, attributes, birthday,
                                      created_at, updated_at)
        SELECT gen_random_uuid(), 'J' || n, '', '', '', '', '', '', '{}', '{}',
               date '1990-07-01' + n %% 150, now(), now()
          FROM generate_series(1, %(count)s) n RETURNING id),
    accounts AS (
        INSERT INTO loyalty_account (kind, code, name, program_id)
        SELECT 'membership', '', '', %(program)s FROM people
        RETURNING id),
    pairs AS (
        SELECT p.id AS person, a.id AS account
          FROM (SELECT id, row_number() OVER () AS n FROM people) p
          JOIN (SELECT id, row_number() OVER () AS n FROM accounts) a USING (n))
    INSERT INTO loyalty_membership (public_id, program_id, customer_id, account_id, status, source,
                                    source_detail, card_number, enrolled_at, created_at)
    SELECT gen_random_uuid(), %(program)s, person, account, 'active', 'import', '', 'J' || person,
           timestamptz '2020-07-01 12:00+00' + person %% 150 * interval '1 day', now() FROM pairs
"""
_FACTS = """
    INSERT INTO members_customerfacts (customer_id, orders, ordered, returned, goods, discounts,
                                       first_order_at, last_order_at, categories, activities, as_of)
    SELECT customer_id, 11, 100, 0, 100, 0, at - interval '100 days', at, '{}', '{}', now()
      FROM (SELECT customer_id, %(now)s + customer_id %% 10000 * interval '1 minute' AS at
              FROM loyalty_membership) x
"""
_COME_DUE = """
    WITH few AS (SELECT m.id, m.customer_id FROM loyalty_membership m ORDER BY m.id LIMIT %(due)s),
    facts AS (UPDATE members_customerfacts f
                 SET last_order_at = %(last)s, first_order_at = %(last)s - interval '100 days',
                     as_of = now()
                FROM few WHERE f.customer_id = few.customer_id),
    born AS (UPDATE members_customer c SET birthday = date '1990-03-10'
               FROM few WHERE c.id = few.customer_id)
    UPDATE loyalty_membership m SET enrolled_at = timestamptz '2020-03-10 12:00+00'
      FROM few WHERE m.id = few.id
"""
NOW = dt.datetime(2026, 3, 10, 20, tzinfo=dt.UTC)
# Ten orders a hundred days apart make a cycle of ten, and half as much again is exceeded then.
LAST = NOW - dt.timedelta(days=15, minutes=30)


def make_members(program: Program, number: int) -> None:
    """So many more, each a customer of their own."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, {"count": number, "program": program.pk})


def rounds(options: argparse.Namespace) -> list[Figures]:
    databases.create(DATABASE)
    try:
        with databases.used(DATABASE):
            return [Journeys(options.customers).figures()]
    finally:
        databases.drop(DATABASE)


class Journeys:
    """As many members, of whom none is due, then some, then more."""

    def __init__(self, members: int) -> None:
        call_command("migrate", verbosity=0)
        began = NOW - dt.timedelta(days=2_500)
        self.program = apply_definition(define(), actor=SYSTEM, now=began).program
        self.members = members
        make_members(self.program, members)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM members_customerfacts")
            cursor.execute(_FACTS, {"now": NOW})
            cursor.execute(
                "VACUUM ANALYZE members_customer, loyalty_membership, members_customerfacts"
            )
        assert Account.objects.filter(kind="membership").count() == members
        self.journeys = {trigger: self._journey(trigger) for trigger in WANTED}

    def _journey(self, trigger: str) -> Journey:
        body = {
            "start": {"days": 15 if trigger == "quiet" else 0, "factor": "1.5"}, "holdout": 0,
            "steps": [{"kind": "end", "key": "s1"}],
        }  # fmt: skip
        since = NOW - dt.timedelta(hours=1)
        journey = create_journey(
            program=self.program, name=trigger, trigger=trigger, body=body, actor=SYSTEM,
            now=since,
        )  # fmt: skip
        return publish_journey(journey=journey, actor=SYSTEM, now=since)

    def figures(self) -> Figures:
        noting = _timed(self._note)
        idle = {trigger: min(self._look(trigger, 0) for _ in range(3)) for trigger in WANTED}
        took: dict[str, list[float]] = {trigger: [] for trigger in WANTED}
        for due in DUE:
            with connection.cursor() as cursor:
                cursor.execute(_COME_DUE, {"due": due, "last": LAST})
                cursor.execute(
                    "VACUUM ANALYZE members_customer, loyalty_membership, members_customerfacts"
                )
            self._note()
            for trigger in WANTED:
                took[trigger].append(min(self._look(trigger, due) for _ in range(3)))
        fewest, most = DUE
        found: Figures = {
            trigger: math.log(few_and_many[1] / few_and_many[0]) / math.log(most / fewest)
            for trigger, few_and_many in took.items()
        }
        found["idle"] = 1000 * max(idle.values())
        found[f"noting when all {self.members:,} are due, once, s"] = noting
        for trigger, (few, many) in took.items():
            found[f"“{trigger}”, {fewest:,} due of {self.members:,}, s"] = few
            found[f"“{trigger}”, {most:,} due of {self.members:,}, s"] = many
        return found

    def _note(self) -> None:
        found = version_in_force(Journey.objects.get(trigger="overdue"))
        assert found is not None
        with transaction.atomic():
            note_due(found, NOW - dt.timedelta(hours=1), timezone.now())

    def _look(self, trigger: str, due: int) -> float:
        """All pages of who is due within the hour."""
        journey = self.journeys[trigger]
        start = Start(days=15 if trigger == "quiet" else 0)
        window = Window(journey, start, NOW - dt.timedelta(hours=1), NOW)

        def all_pages() -> None:
            count, place = 0, window
            while True:
                wanted, ahead = LOOK_UPS[trigger](place)
                count += len(wanted)
                if ahead is None:
                    break
                place = replace(window, place=ahead)
            assert count == due, (trigger, count, due)

        return _timed(all_pages)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
