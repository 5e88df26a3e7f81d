"""Nobody makes known again who was erased: not by a page that was open, nor by what is noted."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.services.newcomers import provide_customer
from members.errors import ConflictError
from members.models import Customer, User
from members.selectors.erased import erased_among, erased_at
from members.services.audit import SYSTEM, Actor
from members.services.customer_tasks import add_task
from members.services.customers import add_note, erase_customer_details, update_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> Customer:
    return Customer.objects.create(external_id="K-1", given_name="Ana", phone="+60123456789")


@pytest.fixture
def desk(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


def form(customer: Customer, **changes: str) -> dict[str, Any]:
    """As the page was opened: with what it said then."""
    said = {"given_name": customer.given_name, "phone": customer.phone,
            "external_id": customer.external_id or ""}  # fmt: skip
    return {f"initial-{name}": value for name, value in said.items()} | said | changes


def test_a_page_that_was_open_fills_nothing_in_again(desk: Client, ana: Customer) -> None:
    stale = form(ana, phone="+60129999999")
    assert erased_at(ana) is None
    erase_customer_details(customer=ana, actor=SYSTEM)
    answer = desk.post(reverse("backoffice:customer_edit", args=[ana.public_id]), stale)
    assert answer.status_code == 422
    assert "erased meanwhile" in answer.content.decode()
    ana.refresh_from_db()
    assert (ana.given_name, ana.phone) == ("", "")


def test_nothing_is_noted_or_promised_any_more(agent: User, ana: Customer) -> None:
    actor, now = Actor.of_user(agent), timezone.now()
    erase_customer_details(customer=ana, actor=actor)
    with pytest.raises(ConflictError):
        add_note(customer=ana, actor=actor, text="Ana called")
    with pytest.raises(ConflictError):
        add_task(customer=ana, actor=actor, text="Call Ana", due_on=now.date(),
                 assignee=agent, now=now)  # fmt: skip
    assert not ana.notes.exists()


def test_their_page_says_it_and_offers_nothing(desk: Client, ana: Customer) -> None:
    address = reverse("backoffice:customer", args=[ana.public_id])
    assert "Erased on" not in desk.get(address).content.decode()
    erase_customer_details(customer=ana, actor=SYSTEM)
    shown = desk.get(address).content.decode()
    assert "Erased on" in shown
    assert "action-merge" not in shown
    details = desk.get(reverse("backoffice:customer_identity", args=[ana.public_id]))
    assert "edit-details" not in details.content.decode()


def test_whom_the_shop_tells_anew_is_known_again(desk: Client, ana: Customer) -> None:
    erase_customer_details(customer=ana, actor=SYSTEM)
    update_customer(customer=ana, actor=SYSTEM, changes={"given_name": "Ana"})
    ana.refresh_from_db()
    assert erased_at(ana) is None


def test_whom_a_colleague_enrolls_anew_is_known_again(agent: User, ana: Customer) -> None:
    actor = Actor.of_user(agent)
    erase_customer_details(customer=ana, actor=actor)
    found, made = provide_customer(actor=actor, external_id="K-1", given_name="Ana")
    assert (found.pk, found.given_name, made) == (ana.pk, "Ana", False)
    assert erased_at(found) is None


def test_who_came_back_stays_known_when_their_details_are_cleared(ana: Customer) -> None:
    erase_customer_details(customer=ana, actor=SYSTEM)
    update_customer(customer=ana, actor=SYSTEM, changes={"locale": "ms"})
    ana.refresh_from_db()
    assert erased_among([ana]) == {ana.pk}
    for name in ("Ana", ""):
        update_customer(customer=ana, actor=SYSTEM, changes={"given_name": name})
    ana.refresh_from_db()
    assert (ana.given_name, erased_at(ana), erased_among([ana])) == ("", None, set())
    # And is erased once more like anybody.
    update_customer(customer=ana, actor=SYSTEM, changes={"given_name": "Ana"})
    erase_customer_details(customer=ana, actor=SYSTEM)
    ana.refresh_from_db()
    assert erased_at(ana) is not None


def test_who_came_back_and_is_erased_with_nothing_left_is_erased(ana: Customer) -> None:
    erase_customer_details(customer=ana, actor=SYSTEM)
    for name in ("Ana", ""):
        update_customer(customer=ana, actor=SYSTEM, changes={"given_name": name})
    erase_customer_details(customer=ana, actor=SYSTEM)
    ana.refresh_from_db()
    assert erased_at(ana) is not None
