"""Staff settle whether it is kept what members look at, and read it on the timeline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import BrowsingPolicy
from members.models import AuditEntry, Customer
from members.timeline import list_timeline
from tests.campaigns.browsing import agree, keep, looked, put
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
PAGE = "browsing:browsing"


@pytest.fixture
def administrator(client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


@pytest.fixture
def mia(db: None) -> Customer:
    keep()
    customer: Customer = CustomerFactory()
    now = timezone.now()
    agree(customer, now=now)
    looked(customer, "MUG", now - dt.timedelta(minutes=5), name="Blue Mug", category="Mugs")
    put(customer, "MUG", 2, now - dt.timedelta(minutes=4), name="Blue Mug")
    put(customer, "MUG", 0, now - dt.timedelta(minutes=3), name="Blue Mug")
    looked(customer, "blue mug", now - dt.timedelta(minutes=2), kind="searched")
    looked(customer, "Mugs", now - dt.timedelta(minutes=1), kind="category_viewed")
    return customer


def test_it_is_switched_on_with_its_days_and_shows_the_lines_to_copy(administrator: Client) -> None:
    assert "Nothing is kept" in administrator.get(reverse(PAGE)).content.decode()
    answer = administrator.post(reverse(PAGE), {"is_on": "on", "kept_days": "30"}, follow=True)
    assert "&lt;setia-viewed sku=" in answer.content.decode()
    policy = BrowsingPolicy.objects.get()
    assert (policy.is_on, policy.kept_days) == (True, 30)
    assert AuditEntry.objects.get(action="browsing.policy").after == {
        "is_on": True, "kept_days": 30,
    }  # fmt: skip
    assert administrator.post(reverse(PAGE), {"kept_days": "401"}).status_code == 422


def test_the_timeline_has_it_where_it_is_asked_for(mia: Customer) -> None:
    assert [event.title for event in list_timeline(mia, kind="browsing")] == [
        "Looked at the category Mugs", "Searched for “blue mug”", "Took Blue Mug out of the cart",
        "In the cart: 2 × Blue Mug", "Looked at Blue Mug",
    ]  # fmt: skip
    assert not [event for event in list_timeline(mia) if "Mug" in event.title]


def test_staff_note_what_a_customer_said_and_read_when(agent: Client, mia: Customer) -> None:
    page = reverse("messages_backoffice:consents", args=[mia.public_id])
    assert "What you look at · In the shop" in agent.get(page).content.decode()
    agent.post(page, {"counted": "True"})
    assert list_timeline(mia, kind="browsing") == []
    text = agent.get(page).content.decode()
    assert text.count("What you look at · In the shop") >= 2
