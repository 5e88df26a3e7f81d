"""Budgets of money off prices in any order and all at once: never a cent more than there is."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.ledger import discount_budgets
from loyalty.ledger.checks import check_rule, verify_ledger
from loyalty.models import DiscountBudget, DiscountBudgetUse, Order, Program
from loyalty.services.order_inputs import DiscountInput
from members.errors import DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from rewards.models import Checkout
from rewards.services.checkouts import expire_checkout
from tests.campaigns.campaigns import DAY, launch
from tests.campaigns.discount_budgets import (
    borne,
    cart_of,
    make_club,
    promotion,
    told,
    used,
)
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    enroll_all,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)
from tests.rewards.services.carts import cancel, commit
from tests.rewards.services.racing import at_once, in_the_way_of
from tests.sharing import rolled_back

pytestmark = pytest.mark.usefixtures("coherent_ledger")


@pytest.fixture
def club() -> Program:
    return make_club()


def test_the_database_counts_and_refuses_more_than_there_is(club: Program) -> None:
    promotion(club)
    how = {"budget": DiscountBudget.objects.get(), "changed_at": NOW}
    use = DiscountBudgetUse.objects.create(holder="order:x/1", asked=9, amount=9, **how)
    assert used() == 9
    with pytest.raises(IntegrityError, match="discount_budget_not_exceeded"), transaction.atomic():
        DiscountBudgetUse.objects.create(holder="order:x/2", asked=7, amount=7, **how)
    with pytest.raises(IntegrityError, match="bears_what_is_off"), transaction.atomic():
        DiscountBudgetUse.objects.create(holder="order:x/2", asked=1, amount=2, **how)
    use.delete()
    assert used() == 0


@pytest.mark.django_db(transaction=True)
def test_carts_at_once_are_promised_no_cent_more() -> None:
    program = make_program()
    enroll_all(program, (f"c{number}" for number in range(24)), NOW - 2 * DAY)
    promotion(program, "55")
    outcome = at_once(lambda number: cart_of(f"c{number}", f"C{number}"), 24)
    assert outcome == {"done": 24}
    assert sum(Checkout.objects.values_list("discount", flat=True)) == used() == 50
    assert_ledger_coherent()


@pytest.mark.django_db(transaction=True)
def test_carts_orders_and_returns_at_once_leave_what_stands() -> None:
    program = make_program()
    enroll_all(program, (f"c{number}" for number in range(24)), NOW - 2 * DAY)
    promotion(program, "75")
    record(*(told(f"B{number}", buyer=f"c{number}") for number in range(4)))

    def act(number: int) -> None:
        who = f"c{number}"
        if number % 4 == 0:
            give_back(refund(f"R{number}", "90", of=f"B{number // 4 % 4}", buyer=None))
        elif number % 4 == 1:
            record(told(f"A{number}", buyer=who))
        else:
            found = cart_of(who, f"C{number}")
            if number % 4 == 2:
                commit(found, f"A{number}")
                record(told(f"A{number}", str(found.discount), buyer=who))

    assert at_once(act, 24)["done"] >= 18
    assert used() <= 75
    for use in DiscountBudgetUse.objects.filter(promised__gt=0):
        assert use.amount == use.promised
    assert not verify_ledger(NOW)


@pytest.mark.django_db(transaction=True)
def test_a_cart_priced_while_another_takes_the_rest_is_priced_anew() -> None:
    program = make_program()
    for number in ("c1", "c2"):
        make_wallet(program, number, at=NOW - 2 * DAY)
    promotion(program)
    found = in_the_way_of(
        lambda: cart_of("c2", "C2"),
        lambda: DiscountBudget.objects.select_for_update(no_key=True).get(),
        cart_of,
    )
    assert (found.discount, found.total, used()) == (0, 100, 10)


steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "commit", "tell", "cancel", "void", "refund", "expire"]),
        st.integers(0, 3),
        st.integers(1, 9),
    ),
    min_size=4, max_size=24,
)  # fmt: skip


class Shop:
    """Four carts and their orders, each told with what its cart was promised."""

    def __init__(self, program: Program, budget: int) -> None:
        self.now, self.code = NOW, "campaign-tenth"
        launch(
            program, "percent-off", name="Tenth", budget_money=Decimal(budget),
            offer={"percent": 10},
            audience={"field": "customer.tags", "op": "has_any", "value": ["tenth"]},
        )  # fmt: skip
        self.budget = DiscountBudget.objects.get()
        self.returned = itertools.count()

    def who(self, place: int) -> str:
        return f"p{place}"

    def cart(self, place: int) -> Checkout | None:
        return Checkout.objects.filter(cart=self.who(place)).first()

    def order(self, place: int) -> Order | None:
        return Order.objects.filter(external_id=self.who(place)).first()

    def reserve(self, place: int, part: int) -> None:
        cart_of(self.who(place), self.who(place), str(part * 10), at=self.now)

    def commit(self, place: int, _part: int) -> None:
        if found := self.cart(place):
            commit(found, self.who(place), at=self.now)

    def tell(self, place: int, part: int) -> None:
        found = self.cart(place)
        off = found.discount if found else Decimal(part)
        said = [DiscountInput("club", self.code, off)] if off else []
        record(order(
            self.who(place), str(part * 10 - off), buyer=self.who(place), discount_total=off,
            discounts=said, at=NOW,
        ), now=self.now)  # fmt: skip

    def void(self, place: int, _part: int) -> None:
        if found := self.order(place):
            record(order(
                self.who(place), str(found.total), buyer=self.who(place), status="cancelled",
                at=NOW,
            ), now=self.now)  # fmt: skip

    def refund(self, place: int, part: int) -> None:
        if (found := self.order(place)) and found.total:
            back = (found.total * part / 20).quantize(Decimal("0.01"))
            name = f"{self.who(place)}-{next(self.returned)}"
            give_back(refund(name, str(back), of=self.who(place), at=self.now))

    def cancel(self, place: int, _part: int) -> None:
        if found := self.cart(place):
            cancel(found, at=self.now)

    def expire(self, place: int, _part: int) -> None:
        self.now += dt.timedelta(minutes=31)
        if found := self.cart(place):
            expire_checkout(checkout=found, now=self.now, actor=SYSTEM)

    def check(self) -> None:
        self.budget.refresh_from_db()
        uses = list(self.budget.uses.all())
        assert self.budget.used == sum(use.amount for use in uses) <= self.budget.amount
        names = {f"order:shop/{self.who(place)}": place for place in range(4)}
        for use in uses:
            if use.holder in names:
                found = self.order(names[use.holder])
                assert use.asked == (_kept(found) if found else use.promised)
        for place in range(4):
            found = self.cart(place)
            live = found and found.status == "reserved" and found.reserved_until > self.now
            held = [use.amount for use in uses if use.holder == f"cart:shop/{self.who(place)}"]
            if found and live:
                assert sum(held) == found.discount
        assert not [name for name in discount_budgets.CHECKS if check_rule(name, self.now)]


@pytest.fixture
def tagged(db: None) -> Program:
    """With four members for whom the promotion is."""
    program = make_program()
    for place in range(4):
        make_wallet(program, f"p{place}")
    Customer.objects.update(tags=["tenth"])
    return program


def _kept(found: Order) -> Decimal:
    """What is off its prices by now."""
    uses = DiscountBudgetUse.objects.filter(holder=f"order:shop/{found.external_id}")
    promised = sum(use.promised for use in uses)
    off = [item.amount for item in found.discounts.all()]
    whole = sum(off, Decimal(0)) if off else promised
    if found.status in Order.VOID:
        return Decimal(0)
    if not found.total:
        return whole
    back = sum((item.total for item in found.refunds.all()), Decimal(0))
    kept = max(1 - back / found.total, Decimal(0))
    return Decimal(whole * kept).quantize(Decimal("0.0001"))


@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(budget=st.integers(3, 25), walk=steps)
def test_whatever_happens_in_whatever_order_used_is_what_stands(
    tagged: Program, budget: int, walk: list[tuple[str, int, int]]
) -> None:
    with rolled_back():
        shop = Shop(tagged, budget)
        for act, place, part in walk:
            try:
                with transaction.atomic():
                    getattr(shop, act)(place, part)
            except DomainError:
                continue  # such as a cart that ran out, or an order that stands
            shop.check()


def test_promotions_from_before_have_their_budgets_in_the_order_of_their_orders(
    club: Program,
) -> None:
    promotion(club)
    record(told("A2", at=NOW + dt.timedelta(hours=1)), told("A1", buyer="c2"))
    record(told("A3", at=NOW + dt.timedelta(hours=2)))
    give_back(refund("R", "45", of="A1", at=NOW + dt.timedelta(hours=3)))
    club.earning_rules.update(discount_budget=None)
    DiscountBudgetUse.objects.all().delete()
    DiscountBudget.objects.all().delete()
    written = import_module("campaigns.migrations.0025_budgets_of_promotions")
    with connection.cursor() as cursor:
        # Their rows are not counted one by one: of very many that would take hours.
        cursor.execute("CREATE TEMPORARY TABLE counted ON COMMIT DROP AS SELECT 0 AS rows")
        cursor.execute(
            "CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN UPDATE counted SET rows = rows + 1; RETURN NULL; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER noted AFTER UPDATE ON loyalty_discountbudget FOR EACH ROW"
            " EXECUTE FUNCTION pg_temp.note()"
        )
        for statement in written.STEPS:
            cursor.execute(statement)
        cursor.execute("SELECT rows FROM counted")
        assert cursor.fetchone() == (1,)
    assert [borne(number) for number in ("A1", "A2", "A3")] == [(5, 5), (10, 10), (10, 0)]
    assert (used(), club.earning_rules.exclude(discount_budget=None).count()) == (15, 1)
    record(told("A4", "0", at=NOW + dt.timedelta(hours=4)))
    give_back(refund("R2", "45", of="A2", at=NOW + dt.timedelta(hours=5)))
    assert (borne("A2"), used()) == ((5, 5), 10)
