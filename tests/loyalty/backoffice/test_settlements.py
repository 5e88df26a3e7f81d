"""What a member owes is shown with how it is treated, and settled by hand."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Transfer
from loyalty.services.redemptions import redeem_units
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import Member, htmx, url
from tests.loyalty.factories import give_back, make_program, order, record, refund

pytestmark = pytest.mark.usefixtures("ana_for_all")

CARRY, BLOCKS = "carry", "refuse_redemption_only"


def indebted(ana: Member, policy: str, earned: str = "") -> None:
    """Ana has spent all 150 Beans; 60 of them are taken back after that."""
    make_program("beans", name="Bean Club", time_zone="America/New_York", debt_policy=policy,
                 unit={"singular": "Bean", "plural": "Beans", "unit_value": "0.01"})  # fmt: skip
    now = timezone.now()
    redeem_units(wallet=ana.wallet, units=150, key="k", source="api", actor=SYSTEM, now=now)
    give_back(refund("R-2", "60", of="A-1001", at=now))
    if earned:
        record(order("E-1", earned, at=now))


def panel(client: Client, ana: Member) -> str:
    return client.get(url("wallet_panel", ana.customer.public_id)).content.decode()


def values(way: str, **changes: Any) -> dict[str, Any]:
    return {"way": way, "reason": "Agreed on the phone", "key": str(uuid.uuid4())} | changes


def test_the_wallet_says_how_a_debt_is_treated(manager: Client, ana: Member) -> None:
    assert "Owed" not in panel(manager, ana)
    indebted(ana, CARRY)
    html = panel(manager, ana)
    assert "60\N{NO-BREAK SPACE}Beans" in html
    assert "Repaid by what is earned next." in html
    assert url("wallet_settle", ana.wallet.pk) in html


def test_a_debt_that_blocks_says_so_and_what_is_there(manager: Client, ana: Member) -> None:
    indebted(ana, BLOCKS, "100")
    html = panel(manager, ana)
    assert "Nothing can be redeemed until it is settled." in html
    assert "100\N{NO-BREAK SPACE}Beans" in html


@pytest.mark.parametrize("role", ["analyst", "support_agent"])
def test_who_may_not_settle_finds_no_button(
    client_of: Callable[[str], Client], ana: Member, role: str
) -> None:
    indebted(ana, CARRY)
    client = client_of(role)
    assert "Settle" not in panel(client, ana)
    assert client.post(url("wallet_settle", ana.wallet.pk), values("write_off")).status_code == 403


def test_a_debt_is_written_off_once(manager: Client, ana: Member) -> None:
    indebted(ana, CARRY)
    address, sent = url("wallet_settle", ana.wallet.pk), values("write_off")
    html = manager.get(address).content.decode()
    assert "<strong>0\N{NO-BREAK SPACE}Beans</strong>" in html
    assert "It is written off, visibly" in html
    assert manager.post(address, sent | {"reason": ""}).status_code == 422
    for _ in range(2):
        assert manager.post(address, sent).status_code == 302
    assert Transfer.objects.get(kind="write_off").note == "Agreed on the phone"
    entry = AuditEntry.objects.get(action="debt.write_off")
    assert (entry.reason, entry.after["amount"]) == ("Agreed on the phone", 60)
    assert "Nothing is owed." in manager.get(address).content.decode()


def test_a_debt_is_taken_from_the_balance(manager: Client, ana: Member) -> None:
    indebted(ana, BLOCKS, "100")
    address = url("wallet_settle", ana.wallet.pk)
    seen = manager.post(address, values("repay", preview="1"), headers=htmx("effect"))
    html = seen.content.decode()
    assert "<strong>40\N{NO-BREAK SPACE}Beans</strong>" in html
    assert "As many units are used up" in html
    assert manager.post(address, values("repay")).status_code == 302
    assert ana.spendable() == 40


def test_more_than_there_is_cannot_be_taken(manager: Client, ana: Member) -> None:
    indebted(ana, CARRY)
    answer = manager.post(url("wallet_settle", ana.wallet.pk), values("repay"))
    assert answer.status_code == 422
    assert "The balance is too small: only 0\N{NO-BREAK SPACE}Beans." in answer.content.decode()
    assert not Transfer.objects.filter(kind="settlement").exists()
