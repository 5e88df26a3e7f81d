"""Who is told what: what endpoints asked for, once, in few queries, and without names."""

from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from campaigns.services.webhook_endpoints import change_endpoint, switch_off, switch_on
from members.models import Customer, EventWish, OutboxEvent
from members.services.audit import SYSTEM
from members.services.customers import create_customer
from tests.campaigns.services.stories.hearing import LISTENER, data_of, heard
from tests.campaigns.services.stories.of_members import movements, people
from tests.campaigns.webhooks import make_endpoint
from tests.loyalty.factories import NOW, enroll_all, make_program, make_wallet, order, record

pytestmark = pytest.mark.django_db


def test_nothing_is_written_that_nobody_wants():
    make_endpoint(LISTENER, types=["goal.reached"])
    people()
    assert not OutboxEvent.objects.filter(kind__startswith="told.").exists()
    assert not heard()


def test_what_is_wanted_follows_the_endpoints():
    assert not EventWish.objects.exists()
    endpoint = make_endpoint(LISTENER, types=["customer.created"])
    assert [wish.kind for wish in EventWish.objects.all()] == ["told.customers"]
    change_endpoint(endpoint=endpoint, actor=SYSTEM, changes={"types": ["points.earned"]})
    assert [wish.kind for wish in EventWish.objects.all()] == ["told.transfers"]
    switch_off(endpoint=endpoint, actor=SYSTEM, now=NOW)
    assert not EventWish.objects.exists()
    switch_on(endpoint=endpoint, actor=SYSTEM)
    assert EventWish.objects.count() == 1


def test_each_endpoint_gets_what_it_asked_for():
    club, other = make_program(), make_program("other")
    make_endpoint(LISTENER, types=["points.earned"])
    make_endpoint(f"{LISTENER}/other", program=other)
    for program in (club, other):
        make_wallet(program)
    record(order("A1", "10"))
    heard()
    by_url = {
        url: Counter(
            WebhookDelivery.objects.filter(endpoint__url=url).values_list(
                "event__type", "event__program"
            )
        )
        for url in WebhookEndpoint.objects.values_list("url", flat=True)
    }
    assert by_url[LISTENER] == {("points.earned", "club"): 1, ("points.earned", "other"): 1}
    assert {program for _type, program in by_url[f"{LISTENER}/other"]} == {"other"}


def test_a_movement_says_whose_how_many_and_of_which_order():
    make_endpoint(LISTENER)
    make_program(unit={"decimals": 2})
    record(order("A1", "12.50"))
    heard()
    found = data_of("points.earned")
    assert (found["units"], found["kind"], found["program"]) == ("12.50", "accrual", "club")
    assert found["customer"]["external_id"] == "c1"
    assert (
        found["order"] == {"source": "", "external_id": "A1"}
        or found["order"]["external_id"] == "A1"
    )
    assert data_of("balance.changed")["balance"] == "12.50"


def test_nothing_that_is_told_has_a_name_or_an_address():
    make_endpoint(LISTENER)
    people()
    movements()
    heard()
    told_text = " ".join(str(event.data) for event in WebhookEvent.objects.all())
    assert "ann@example.com" not in told_text
    assert "Olivia" not in told_text


def test_told_again_by_the_outbox_it_is_told_once():
    make_endpoint(LISTENER)
    create_customer(actor=SYSTEM, external_id="c1")
    assert heard() == {"customer.created": 1}
    OutboxEvent.objects.update(delivered_at=None)
    assert heard() == {"customer.created": 1}


def test_a_batch_of_orders_is_one_row_of_the_outbox_for_each_table():
    make_endpoint(LISTENER, types=["points.earned", "balance.changed"])
    program = make_program()
    enroll_all(program, (f"c{number}" for number in range(20)))
    OutboxEvent.objects.all().delete()
    record(*(order(f"A{number}", "10", buyer=f"c{number}") for number in range(20)))
    assert OutboxEvent.objects.filter(kind__startswith="told.").count() == 1
    assert heard() == {"points.earned": 20, "balance.changed": 20}


def test_telling_costs_as_many_queries_for_many_as_for_few():
    from loyalty.selectors.telling.movements import tell_movements

    make_endpoint(LISTENER)
    program = make_program()
    costs = []
    for first, last in ((0, 2), (2, 22)):
        OutboxEvent.objects.all().delete()
        enroll_all(program, (f"c{number}" for number in range(first, last)))
        record(*(order(f"A{n}", "10", buyer=f"c{n}") for n in range(first, last)))
        events = list(OutboxEvent.objects.filter(kind="told.transfers"))
        with CaptureQueriesContext(connection) as queries:
            assert len(list(tell_movements(events))) == 2 * (last - first)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_customers_who_are_gone_are_passed_over():
    make_endpoint(LISTENER)
    create_customer(actor=SYSTEM, external_id="c1")
    Customer.objects.all().delete()
    assert not heard()
