"""Keys of partners and keys of programs: what is told with them, and what they do not see."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Account, Membership, Order, Partner, Program, Transfer
from loyalty.partner_definitions import PartnerDefinition
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.services.memberships import enroll_customer
from loyalty.services.partner_settlements import close_month
from loyalty.services.partners import create_partner, end_partner
from loyalty.services.rules import create_rule, publish_draft
from members.errors import DomainError
from members.models import Customer
from members.services.api_keys import PARTNER_SCOPES, SCOPES, create_api_key
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem, order_body
from tests.loyalty.factories import make_program
from tests.other_program import WORD, make_things

SINCE = timezone.now().date().replace(day=1) - dt.timedelta(days=40)


def make_partner(program: Program, code: str) -> Partner:
    rate = {"wallet_type": "points", "from_on": SINCE, "issued": "0.01", "taken_in": "0.008"}
    said = {"code": code, "name": code.title(), "since": SINCE, "rates": [rate]}
    definition = PartnerDefinition.model_validate(said)
    return create_partner(
        program=program, definition=definition, actor=SYSTEM, now=timezone.now()
    )  # fmt: skip


def client_of(partner: Partner, *scopes: str) -> ApiClient:
    _key, secret = create_api_key(
        actor=SYSTEM, name=f"Till of {partner}", scopes=scopes or PARTNER_SCOPES, partner=partner.pk
    )
    return ApiClient(secret)


def limited_to(*programs: Program) -> ApiClient:
    _key, secret = create_api_key(
        actor=SYSTEM, name=f"Only {programs[0]}", scopes=list(SCOPES),
        programs=[program.pk for program in programs],
    )  # fmt: skip
    return ApiClient(secret)


@pytest.fixture
def bakery(program: Program) -> Partner:
    return make_partner(program, "bakery")


@pytest.fixture
def cafe(program: Program) -> Partner:
    return make_partner(program, "cafe")


@pytest.fixture
def till(bakery: Partner) -> ApiClient:
    return client_of(bakery)


def sold(member: Membership, number: str = "B-1", **changes: Any) -> dict[str, Any]:
    return order_body(
        external_id=number, source="bakery", customer={"id": str(member.customer.public_id)},
        placed_at=timezone.now().isoformat(),
    ) | changes  # fmt: skip


def test_an_order_told_with_a_partners_key_is_the_partners(till, bakery, membership):
    receipt = till.post("/orders", sold(membership))
    assert receipt.status_code == 201, receipt.content
    [award] = receipt.json()["awards"]
    assert award["units"] == "12"
    assert Order.objects.get().partner == bakery
    assert Transfer.objects.get().from_account_id == bakery.pk
    read = till.get("/orders/bakery/B-1").json()
    assert read["partner"] == "bakery"
    assert "At our partner: Bakery." in str(read["awards"])


def test_a_partner_names_people_by_the_id_that_identifying_them_answers(till, membership):
    body = order_body(customer={"external_id": "C-1"})
    assert_problem(till.post("/orders", body), 422, "invalid_request", "customer.external_id")
    batch = {"source": "bakery", "orders": [{k: v for k, v in body.items() if k != "source"}]}
    answer = till.post("/orders/batch", batch)
    assert_problem(answer, 422, "invalid_request", "orders[0].customer.external_id")
    found = till.post("/till/people", {"scanned": membership.card_number}).json()["members"]
    assert [item["customer"] for item in found] == [str(membership.customer.public_id)]
    assert not Order.objects.exists()


def test_a_partner_sees_only_its_own_orders(api, till, cafe, membership):
    assert api.post("/orders", order_body()).status_code == 201
    till.post("/orders", sold(membership))
    other = client_of(cafe)
    for client, address in ((till, "shop/A-1001"), (other, "bakery/B-1")):
        assert client.get(f"/orders/{address}").status_code == 404
    whose = f"/orders?customer={membership.customer.public_id}"
    assert [row["external_id"] for row in till.get(whose).json()["results"]] == ["B-1"]
    assert other.get(whose).json()["results"] == []
    assert len(api.get(whose).json()["results"]) == 2
    assert_problem(other.post("/orders", sold(membership, channel="web")), 409, "order_conflict")


def test_a_partner_takes_back_what_it_has_sold_and_nothing_else(api, till, membership):
    api.post("/orders", order_body())
    till.post("/orders", sold(membership))
    back = {
        "source": "bakery", "external_id": "R-1", "order_external_id": "B-1", "currency": "USD",
        "refunded_at": timezone.now().isoformat(), "total": "5",
    }  # fmt: skip
    assert till.post("/refunds", back).status_code == 201
    assert till.get("/refunds/bakery/R-1").status_code == 200
    foreign = back | {"source": "shop", "external_id": "R-2", "order_external_id": "A-1001"}
    assert till.post("/refunds", foreign).status_code == 404
    alone = back | {"external_id": "R-3", "order_external_id": ""}
    assert_problem(till.post("/refunds", alone), 422, "invalid_request", "order_external_id")


def test_units_spent_with_a_partners_key_go_to_the_partner(api, till, bakery, cafe, membership):
    api.post("/orders", order_body())
    body = {"membership": str(membership.public_id), "units": "10"}
    spent = till.post("/redemptions", body, Idempotency_Key="s1")
    assert spent.status_code == 201, spent.content
    number = spent.json()["id"]
    assert Transfer.objects.get(pk=number).to_account_id == bakery.pk
    assert spent.json()["explanation"]["title"] == "Spent at Bakery"
    other = client_of(cafe)
    assert other.get(f"/transfers/{number}").status_code == 404
    assert other.post(f"/transfers/{number}/reversal", {}).status_code == 404
    earned = Transfer.objects.get(kind="accrual").pk
    assert till.get(f"/transfers/{earned}").status_code == 404
    assert till.post(f"/transfers/{number}/reversal", {}).status_code == 201
    assert Transfer.objects.get(kind="reversal").from_account_id == bakery.pk


@pytest.mark.django_db(transaction=True)
def test_a_sale_at_a_partners_till_earns_and_spends_there(api, till, bakery, membership):
    api.post("/orders", order_body(total="100", lines=[]))
    sale = {
        "till": "bakery-1", "id": "s-1", "placed_at": timezone.now().isoformat(),
        "currency": "USD", "total": "20", "member": {"scanned": membership.card_number},
        "tenders": [
            {"kind": "units", "amount": "0.50", "units": "50", "wallet_type": "points"},
            {"kind": "money", "amount": "19.50"},
        ],
    }  # fmt: skip
    done = till.post("/till/sales", sale)
    assert done.status_code == 201, done.content
    moved = Transfer.objects.filter(order__external_id="s-1").order_by("kind")
    assert [(row.kind, row.amount) for row in moved] == [("accrual", 19), ("redemption", 50)]
    assert moved[0].from_account_id == moved[1].to_account_id == bakery.pk
    assert api.post("/till/sales", sale | {"id": "s-2"}).status_code == 201
    assert_problem(
        till.post("/till/sales", sale | {"id": "s-2"}), 422, "invalid_request", "id"
    )  # fmt: skip


def test_a_quote_at_a_partner_is_what_the_order_earns_there(api, till, program, membership):
    rule = EarningRuleDefinition.model_validate({
        "code": "bread", "name": "Bread", "kind": "fixed", "units": 7,
        "when": {"all": [{"field": "order.partner", "op": "is", "value": "bakery"}]},
    })  # fmt: skip
    hour_ago = timezone.now() - dt.timedelta(hours=1)
    drafted = create_rule(program=program, definition=rule, actor=SYSTEM, now=hour_ago)
    publish_draft(rule=drafted, actor=SYSTEM, now=hour_ago)
    make_program("other", at=timezone.now())
    body = {"customer": {"id": str(membership.customer.public_id)}, "currency": "USD",
            "total": "20", "lines": []}  # fmt: skip
    [quoted] = till.post("/quotes", body).json()["programs"]
    assert (quoted["program"], quoted["totals"][0]["units"]) == ("beans", "27")
    [own, _other] = api.post("/quotes", body).json()["programs"]
    assert own["totals"][0]["units"] == "20"
    sold_there = body | {"source": "bakery", "external_id": "b-9",
                         "placed_at": timezone.now().isoformat()}  # fmt: skip
    awards = till.post("/orders", sold_there).json()["awards"]
    assert sum(int(award["units"]) for award in awards) == 27
    named = body | {"customer": {"external_id": membership.customer.external_id}}
    assert_problem(
        till.post("/quotes", named), 422, "invalid_request", "customer.external_id"
    )  # fmt: skip


PARTNERS_MAY = {
    "till/people", "till/sales", "till/sync", "orders", "orders/batch",
    "orders/<str:source>/<path:external_id>", "refunds",
    "refunds/<str:source>/<path:external_id>", "redemptions", "transfers/<int:transfer_id>",
    "transfers/<int:transfer_id>/reversal", "activities", "activities/batch",
    "activities/<uuid:activity_id>", "partners", "partners/<uuid:partner_id>",
    "partners/<uuid:partner_id>/statement", "partners/<uuid:partner_id>/settlements", "quotes",
}  # fmt: skip


def test_a_partners_key_is_good_for_these_addresses_and_no_others(till):
    from campaigns.api.v1.urls import campaign_urls, message_urls, webhook_urls
    from loyalty.api.v1.urls import urlpatterns as loyalty_urls
    from members.api.v1.urls import urlpatterns as members_urls
    from rewards.api.v1.urls import urlpatterns as rewards_urls

    every = (*members_urls, *loyalty_urls, *rewards_urls, *campaign_urls, *message_urls,
             *webhook_urls)  # fmt: skip
    open_to_partners = {
        str(found.pattern) for found in every if found.callback.view_class.for_partners
    }
    assert open_to_partners == PARTNERS_MAY
    assert_problem(till.get("/programs"), 403, "not_for_partners")
    assert_problem(till.get("/customers"), 403, "not_for_partners")


def test_a_partners_key_may_not_have_other_rights(bakery):
    with pytest.raises(DomainError, match="customers:read"):
        client_of(bakery, "customers:read")


def test_a_key_of_an_ended_partner_opens_nothing(till, bakery):
    end_partner(partner=bakery, actor=SYSTEM, now=timezone.now())
    assert till.get("/partners").status_code == 401


def test_a_partner_reads_its_own_statement_and_settlements(api, till, bakery, cafe, membership):
    till.post("/orders", sold(membership))
    close_month(partner=bakery, actor=SYSTEM, now=timezone.now())
    assert [row["code"] for row in till.get("/partners").json()["results"]] == ["bakery"]
    assert len(api.get("/partners?program=beans").json()["results"]) == 2
    assert api.get("/partners?program=none").json()["results"] == []
    own = f"/partners/{bakery.public_id}"
    assert till.get(own).json()["rates"][0]["issued"] == "0.01"
    [closed] = till.get(f"{own}/settlements").json()["results"]
    assert (closed["number"], closed["net"], closed["status"]) == (1, "0.00", "open")
    close = till.get(f"{own}/statement").json()
    while dt.date.fromisoformat(close["since"]) < timezone.now().date().replace(day=1):
        close_month(partner=bakery, actor=SYSTEM, now=timezone.now())
        close = till.get(f"{own}/statement").json()
    assert (close["issued"], close["net"]) == ("0.12", "0.12")
    assert close["lines"][0]["units"] == "12"
    other = f"/partners/{cafe.public_id}"
    for address in (other, f"{other}/statement", f"{other}/settlements"):
        assert till.get(address).status_code == 404
        assert api.get(address).status_code == 200


def test_activities_told_with_a_partners_key_are_the_partners(api, till, bakery, cafe, membership):
    from tests.loyalty.factories import make_type

    make_type()
    body = {
        "source": "bakery", "external_id": "V-1", "type": "review",
        "occurred_at": timezone.now().isoformat(),
        "customer": {"id": str(membership.customer.public_id)},
    }  # fmt: skip
    told = till.post("/activities", body)
    assert told.status_code == 201, told.content
    number = told.json()["activity"]["id"]
    assert till.get(f"/activities/{number}").status_code == 200
    other = client_of(cafe)
    assert other.get(f"/activities/{number}").status_code == 404
    assert other.get("/activities").json()["results"] == []
    assert len(till.get("/activities").json()["results"]) == 1


def test_a_key_of_one_program_reads_nothing_of_another(api, program, customer, membership):
    other = make_program("other", at=timezone.now())
    elsewhere, _new = enroll_customer(
        customer=customer, program=other, source="api", at=timezone.now(), actor=SYSTEM
    )
    limited = limited_to(program)
    assert [row["code"] for row in limited.get("/programs").json()["results"]] == ["beans"]
    assert limited.get("/programs/other").status_code == 404
    for address in ("", "/balances", "/lots", "/transfers"):
        assert limited.get(f"/memberships/{membership.public_id}{address}").status_code == 200
        assert limited.get(f"/memberships/{elsewhere.public_id}{address}").status_code == 404
    seen = limited.get(f"/memberships?customer={customer.public_id}").json()["results"]
    assert [row["id"] for row in seen] == [str(membership.public_id)]
    assert len(api.get(f"/memberships?customer={customer.public_id}").json()["results"]) == 2
    adjust = {"membership": str(elsewhere.public_id), "units": "5", "reason": "goodwill"}
    answer = limited.post("/transfers", adjust, Idempotency_Key="a")
    assert_problem(answer, 422, "invalid_request", "membership")


def test_what_is_told_with_a_key_of_its_own_is_limited_as_well(program, customer):
    other = make_program("other", at=timezone.now())
    elsewhere, _new = enroll_customer(
        customer=customer, program=other, source="api", at=timezone.now(), actor=SYSTEM
    )
    limited = limited_to(program)
    spend = {"membership": str(elsewhere.public_id), "units": "1"}
    answer = limited.post("/redemptions", spend, Idempotency_Key="b")
    assert_problem(answer, 422, "invalid_request", "membership")


def addresses() -> dict[str, list[str]]:
    """Every address of the API that reads, with the names of what it takes."""
    from loyalty.api.v1.urls import urlpatterns as loyalty_urls
    from members.api.v1.urls import urlpatterns as members_urls
    from rewards.api.v1.urls import urlpatterns as rewards_urls

    return {
        str(found.pattern): list(found.pattern.converters)
        for found in (*members_urls, *loyalty_urls, *rewards_urls)
        if "GET" in getattr(found.callback.view_class, "scopes", {})
        and not str(found.pattern).startswith("me/")
    }


def test_nothing_of_another_program_is_read_with_a_limited_key(api):
    # Nobody is taken into it by what they buy elsewhere.
    program = make_program("apart", enrollment="explicit")
    things = make_things()
    own = things.kwargs["memberships/<uuid:public_id>/"]
    member = Membership.objects.select_related("customer").get(**own)
    order = Order.objects.get(customer=member.customer)
    known = {
        "membership_id": member.public_id, "code": "quiet", "source": order.source,
        "customer_id": member.customer.public_id, "external_id": order.external_id,
        "transfer_id": Transfer.objects.filter(order=order).earliest("pk").pk,
        "partner_id": Partner.objects.get(account__program=things.program).public_id,
        "pool_id": things.kwargs["pools/<uuid:public_id>/"]["public_id"],
        "subscription_id": things.kwargs["subscriptions/<uuid:public_id>/"]["public_id"],
        "bulk_id": things.kwargs["bulk/<uuid:public_id>/"]["public_id"],
        "goal_id": things.kwargs["goals/<uuid:public_id>/"]["public_id"],
        "case_id": things.kwargs["fraud/<uuid:public_id>/"]["public_id"],
        "quarter": "2024-q1",
    }  # fmt: skip
    limited, told = limited_to(program), 0
    for pattern, takes in addresses().items():
        if not set(takes) <= known.keys():
            continue
        path = re.sub(r"<\w+:(\w+)>", lambda found: str(known[found[1]]), pattern)
        asked = f"/{path}?customer={member.customer.public_id}" if path == "orders" else f"/{path}"
        told += WORD in api.get(asked).content.decode()
        answer = limited.get(asked)
        # What there is not may be named by who asked for it.
        assert answer.status_code == 404 or WORD not in answer.content.decode(), asked
        assert not takes or answer.status_code in (400, 403, 404), asked
    assert told > 10


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/webhooks"), ("POST", "/webhooks"), ("GET", "/webhook-deliveries"),
        ("POST", "/segments"), ("PATCH", "/segments/vips"),
        ("PUT", "/segments/vips/members/{customer}"), ("POST", "/profile-questions"),
        ("POST", "/message-topics"), ("POST", "/customers/{customer}/merge"),
        ("POST", "/customers/{customer}/erasure"), ("POST", "/customers/{customer}/data-packages"),
    ],
)  # fmt: skip
def test_what_concerns_all_programs_is_not_for_a_limited_key(
    api: ApiClient, program: Program, customer: Customer, method: str, address: str
) -> None:
    """A webhook would tell of every program, a file of all that somebody did in any."""
    asked = (method, address.format(customer=customer.public_id), {})
    assert limited_to(program).request(*asked).json()["code"] == "not_for_limited_keys"
    assert api.request(*asked).json().get("code") != "not_for_limited_keys"


def test_an_order_of_a_limited_key_counts_everywhere_and_tells_of_its_own_program(
    program, customer, membership
):
    other = make_program("other", at=timezone.now() - dt.timedelta(days=900))
    enroll_customer(customer=customer, program=other, source="api", at=timezone.now(), actor=SYSTEM)
    placed = (timezone.now() + dt.timedelta(seconds=1)).isoformat()
    limited = limited_to(program)
    told = limited.post("/orders", order_body(placed_at=placed)).json()
    assert {award["program"] for award in told["awards"]} == {"beans"}
    assert set(Transfer.objects.values_list("wallet_type__program__code", flat=True)) == {
        "beans", "other",
    }  # fmt: skip
    read = limited.get("/orders/shop/A-1001").json()
    assert {award["program"] for award in read["awards"]} == {"beans"}


def test_a_refund_is_previewed_with_a_limited_key_as_far_as_its_own_program_goes(
    api, program, customer, membership
):
    other = make_program("other", at=timezone.now() - dt.timedelta(days=900))
    enroll_customer(customer=customer, program=other, source="api", at=timezone.now(), actor=SYSTEM)
    placed = timezone.now() + dt.timedelta(seconds=1)
    api.post("/orders", order_body(placed_at=placed.isoformat()))
    back = {
        "source": "shop", "external_id": "R-1", "order_external_id": "A-1001", "currency": "USD",
        "refunded_at": (placed + dt.timedelta(seconds=1)).isoformat(), "total": "5",
    }  # fmt: skip
    asked = [client.post("/refunds/preview", back) for client in (api, limited_to(program))]
    assert [answer.status_code for answer in asked] == [200, 200]
    seen = [{item["program"] for item in answer.json()["wallets"]} for answer in asked]
    assert seen == [{"beans", "other"}, {"beans"}]


def test_a_quote_with_a_limited_key_tells_of_its_own_program(api, program, customer):
    make_program("other", at=timezone.now())
    body = {"customer": {"id": str(customer.public_id)}, "currency": "USD", "total": "20",
            "lines": []}  # fmt: skip
    assert {item["program"] for item in api.post("/quotes", body).json()["programs"]} == {
        "beans", "other",
    }  # fmt: skip
    told = limited_to(program).post("/quotes", body).json()["programs"]
    assert [item["program"] for item in told] == ["beans"]


def test_a_key_knows_only_programs_and_partners_that_there_are(program):
    for how in ({"programs": [0]}, {"partner": Account.objects.earliest("pk").pk}):
        with pytest.raises(DomainError, match="There is no such"):
            create_api_key(actor=SYSTEM, name="x", scopes=["orders:read"], **how)
