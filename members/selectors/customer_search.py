"""The one search box: over names, addresses, phones, numbers, and what other applications add."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from members.errors import DomainError
from members.folding import fold
from members.models import Customer
from members.phones import normalize_phone, phone_digits, region_of_time_zone
from members.search import search_providers
from members.selectors.identities import having_any
from members.selectors.merchants import get_merchant

LONGEST_QUERY = 200
# Only so many candidates are ranked: two letters fit a tenth of all customers.
CANDIDATES = 300
# A misspelled word shares some of its letter triples; in shorter ones nothing meaningful is left.
SHORTEST_FUZZY = 4
# One slip in a word of five letters leaves it as much alike, of one.
SIMILAR = 0.4

_NOT_LETTERS = re.compile(r"[\W\d_]+")


@dataclass(frozen=True, slots=True)
class CustomerHit:
    """A customer that was found, and what matched ("E-mail")."""

    customer: Customer
    why: str


@dataclass(frozen=True, slots=True)
class _Query:
    """The typed text in the forms it is looked for: as it stands, folded, as a phone number."""

    text: str
    words: tuple[str, ...]
    digits: str
    phone: str

    @classmethod
    def read(cls, typed: str) -> _Query:
        text = " ".join(typed.replace("\x00", " ").split())[:LONGEST_QUERY]
        digits = phone_digits(text)
        return cls(text, tuple(fold(text).split()), digits, _as_e164(text) if digits else "")

    @property
    def folded(self) -> str:
        return " ".join(self.words)

    @property
    def letters(self) -> str:
        """What to look for with tolerance: letters only, and of an address what is before the @.

        Digits that are nearly right belong to somebody else.
        """
        name = _NOT_LETTERS.sub(" ", self.folded.partition("@")[0]).strip()
        return name if len(name) >= SHORTEST_FUZZY else ""


def search_customers(query: str, *, limit: int = 50) -> list[CustomerHit]:
    """Find customers by anything they are known by: the very one, then fitting, then similar ones.

    Without words: the newest customers. The number of queries depends on the number of registered
    providers only.
    """
    wanted = _Query.read(query)
    if not wanted.text:
        newest = Customer.objects.filter(merged_into=None).order_by("-pk")
        return [CustomerHit(row, "") for row in newest[:limit]]
    rows = {row.pk: row for row in _exact(wanted)}
    hits = {pk: _why(row, wanted) for pk, row in rows.items()}
    for provider in search_providers():
        for found in provider(wanted.text, limit):
            hits.setdefault(found.customer_id, found.why)
    if not any(_is_unmistakable(row, wanted) for row in rows.values()):
        near = list(_containing(wanted, limit))
        rows |= {row.pk: row for row in near}
        for row in near:
            hits.setdefault(row.pk, _why(row, wanted))
        if len(hits) < limit and wanted.letters:
            for pk in similar_ids(wanted.letters, limit):
                hits.setdefault(pk, _("Similar"))
    return _with_customers(hits, rows, limit)


def _as_e164(text: str) -> str:
    try:
        return normalize_phone(text, region=region_of_time_zone(get_merchant().time_zone))
    except DomainError:
        return ""


def _exact(query: _Query) -> QuerySet[Customer]:
    """Whoever has exactly this address or number, each through its own unique index."""
    numbers = {query.text, query.text.upper(), query.text.lower()}
    return having_any(email=query.text, phone=query.phone, external_ids=numbers)


def _is_unmistakable(customer: Customer, query: _Query) -> bool:
    """Whoever types a whole address or phone wants its owner and nobody who resembles them.

    Other numbers are short enough to be the end of somebody else's phone.
    """
    return query.text.lower() == customer.email or (query.phone or None) == customer.phone


def _containing(query: _Query, limit: int) -> QuerySet[Customer]:
    """Customers whose details contain every word; those that begin with it come first."""
    condition = Q()
    for word in query.words:
        condition &= _word_condition(word)
    whens = [
        When(search_text__startswith=f"{query.folded} ", then=Value(1)),
        When(search_text__contains=f" {query.folded} ", then=Value(2)),
        When(search_text__startswith=query.folded, then=Value(3)),
        When(search_text__contains=f" {query.folded}", then=Value(4)),
        When(search_text__startswith=query.words[0], then=Value(5)),
    ]
    if query.digits:
        condition |= Q(search_text__contains=query.digits)
        # The last digits of a phone number are what people remember of it.
        whens.insert(0, When(phone__endswith=query.digits, then=Value(0)))
    candidates = Customer.objects.filter(condition).values("pk")[:CANDIDATES]
    rank = Case(*whens, default=Value(6), output_field=IntegerField())
    rows = Customer.objects.filter(pk__in=candidates).annotate(rank=rank)
    return rows.order_by("rank", Length("search_text"), "-pk")[:limit]


def _word_condition(word: str) -> Q:
    """One or two letters are looked for at the beginning of a word only."""
    if len(word) > 2:
        return Q(search_text__contains=word)
    return Q(search_text__startswith=word) | Q(search_text__contains=f" {word}")


def similar_ids(letters: str, limit: int, *, least: float = SIMILAR) -> list[int]:
    """Keys of customers with a detail that is spelled like this, best first; `least`: how much, of
    one. Of very many who are spelled alike, some."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM members_similar_customers(%s, %s, %s::real)", [letters, limit, least]
        )
        return [row[0] for row in cursor.fetchall()]


def _with_customers(
    hits: dict[int, str], rows: dict[int, Customer], limit: int
) -> list[CustomerHit]:
    wanted = list(hits.items())[:limit]
    missing = [pk for pk, _why in wanted if pk not in rows]
    if missing:
        rows |= {row.pk: row for row in Customer.objects.filter(pk__in=missing)}
    found = [CustomerHit(rows[pk], why) for pk, why in wanted if pk in rows]
    if any(hit.customer.merged_into_id for hit in found):
        return _as_they_are_now(found)
    return found


def _as_they_are_now(hits: list[CustomerHit]) -> list[CustomerHit]:
    """A duplicate that was merged is found as the customer it was merged into, each one once."""
    ids = {hit.customer.merged_into_id for hit in hits if hit.customer.merged_into_id is not None}
    kept = {row.pk: row for row in Customer.objects.filter(pk__in=ids)}
    shown: dict[int, CustomerHit] = {}
    for hit in hits:
        if hit.customer.merged_into_id is not None:
            if hit.customer.merged_into_id not in kept:
                continue  # in another program than those that are seen
            why = _("%s of a merged duplicate") % hit.why
            hit = CustomerHit(kept[hit.customer.merged_into_id], why)  # noqa: PLW2901
        shown.setdefault(hit.customer.pk, hit)
    return list(shown.values())


def _why(customer: Customer, query: _Query) -> str:
    """Which of the customer's details the words are in."""
    if query.digits and query.digits in customer.phone:
        return _("Phone")
    details: Iterable[tuple[str, str]] = [
        (f"{customer.given_name} {customer.family_name}", _("Name")),
        (customer.email, _("E-mail")),
        (customer.external_id or "", _("Customer number")),
    ]
    folded = [(fold(text), label) for text, label in details]
    whole = [label for text, label in folded if all(word in text for word in query.words)]
    parts = [label for text, label in folded if any(word in text for word in query.words)]
    return whole[0] if whole else ", ".join(parts)
