"""What members read of a program that rests, or that ends."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Order
from loyalty.selectors.balances import get_balances
from loyalty.services.ending_conversions import ConversionTerms, units_left_then
from loyalty.services.program_endings import EndingDays, end_units, plan_ending
from loyalty.services.program_pauses import pause_program
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.account.conftest import Shop
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.usefixtures("maya_for_all")
SignIn = Callable[[Customer], Client]


def read(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().replace("\xa0", " ").split())


def plan(shop: Shop, told: int, earned: int, spent: int, *terms: ConversionTerms) -> None:
    then = timezone.now() - dt.timedelta(days=20)
    today = timezone.now().astimezone(shop.program.zone).date()
    days = EndingDays(*(today + dt.timedelta(days=ahead) for ahead in (told, earned, spent)))
    days = replace(days, conversions=terms)
    plan_ending(program=shop.program, days=days, actor=SYSTEM, now=then)


def test_members_read_what_theirs_become(maya: Customer, sign_in: SignIn, shop: Shop) -> None:
    make_program("stars", name="Star Club", unit={"code": "stars", "plural": "stars"},
                 earning_rules=[])  # fmt: skip
    kind = shop.program.wallet_types.first().code
    terms = ConversionTerms(kind, "stars", "stars", Decimal(1), Decimal(2))
    plan(shop, 3, 10, 30, terms)
    assert "Star Club" not in read(sign_in(maya), "/me/")
    shop.program.endings.all().update(called_off_at=timezone.now())
    plan(shop, -3, 10, 30, terms)
    page = read(sign_in(maya), "/me/")
    assert re.search(r"your [\d,]+ Beans become [\d,]+ stars in Star Club\.", page)


def test_what_expires_before_the_end_does_not_go_on(
    maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    make_program("stars", name="Star Club", unit={"code": "stars", "plural": "stars"},
                 earning_rules=[])  # fmt: skip
    terms = ConversionTerms("points", "stars", "stars", Decimal(1), Decimal(2))
    plan(shop, -3, 10, 30, terms)
    left = units_left_then(maya.memberships.get(), timezone.now() + dt.timedelta(days=29))
    held = get_balances(maya.memberships.get(), timezone.now())[0]
    assert 0 < sum(left.values()) < held.balance + held.pending
    page = read(sign_in(maya), "/me/")
    assert f"your {sum(left.values())} Beans become {2 * sum(left.values())} stars" in page


def test_a_pause_is_said_on_the_home_page_and_in_the_terms(
    maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    pause_program(program=shop.program, actor=SYSTEM, now=timezone.now(), spending=False)
    for page in (read(sign_in(maya), "/me/"), read(Client(), "/programs/beans/terms/")):
        assert "Bean Club is paused" in page
        assert "Purchases earn nothing meanwhile." in page
    assert "purse-action" not in read(sign_in(maya), "/me/")


def test_a_purchase_in_a_pause_says_why_it_earned_nothing(
    maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    pause_program(
        program=shop.program, actor=SYSTEM, now=timezone.now() - dt.timedelta(days=2, hours=1)
    )
    shop.sell(maya, "5000", "50.00", days_ago=1)
    order = Order.objects.get(external_id="5000")
    membership = maya.memberships.get()
    page = read(sign_in(maya), f"/me/{membership.public_id}/purchases/{order.pk}/")
    assert "The program was paused when the order was placed." in page


def test_an_end_is_told_from_its_day_on(maya: Customer, sign_in: SignIn, shop: Shop) -> None:
    plan(shop, 3, 10, 30)
    assert "will end" not in read(sign_in(maya), "/me/")
    shop.program.endings.all().update(called_off_at=timezone.now())
    plan(shop, -3, 10, 30)
    assert "Bean Club will end" in read(sign_in(maya), "/me/")
    assert "Bean Club will end" in read(Client(), "/programs/beans/terms/")


def test_once_nothing_is_earned_units_say_their_last_day(
    maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    plan(shop, -10, -2, 12)
    while end_units(timezone.now()):
        pass
    page = read(sign_in(maya), "/me/")
    assert "Bean Club ends" in page
    assert "151 Beans expire soon" in page or "175 Beans expire soon" in page


def test_after_the_last_day_nothing_is_left_without_any_job(
    maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    plan(shop, -15, -10, -1)
    page = read(sign_in(maya), "/me/")
    assert "Bean Club has ended" in page
    assert "purse-action" not in page
