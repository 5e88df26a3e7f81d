"""Leaving a program: by its member, from their page, and coming back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Membership
from loyalty.selectors.balances import get_balances
from loyalty.services.leaving import leave_program
from loyalty.services.memberships import enroll_customer
from loyalty.services.pools import PoolTerms, create_pool
from members.errors import ConflictError
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from tests.loyalty.account.conftest import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("maya_for_all")]
SignIn = Callable[[Customer], Client]
Status = Membership.Status


@pytest.fixture
def member(maya: Customer) -> Membership:
    return Membership.objects.get(customer=maya)


def test_a_member_leaves_and_earns_nothing_any_more(
    shop: Shop, maya: Customer, member: Membership, sign_in: SignIn
) -> None:
    held = get_balances(member, timezone.now())[0]
    client = sign_in(maya)
    assert f"/me/{member.public_id}/leave/" in client.get("/me/profile/").content.decode()
    page = client.get(f"/me/{member.public_id}/leave/").content.decode()
    assert "Leave Bean Club?" in page
    assert client.post(f"/me/{member.public_id}/leave/").status_code == 302
    member.refresh_from_db()
    assert member.status == Status.LEFT
    assert AuditEntry.objects.filter(action="membership.left").count() == 1
    shop.sell(maya, "5001", "50.00", days_ago=0)
    after = get_balances(member, timezone.now())[0]
    assert (after.spendable, after.pending) == (held.spendable, held.pending)


def test_leaving_twice_changes_nothing_and_coming_back_brings_it_back(
    maya: Customer, member: Membership
) -> None:
    held = get_balances(member, timezone.now())[0].spendable
    for _time in range(2):
        leave_program(membership=member, actor=SYSTEM, now=timezone.now())
    assert AuditEntry.objects.filter(action="membership.left").count() == 1
    again, new = enroll_customer(
        customer=maya, program=member.program, source="link", at=timezone.now(), actor=SYSTEM
    )
    assert (again.pk, again.status, new) == (member.pk, Status.ACTIVE, True)
    assert get_balances(again, timezone.now())[0].spendable == held


def test_who_is_suspended_cannot_leave_to_come_back(member: Membership, maya: Customer) -> None:
    Membership.objects.filter(pk=member.pk).update(status=Status.SUSPENDED)
    with pytest.raises(ConflictError) as caught:
        leave_program(membership=member, actor=SYSTEM, now=timezone.now())
    assert caught.value.code == "not_active"


def test_what_is_shared_is_left_first(
    shop: Shop, maya: Customer, member: Membership, sign_in: SignIn
) -> None:
    create_pool(
        owner=member, terms=PoolTerms("Home"), bring=False, actor=SYSTEM, source="api",
        now=timezone.now(),
    )  # fmt: skip
    response = sign_in(maya).post(f"/me/{member.public_id}/leave/")
    assert response.status_code == 409
    assert "Leave what you share with others first." in response.content.decode()
    member.refresh_from_db()
    assert member.status == Status.ACTIVE


def test_nobody_leaves_for_somebody_else(shop: Shop, member: Membership, sign_in: SignIn) -> None:
    other = shop.add_customer("eve@example.com")
    shop.give_sign_in(other)
    shop.enroll(other)
    assert sign_in(other).post(f"/me/{member.public_id}/leave/").status_code == 404
    member.refresh_from_db()
    assert member.status == Status.ACTIVE
