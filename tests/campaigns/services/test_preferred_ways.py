"""Where one way is enough: the first that is set up, that they want, and that reaches them."""

import datetime as dt
from typing import Any

import pytest

from campaigns.journey_definitions import MessageStep
from campaigns.models import Delivery, Message
from campaigns.news import News
from campaigns.occasions import occasion_named
from campaigns.services.blocked_addresses import block_address
from campaigns.services.contact_addresses import name_address
from campaigns.services.messages import write_messages
from campaigns.services.policies import set_occasion
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.factories import VALUES
from tests.campaigns.ways import agree, use
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
GATEWAY = "jsons://gateway.example/send?:to={to}"
ORDER = ("push", "sms", "email", "inbox")


def tell(*customers: Customer, channels: tuple[str, ...] = ORDER) -> None:
    occasion = occasion_named("gift")
    assert occasion is not None
    setting = set_occasion(
        occasion=occasion, is_on=True, channels=channels, topic="points", actor=SYSTEM, now=NOON,
        only_first=True,
    )  # fmt: skip
    news = [News(one, f"gift:{one.pk}", lambda: VALUES) for one in customers]
    write_messages(occasion=occasion, setting=setting, news=news, now=NOON)


def ways() -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for customer, channel in Delivery.objects.values_list("message__customer", "channel"):
        found.setdefault(customer, []).append(channel)
    return found


@pytest.fixture(autouse=True)
def set_up(db: None) -> None:
    use("sms", GATEWAY)
    use("push", GATEWAY)


def test_each_is_told_by_the_first_that_reaches_them() -> None:
    device, phone, silent, nowhere = (
        CustomerFactory(phone=f"+6012345678{number}") for number in range(4)
    )
    name_address(customer=device, channel="push", address="t1", actor=SYSTEM, now=NOON)
    agree(phone, "sms")
    Customer.objects.filter(pk=nowhere.pk).update(email="")
    nowhere.refresh_from_db()
    tell(device, phone, silent, nowhere)
    assert ways() == {
        device.pk: ["push"], phone.pk: ["sms"], silent.pk: ["email"], nowhere.pk: ["inbox"],
    }  # fmt: skip


def test_a_no_and_an_address_that_does_not_work_are_passed_over() -> None:
    ana, ben = CustomerFactory(phone="+60123456780"), CustomerFactory(phone="+60123456781")
    for one in (ana, ben):
        name_address(customer=one, channel="push", address=f"t{one.pk}", actor=SYSTEM, now=NOON)
        agree(one, "sms")
    agree(ana, "push", yes=False)
    block_address(channel="push", address=f"t{ben.pk}", reason="bounced", now=NOON)
    block_address(channel="sms", address="+60123456781", reason="bounced", now=NOON)
    tell(ana, ben)
    assert ways() == {ana.pk: ["sms"], ben.pk: ["email"]}


def test_whom_none_reaches_is_told_by_the_last_which_says_why_not() -> None:
    ana = CustomerFactory(phone="")
    tell(ana, channels=("push", "sms"))
    assert ways() == {ana.pk: ["sms"]}
    assert Message.objects.count() == 1


def test_many_cost_as_many_queries_as_few(django_assert_max_num_queries: Any) -> None:
    people = [CustomerFactory(phone=f"+601234567{number:02}") for number in range(20)]
    with django_assert_max_num_queries(40):
        tell(*people)
    assert set(map(tuple, ways().values())) == {("email",)}


def test_a_step_of_a_journey_says_so_too() -> None:
    step = MessageStep(key="s1", message="welcome", channels=list(ORDER), only_first=True)
    assert MessageStep(**step.model_dump()) == step
    assert MessageStep(key="s1", message="welcome").only_first is False
