"""Whatever can happen to units has its words and its picture wherever movements are shown."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from loyalty.models import Lot, Membership, Order, Transfer, Wallet
from loyalty.services.expiry import write_down_expired
from loyalty.services.lots import extend_lot, reinstate_units, settle_debt
from loyalty.services.order_holds import confirm_order, hold_order, release_order
from loyalty.services.redemptions import redeem_units, reverse_redemption
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from tests.factories import CustomerFactory
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import (
    day,
    give_back,
    make_program,
    order,
    record,
    refund,
    tender,
    wallet_of,
)

SHOWN = {
    "accrual": "Earned with order A",
    "clawback": "Refund of order B",
    "redemption": "Paid for order P",
    "reversal": "A redemption was undone",
    "expiry": "Expired",
    "reinstatement": "Expired units were brought back",
    "write_off": "Debt written off",
    "settlement": "Used to settle what was owed",
}


def by_hand(key: str, at: dt.datetime) -> dict[str, object]:
    return {"actor": SYSTEM, "note": "Asked for it", "key": key, "source": "backoffice", "now": at}


def spend(wallet: Wallet, units: int, key: str, at: dt.datetime, **how: object) -> Transfer:
    return redeem_units(wallet=wallet, units=units, **by_hand(key, at), **how)[0]


@pytest.fixture
def troubled() -> Customer:
    """Everything has happened to them that can happen to one member."""
    customer = CustomerFactory(external_id="c1", with_user=True)
    make_program(unit={"expiry": {"kind": "days", "length": 10}}, debt_policy="carry")
    record(order("A", "50"))
    wallet = wallet_of(Membership.objects.get(customer=customer).account_id)
    pays = (tender("money", "75"), tender("units", "25"))
    record(order("P", "100", at=day(1), tenders=pays))
    paid = Order.objects.get(external_id="P")
    reverse_redemption(
        transfer=spend(wallet, 25, "p", day(1), order=paid), units=5, **by_hand("back", day(2))
    )
    write_down_expired(day(12))
    expired = Transfer.objects.filter(kind="expiry").latest("pk")
    reinstate_units(transfer=expired, units=10, until=day(40), **by_hand("again", day(13)))
    for number, way in (("B", "write_off"), ("C", "repay")):
        record(order(number, "30", at=day(13)))
        spend(wallet, 40 if number == "B" else 30, f"s{number}", day(13))
        give_back(refund(f"R{number}", "30", of=number, at=day(14)))
        if way == "repay":
            # What blocks is not repaid by what is earned next.
            Wallet.objects.update(debt_blocks=True)
            record(order("D", "30", at=day(14)))
        settle_debt(wallet=wallet, way=way, **by_hand(f"d{number}", day(15)))
    return customer


def kinds() -> set[str]:
    return set(Transfer.objects.values_list("kind", flat=True))


@pytest.mark.parametrize("page", ["movements", "timeline", "feed"])
def test_staff_read_every_kind(agent: Client, troubled: Customer, page: str) -> None:
    assert kinds() == set(SHOWN)
    addresses = {
        "movements": url("movement_panel", troubled.public_id),
        "timeline": reverse("backoffice:customer_timeline", args=[troubled.public_id]),
        "feed": url("feed_panel"),
    }
    html = ""
    for kind in SHOWN if page == "movements" else [""]:
        response = agent.get(addresses[page], {"kind": kind})
        assert response.status_code == 200
        html += response.content.decode()
    # The home page shows the newest only.
    wanted = {"settlement", "write_off"} if page == "feed" else set(SHOWN)
    assert [text for kind, text in SHOWN.items() if kind in wanted and text not in html] == []


def test_members_read_every_kind(client: Client, troubled: Customer) -> None:
    client.force_login(troubled.user, "django.contrib.auth.backends.ModelBackend")
    html = client.get(reverse("mypage:history")).content.decode()
    assert [text for text in SHOWN.values() if text not in html] == []
    for transfer in Transfer.objects.all():
        found = client.get(reverse("mypage:history_movement", args=[transfer.pk]))
        assert found.status_code == 200


def test_an_orders_page_tells_what_it_was_paid_with_from_what_it_earned(
    agent: Client, troubled: Customer
) -> None:
    paid = Order.objects.get(external_id="P")
    response = agent.get(url("order_page", paid.pk))
    assert "Paid for order P" in response.content.decode()
    assert [units for units, _wallet_type in response.context["earned"]] == [75]
    rows = {row.order.external_id: row for row in _order_rows(agent, troubled)}
    assert [units for units, _wallet_type in rows["P"].earned] == [75]


def _order_rows(agent: Client, customer: Customer) -> list[object]:
    rows: list[object] = agent.get(url("order_panel", customer.public_id)).context["rows"]
    return rows


def test_the_audit_log_has_words_for_what_staff_do(client_of, troubled: Customer) -> None:
    held = Order.objects.get(external_id="D")
    for act in (hold_order, release_order, confirm_order):
        act(order=held, actor=SYSTEM, reason="Looks odd", now=day(16))
    record(order("E", "5", at=day(16)))
    open_lot = Lot.objects.get(transfer__order__external_id="E")
    extend_lot(lot=open_lot, until=day(90), actor=SYSTEM, note="Ill", now=day(16))
    html = client_of("administrator").get(reverse("backoffice:audit_log")).content.decode()
    for words in (
        "Held an order back", "Released an order", "Confirmed an order early",
        "Gave units more time", "Brought expired units back", "Wrote a debt off",
        "Settled a debt from the balance", "Undid a redemption", "Looks odd",
    ):  # fmt: skip
        assert words in html
    assert url("order_page", held.pk) in html
    entry = AuditEntry.objects.get(action="lot.reinstated")
    assert entry.after == {"amount": 10, "until": "2024-04-24", "wallet_type": "points"}
