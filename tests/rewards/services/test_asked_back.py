"""What is asked back for who was erased stays, and what others wait for comes back."""

import pytest

from loyalty.models import Membership
from members.errors import ConflictError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from rewards.services.asked_back import cancel_when_asked, let_go_as_staff
from rewards.services.redemptions import cancel_redemption
from tests.loyalty.factories import NOW, spendable
from tests.rewards.factories import offer, take
from tests.rewards.services.carts import cancel as cancel_cart
from tests.rewards.services.carts import cart, commit, reserve, shopper
from tests.sharing import of_each_test

pytestmark = pytest.mark.usefixtures("coherent_ledger")

HOW = {"reason": "A mistake", "actor": SYSTEM, "now": NOW}


_made_once, member = of_each_test(shopper)


def erase(member: Membership) -> None:
    Customer.objects.filter(pk=member.customer_id).update(given_name="Ana")
    erase_customer_details(customer=member.customer, actor=SYSTEM)


def refused():
    return pytest.raises(ConflictError, match="erased meanwhile")


def test_what_they_took_is_canceled_by_nobody_and_a_repeat_is_answered(member):
    reward = offer(member.program, price=20)
    first, second = take(member, reward, at=NOW), take(member, reward, "t2", at=NOW)
    done = cancel_when_asked(redemption=first, source="api", **HOW)
    erase(member)
    with refused() as error:
        cancel_when_asked(redemption=second, source="api", **HOW)
    assert error.value.code == "customer_erased"
    assert cancel_when_asked(redemption=first, source="api", **HOW) == done
    assert spendable() == 980
    # What follows a return, an event that is called off, or a parcel does come back.
    assert cancel_redemption(redemption=second, source="job", **HOW).status == "cancelled"
    assert spendable() == 1000


def test_staff_let_none_of_their_carts_go_but_the_shop_does(member):
    held, paid = reserve(cart(member, units=100)), reserve(cart(member, "C2", units=50))
    commit(paid)
    erase(member)
    for found in (held, paid):
        with refused():
            let_go_as_staff(checkout=found, source="backoffice", **HOW)
        assert cancel_cart(found).status == "cancelled"
        assert let_go_as_staff(checkout=found, source="backoffice", **HOW).status == "cancelled"
    assert spendable() == 1000
