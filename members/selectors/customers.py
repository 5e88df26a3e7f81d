"""Finding and reading customers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from members.errors import DomainError, NotFoundError
from members.models import Customer, CustomerNote
from members.phones import normalize_phone, phone_digits, region_of_time_zone
from members.search import FoundBy, search_providers
from members.selectors.merchants import get_merchant

LONGEST_QUERY = 200
# Only so many candidates are ranked: two letters fit a tenth of all customers.
CANDIDATES = 300
# A misspelled word shares a few of its letter triples; in shorter ones nothing meaningful is left.
SHORTEST_FUZZY = 4


@dataclass(frozen=True, slots=True)
class CustomerHit:
    """A customer that was found, and what matched ("E-mail")."""

    customer: Customer
    why: str


@dataclass(frozen=True, slots=True)
class _Query:
    text: str
    words: tuple[str, ...]
    digits: str
    phone: str

    @classmethod
    def read(cls, typed: str) -> _Query:
        text = " ".join(typed.replace("\x00", " ").split())[:LONGEST_QUERY].lower()
        digits = phone_digits(text)
        region = region_of_time_zone(get_merchant().time_zone) if digits else ""
        return cls(text, tuple(text.split()), digits, _e164(text, region) if digits else "")

    @property
    def fuzzy_text(self) -> str:
        """What to look for with tolerance; of an address the part before the @ that is theirs."""
        name = self.text.partition("@")[0]
        has_letters = any(character.isalpha() for character in name)
        return name if has_letters and len(name) >= SHORTEST_FUZZY else ""


def search_customers(query: str, *, limit: int = 50) -> list[CustomerHit]:
    """Find customers by anything they are known by; exact finds first, then near ones.

    Without words: the newest customers. The number of queries depends on the number of registered
    providers only.
    """
    wanted = _Query.read(query)
    if not wanted.text:
        return [CustomerHit(row, "") for row in Customer.objects.order_by("-pk")[:limit]]
    hits: dict[int, str] = {}
    exact = list(_exact(wanted))
    _collect(hits, ((row.pk, _why(row, wanted)) for row in exact))
    for provider in search_providers():
        _collect(hits, _found(provider(query.strip()[:LONGEST_QUERY], limit)))
    near = list(_containing(wanted, limit))
    _collect(hits, ((row.pk, _why(row, wanted)) for row in near))
    if len(hits) < limit and wanted.fuzzy_text:
        _collect(hits, ((pk, _("Similar")) for pk in _similar_ids(wanted.fuzzy_text, limit)))
    return _with_customers(hits, [*exact, *near], limit)


def get_customer(public_id: UUID | str) -> Customer:
    """The customer with this public id, or NotFoundError."""
    try:
        identity = public_id if isinstance(public_id, UUID) else UUID(public_id)
        return Customer.objects.get(public_id=identity)
    except (ValueError, Customer.DoesNotExist) as error:
        raise NotFoundError(_("There is no such customer.")) from error


def get_customer_by_external_id(external_id: str) -> Customer:
    """The customer with the merchant's own number, or NotFoundError."""
    customer = Customer.objects.filter(external_id=external_id.replace("\x00", "")).first()
    if customer is None:
        raise NotFoundError(_("There is no customer with this number."))
    return customer


def list_notes(customer: Customer, limit: int = 100) -> list[CustomerNote]:
    """What staff wrote down, newest first."""
    return list(customer.notes.select_related("author")[:limit])


def count_customers() -> int:
    """How many customers there are: exact while few, the planner's estimate when very many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = 'members_customer'::regclass"
        )
        estimate = int(cursor.fetchone()[0])
    return estimate if estimate > 200_000 else Customer.objects.count()


def _e164(text: str, region: str) -> str:
    try:
        return normalize_phone(text, region=region)
    except DomainError:
        return ""


def _exact(query: _Query) -> QuerySet[Customer]:
    condition = Q(email=query.text) | Q(external_id=query.text) | Q(external_id=query.text.upper())
    if query.phone:
        condition |= Q(phone=query.phone)
    return Customer.objects.filter(condition)


def _containing(query: _Query, limit: int) -> Iterable[Customer]:
    """Customers whose details contain every word; those that begin with it come first."""
    condition = Q()
    for word in query.words:
        condition &= _word_condition(word)
    if query.digits:
        condition |= Q(search_text__contains=query.digits)
    candidates = Customer.objects.filter(condition).values("pk")[:CANDIDATES]
    first_word = query.words[0]
    rank = Case(
        When(search_text__startswith=query.text, then=Value(0)),
        When(search_text__contains=f" {query.text}", then=Value(1)),
        When(search_text__startswith=first_word, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    rows = Customer.objects.filter(pk__in=candidates).annotate(rank=rank)
    return rows.order_by("rank", Length(F("search_text")), "-pk")[:limit]


def _word_condition(word: str) -> Q:
    """One or two letters are looked for at the beginning of a word only."""
    if len(word) > 2:
        return Q(search_text__contains=word)
    return Q(search_text__startswith=word) | Q(search_text__contains=f" {word}")


def _similar_ids(text: str, limit: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM members_similar_customers(%s, %s)", [text, limit])
        return [row[0] for row in cursor.fetchall()]


def _found(found: Iterable[FoundBy]) -> Iterable[tuple[int, str]]:
    return ((item.customer_id, item.why) for item in found)


def _collect(hits: dict[int, str], found: Iterable[tuple[int, str]]) -> None:
    for pk, why in found:
        hits.setdefault(pk, why)


def _with_customers(
    hits: dict[int, str], loaded: Iterable[Customer], limit: int
) -> list[CustomerHit]:
    wanted = dict(list(hits.items())[:limit])
    rows = {row.pk: row for row in loaded}
    missing = [pk for pk in wanted if pk not in rows]
    if missing:
        rows |= {row.pk: row for row in Customer.objects.filter(pk__in=missing)}
    return [CustomerHit(rows[pk], why) for pk, why in wanted.items() if pk in rows]


def _why(customer: Customer, query: _Query) -> str:
    """Which of the customer's details the words are in."""
    name = f"{customer.given_name} {customer.family_name}".lower()
    fields: list[tuple[str, str]] = [
        (name, _("Name")),
        (customer.email, _("E-mail")),
        ((customer.external_id or "").lower(), _("Customer number")),
    ]
    if query.digits and query.digits in customer.phone:
        return _("Phone")
    for text, label in fields:
        if all(word in text for word in query.words):
            return label
    matching = [label for text, label in fields if any(word in text for word in query.words)]
    return ", ".join(matching)
