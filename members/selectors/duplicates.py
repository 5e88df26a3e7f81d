"""Who may be the same person as a customer, and what speaks for it."""

from __future__ import annotations

from difflib import SequenceMatcher

from django.contrib.postgres.search import TrigramWordSimilarity
from django.utils.translation import gettext as _

from members.folding import fold
from members.models import Customer
from members.models.customers import PHONE_DIGITS, day_of_birth, local_part, phone_end
from members.selectors.customer_search import CustomerHit, similar_ids

# So many with a similar name are looked at, and as many of those who were born on the same day;
# whatever is said of them first, such as a day that somebody made up.
CANDIDATES, BORN = 60, 1_000
# Names that are less alike than this, of one, are not similar, however they are compared below.
LEAST_ALIKE = 0.5
# "Ana Lima" and "Anna Lima" are as similar as this; "Anna Lima" and "Hanna Lim" are not.
SAME_NAME, SIMILAR_NAME, RELATED_NAME = 1.0, 0.87, 0.6
LOCAL_PART = 6


# From here on it is more than a name: their phone, their birthday or their address speaks for it.
MORE_THAN_A_NAME = 2


def likely_duplicates(customer: Customer, *, limit: int = 5, least: float = 0) -> list[CustomerHit]:
    """Other customers that look like the same person, the likeliest first, each with the reason.
    `least`: how much has to speak for it.

    Nothing is merged because of it: people decide.
    """
    found = Customer.objects.filter(pk__in=_candidates(customer), merged_into=None)
    rated = []
    for other in found.exclude(pk=customer.pk):
        score, why = _likeness(customer, other)
        if score > 0 and score >= least:
            rated.append((score, -other.pk, CustomerHit(other, why)))
    rated.sort(key=lambda item: item[:2], reverse=True)
    return [hit for _score, _pk, hit in rated[:limit]]


def _candidates(customer: Customer) -> set[int]:
    """Their keys, some of each kind: with a query among the conditions every customer would be
    looked at, and many of one kind leave the others their place."""
    found = {*_similar_names(customer), *_born_on_the_same_day(customer)}
    others = Customer.objects.filter(merged_into=None).exclude(pk=customer.pk).order_by()
    if customer.phone:
        called = others.alias(end=phone_end()).filter(end=customer.phone[-PHONE_DIGITS:])
        found.update(called.values_list("pk", flat=True)[:CANDIDATES])
    local = _local_part(customer)
    if local:
        written = others.alias(local=local_part()).filter(local=local)
        found.update(written.values_list("pk", flat=True)[:CANDIDATES])
    return found


def _similar_names(customer: Customer) -> list[int]:
    if not customer.family_name:
        return []
    return similar_ids(_name(customer), CANDIDATES, least=LEAST_ALIKE)


def _born_on_the_same_day(customer: Customer) -> list[int]:
    """With a similar name, also where too many are called alike to find them by it alone."""
    if not (customer.birthday and customer.family_name):
        return []
    day = 100 * customer.birthday.month + customer.birthday.day
    born = Customer.objects.alias(day=day_of_birth()).filter(day=day, birthday=customer.birthday)
    found = Customer.objects.filter(pk__in=born.values("pk")[:BORN]).alias(
        alike=TrigramWordSimilarity(_name(customer), "search_text")
    )
    similar = found.filter(alike__gte=LEAST_ALIKE).order_by("-alike", "-pk")
    return list(similar.values_list("pk", flat=True)[:CANDIDATES])


def _likeness(customer: Customer, other: Customer) -> tuple[float, str]:
    """How much speaks for it, and the strongest reason in words; 0: nothing does."""
    named = bool(customer.family_name and other.family_name)
    name = SequenceMatcher(None, _name(customer), _name(other)).ratio() if named else 0
    similar = name >= SIMILAR_NAME
    same_phone = customer.phone and other.phone.endswith(customer.phone[-PHONE_DIGITS:])
    if same_phone and (name >= RELATED_NAME or not named):
        return 4 + name, _("Same phone number at the end")
    if customer.birthday and customer.birthday == other.birthday and similar:
        return 3 + name, _("Same birthday, similar name")
    if customer.birthday and other.birthday and customer.birthday != other.birthday:
        return 0, ""
    if _local_part(customer) and _local_part(customer) == _local_part(other):
        return 2 + name, _("Same beginning of the e-mail address")
    if name >= SAME_NAME:
        return 1.5, _("Same name")
    return (name, _("Similar name")) if similar else (0, "")


def _name(customer: Customer) -> str:
    return fold(f"{customer.given_name} {customer.family_name}".strip())


def _local_part(customer: Customer) -> str:
    local = customer.email.partition("@")[0].lower()
    return local if len(local) >= LOCAL_PART else ""
