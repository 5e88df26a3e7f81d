"""Who is due for a journey is read from an index of when, page by page, and none is passed over."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Journey, JourneyDue, Passage
from campaigns.selectors import due_members, risen_wallets
from campaigns.services.journeys import end_journey, publish_journey, save_draft
from loyalty.models import Membership
from loyalty.services.facts import write_facts
from members.models import Customer, CustomerFacts
from members.services.audit import SYSTEM
from tests.campaigns.journeys import TELL, begin, live, starts, steps
from tests.loyalty.factories import NOW, adjust, day, make_program, make_wallet, order, record
from tests.plans import rows_read
from tests.rewards.factories import make_member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (due_members, risen_wallets):
        monkeypatch.setattr(module, "PAGE", 2)


def crowd(count: int, **program: Any) -> list[Membership]:
    first = make_member(0, "c0", make_program(**program))
    return [first, *(make_member(0, f"c{number}", first.program) for number in range(1, count))]


def bought(member: Membership, *at: dt.datetime) -> None:
    for number, placed in enumerate(at):
        record(order(f"{member.pk}-{number}-{placed:%m%d}", "10", at=placed,
                     buyer=member.customer.external_id or ""), now=placed)  # fmt: skip
    write_facts([member.customer_id], now=at[-1])


def led() -> set[int]:
    return set(Passage.objects.values_list("membership", flat=True))


def test_all_who_are_silent_are_found_also_when_many_ordered_in_the_same_moment() -> None:
    members = crowd(5)
    for member in members:
        bought(member, NOW)
    late = make_member(0, "late", members[0].program)
    bought(late, day(5))
    live(members[0], TELL, trigger="quiet", start={"days": 60})
    assert starts(day(59.5)) == 0
    assert starts(day(60.2)) == 5
    assert led() == {member.pk for member in members}
    assert starts(day(65.1)) == 1


def test_all_with_the_same_birthday_or_day_of_joining_are_found() -> None:
    members = crowd(5, time_zone="Pacific/Auckland")
    Customer.objects.update(birthday=dt.date(1990, 3, 1))
    Customer.objects.filter(external_id="c4").update(birthday=dt.date(1990, 3, 2))
    # 1 March there, and still 28 February at Greenwich.
    Membership.objects.update(enrolled_at=dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC))
    at = dt.datetime(2026, 2, 27, tzinfo=dt.UTC)
    for trigger in ("birthday", "enrollment"):
        live(members[0], TELL, trigger=trigger, at=at)
    assert starts(dt.datetime(2026, 2, 28, 10, tzinfo=dt.UTC)) == 0
    assert starts(dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC)) == 9
    assert starts(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)) == 1
    assert starts(dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)) == 0


def test_everybody_begins_with_the_month_and_who_rose_with_what_came_in() -> None:
    members = crowd(5)
    live(members[0], TELL, trigger="month", at=dt.datetime(2026, 3, 31, tzinfo=dt.UTC))
    assert starts(dt.datetime(2026, 4, 1, 0, 30, tzinfo=dt.UTC)) == 5
    Journey.objects.update(status="paused")
    live(members[0], TELL, trigger="balance", start={"balances": [100]}, at=day(40))
    for member in members:
        wallet = member.account.wallets.get()
        adjust(wallet, 150, f"a{wallet.pk}", now=day(40.01))
        adjust(wallet, 10, f"b{wallet.pk}", now=day(40.01))
    already = Passage.objects.count()
    assert starts(day(40) + dt.timedelta(hours=1)) == 5
    assert Passage.objects.count() == already + 5


def test_what_had_to_mature_is_found_when_it_can_be_spent() -> None:
    program = make_program(unit={"pending_days": 10})
    wallets = [make_wallet(program, f"c{number}") for number in range(3)]
    members = [wallet.account.membership for wallet in wallets]
    live(members[0], TELL, trigger="balance", start={"balances": [10]})
    for member in members:
        bought(member, NOW + dt.timedelta(hours=1))
    found = [starts(day(number + 0.5)) for number in range(13)]
    assert sum(found) == 3
    assert found.index(3) >= 9


def test_a_cycle_is_noted_once_and_again_for_whom_something_changed() -> None:
    members = crowd(3)
    for member in members:
        bought(member, NOW, day(10), day(20))
    journey = live(members[0], TELL, trigger="overdue", start={"factor": "2"}, at=day(21))
    starts(day(22))
    due = dict(JourneyDue.objects.values_list("customer", "due_at"))
    assert set(due.values()) == {day(40)}
    # One orders again before: noted anew, and not due as it was.
    bought(members[0], day(30))
    assert starts(day(40.1)) == 2
    assert led() == {member.pk for member in members[1:]}
    assert starts(day(49)) == 0
    assert starts(day(50.1)) == 1
    # With another factor all are noted again.
    journey.refresh_from_db()
    body = {"start": {"factor": "4"}, "holdout": 0, "steps": steps(TELL), "again": 0}
    save_draft(journey=journey, body=body, actor=SYSTEM, now=day(51))
    publish_journey(journey=journey, actor=SYSTEM, now=day(51))
    starts(day(52))
    assert set(JourneyDue.objects.values_list("due_at", flat=True)) == {day(60), day(70)}


def test_what_is_due_costs_the_same_however_many_members_there_are() -> None:
    """The plans begin at the index of when it is due."""
    members = crowd(2)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO members_customer (public_id, given_name, family_name, email, phone,"
            " locale, country, tags, attributes, created_at, updated_at, birthday)"
            " SELECT gen_random_uuid(), '', '', '', '', '', '', '{}', '{}', now(), now(),"
            " date '1990-01-01' + n % 365 FROM generate_series(1, 20000) n"
        )
        cursor.execute(
            "INSERT INTO members_customerfacts (customer_id, orders, ordered, returned, goods,"
            " discounts, last_order_at, categories, activities, as_of)"
            " SELECT id, 1, 0, 0, 0, 0, now() - id % 600 * interval '1 day', '{}', '{}', now()"
            " FROM members_customer ON CONFLICT DO NOTHING"
        )
        cursor.execute("ANALYZE members_customer, members_customerfacts")
    program = members[0].program_id
    Customer.objects.filter(pk=members[0].customer_id).update(birthday=dt.date(1990, 3, 1))
    for look, index, times in (
        (lambda: due_members.silent(program, day(0), day(0.1))(None), "facts_last_order", 1),
        # Whether it is anybody's day, and then whose.
        (lambda: born_on(program, 301), "customer_day_of_birth", 2),
        (lambda: born_on(program, 231), "customer_day_of_birth", 1),
    ):
        with CaptureQueriesContext(connection) as queries:
            look()
        assert len(queries) == times
        for query in queries:
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + query["sql"])
                plan = "\n".join(row[0] for row in cursor.fetchall())
            assert index in plan, plan


def born_on(program: int, day_of_year: int) -> list[int]:
    [stage] = due_members.of_days("birthday", program, [day_of_year])
    return stage(None)[0]


def test_a_page_reads_as_much_where_many_ordered_last_at_the_same_time() -> None:
    """A day's orders come in at midnight where a shop's export tells only the day."""
    members = crowd(12)
    write_facts([member.customer_id for member in members], now=NOW)
    CustomerFacts.objects.update(orders=1, last_order_at=day(1))
    look = due_members.silent(members[0].program_id, day(0), day(2))
    with connection.cursor() as cursor:
        # A dozen rows are sorted sooner than read in order; a million are not.
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    after, found, facts = None, 0, "members_customerfacts"
    for _page in range(len(members) // due_members.PAGE):
        assert rows_read(lambda place=after: look(place))[facts] <= due_members.PAGE  # type: ignore[misc]
        rows, after = look(after)
        found += len(rows)
    assert found == len(members)


def test_journeys_that_are_ended_keep_nothing_of_when_members_are_due() -> None:
    [member] = crowd(1)
    bought(member, NOW, day(10), day(20))
    journey = live(member, TELL, trigger="overdue", start={"factor": "2"}, at=day(21))
    starts(day(22))
    assert JourneyDue.objects.count() == 1
    end_journey(journey=journey, actor=SYSTEM, now=day(23))
    assert JourneyDue.objects.count() == 0
    assert begin(journey, member) == 0
