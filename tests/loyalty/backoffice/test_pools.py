"""Pools in the back-office: founded, filled, changed, left, closed; each seen before it is done."""

import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Membership, Pool, PoolMember, Program
from loyalty.selectors.pools import pool_balances
from loyalty.services.pools import PoolTerms, create_pool
from members.models import AuditEntry
from members.services.audit import SYSTEM
from members.timeline import list_timeline
from tests.factories import CustomerFactory
from tests.loyalty.backoffice.conftest import Member, htmx, queries_of, url
from tests.loyalty.factories import make_wallet, order, record, spendable

pytestmark = pytest.mark.usefixtures("ana_for_all")
refused = pytest.mark.usefixtures("undone_when_refused")
TERMS = {
    "kind": "household", "name": "The Limas", "contribution": "all", "share": "",
    "spending": "everyone", "leaving": "own",
}  # fmt: skip


@pytest.fixture
def bea(beans: Program) -> Membership:
    CustomerFactory(
        given_name="Bea", family_name="Costa", external_id="c2", email="bea@example.com"
    )
    wallet = make_wallet(beans, "c2")
    return Membership.objects.select_related("customer").get(account=wallet.account_id)


@pytest.fixture
def pool(ana: Member) -> Pool:
    """Ana's, with the 150 Beans that she had."""
    return create_pool(
        owner=ana.membership, terms=PoolTerms(name="The Limas"), bring=True, actor=SYSTEM,
        source="backoffice", now=timezone.now(),
    )  # fmt: skip


def text(client: Client, address: str, values: dict[str, Any] | None = None) -> str:
    return client.get(address, values or {}).content.decode().replace("\N{NO-BREAK SPACE}", " ")


def held(pool: Pool) -> int:
    return pool_balances(pool, timezone.now())[0].spendable


def now_spendable(number: str) -> int:
    return spendable(number, timezone.now())


def test_a_pool_is_founded_on_a_customers_page(agent: Client, ana: Member) -> None:
    panel = text(agent, url("pool_panel", ana.customer.public_id))
    assert "New pool in Bean Club" in panel
    address = url("pool_create") + f"?owner={ana.membership.public_id}"
    assert "Ana Lima is its first owner" in text(agent, address)
    response = agent.post(address, TERMS | {"bring": "on"})
    pool = Pool.objects.get()
    assert response.url == url("pool_page", pool.public_id)
    assert (held(pool), ana.spendable()) == (150, 0)
    panel = text(agent, url("pool_panel", ana.customer.public_id))
    assert "The Limas" in panel
    assert "150 Beans" in panel
    assert "New pool" not in panel


def test_a_pool_is_founded_on_the_list_for_somebody_typed(
    agent: Client, ana: Member, bea: Membership, beans: Program
) -> None:
    values = TERMS | {"program": beans.pk, "owner": "bea@example.com", "contribution": "share",
                      "share": "40"}  # fmt: skip
    response = agent.post(url("pool_create"), values, headers=htmx("dialog-body"))
    pool = Pool.objects.get()
    assert response["HX-Redirect"] == url("pool_page", pool.public_id)
    assert (pool.share, pool.members.get().membership) == (40, bea)
    assert "Nobody in this program" in text_of_post(agent, values | {"owner": "nobody"})
    assert "is in a pool already" in text_of_post(agent, values)


def text_of_post(client: Client, values: dict[str, Any]) -> str:
    response = client.post(url("pool_create"), values)
    assert response.status_code == 422
    return response.content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"contribution": "share"}, "share"),
        ({"contribution": "share", "share": "101"}, "share"),
        ({"kind": "village"}, "kind"),
        ({"leaving": ""}, "leaving"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    agent: Client, ana: Member, changes: dict[str, str], field: str
) -> None:
    address = url("pool_create") + f"?owner={ana.membership.public_id}"
    response = agent.post(address, TERMS | changes)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not Pool.objects.exists()


def test_the_page_shows_who_is_in_what_it_holds_and_what_moved(agent: Client, pool: Pool) -> None:
    record(order("P1", "10", at=timezone.now()))
    shown = text(agent, url("pool_page", pool.public_id))
    for words in (
        "Household in Bean Club", "160", "Ana Lima", "Owner", "Shared by Ana Lima",
        "Brought by Ana Lima", "Everything that members earn goes into the pool.",
        "Founded a pool", "Joined a pool", "+10 Beans",
    ):  # fmt: skip
        assert words in shown, words
    assert pool.members.get().membership.card_number not in shown


def test_the_list_finds_pools_by_name_and_keeps_closed_ones_apart(
    agent: Client, pool: Pool
) -> None:
    address = url("pool_list")
    shown = text(agent, address)
    assert "The Limas" in shown
    assert "150 Beans" in shown
    assert "The Limas" in text(agent, address, {"q": "lima"})
    assert "No pool is called that" in text(agent, address, {"q": "smith"})
    part = agent.get(address, {"q": "lima"}, headers=htmx("results")).content.decode()
    assert ("The Limas" in part, "<form" in part) == (True, False)
    assert "No pool was closed yet" in text(agent, address, {"show": "closed"})
    agent.post(url("pool_close", pool.public_id))
    assert "No pool yet" in text(agent, address)
    assert "The Limas" in text(agent, address, {"show": "closed"})


def test_the_list_asks_as_often_however_many_pools(
    agent: Client, pool: Pool, bea: Membership
) -> None:
    few = queries_of(agent, url("pool_list"))
    create_pool(
        owner=bea, terms=PoolTerms(name="Another"), bring=False, actor=SYSTEM, source="backoffice",
        now=timezone.now(),
    )  # fmt: skip
    assert queries_of(agent, url("pool_list")) == few


def test_a_pool_is_changed_from_now_on(agent: Client, pool: Pool) -> None:
    values = TERMS | {"name": "Our house", "contribution": "share", "share": "50"}
    assert agent.post(url("pool_edit", pool.public_id), values).status_code == 302
    record(order("P1", "10", at=timezone.now()))
    assert (held(pool), now_spendable("c1")) == (155, 5)
    assert AuditEntry.objects.filter(action="pool.changed").exists()


def test_a_member_is_added_changed_and_removed(agent: Client, pool: Pool, bea: Membership) -> None:
    changed = TERMS | {"spending": "named"}
    agent.post(url("pool_edit", pool.public_id), changed, headers=htmx("dialog-body"))
    values = {"membership": "c2", "role": "member", "may_spend": "on"}
    response = agent.post(
        url("pool_member_add", pool.public_id), values, headers=htmx("dialog-body")
    )
    toast = json.loads(response["HX-Trigger"])["setia:toast"]["items"][0]
    assert toast["text"] == "Bea Costa is now in The Limas."
    member = PoolMember.objects.get(membership=bea)
    assert (member.can_spend, member.contributes) == (True, True)

    address = url("pool_member_edit", pool.public_id, member.pk)
    agent.post(address, {"role": "owner"})
    member.refresh_from_db()
    assert (member.role, member.may_spend, member.contributes) == ("owner", False, False)

    record(order("B1", "20", at=timezone.now(), buyer="c2"))
    agent.post(address, {"role": "owner", "contributes": "on"})
    record(order("B2", "30", at=timezone.now(), buyer="c2"))
    address = url("pool_member_remove", pool.public_id, member.pk)
    assert "30 Beans" in text(agent, address)
    agent.post(address)
    assert (now_spendable("c2"), held(pool)) == (50, 150)
    assert agent.get(address).status_code == 404


def test_the_last_owner_stays_one(agent: Client, pool: Pool) -> None:
    address = url("pool_member_edit", pool.public_id, pool.members.get().pk)
    response = agent.post(address, {"role": "member", "contributes": "on"})
    assert response.status_code == 422
    assert "needs an owner" in response.content.decode()


@pytest.mark.parametrize(
    ("membership", "message"),
    [("nobody", "Nobody in this program"), ("c1", "is in a pool already"), ("", "required")],
)
def test_who_cannot_be_added_is_said(
    agent: Client, pool: Pool, membership: str, message: str
) -> None:
    values = {"membership": membership, "role": "member"}
    response = agent.post(url("pool_member_add", pool.public_id), values)
    assert response.status_code == 422
    assert message in response.content.decode()


def move(units: str, direction: str = "in", **changes: str) -> dict[str, str]:
    return {"direction": direction, "units": units, "key": str(uuid.uuid4())} | changes


def test_units_are_put_in_and_taken_out_for_a_member(agent: Client, pool: Pool) -> None:
    member = pool.members.get()
    address = url("pool_move", pool.public_id, member.pk)
    preview = url("pool_move_preview", pool.public_id, member.pk)
    shown = text(agent, preview, {"direction": "out", "units": "40"})
    assert "0 Beans → <strong>40 Beans</strong>" in shown
    assert "150 Beans → <strong>110 Beans</strong>" in shown
    without_scripts = agent.post(address, move("40", "out", preview="1")).content.decode()
    assert "110\N{NO-BREAK SPACE}Beans" in without_scripts
    values = move("40", "out")
    for _repeat in range(2):
        assert agent.post(address, values).status_code == 302
    assert (now_spendable("c1"), held(pool)) == (40, 110)
    agent.post(address, move("15"))
    assert (now_spendable("c1"), held(pool)) == (25, 125)


@refused
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"units": "151", "direction": "out"}, "Only 150\N{NO-BREAK SPACE}Beans are there."),
        ({"units": "1"}, "Only 0\N{NO-BREAK SPACE}Beans are there."),
        ({"units": "many"}, "This is not a number"),
        ({"units": "-5"}, "above zero"),
        ({"direction": "up"}, "not one of the available"),
    ],
)
def test_what_cannot_be_moved_is_said_at_the_field(
    agent: Client, pool: Pool, values: dict[str, str], message: str
) -> None:
    member = pool.members.get()
    response = agent.post(url("pool_move", pool.public_id, member.pk), move("1") | values)
    assert response.status_code == 422
    assert message in response.content.decode()
    if "units" in values:
        preview = url("pool_move_preview", pool.public_id, member.pk)
        shown = agent.get(preview, move("1") | values).content.decode()
        assert message in shown
    assert held(pool) == 150


def test_closing_shows_first_what_goes_back(agent: Client, pool: Pool) -> None:
    address = url("pool_close", pool.public_id)
    shown = text(agent, address)
    assert "Ana Lima" in shown
    assert "150 Beans" in shown
    assert agent.post(address).status_code == 302
    assert (now_spendable("c1"), held(pool)) == (150, 0)
    page = text(agent, url("pool_page", pool.public_id))
    assert "This pool is closed" in page
    assert "Add member" not in page
    assert agent.get(address).status_code == 404


def test_a_customers_timeline_and_movements_tell_of_the_pool(agent: Client, pool: Pool) -> None:
    customer = pool.members.get().membership.customer
    agent.post(url("pool_close", pool.public_id))
    titles = [entry.title for entry in list_timeline(customer, limit=20)]
    assert {"Joined the pool The Limas", "Left the pool The Limas", "Brought to The Limas",
            "Back from The Limas, which closed"} <= set(titles)  # fmt: skip
    assert "Brought to The Limas" in text(agent, url("movement_panel", customer.public_id))


def test_an_analyst_sees_but_finds_no_button(
    client_of: Callable[[str], Client], pool: Pool
) -> None:
    analyst = client_of("analyst")
    assert "New pool" not in text(analyst, url("pool_list"))
    assert "Add member" not in text(analyst, url("pool_page", pool.public_id))
    customer = pool.members.get().membership.customer
    assert "New pool" not in text(analyst, url("pool_panel", customer.public_id))


def test_whoever_was_in_a_pool_before_joining_another_is_offered_one(
    agent: Client, ana: Member, pool: Pool
) -> None:
    agent.post(url("pool_close", pool.public_id))
    panel = text(agent, url("pool_panel", ana.customer.public_id))
    assert "New pool in Bean Club" in panel
    assert pool.members.get().left_at - timezone.now() < dt.timedelta(0)
