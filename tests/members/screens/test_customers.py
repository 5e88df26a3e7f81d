"""Finding, creating, editing and seeing a customer."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from members.models import AuditEntry, Customer, StaffMember, User
from members.services.audit import Actor
from members.services.customers import add_note, update_customer
from tests.factories import CustomerFactory, CustomerNoteFactory
from tests.members.conftest import HTMX, IN_DIALOG

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]
Role = StaffMember.Role


@pytest.fixture
def sams(as_user: AsUser, agent: User) -> Client:
    """The browser of a support agent."""
    return as_user(agent)


@pytest.fixture
def anna() -> Customer:
    return CustomerFactory(
        given_name="Anna", family_name="Kowalska", email="anna@example.com",
        phone="+60123456789", external_id="K-1001", tags=["vip"],
    )  # fmt: skip


def page(name: str, customer: Customer) -> str:
    return reverse(f"backoffice:{name}", args=[customer.public_id])


# --- The list -----------------------------------------------------------------------------------


def test_the_list_shows_the_newest_first(sams: Client, anna: Customer) -> None:
    CustomerFactory(given_name="Newer", family_name="Person")
    content = sams.get(reverse("backoffice:customer_list")).content.decode()
    assert content.index("Newer Person") < content.index("Anna Kowalska")
    assert "2 customers" in content


def test_the_list_pages_through_everybody_once(sams: Client) -> None:
    CustomerFactory.create_batch(60)
    seen, url = [], reverse("backoffice:customer_list")
    while url:
        response = sams.get(url)
        seen += [hit.customer.pk for hit in response.context["hits"]]
        cursor = response.context["page"].next_cursor
        url = f"{reverse('backoffice:customer_list')}?cursor={cursor}" if cursor else ""
    assert len(seen) == 60
    assert len(set(seen)) == 60


def test_the_search_is_in_the_address_and_says_why(sams: Client, anna: Customer) -> None:
    CustomerFactory(given_name="Somebody", family_name="Else")
    response = sams.get(reverse("backoffice:customer_list"), {"q": "kowalsak"})
    content = response.content.decode()
    assert "Anna Kowalska" in content
    assert "Somebody" not in content
    assert "1 customer found" in content
    assert "Similar" in content
    assert 'value="kowalsak"' in content


def test_typing_swaps_only_the_results(sams: Client, anna: Customer) -> None:
    response = sams.get(reverse("backoffice:customer_list"), {"q": "anna"}, headers=HTMX)
    content = response.content.decode()
    assert "Anna Kowalska" in content
    assert "<html" not in content
    assert 'data-announce="1 customer found"' in content


def test_nobody_found_says_what_to_try(sams: Client) -> None:
    content = sams.get(reverse("backoffice:customer_list"), {"q": "zzzz"}).content.decode()
    assert "Nobody found for “zzzz”" in content


def test_more_than_fits_is_said(sams: Client) -> None:
    CustomerFactory.create_batch(51, family_name="Kowalska")
    response = sams.get(reverse("backoffice:customer_list"), {"q": "kowalska"})
    assert len(response.context["hits"]) == 50
    assert "More than 50 customers found" in response.content.decode()


def test_an_empty_list_teaches_and_offers_to_begin(
    sams: Client, browser_of: Callable[[str], Client]
) -> None:
    url = reverse("backoffice:customer_list")
    assert "No customers yet" in sams.get(url).content.decode()
    assert reverse("backoffice:customer_create") in sams.get(url).content.decode()
    analysts = browser_of(Role.ANALYST).get(url).content.decode()
    assert "No customers yet" in analysts
    assert reverse("backoffice:customer_create") not in analysts


@pytest.mark.parametrize("query", ["", "kowalska", "kowalsak"])
def test_the_list_takes_a_constant_number_of_queries(
    sams: Client, query: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    url = reverse("backoffice:customer_list")
    CustomerFactory.create_batch(3, family_name="Kowalska")
    sams.get(url, {"q": query})
    CustomerFactory.create_batch(40, family_name="Kowalska")
    with django_assert_max_num_queries(13):
        sams.get(url, {"q": query})


# --- The box on every page ----------------------------------------------------------------------


def test_the_box_on_top_offers_rows_to_choose_from(sams: Client, anna: Customer) -> None:
    response = sams.get(reverse("backoffice:search"), {"q": "anna"}, headers=HTMX)
    content = response.content.decode()
    assert 'role="option"' in content
    assert page("customer", anna) in content
    assert "Name" in content


def test_the_box_on_top_leads_to_the_list_without_javascript(sams: Client) -> None:
    response = sams.get(reverse("backoffice:search"), {"q": "anna k"})
    assert response["Location"] == f"{reverse('backoffice:customer_list')}?q=anna+k"


def test_the_box_on_top_leads_to_pages_by_their_names(sams: Client, anna: Customer) -> None:
    def found(query: str) -> str:
        response = sams.get(reverse("backoffice:search"), {"q": query}, headers=HTMX)
        return response.content.decode()

    assert f'href="{reverse("backoffice:segment_list")}"' in found("segm")
    assert f'href="{reverse("backoffice:job_list")}"' in found("Jobs")
    # Not what begins otherwise, and nothing that this role may not open.
    assert reverse("backoffice:segment_list") not in found("ments")
    assert reverse("backoffice:team") not in found("team")


def test_the_box_on_top_says_when_nobody_is_found(sams: Client) -> None:
    response = sams.get(reverse("backoffice:search"), {"q": "zzzz"}, headers=HTMX)
    assert "Nobody found" in response.content.decode()


# --- Creating and editing -----------------------------------------------------------------------


def test_a_customer_is_created_and_their_page_opens(sams: Client) -> None:
    data = {"given_name": "Noor", "phone": "+60 12-345 6789", "tags": "vip, new ,"}
    response = sams.post(reverse("backoffice:customer_create"), data, headers=IN_DIALOG)
    customer = Customer.objects.get()
    assert response["HX-Redirect"] == page("customer", customer)
    assert (customer.phone, customer.tags) == ("+60123456789", ["vip", "new"])
    assert AuditEntry.objects.get().actor_label == "Sam Support"


def test_without_javascript_creating_redirects(sams: Client) -> None:
    response = sams.post(reverse("backoffice:customer_create"), {"given_name": "Noor"})
    assert response["Location"] == page("customer", Customer.objects.get())


def test_what_clashes_is_shown_at_its_field(sams: Client, anna: Customer) -> None:
    data = {"email": "anna@example.com", "phone": "123"}
    response = sams.post(reverse("backoffice:customer_create"), data, headers=IN_DIALOG)
    assert response.status_code == 422
    assert "country code" in response.context["form"].errors["phone"][0]
    response = sams.post(reverse("backoffice:customer_create"), data | {"phone": ""})
    assert "already has this e-mail address" in response.context["form"].errors["email"][0]
    assert Customer.objects.count() == 1


def edited(client: Client, customer: Customer, **changes: str) -> dict[str, str]:
    """The form as it was shown, with some fields filled in anew."""
    form = client.get(page("customer_edit", customer)).context["form"]
    values = {name: form[name].value() for name in form.fields}
    shown = {name: "" if value is None else str(value) for name, value in values.items()}
    return shown | {f"initial-{name}": value for name, value in shown.items()} | changes


def test_editing_keeps_what_was_not_touched(
    sams: Client, anna: Customer, as_user: AsUser, administrator: User
) -> None:
    data = edited(sams, anna, family_name="Nowak")
    # A colleague is faster with another field.
    update_customer(
        customer=anna, actor=Actor.of_user(administrator), changes={"external_id": "K-2002"}
    )
    response = sams.post(page("customer_edit", anna), data, headers=IN_DIALOG)
    assert response.status_code == 204
    assert "customer-changed" in response["HX-Trigger"]
    anna.refresh_from_db()
    assert (anna.family_name, anna.external_id) == ("Nowak", "K-2002")
    assert (anna.phone, anna.tags) == ("+60123456789", ["vip"])
    assert AuditEntry.objects.first().before == {"family_name": "Kowalska"}


def test_nothing_edited_leaves_no_trace(sams: Client, anna: Customer) -> None:
    sams.post(page("customer_edit", anna), edited(sams, anna))
    assert not AuditEntry.objects.exists()


def test_a_language_that_setia_does_not_speak_stays(sams: Client) -> None:
    customer = CustomerFactory(locale="pl")
    sams.post(page("customer_edit", customer), edited(sams, customer, given_name="Ola"))
    customer.refresh_from_db()
    assert (customer.locale, customer.given_name) == ("pl", "Ola")


def test_a_customer_who_is_not_there_is_a_page_that_is_not_there(sams: Client) -> None:
    url = reverse("backoffice:customer", args=["00000000-0000-4000-8000-000000000000"])
    assert sams.get(url).status_code == 404


# --- The page and its panels --------------------------------------------------------------------


def test_the_page_is_a_shell_that_links_every_panel(sams: Client, anna: Customer) -> None:
    content = sams.get(page("customer", anna)).content.decode()
    assert "Anna Kowalska" in content
    for panel in ("identity", "notes", "timeline", "audit"):
        assert f'hx-get="{page(f"customer_{panel}", anna)}"' in content


@pytest.mark.parametrize("panel", ["identity", "notes", "timeline", "audit"])
def test_every_panel_is_a_page_of_its_own(sams: Client, anna: Customer, panel: str) -> None:
    url = page(f"customer_{panel}", anna)
    whole = sams.get(url).content.decode()
    assert "<html" in whole
    assert page("customer", anna) in whole
    part = sams.get(url, headers={**HTMX, "HX-Target": f"panel-{panel}"}).content.decode()
    assert "<html" not in part
    assert f'id="panel-{panel}"' in part


def test_the_details_are_readable(sams: Client, anna: Customer) -> None:
    Customer.objects.update(country="MY", locale="pl", birthday="1990-05-12")
    content = sams.get(page("customer_identity", anna)).content.decode()
    for words in (
        "+60 12-345 6789",
        "Malaysia",
        "Polish",
        "May 12, 1990",
        "vip",
        "Never signed in",
    ):
        assert words in content
    assert page("customer_edit", anna) in content


def test_who_may_not_edit_is_not_offered_to(
    browser_of: Callable[[str], Client], anna: Customer
) -> None:
    browser = browser_of(Role.ANALYST)
    assert page("customer_edit", anna) not in browser.get(page("customer", anna)).content.decode()
    assert "<textarea" not in browser.get(page("customer_notes", anna)).content.decode()


def test_a_note_is_added_in_place(sams: Client, anna: Customer) -> None:
    url = page("customer_notes", anna)
    headers = {**HTMX, "HX-Target": "panel-notes"}
    response = sams.post(url, {"text": "<b>Called</b> back."}, headers=headers)
    content = response.content.decode()
    assert response.status_code == 200
    assert "note-changed" in response["HX-Trigger"]
    assert "&lt;b&gt;Called&lt;/b&gt; back." in content
    assert "Sam Support" in content

    assert sams.post(url, {"text": " "}, headers=headers).status_code == 422
    assert sams.post(url, {"text": "Again"})["Location"] == url
    assert anna.notes.count() == 2


def test_the_timeline_continues_below(sams: Client, anna: Customer) -> None:
    for number in range(25):
        CustomerNoteFactory(customer=anna, text=f"note {number:02}")
    url = page("customer_timeline", anna)
    content = sams.get(url).content.decode()
    assert "note 24" in content
    assert "note 00" not in content
    older = f"{url}?cursor={sams.get(url).context['page'].next_cursor}"
    part = sams.get(older, headers={**HTMX, "HX-Target": "timeline-older"}).content.decode()
    assert "note 00" in part
    assert "note 24" not in part
    assert "panel" not in part


def test_changes_by_staff_are_on_the_customer(sams: Client, anna: Customer, agent: User) -> None:
    actor = Actor.of_user(agent)
    update_customer(customer=anna, actor=actor, changes={"family_name": "Nowak"})
    content = sams.get(page("customer_audit", anna)).content.decode()
    for words in ("Changed a customer", "Kowalska</del>", "Nowak</ins>", "Sam Support"):
        assert words in content
    assert reverse("backoffice:audit_log") not in content


@pytest.mark.parametrize("panel", ["identity", "notes", "timeline", "audit"])
def test_a_panel_takes_a_constant_number_of_queries(
    sams: Client,
    anna: Customer,
    agent: User,
    panel: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    url, headers = page(f"customer_{panel}", anna), {**HTMX, "HX-Target": f"panel-{panel}"}
    sams.get(url, headers=headers)
    for number in range(15):
        add_note(customer=anna, actor=Actor.of_user(agent), text=f"{number}")
    # The timeline asks each of its sources once.
    with django_assert_max_num_queries(14):
        sams.get(url, headers=headers)


def test_the_header_alone_answers_the_page_that_is_open(sams: Client, anna: Customer) -> None:
    url = page("customer_header", anna)
    assert 'id="customer-header"' in sams.get(url, headers=HTMX).content.decode()
    assert sams.get(url)["Location"] == page("customer", anna)
