"""/me: gifts, purchases, plans, pools, events, library, credit, parcels, inbox and consents; each
only of whoever asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import BlockedAddress, Consent
from campaigns.services.blocked_addresses import block_address
from campaigns.services.policies import set_policy
from loyalty.models import Membership, Program, SpendRequest
from loyalty.services.pools import PoolTerms, create_pool
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from rewards.definitions import RewardDefinition
from rewards.event_definitions import EventDefinition
from rewards.models import Redemption
from rewards.services.content import ContentTerms, create_content
from rewards.services.events import create_event, join_waiting_list
from rewards.services.gift_cards import GiftCardPeople, code_of, issue_gift_card
from rewards.services.redemptions import take_reward
from rewards.services.rewards import create_reward
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.factories import tell
from tests.loyalty.factories import adjust, make_program, make_wallet, order, record, wallet_of
from tests.loyalty.services.buying import add_buyer, ask, found_company, fund
from tests.rewards.cards import CREDIT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]


@pytest.fixture
def program(db: None) -> Program:
    beans = {"singular": "Bean", "plural": "Beans", "gifts": {"to_members": True}}
    return make_program("beans", name="Bean Club", wallet_types=[beans, CREDIT])


@pytest.fixture
def ann(membership: Membership) -> Membership:
    adjust(wallet_of(membership.account_id), 250, "start", now=timezone.now())
    return membership


@pytest.fixture
def me(key_with: Callable[..., ApiClient], ann: Membership) -> ApiClient:
    shop = key_with("member_tokens:write")
    body = {"customer": {"external_id": "C-1"}}
    return ApiClient(shop.post("/member-tokens", body).json()["token"])


@pytest.fixture
def at(ann: Membership) -> str:
    return f"/me/memberships/{ann.public_id}"


@pytest.fixture
def ben(program: Program) -> Membership:
    found: Membership = make_wallet(program, "ben").account.membership
    return found


def test_nothing_of_another_member_is_there(me: ApiClient, ben: Membership) -> None:
    other = f"/me/memberships/{ben.public_id}"
    for path in ("purchases", "plans", "pool", "events", "library", "credit", "parcels"):
        assert_problem(me.get(f"{other}/{path}"), 404, "not_found")
    gift = {"to": "x", "units": "1"}
    assert_problem(me.post(f"{other}/gifts", gift, Idempotency_Key="k"), 404, "not_found")


def test_units_are_given_once_to_who_is_found(me: ApiClient, at: str, ben: Membership) -> None:
    gift = {"to": ben.card_number, "units": "50", "message": "For you"}
    first, again = (me.post(f"{at}/gifts", gift, Idempotency_Key="g1") for _time in range(2))
    assert (first.status_code, first.json()) == (201, again.json())
    assert first.json()["units"] == "-50"
    assert wallet_of(ben.account_id).balance == 50
    unknown = me.post(f"{at}/gifts", gift | {"to": "nobody@x.example"}, Idempotency_Key="g2")
    assert_problem(unknown, 422, "invalid_request", "to")
    dear = me.post(f"{at}/gifts", gift | {"units": "900"}, Idempotency_Key="g3")
    assert_problem(dear, 409, "insufficient_balance")


def test_purchases_say_what_they_earned(me: ApiClient, at: str) -> None:
    record(order("A1", "20", at=timezone.now(), buyer="C-1"), now=timezone.now())
    record(order("A2", "20", at=timezone.now(), buyer="other"), now=timezone.now())
    [found] = me.get(f"{at}/purchases").json()["results"]
    assert (found["external_id"], found["earned"][0]["units"]) == ("A1", "20")


def test_a_pool_is_shared_filled_and_left(
    me: ApiClient, at: str, ann: Membership, ben: Membership
) -> None:
    assert_problem(me.get(f"{at}/pool"), 404, "not_found")
    create_pool(
        owner=ann,
        terms=PoolTerms(name="Us"),
        bring=False,
        actor=SYSTEM,
        source="backoffice",
        now=timezone.now(),
    )
    found = me.get(f"{at}/pool").json()
    assert (found["name"], found["members"][0]["is_you"]) == ("Us", True)
    assert me.patch(f"{at}/pool", {"contributes": False}).json()["contributes"] is False
    move = {"direction": "in", "units": "40"}
    assert me.post(f"{at}/pool/moves", move, Idempotency_Key="m1").status_code == 201
    me.post(f"{at}/pool/moves", move, Idempotency_Key="m1")
    assert me.get(f"{at}/pool").json()["balances"][0]["spendable"] == "40"
    out = me.post(f"{at}/pool/moves", move | {"direction": "out"}, Idempotency_Key="m2")
    assert (out.status_code, out.json()["units"]) == (201, "40")
    ask = me.post(f"{at}/pool/requests", {"units": "1", "note": "x"}, Idempotency_Key="a1")
    assert_problem(ask, 404, "not_found")
    assert me.post(f"{at}/pool/leave").json()["left"] == found["id"]
    assert_problem(me.get(f"{at}/pool"), 404, "not_found")


def test_what_waits_for_an_approver_is_found_behind_all_that_is_decided(
    me: ApiClient, at: str, ann: Membership, ben: Membership
) -> None:
    now = timezone.now()
    company = found_company(ann, now=now, most_at_once=10)
    fund(company, now=now)
    asked = ask(add_buyer(company, ben, now=now), 400, now=now)
    SpendRequest.objects.bulk_create(
        SpendRequest(
            company=company, wallet_type=asked.wallet_type, units=1, note="Toner", key=f"w{number}",
            source="api", state="withdrawn", asked_by=asked.asked_by, asked_at=now, expires_at=now,
            decided_at=now,
        )
        for number in range(200)
    )  # fmt: skip
    [waiting] = me.get(f"{at}/pool").json()["requests"]
    assert waiting["id"] == str(asked.public_id)


def test_events_are_booked_given_up_and_waited_for(
    me: ApiClient, at: str, program: Program, ben: Membership
) -> None:
    begins = timezone.now() + dt.timedelta(days=9)
    definition = EventDefinition.model_validate(
        {"code": "tasting", "name": "Tasting", "seats": 1, "price": 10,
         "starts_at": begins, "ends_at": begins + dt.timedelta(hours=2),
         "link": "https://example.com/room"}
    )  # fmt: skip
    event = create_event(program=program, definition=definition, actor=SYSTEM, live=True)
    [found] = me.get(f"{at}/events").json()["results"]
    assert (found["event"]["link"], found["seats"], found["wait"]) == ("", [], None)
    one, reward = f"{at}/events/{event.public_id}", found["event"]["reward"]
    assert_problem(me.post(f"{one}/wait"), 409, "conflict")
    assert me.post(f"{at}/rewards/{reward}/take", {}, Idempotency_Key="t").status_code == 201
    booked = me.get(one).json()
    assert booked["event"]["link"] == "https://example.com/room"
    assert booked["seats"][0]["voucher"]["code"]
    assert [me.post(f"{one}/give-up").status_code for _time in range(2)] == [200, 200]
    assert wallet_of(Membership.objects.get(public_id=at[-36:]).account_id).balance == 250
    adjust(wallet_of(ben.account_id), 10, "ben", now=timezone.now())
    take_reward(membership=ben, reward=event.reward, key="ben", source="api", actor=SYSTEM,
                now=timezone.now())  # fmt: skip
    assert me.post(f"{one}/wait").json()["wait"]["place"] == 1
    assert_problem(me.post(f"{one}/accept"), 409, "event_state")
    assert me.request("DELETE", f"{one}/wait").json()["wait"] is None
    assert_problem(me.post(f"{one}/accept"), 404, "not_found")


def test_many_events_take_as_many_queries_as_one(
    me: ApiClient, at: str, program: Program, ann: Membership, ben: Membership
) -> None:
    adjust(wallet_of(ben.account_id), 100, "ben", now=timezone.now())
    begins = timezone.now() + dt.timedelta(days=9)

    def hold(code: str, *, seats: int) -> None:
        """Ann has a seat in one, and waits for one in the other, where Ben was sooner."""
        definition = EventDefinition.model_validate(
            {"code": code, "name": code, "seats": seats, "place": "Here", "price": 10,
             "starts_at": begins, "ends_at": begins + dt.timedelta(hours=2)}
        )  # fmt: skip
        event = create_event(program=program, definition=definition, actor=SYSTEM, live=True)
        buyer = ann if seats > 1 else ben
        take_reward(membership=buyer, reward=event.reward, key=code, source="api", actor=SYSTEM,
                    now=timezone.now())  # fmt: skip
        if buyer is ben:
            join_waiting_list(event=event, membership=ann, actor=SYSTEM, now=timezone.now())

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            found = me.get(f"{at}/events").json()["results"]
        assert [len(item["seats"]) for item in found] == [1, 0] * (len(found) // 2)
        assert [item["wait"] and item["wait"]["place"] for item in found] == [None, 1] * (
            len(found) // 2
        )
        return len(queries)

    hold("a0", seats=2)
    hold("b0", seats=1)
    few = count()
    for number in range(1, 4):
        hold(f"a{number}", seats=2)
        hold(f"b{number}", seats=1)
    assert count() == few


def test_the_library_is_read_by_a_link(me: ApiClient, at: str, program: Program) -> None:
    file = ContentFile(b"Bake.", name="recipes.txt")
    open_item = create_content(
        program=program, code="recipes", terms=ContentTerms("Recipes", status="live"), file=file,
        actor=SYSTEM,
    )  # fmt: skip
    draft = create_content(
        program=program, code="draft", terms=ContentTerms("Draft", link="https://example.com"),
        file=None, actor=SYSTEM,
    )  # fmt: skip
    [found] = me.get(f"{at}/library").json()["results"]
    assert (found["code"], found["allowed"]) == ("recipes", True)
    link = me.post(f"{at}/library/{open_item.public_id}/link").json()["url"]
    assert "/library/link/" in link
    assert_problem(me.post(f"{at}/library/{draft.public_id}/link"), 404, "not_found")


def test_a_gift_card_is_put_to_the_credit_once(
    me: ApiClient, at: str, program: Program, ann: Membership
) -> None:
    card, _again = issue_gift_card(
        program=program, amount=Decimal(25), active=True,
        people=GiftCardPeople(buyer=ann.customer), key="card", source="api", actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    before = me.get(f"{at}/credit").json()
    assert (before["credit"], before["gift_cards"][0]["balance"]) == ("0.00", "25.00")
    assert before["gift_cards"][0]["code"] == code_of(card)
    body = {"code": code_of(card)}
    first, again = (me.post(f"{at}/credit/add", body, Idempotency_Key="c") for _time in range(2))
    assert first.json() == again.json() == {"currency": "USD", "credit": "25.00"}
    wrong = me.post(f"{at}/credit/add", {"code": "NOT-A-CARD"}, Idempotency_Key="c2")
    assert_problem(wrong, 404, "not_found")


def test_a_reward_is_taken_by_itself_and_sent_where_the_member_says(
    me: ApiClient, at: str, program: Program
) -> None:
    definition = RewardDefinition.model_validate(
        {"code": "mug", "kind": "gift", "name": "A mug", "price": 60, "status": "live"}
    )
    reward = create_reward(program=program, definition=definition, actor=SYSTEM)
    path = f"{at}/rewards/{reward.public_id}"
    assert me.get(f"{path}/auto-take").json()["balance"] is None
    assert me.put(f"{path}/auto-take", {"balance": "400"}).json()["balance"] == "400"
    assert_problem(me.put(f"{path}/auto-take", {"balance": "5"}), 422, "invalid_request", "balance")
    assert me.request("DELETE", f"{path}/auto-take").json()["balance"] is None
    assert me.post(f"{path}/take", {}, Idempotency_Key="m").status_code == 201
    [parcel] = me.get(f"{at}/parcels").json()["results"]
    home = {"recipient": "Ann", "street": "1 Oak St", "city": "Springfield", "country": "US"}
    said = me.put(f"{at}/parcels/{parcel['id']}/address", home).json()
    assert (parcel["address"], said["address"]["city"]) == (None, "Springfield")
    assert Redemption.objects.count() == 1


def test_messages_are_read_and_marked(me: ApiClient, ann: Membership, ben: Membership) -> None:
    tell(ann.customer, "one", channels=("inbox",))
    tell(ben.customer, "two", channels=("inbox",))
    [found] = me.get("/me/messages").json()["results"]
    assert (found["read_at"], me.get("/me/messages/unread").json()) == (None, {"unread": 1})
    read = me.post(f"/me/messages/{found['id']}/read").json()
    assert read["read_at"] == me.post(f"/me/messages/{found['id']}/read").json()["read_at"]
    assert me.post("/me/messages/unread").json() == {"unread": 0}
    other = ben.customer.messages.get().deliveries.get().public_id
    assert_problem(me.post(f"/me/messages/{other}/read"), 404, "not_found")


def test_consents_are_the_members_own_word(me: ApiClient, ann: Membership) -> None:
    Customer.objects.filter(pk=ann.customer_id).update(email="ann@shop.example")
    set_policy(changes={"double_opt_in": True}, actor=SYSTEM)
    said = {"consents": [{"channel": "email", "topic": "offers", "wanted": True}],
            "time_zone": "Europe/Athens"}  # fmt: skip
    found = me.patch("/me/consents", said).json()
    assert found["time_zone"] == "Europe/Athens"
    offers = next(item for item in found["consents"] if item["topic"] == "offers")
    assert (offers["said"], offers["wanted"]) == ("asked", False)
    assert Consent.objects.get().customer == ann.customer
    assert me.get("/me/consents").json() == found
    wrong: dict[str, Any] = {"consents": [{"channel": "email", "topic": "none", "wanted": True}]}
    assert_problem(me.patch("/me/consents", wrong), 422, "invalid_request", "consents.topic")
    assert_problem(me.patch("/me/consents", {"time_zone": "Mars"}), 422, "invalid_request")


def test_an_address_that_works_after_all_is_written_to_again(
    me: ApiClient, ann: Membership
) -> None:
    Customer.objects.filter(pk=ann.customer_id).update(email="ann@shop.example")
    for address in ("ann@shop.example", "other@shop.example"):
        block_address(channel="email", address=address, reason="bounced", now=timezone.now())
    [blocked] = me.get("/me/consents").json()["blocked"]
    assert (blocked["channel"], blocked["reason"]) == ("email", "bounced")
    for way in ("pigeon", "email", "email"):
        answer = me.post("/me/consents/unblock", {"channel": way}, Idempotency_Key=f"u-{way}")
        assert answer.status_code == 200
    assert answer.json()["blocked"] == []
    # Nobody else's.
    assert BlockedAddress.objects.count() == 1
    assert AuditEntry.objects.filter(action="address.unblocked").count() == 1
