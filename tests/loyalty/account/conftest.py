"""A coffee shop with two programs, and Maya, who has been buying there for a year."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from loyalty.definitions import ProgramDefinition
from loyalty.models import Membership, Program, Transfer, Wallet
from loyalty.services.adjustments import adjust_units
from loyalty.services.bulk_adjustments import Plan, create_bulk, post_bulk
from loyalty.services.bulk_sources import from_list
from loyalty.services.memberships import enroll_customer
from loyalty.services.order_inputs import CustomerRef, LineInput, OrderInput, RefundInput
from loyalty.services.orders import record_orders
from loyalty.services.programs import apply_definition
from loyalty.services.refunds import record_refunds
from members.models import Customer, Merchant, User
from members.services.audit import SYSTEM, Actor
from members.services.customers import create_customer
from members.services.job_runs import run_job
from tests.factories import StaffMemberFactory
from tests.sharing import anew, commits, shared
from tests.sign_ins import signed_in


def define_program(**changes: object) -> Program:
    values: dict[str, object] = {
        "code": "beans",
        "name": "Bean Club",
        "currency": "USD",
        "time_zone": "America/New_York",
        "status": "live",
        "wallet_types": [
            {
                "singular": "Bean",
                "plural": "Beans",
                "unit_value": "0.01",
                "pending_days": 14,
                "expiry": {"kind": "months", "length": 12},
                "gifts": {"to_members": True, "most_per_day": 100},
            }
        ],
        "charities": [{"code": "trees", "name": "City Trees"}],
        "earning_rules": [{"units": "2", "per": "1"}],
    }
    definition = ProgramDefinition.model_validate(values | changes)
    return apply_definition(definition, actor=SYSTEM, now=timezone.now()).program


@dataclass
class Shop:
    """Writes through the services only, as the shop and its staff do."""

    program: Program

    def add_customer(self, email: str, **values: object) -> Customer:
        return create_customer(actor=SYSTEM, email=email, **values)

    def give_sign_in(self, customer: Customer) -> User:
        user = User.objects.create_user(customer.email)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        Customer.objects.filter(pk=customer.pk).update(user=user)
        customer.user = user
        return user

    def enroll(self, customer: Customer, program: Program | None = None) -> Membership:
        membership, _new = enroll_customer(
            customer=customer,
            program=program or self.program,
            source=Membership.Source.STAFF,
            at=timezone.now() - dt.timedelta(days=400),
            actor=SYSTEM,
        )
        return membership

    def sell(
        self, customer: Customer, number: str, total: str, days_ago: float, **details: Any
    ) -> None:
        amount = Decimal(total)
        order = OrderInput(
            external_id=number,
            placed_at=timezone.now() - dt.timedelta(days=days_ago),
            currency="USD",
            total=amount,
            customer=CustomerRef(key=customer.pk),
            lines=(LineInput(1, amount, sku="beans", name="Coffee beans"),),
            **details,
        )
        record_orders([order], now=timezone.now(), transfer_source="api")

    def refund(self, number: str, order: str, total: str, days_ago: float) -> None:
        refund = RefundInput(
            external_id=number,
            refunded_at=timezone.now() - dt.timedelta(days=days_ago),
            currency="USD",
            total=Decimal(total),
            order_external_id=order,
        )
        record_refunds([refund], now=timezone.now(), transfer_source="api")

    def adjust(self, membership: Membership, units: int, reason: str = "goodwill") -> None:
        wallet = Wallet.objects.select_related("wallet_type__program").get(
            account=membership.account_id, wallet_type__program=membership.program_id
        )
        adjust_units(
            wallet=wallet,
            units=units,
            reason=reason,
            note="Only for colleagues",
            actor=SYSTEM,
            key=f"{membership.pk}:{units}:{reason}",
            source="backoffice",
            now=timezone.now(),
        )

    def give(self, names: list[str], *, message: str, note: str) -> Transfer:
        """A surprise for some; the first one's movement."""
        plan = Plan(
            "grant", self.program.wallet_types.get(), "surprise", note, message, units_each=100
        )
        manager = Actor.of_user(StaffMemberFactory(role="marketing_manager").user)
        how = {"actor": manager, "now": timezone.now()}
        batch = create_bulk(plan=plan, source=from_list("\n".join(names), "Friends"), **how)
        run_job(batch.job_id)
        run_job(post_bulk(batch=batch, **how).job_id)
        return batch.rows.first().transfer


class Regular(NamedTuple):
    shop: Shop
    customer: Customer


def make_shop() -> Shop:
    Merchant.objects.update_or_create(
        pk=1, defaults={"name": "Corner Coffee", "currency": "USD", "time_zone": "America/New_York"}
    )
    return Shop(define_program())


def make_maya(shop: Shop) -> Regular:
    customer = shop.add_customer(
        "maya@example.com", given_name="Maya", family_name="Lim", phone="+12125550123"
    )
    shop.give_sign_in(customer)
    membership = shop.enroll(customer)
    shop.sell(customer, "4711", "43.12", days_ago=350, store="Downtown")
    shop.sell(customer, "4802", "30.00", days_ago=60)
    shop.refund("R-77", "4802", "10.00", days_ago=50)
    shop.adjust(membership, 25)
    shop.sell(customer, "4990", "12.00", days_ago=2)
    return Regular(shop, customer)


# A module whose tests are all about Maya says `usefixtures("maya_for_all")`: she is made once.
maya_for_all = shared(lambda: make_maya(make_shop()))


OWN = pytest.StashKey[Regular]()


def own_maya(request: pytest.FixtureRequest) -> Regular | None:
    """This test's copy of her whom all tests of the module have; None where each makes her."""
    if "maya_for_all" not in request.fixturenames or commits(request.node):
        return None
    if OWN not in request.node.stash:
        request.node.stash[OWN] = anew(request.getfixturevalue("maya_for_all"))
    return request.node.stash[OWN]


@pytest.fixture
def shop(request: pytest.FixtureRequest, db: None) -> Shop:
    own = own_maya(request)
    return own.shop if own else make_shop()


@pytest.fixture
def maya(request: pytest.FixtureRequest, shop: Shop) -> Customer:
    """Signs in, has bought, returned something, and was given something."""
    return (own_maya(request) or make_maya(shop)).customer


@pytest.fixture
def sign_in() -> Callable[[Customer], Client]:
    def client_of(customer: Customer) -> Client:
        assert customer.user is not None
        return signed_in(customer.user)

    return client_of
