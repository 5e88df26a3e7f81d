"""Who was erased: nothing that moves units for them is offered, and an open page moves none."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.backoffice import reversals
from loyalty.models import Lot, Membership, Program, Transfer
from members.models import Customer
from members.policy import acting
from members.services.audit import SYSTEM, Actor
from members.services.customers import erase_customer_details
from tests.loyalty.backoffice.conftest import Member, url
from tests.loyalty.backoffice.test_adjustments import adjustment
from tests.loyalty.backoffice.test_gifts import gift
from tests.loyalty.factories import adjust

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ana_for_all")]

REFUSED = "erased meanwhile"
PANELS = ("wallet_panel", "movement_panel", "lot_panel", "tier_panel", "plan_panel", "pool_panel")


def panels(client: Client, customer: Customer) -> str:
    own = [url(name, customer.public_id) for name in PANELS]
    own += [
        reverse(f"rewards_backoffice:{name}_panel", args=[customer.public_id])
        for name in ("redemption", "checkout")
    ]
    return " ".join(client.get(address).content.decode() for address in own)


def addresses(ana: Member) -> list[tuple[str, dict[str, Any]]]:
    """Where units of hers are moved, each with what would move some."""
    key, lot = {"key": str(uuid.uuid4()), "reason": "As agreed"}, Lot.objects.filter(
        wallet=ana.wallet
    ).latest("pk")  # fmt: skip
    own = Transfer.objects.get(wallet=ana.wallet, kind=Transfer.Kind.ADJUSTMENT)
    return [
        (url("wallet_adjust", ana.wallet.pk), adjustment("5")),
        (url("wallet_redeem", ana.wallet.pk), {"units": "5", "order": "", **key}),
        (url("wallet_give", ana.wallet.pk), gift("", "5", charity="trees")),
        (url("lot_extend", lot.pk), {"until": "2099-01-01", **key}),
        (url("transfer_undo", own.pk), {}),
    ]


def test_nothing_is_offered_and_nothing_moves(
    client_of: Callable[[str], Client], ana: Member, beans: Program
) -> None:
    desk = client_of("administrator")
    adjust(ana.wallet, 20, "gift", now=timezone.now())
    asked = addresses(ana)
    offered = [address for address, _values in asked if "/give/" not in address]
    takes = reverse("rewards_backoffice:reward_take", args=[ana.membership.public_id])
    gives = reverse("rewards_backoffice:reward_give", args=[ana.membership.public_id])
    before = panels(desk, ana.customer)
    for address in [*offered, takes, gives]:
        assert address in before
    erase_customer_details(customer=ana.customer, actor=SYSTEM)
    after = panels(desk, ana.customer)
    assert "Beans" in after
    for address in [*offered, takes, gives]:
        assert address not in after
    moved = Transfer.objects.count()
    for address, values in asked:
        answer = desk.post(address, values)
        assert answer.status_code == 422, address
        assert REFUSED in answer.content.decode(), address
    assert Transfer.objects.count() == moved
    assert Membership.objects.get(pk=ana.membership.pk).status == "active"


def test_who_is_erased_while_an_adjustment_is_undone_is_named_in_the_dialog(
    client_of: Callable[[str], Client], ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = adjust(ana.wallet, 20, "gift", now=timezone.now())

    def meanwhile(request: HttpRequest) -> Actor:
        erase_customer_details(customer=ana.customer, actor=SYSTEM)
        return acting(request)

    monkeypatch.setattr(reversals, "acting", meanwhile)
    answer = client_of("administrator").post(url("transfer_undo", given.pk))
    assert answer.status_code == 422
    assert REFUSED in answer.content.decode()
    assert not Transfer.objects.filter(kind="reversal").exists()
