"""Staff look after charities, pledges and payouts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.backoffice.charity_forms import CharityForm
from loyalty.models import Charity, CharityEntry, CharityPayout, Order, Pledge, StandingGift
from loyalty.services.gifts import donate_units
from loyalty.services.order_inputs import RoundUpInput
from loyalty.services.standing_gifts import set_standing_gift
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import Member
from tests.loyalty.factories import make_program, order, record

pytestmark = pytest.mark.usefixtures("ana_for_all")


def url(name: str, *args: object) -> str:
    return reverse(f"loyalty_backoffice:{name}", args=args)


CHARITY = {
    "name": "Clean Seas", "icon": "ripple", "summary": "Nets out of the water",
    "website": "https://seas.example", "thing_singular": "net", "thing_plural": "nets",
    "thing_price": "4", "units_points": "200", "gives_points": "1", "in_points": "things",
    "name_el": "Καθαρές θάλασσες",
}  # fmt: skip
PLEDGE = {
    "name": "A net for each order", "charity": "trees", "event": "order", "amount": "0.5",
    "unit": "money", "budget": "100", "starts_at": "2026-01-01T00:00", "when": "",
}  # fmt: skip


def given(ana: Member, units: int = 50, *, days: int = 3) -> CharityEntry:
    donate_units(
        wallet=ana.wallet, charity=Charity.objects.get().account, units=units, actor=SYSTEM,
        key=f"g{units}", source="account", now=timezone.now() - dt.timedelta(days=days),
    )  # fmt: skip
    return CharityEntry.objects.latest("pk")


def test_an_order_s_page_says_what_was_rounded_up(agent: Client, ana: Member) -> None:
    up = RoundUpInput("beans", "trees", Decimal("0.50"))
    record(order("A-7", "9.50", at=timezone.now() - dt.timedelta(days=1), round_up=up))
    page = agent.get(url("order_page", Order.objects.get(external_id="A-7").pk)).content.decode()
    assert "Rounded up for City Trees" in page
    assert "$0.50" in page
    other = agent.get(url("order_page", Order.objects.get(external_id="A-1001").pk))
    assert "Rounded up" not in other.content.decode()


def test_a_charity_is_added_changed_and_archived(manager: Client, ana: Member) -> None:
    code = ana.program.code
    assert manager.get(url("charity_create", code)).status_code == 200
    assert manager.post(url("charity_create", code), CHARITY).status_code == 302
    seas = Charity.objects.get(account__code="clean-seas")
    assert (seas.texts["el"]["name"], seas.rates.get().things) == ("Καθαρές θάλασσες", 1)
    page = url("charity", code, "clean-seas")
    html = manager.get(page).content.decode()
    assert "give 1\N{NO-BREAK SPACE}net" in html
    edit = url("charity_edit", code, "clean-seas")
    assert "Καθαρές" in manager.get(edit).content.decode()
    assert manager.post(edit, CHARITY | {"thing_price": "5"}).status_code == 302
    manager.post(url("charity_state", code, "clean-seas"), {"status": "archived"})
    seas.refresh_from_db()
    assert (seas.thing_price, seas.status) == (5, "archived")
    assert "This charity is archived" in manager.get(page).content.decode()
    actions = AuditEntry.objects.filter(action__startswith="charity.").order_by("pk")
    assert [item.action for item in actions] == [
        "charity.created", "charity.changed", "charity.changed"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": ""}, "required"),
        ({"website": "http://seas.example"}, "pattern"),
        ({"thing_plural": ""}, "Name one thing and several of them"),
        ({"icon": "nothing"}, "valid choice"),
    ],
)
def test_what_is_wrong_is_said(
    manager: Client, ana: Member, wrong: dict[str, str], message: str
) -> None:
    response = manager.post(url("charity_create", ana.program.code), CHARITY | wrong)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert Charity.objects.count() == 1


def test_a_pledge_is_a_draft_and_is_put_live(manager: Client, ana: Member) -> None:
    code = ana.program.code
    assert url("pledge_create", code) in manager.get(url("giving", code)).content.decode()
    assert manager.get(url("pledge_create", code)).status_code == 200
    assert manager.post(url("pledge_create", code), PLEDGE).status_code == 302
    pledge = Pledge.objects.get()
    assert (pledge.status, pledge.amount, pledge.unit) == ("draft", Decimal("0.5"), "money")
    address = (code, "trees", pledge.code)
    assert manager.get(url("pledge_edit", *address)).status_code == 200
    changed = PLEDGE | {"amount": "0.75"}
    assert manager.post(url("pledge_edit", *address), changed).status_code == 302
    manager.post(url("pledge_state", *address), {"status": "live"})
    html = manager.get(url("giving", code)).content.decode()
    assert "$0.75 for each order." in html
    manager.post(url("pledge_state", *address), {"status": "archived"})
    pledge.refresh_from_db()
    assert pledge.status == "archived"


def test_what_is_owed_is_paid_out_and_taken_back(manager: Client, ana: Member) -> None:
    given(ana)
    code = ana.program.code
    today = timezone.now().astimezone(ana.program.zone).date()
    until = (today - dt.timedelta(days=1)).isoformat()
    pay_out = url("charity_pay_out", code, "trees")
    assert "1 lines" in manager.get(pay_out).content.decode()
    assert manager.post(pay_out, {"until": until, "since": ""}).status_code == 302
    payout = CharityPayout.objects.get()
    page = url("charity_payout", payout.public_id)
    html = manager.get(page).content.decode()
    assert "Mark as paid" in html
    assert "Ana Lima" in html
    file = b"".join(manager.get(url("charity_payout_csv", payout.public_id)))  # type: ignore[arg-type]
    header, row = file.decode().splitlines()
    assert header.startswith("day,kind,member")
    assert ",donation,c1," in row
    assert "Lima" not in row
    paid = url("charity_payout_pay", payout.public_id)
    assert manager.get(paid).status_code == 200
    assert manager.post(paid, {"reference": "", "paid_on": until}).status_code == 422
    assert manager.post(paid, {"reference": "SEPA 7", "paid_on": until}).status_code == 302
    assert "SEPA 7" in manager.get(page).content.decode()
    back = url("charity_payout_take_back", payout.public_id)
    assert manager.get(back).status_code == 200
    assert manager.post(back, {"note": "Wrong account"}).status_code == 302
    assert "Wrong account" in manager.get(page).content.decode()
    assert CharityEntry.objects.filter(payout=None).count() == 1
    again = manager.post(pay_out, {"until": today.isoformat(), "since": ""})
    assert again.status_code == 422


def test_the_page_of_a_program_says_what_was_given(manager: Client, ana: Member) -> None:
    given(ana)
    for page in (url("giving", ana.program.code), url("charity", ana.program.code, "trees")):
        html = manager.get(page).content.decode()
        assert "City Trees" in html
        assert "Given by month" in html


def test_a_customers_page_says_what_went_through_them(agent: Client, ana: Member) -> None:
    panel = url("giving_panel", ana.customer.public_id)
    assert "Nothing given yet" in agent.get(panel).content.decode()
    given(ana)
    member = ana.customer.memberships.get()
    set_standing_gift(
        membership=member, wallet_type=ana.wallet.wallet_type, charity=Charity.objects.get(),
        percent=Decimal(10), actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    html = agent.get(panel).content.decode()
    assert "City Trees" in html
    assert "10% of earned" in html
    end = url("standing_gift_end", member.public_id, ana.wallet.wallet_type.code)
    assert agent.post(end).status_code == 302
    assert StandingGift.objects.get().ended_at is not None


def test_a_charity_gives_nothing_for_stored_value(manager: Client, ana: Member) -> None:
    program = make_program(
        "cash", earning_rules=[{"wallet_type": "points"}],
        wallet_types=[{"code": "points"}, {"code": "credit", "plural": "Credits", "decimals": 2,
                                           "stored_value": True}],
    )  # fmt: skip
    assert [item.code for item in CharityForm(program=program, charity=None).units] == ["points"]
