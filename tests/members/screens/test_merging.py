"""Merging a duplicate on the screen: found, compared, merged, and undone."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.models import Customer, CustomerMerge, User
from members.selectors.duplicates import CANDIDATES, likely_duplicates
from members.services.audit import SYSTEM
from members.services.merging import merge_customers
from tests.factories import CustomerFactory, CustomerNoteFactory, StaffMemberFactory
from tests.members.conftest import HTMX, IN_DIALOG

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]


@pytest.fixture
def sams(as_user: AsUser, agent: User) -> Client:
    """The browser of a support agent."""
    return as_user(agent)


@pytest.fixture
def anna() -> Customer:
    return CustomerFactory(
        given_name="Anna", family_name="Kowalska", email="anna@example.com",
        phone="+60123456789", external_id="K-1",
    )  # fmt: skip


@pytest.fixture
def ana() -> Customer:
    return CustomerFactory(
        given_name="Ana", family_name="Kowalska", email="ana.k@example.org", external_id="K-2"
    )


def page(name: str, customer: Customer, with_: Customer | None = None) -> str:
    address = reverse(f"backoffice:{name}", args=[customer.public_id])
    return f"{address}?with={with_.public_id}" if with_ else address


def merge(kept: Customer, merged: Customer) -> CustomerMerge:
    done, _replayed = merge_customers(
        kept=kept, merged=merged, actor=SYSTEM, source="api", now=timezone.now(), reason="Twins"
    )
    return done


# --- Finding the duplicate -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("details", "why"),
    [
        ({"given_name": "Ana", "family_name": "Kowalska"}, "Similar name"),
        ({"given_name": "ANNA", "family_name": "Kowálska"}, "Same name"),
        ({"given_name": "X", "family_name": "", "phone": "+61123456789"}, "Same phone"),
        ({"email": "anna.kowalska@work.example"}, "Same beginning of the e-mail"),
        ({"given_name": "Ana", "family_name": "Kowalska", "birthday": "1990-05-01"}, "Same birth"),
    ],
)
def test_who_looks_like_the_same_person_is_suggested(
    anna: Customer, details: dict[str, str], why: str
) -> None:
    CustomerFactory.create_batch(5)
    Customer.objects.filter(pk=anna.pk).update(
        email="anna.kowalska@example.com", birthday="1990-05-01"
    )
    anna.refresh_from_db()
    other = CustomerFactory(**({"external_id": None, "email": ""} | details))
    [hit] = likely_duplicates(anna)
    assert hit.customer == other
    assert hit.why.startswith(why)


@pytest.mark.parametrize(
    "details",
    [
        {"given_name": "Hanna", "family_name": "Kowal"},
        {"given_name": "Anna", "family_name": "Kowalska", "birthday": "1971-01-01"},
        {"given_name": "Boris", "family_name": "Petrov", "phone": "+61123456789"},
    ],
)
def test_who_only_resembles_is_not(anna: Customer, details: dict[str, str]) -> None:
    Customer.objects.filter(pk=anna.pk).update(birthday="1990-05-01")
    anna.refresh_from_db()
    CustomerFactory(**details)
    assert likely_duplicates(anna) == []


def test_of_very_many_who_are_called_alike_whoever_was_born_that_day_is_suggested(
    anna: Customer,
) -> None:
    names = {"given_name": anna.given_name, "family_name": anna.family_name}
    CustomerFactory.create_batch(2 * CANDIDATES, **names, birthday="1971-01-01")
    other = CustomerFactory(**names, birthday="1990-05-01")
    CustomerFactory.create_batch(2 * CANDIDATES, **names, birthday="1971-01-01")
    CustomerFactory(given_name="Boris", family_name="Petrov", birthday="1990-05-01")
    Customer.objects.filter(pk=anna.pk).update(birthday="1990-05-01")
    anna.refresh_from_db()
    [hit] = likely_duplicates(anna)
    assert (hit.customer, hit.why) == (other, "Same birthday, similar name")


def test_the_page_suggests_and_finds(sams: Client, anna: Customer, ana: Customer) -> None:
    address = page("customer_merge", anna)
    suggested = sams.get(address).content.decode()
    assert "May be the same person" in suggested
    assert page("customer_merge", anna, ana) in suggested
    other = CustomerFactory(given_name="Zbigniew", family_name="Nowak")
    found = sams.get(address, {"q": "zbigniew"}, headers=HTMX).content.decode()
    assert "<html" not in found
    assert page("customer_merge", anna, other) in found
    assert "Nobody found" in sams.get(address, {"q": "qqqqq"}).content.decode()
    themselves = sams.get(address, {"q": "anna@example.com"}).content.decode()
    assert page("customer_merge", anna, anna) not in themselves


def test_nobody_is_suggested_where_nobody_is_alike(sams: Client, anna: Customer) -> None:
    assert "Nobody looks like" in sams.get(page("customer_merge", anna)).content.decode()


# --- Merging -------------------------------------------------------------------------------------


def test_both_stand_side_by_side_before_anything_is_done(
    sams: Client, anna: Customer, ana: Customer
) -> None:
    content = sams.get(page("customer_merge", anna, ana)).content.decode()
    for text in ("anna@example.com", "ana.k@example.org", "still finds and signs in", "K-2"):
        assert text in content
    assert page("customer_merge", ana, anna) in content
    assert not CustomerMerge.objects.exists()


def test_the_merge_is_done_and_offers_its_undo(sams: Client, anna: Customer, ana: Customer) -> None:
    CustomerNoteFactory(customer=ana, text="Prefers mail")
    answer = sams.post(
        page("customer_merge", anna, ana), {"reason": "Wrote from both"}, follow=True
    )
    assert answer.redirect_chain[-1][0] == page("customer", anna)
    content = answer.content.decode()
    assert "Ana Kowalska was merged into Anna Kowalska." in content
    assert page("customer_merge_undo", ana) in content
    assert CustomerMerge.objects.get().reason == "Wrote from both"
    assert "Prefers mail" in sams.get(page("customer_notes", anna)).content.decode()


def test_two_of_the_same_name_are_told_apart(sams: Client, anna: Customer, ana: Customer) -> None:
    Customer.objects.filter(pk=ana.pk).update(given_name="Anna")
    done = sams.post(page("customer_merge", anna, ana), follow=True).content.decode()
    assert "Anna Kowalska (K-2) was merged into Anna Kowalska (K-1)." in done
    undone = sams.post(page("customer_merge_undo", ana), follow=True).content.decode()
    assert "Anna Kowalska (K-1) and Anna Kowalska (K-2) are two customers again." in undone


def test_what_cannot_be_merged_says_why(sams: Client, anna: Customer, ana: Customer) -> None:
    other = CustomerFactory()
    merge(anna, ana)
    for method in (sams.get, sams.post):
        content = method(page("customer_merge", other, ana)).content.decode()
        assert "was merged into Anna Kowalska already" in content
    themselves = sams.get(page("customer_merge", anna, anna)).content.decode()
    assert "two different customers" in themselves
    # Of somebody who was merged there is nothing to merge.
    assert sams.get(page("customer_merge", ana)).status_code == 302


# --- The merged customer -------------------------------------------------------------------------


def test_the_page_of_who_was_merged_leads_to_who_is_kept(
    sams: Client, anna: Customer, ana: Customer
) -> None:
    CustomerNoteFactory(customer=ana)
    merge(anna, ana)
    content = sams.get(page("customer", ana)).content.decode()
    assert "Merged into Anna Kowalska" in content
    assert "Twins" in content
    assert page("customer", anna) in content
    assert page("customer_merge_undo", ana) in content
    assert 'id="action-' not in content
    assert "The notes went along" in sams.get(page("customer_notes", ana)).content.decode()
    details = sams.get(page("customer_identity", ana)).content.decode()
    assert 'id="edit-details"' not in details
    assert "Ana Kowalska" in sams.get(page("customer_identity", anna)).content.decode()
    written = sams.post(page("customer_notes", ana), {"text": "x"}, headers=HTMX)
    assert (written.status_code, ana.notes.count()) == (422, 0)


def test_an_analyst_reads_but_does_not_undo(as_user: AsUser, anna: Customer, ana: Customer) -> None:
    merge(anna, ana)
    analyst = as_user(StaffMemberFactory(role="analyst").user)
    content = analyst.get(page("customer", ana)).content.decode()
    assert "Merged into Anna Kowalska" in content
    assert page("customer_merge_undo", ana) not in content


def test_the_undo_says_what_goes_back_and_does_it(
    sams: Client, anna: Customer, ana: Customer
) -> None:
    Customer.objects.filter(pk=ana.pk).update(birthday="1990-05-01")
    ana.refresh_from_db()
    merge(anna, ana)
    address = page("customer_merge_undo", ana)
    shown = sams.get(address, headers=IN_DIALOG).content.decode()
    assert "May 1, 1990" in shown
    done = sams.post(address, headers=IN_DIALOG)
    assert done["HX-Redirect"] == page("customer", ana)
    content = sams.get(page("customer", ana)).content.decode()
    assert "are two customers again" in content
    assert "Merged into" not in content
    again = sams.post(address)
    assert again.status_code == 422
    assert "undone already" in again.content.decode()


def test_an_undo_that_has_to_wait_says_for_what(
    sams: Client, anna: Customer, ana: Customer
) -> None:
    merge(anna, ana)
    other = CustomerFactory(given_name="Other", family_name="One")
    merge(other, anna)
    for method in (sams.get, sams.post):
        content = method(page("customer_merge_undo", ana)).content.decode()
        assert "Anna Kowalska was merged into Other One since. Undo that first." in content
