"""Handing out what is known of a customer and erasing it, tasks and tags on their page."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.models import (
    AuditEntry,
    Customer,
    CustomerTask,
    PersonalPackage,
    StaffMember,
    User,
)
from members.services.audit import Actor
from members.services.customer_tasks import add_task, release_tasks
from members.services.personal_packages import MOST_A_DAY
from tests.factories import CustomerFactory, StaffMemberFactory
from tests.members.conftest import HTMX
from tests.members.packages import made_package, make_open_packages

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]


@pytest.fixture
def sams(as_user: AsUser, agent: User) -> Client:
    """The browser of a support agent."""
    return as_user(agent)


@pytest.fixture
def anna() -> Customer:
    return CustomerFactory(
        given_name="Anna", family_name="Kowalska", email="anna@example.com", external_id="K-1001"
    )


def address(name: str, customer: Customer, *more: object) -> str:
    return reverse(f"backoffice:{name}", args=[customer.public_id, *more])


# --- Data -----------------------------------------------------------------------------------------


def test_the_customers_page_leads_to_their_data_and_to_the_file(
    sams: Client, anna: Customer
) -> None:
    assert address("customer_data", anna) in sams.get(address("customer", anna)).content.decode()
    content = sams.get(address("customer_data", anna)).content.decode()
    assert "Details" in content
    assert address("customer_erase", anna) in content
    assert "Make the file" in content
    assert sams.post(address("customer_data_file", anna))["Location"] == address(
        "customer_data", anna
    )
    content = sams.get(address("customer_data", anna)).content.decode()
    assert "The file is being made" in content
    assert 'hx-trigger="every 2s"' in content
    early = address("customer_data_fetch", anna, PersonalPackage.objects.get().public_id)
    assert "not made yet" in sams.post(early, follow=True).content.decode()
    make_open_packages()
    content = sams.get(address("customer_data", anna), headers=HTMX).content.decode()
    assert early in content
    assert "every 2s" not in content
    response = sams.post(early)
    assert response["Content-Disposition"] == 'attachment; filename="personal-data.zip"'
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))  # type: ignore[attr-defined]
    assert {"data.json", "index.html", "tables/details/customer.csv"} <= set(archive.namelist())
    assert "Kowalska" in archive.read("index.html").decode()
    assert AuditEntry.objects.get(action="customer.exported").after == {"own": False}


def test_too_many_files_in_a_day_are_refused_in_words(sams: Client, anna: Customer) -> None:
    for _again in range(MOST_A_DAY):
        made_package(anna)
    answer = sams.post(address("customer_data_file", anna), follow=True)
    assert "ask tomorrow" in answer.content.decode()


def test_what_a_customer_fetches_is_no_file_for_staff(sams: Client, anna: Customer) -> None:
    own = made_package(anna)
    assert sams.post(address("customer_data_fetch", anna, own.public_id)).status_code == 404


def test_erasing_shows_what_becomes_of_it_and_asks_for_the_name(
    sams: Client, anna: Customer
) -> None:
    content = sams.get(address("customer_erase", anna)).content.decode()
    assert "Emptied. The customer number stays" in content
    refused = sams.post(address("customer_erase", anna), {"name": "Anna", "reason": "Asked"})
    assert refused.status_code == 422
    assert "Write Anna Kowalska" in refused.content.decode()
    anna.refresh_from_db()
    assert anna.email == "anna@example.com"
    sent = {"name": "anna kowalska ", "reason": "Asked by mail"}
    response = sams.post(address("customer_erase", anna), sent, follow=True)
    assert "Erased. What is left names nobody." in response.content.decode()
    anna.refresh_from_db()
    assert (anna.email, anna.given_name, anna.external_id) == ("", "", "K-1001")
    assert AuditEntry.objects.get(action="customer.erased").reason == "Asked by mail"


def test_a_duplicate_leads_to_whom_it_was_merged_into(sams: Client, anna: Customer) -> None:
    ana = CustomerFactory(merged_into=anna)
    for name in ("customer_data", "customer_erase"):
        assert sams.get(address(name, ana))["Location"] == address(name, anna)


# --- Tasks ----------------------------------------------------------------------------------------


def test_a_task_is_given_done_and_taken_up_again(sams: Client, agent: User, anna: Customer) -> None:
    url = address("customer_tasks", anna)
    sent = {"text": "Call back", "due_on": "2026-05-04", "assignee": str(agent.pk)}
    content = sams.post(url, sent, headers=HTMX).content.decode()
    assert "Call back" in content
    assert "overdue" in content
    home = sams.get(reverse("backoffice:home_tasks")).content.decode()
    assert "Call back" in home
    assert address("customer", anna) in home
    task = CustomerTask.objects.get()
    tick = address("customer_task_done", anna, task.pk)
    assert "Done lately" in sams.post(tick, {"done": "1"}, headers=HTMX).content.decode()
    assert "Nothing to do" in sams.get(reverse("backoffice:home_tasks")).content.decode()
    assert sams.post(tick, {"done": "0"})["Location"] == url
    task.refresh_from_db()
    assert task.done_at is None


def test_a_task_without_words_says_what_is_missing(sams: Client, anna: Customer) -> None:
    response = sams.post(address("customer_tasks", anna), {"text": ""}, headers=HTMX)
    assert response.status_code == 422
    assert not CustomerTask.objects.exists()


def test_the_task_of_another_customer_is_not_there(
    sams: Client, agent: User, anna: Customer
) -> None:
    task = add_task(
        customer=anna, actor=Actor.of_user(agent), text="Call", due_on=timezone.localdate(),
        assignee=agent, now=timezone.now(),
    )  # fmt: skip
    other = address("customer_task_done", CustomerFactory(), task.pk)
    assert sams.post(other, {"done": "1"}).status_code == 404


def test_a_task_of_nobody_is_taken_at_home_or_on_the_customers_page(
    sams: Client, agent: User, anna: Customer
) -> None:
    gone = StaffMemberFactory(user__name="Noor").user
    for text in ("Call back", "Send a card"):
        add_task(
            customer=anna, actor=Actor.of_user(gone), text=text, due_on=timezone.localdate(),
            assignee=gone, now=timezone.now(),
        )  # fmt: skip
    release_tasks(assignee=gone, actor=Actor.of_user(agent))
    home = sams.get(reverse("backoffice:home_tasks")).content.decode()
    assert "Nobody has these" in home
    assert "Noor had it" in home
    assert "nobody; Noor had it" in sams.get(address("customer_tasks", anna)).content.decode()
    first, second = CustomerTask.objects.order_by("pk")
    taken = sams.post(
        address("customer_task_take", anna, first.pk), {"at": "home"}, headers=HTMX
    ).content.decode()
    assert "Yours now." in taken
    assert "Send a card" in taken.partition("Nobody has these")[2]
    plain = sams.post(address("customer_task_take", anna, second.pk))
    assert plain["Location"] == address("customer_tasks", anna)
    assert set(CustomerTask.objects.values_list("assignee", "released_from")) == {(agent.pk, "")}
    CustomerTask.objects.filter(pk=first.pk).update(assignee=gone)
    again = sams.post(address("customer_task_take", anna, first.pk), headers=HTMX)
    assert "taken this already" in again.content.decode()


def test_who_only_reads_sees_tasks_and_gives_none(
    browser_of: Callable[[str], Client], anna: Customer
) -> None:
    content = browser_of(StaffMember.Role.AUDITOR).get(address("customer_tasks", anna))
    assert "add-task" not in content.content.decode()


# --- Tags -----------------------------------------------------------------------------------------


def test_a_tag_is_put_on_and_taken_off(sams: Client, anna: Customer) -> None:
    url = address("customer_tags", anna)
    content = sams.post(url, {"add": "press"}, headers=HTMX).content.decode()
    assert "Remove the tag press" in content
    assert sams.post(url, {"remove": "press"})["Location"] == address("customer_identity", anna)
    anna.refresh_from_db()
    assert anna.tags == []
    refused = sams.post(url, {"add": "x" * 65}, headers=HTMX)
    assert refused.status_code == 422


def test_the_list_shows_those_with_a_tag(sams: Client, anna: Customer) -> None:
    Customer.objects.filter(pk=anna.pk).update(tags=["press"])
    CustomerFactory(given_name="Benno", tags=["vip"])
    url = reverse("backoffice:customer_list")
    content = sams.get(url, {"tag": "press"}).content.decode()
    assert "Anna Kowalska" in content
    assert "Benno" not in content
    assert '<option value="press" selected>' in content
    both = sams.get(url, {"tag": "vip", "q": "Anna"}).content.decode()
    assert "Anna Kowalska" not in both
    assert "Nobody has the tag “gone”" in sams.get(url, {"tag": "gone"}).content.decode()
