"""One box finds customers by whatever is known of them, also misspelled."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from members import search
from members.models import Customer, Merchant
from members.search import FoundBy, register_search_provider
from members.selectors.customer_search import similar_ids
from members.selectors.customers import search_customers
from members.selectors.merchants import get_merchant
from tests.factories import CustomerFactory
from tests.sharing import shared

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_others")]


@pytest.fixture
def anna(db: None) -> Customer:
    return CustomerFactory(
        given_name="Anna", family_name="Kowalska", email="anna.kowalska@example.com",
        phone="+60123456789", external_id="K-1001",
    )  # fmt: skip


def make_others() -> None:
    CustomerFactory(given_name="Jürgen", family_name="Müller", email="jm@example.org")
    CustomerFactory(given_name="José", family_name="García", email="jose@example.org")
    CustomerFactory(given_name="Μαρία", family_name="Παπαδοπούλου", email="maria@example.org")
    CustomerFactory(given_name="Meiling", family_name="Lim", email="", phone="+60198765432")
    CustomerFactory(given_name="美玲", family_name="林", email="")


_others = shared(make_others)


@pytest.fixture
def _no_providers() -> Iterator[None]:
    """Only this application's own search, and what the test registers."""
    registered = dict(search._providers)
    search._providers.clear()
    yield
    search._providers.clear()
    search._providers.update(registered)


def names(query: str) -> list[str]:
    return [hit.customer.display_name for hit in search_customers(query)]


@pytest.mark.parametrize(
    "typed",
    [
        "anna kowalska", "Kowalska Anna", "ANNA", "kowal", "owalsk",
        "ana kowalska", "anna kowlaska", "kowalsak", "anna kowalske",
        "anna.kowalska@example.com", "ANNA.KOWALSKA@example.com", "anna.kow",
        "anna.kowalska@exmaple.com", "ana.kowalska@example.com",
        "+60123456789", "+60 12-345 6789", "0060 12 345 6789", "123456789", "345 6789",
        "K-1001", "k-1001", "k-10", " anna  kowalska ",
    ],
)  # fmt: skip
def test_the_customer_is_found_first(anna: Customer, typed: str) -> None:
    assert names(typed)[:1] == ["Anna Kowalska"]


def test_a_number_with_its_leading_zero_is_found_also_abroad(anna: Customer) -> None:
    assert names("012-345 6789") == ["Anna Kowalska"]
    get_merchant()
    Merchant.objects.update(time_zone="Asia/Kuala_Lumpur")
    assert names("012-345 6789") == ["Anna Kowalska"]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("muller", "Jürgen Müller"),
        ("MÜLLER", "Jürgen Müller"),
        ("jurgen", "Jürgen Müller"),
        ("jose garcia", "José García"),
        ("παπαδοπουλου", "Μαρία Παπαδοπούλου"),
        ("ΜΑΡΙΑ", "Μαρία Παπαδοπούλου"),
        ("林", "美玲 林"),
        ("li", "Meiling Lim"),
    ],
)
def test_accents_and_alphabets_do_not_matter(typed: str, name: str) -> None:
    assert name in names(typed)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("kowalska", "Name"),
        ("anna.kowalska@example.com", "E-mail"),
        ("+60 12 345 6789", "Phone"),
        ("K-1001", "Customer number"),
        ("kowalsak", "Similar"),
        ("anna example.com", "E-mail"),
    ],
)
def test_each_hit_says_why_it_was_found(anna: Customer, typed: str, why: str) -> None:
    (hit,) = [hit for hit in search_customers(typed) if hit.customer == anna]
    assert hit.why == why


def test_a_whole_address_finds_its_owner_and_nobody_alike(anna: Customer) -> None:
    CustomerFactory(given_name="Anna", family_name="Kowalska", email="anna.kowalska@example.co")
    assert len(search_customers("anna.kowalska@example.com")) == 1


def test_nobody_is_found_for_nonsense() -> None:
    assert search_customers("zzzzqqqq") == []
    assert search_customers("\x00\x00 %_%\\") == []


def test_percent_and_underscore_are_ordinary_characters(anna: Customer) -> None:
    assert search_customers("%nna") == []
    assert search_customers("k_1001") == []


def test_without_words_the_newest_come_first(anna: Customer) -> None:
    newest = CustomerFactory()
    assert [hit.customer for hit in search_customers(" ")][:1] == [newest]
    assert len(search_customers("", limit=2)) == 2


def test_the_limit_holds(anna: Customer) -> None:
    CustomerFactory.create_batch(5, family_name="Kowalska")
    assert len(search_customers("kowalska", limit=3)) == 3


@pytest.mark.usefixtures("_no_providers")
def test_other_applications_find_by_their_own_numbers(anna: Customer) -> None:
    def by_order(text: str, limit: int) -> Sequence[FoundBy]:
        return [FoundBy(anna.pk, "Order 4711")] if text == "4711" else []

    register_search_provider("orders", by_order)
    assert [(hit.customer, hit.why) for hit in search_customers("4711")] == [(anna, "Order 4711")]
    # The same digits may be the end of somebody's phone.
    other = CustomerFactory(phone="+60129994711")
    assert [hit.customer for hit in search_customers("4711")] == [anna, other]
    assert names("garcia") == ["José García"]


@pytest.mark.usefixtures("_no_providers")
@pytest.mark.parametrize("typed", ["", "anna", "kowalsak", "+60123456789", "nobody at all"])
def test_the_number_of_queries_does_not_grow(
    anna: Customer, typed: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    CustomerFactory.create_batch(30, family_name="Kowalska")
    get_merchant()
    with django_assert_max_num_queries(5):
        search_customers(typed)


def test_the_search_goes_through_the_indexes(anna: Customer) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for condition in (
            "search_text LIKE '%kowal%'",
            "'kowalsak' <% search_text",
            "lower(email) = 'a@example.com' AND email = 'a@example.com'",
            "phone = '+60123456789'",
            "external_id IN ('K-1001')",
        ):
            cursor.execute(f"EXPLAIN SELECT id FROM members_customer WHERE {condition}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan" not in plan, plan


def test_the_function_in_the_database_is_the_one_in_the_file() -> None:
    source = Path("members/selectors/sql/similar_customers.sql").read_text(encoding="utf-8")
    body = source.partition("$$")[2].partition("$$")[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'members_similar_customers'")
        assert cursor.fetchone()[0] == body


def test_how_much_is_similar_is_said_to_the_search_alone() -> None:
    CustomerFactory(given_name="Anna", family_name="Kowalska")
    with connection.cursor() as cursor:
        cursor.execute("SHOW pg_trgm.word_similarity_threshold")
        before = cursor.fetchone()
        assert similar_ids("anna kowalsak", 5)
        assert not similar_ids("anna kowalsak", 5, least=0.9)
        cursor.execute("SHOW pg_trgm.word_similarity_threshold")
        assert cursor.fetchone() == before


def test_of_very_many_who_are_alike_only_some_are_compared() -> None:
    CustomerFactory.create_batch(520, given_name="Anna", family_name="Kowalska")
    last = CustomerFactory(given_name="Anne", family_name="Kowalska")
    assert len(similar_ids("anna kowalska", 10)) == 10
    # Those who are nearly the same are looked at first, so few of them are not lost among many.
    assert similar_ids("anne kowalska", 1) == [last.pk]
    assert similar_ids("anne kowalska", 10)[0] == last.pk
