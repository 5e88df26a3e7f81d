"""What segments and rules ask of consents, messages, activities by time and balances."""

import datetime as dt
from typing import Any

import pytest

from campaigns.models import Delivery
from campaigns.selectors.told_facts import told_to
from campaigns.services.consents import set_consents
from campaigns.services.measuring import note_click, note_open
from campaigns.services.policies import set_policy
from loyalty.asked_elsewhere import BuyerAsked
from loyalty.deed_fields import deeds_of
from members.conditions.fields import field_named
from members.conditions.moments import Moment
from members.conditions.operators import operators_of
from members.conditions.predicate import Condition
from members.conditions.scopes import OF_CUSTOMERS
from members.conditions.tree import parse
from members.models import Customer, OutboxEvent
from members.models.changes import CHANGED
from members.selectors.segments import customers_matching, merchant_moment, read_condition
from members.services.audit import SYSTEM
from tests.campaigns.factories import send, tell
from tests.factories import CustomerFactory
from tests.loyalty.factories import NOW, adjust, day, make_program, make_type, make_wallet, told
from tests.loyalty.factories import tell as tell_activities

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]


def found(field: str, op: str, value: Any = None, at: dt.datetime = NOW) -> set[str]:
    said = {"field": field, "op": op} | ({} if value is None else {"value": value})
    rows = customers_matching(read_condition(said), merchant_moment(at))
    return set(rows.values_list("given_name", flat=True))


def say(customer: Customer, yes: bool) -> None:
    set_consents(
        customer=customer, wanted={("email", "offers"): yes}, source="staff", actor=SYSTEM, now=NOW
    )  # fmt: skip


class TestConsents:
    def test_segments_ask_what_was_said_of_a_topic_by_a_way(self) -> None:
        ana, ben, _cy = (CustomerFactory(given_name=name) for name in ("Ana", "Ben", "Cy"))
        say(ana, True)
        say(ben, False)
        field = "consent.email.offers"
        assert found(field, "is", "granted") == {"Ana"}
        assert found(field, "is_not", "granted") == {"Ben", "Cy"}
        assert found(field, "empty") == {"Cy"}
        assert found(field, "one_of", ["granted", "denied"]) == {"Ana", "Ben"}

    def test_a_change_of_mind_has_the_segments_worked_out_anew(self) -> None:
        ana = CustomerFactory()
        OutboxEvent.objects.all().delete()
        say(ana, True)
        told_of = OutboxEvent.objects.filter(kind=CHANGED).values_list("payload", flat=True)
        assert [event["customers"] for event in told_of] == [[ana.pk]]

    def test_a_way_that_nobody_knows_is_no_field(self) -> None:
        assert field_named("consent.pigeon.offers") is None
        assert field_named("consent.email") is None


class TestMessages:
    def opened(self, name: str) -> Customer:
        set_policy(changes={"track_opens": True}, actor=SYSTEM)
        ana = CustomerFactory(given_name=name, email=f"{name}@example.com")
        tell(ana, name)
        send()
        return ana

    def test_segments_ask_when_a_message_was_opened_and_followed_last(self) -> None:
        ana, _ben = self.opened("Ana"), CustomerFactory(given_name="Ben")
        delivery = Delivery.objects.latest("pk").public_id
        note_open(delivery=delivery, now=day(-3))
        note_click(delivery=delivery, target="https://shop.example/", now=day(-2))
        assert found("messages.last_opened", "not_empty") == {"Ana"}
        assert found("messages.last_opened", "empty") == {"Ben"}
        assert found("messages.last_clicked", "in_last_days", 7) == {"Ana"}
        assert found("messages.last_clicked", "in_last_days", 7, at=day(30)) == set()
        [facts] = told_to([BuyerAsked(1, ana.pk, NOW)])
        assert facts is not None
        assert (facts.opened_at, facts.clicked_at) == (day(-3), day(-2))

    def test_opening_one_has_the_segments_worked_out_anew_once(self) -> None:
        ana = self.opened("Ana")
        OutboxEvent.objects.all().delete()
        for hour in (0, 1):
            delivery = Delivery.objects.latest("pk").public_id
            note_open(delivery=delivery, now=day(-3) + dt.timedelta(hours=hour))
        told_of = OutboxEvent.objects.filter(kind=CHANGED).values_list("payload", flat=True)
        assert [event["customers"] for event in told_of] == [[ana.pk]]


class TestActivities:
    def test_they_are_counted_in_the_last_days_and_the_last_one_is_known(self) -> None:
        for number in ("c1", "c2", "c3"):
            CustomerFactory(external_id=number, given_name=number)
        make_type()
        tell_activities(
            told("V1", at=day(-40)), told("V2", at=day(-5)), told("V3", at=day(-2)),
            told("V4", at=day(-40), buyer="c2"), now=NOW,
        )  # fmt: skip
        assert found("activities.days.30.review", "at_least", 2) == {"c1"}
        assert found("activities.days.30.review", "is", 0) == {"c2", "c3"}
        assert found("activities.days.90.review", "at_least", 1) == {"c1", "c2"}
        assert found("activities.last.review", "in_last_days", 7) == {"c1"}
        assert found("activities.last.review", "empty") == {"c3"}

    @pytest.mark.parametrize("name", ["activities.days.7.review", "activities.last.review"])
    def test_rules_and_segments_answer_alike(self, name: str) -> None:
        people = [CustomerFactory(external_id=f"c{number}") for number in (1, 2)]
        make_type()
        tell_activities(told("V1", at=day(-8)), told("V2", at=day(-7)), now=NOW)
        field = field_named(name)
        assert field is not None
        moment = merchant_moment(NOW)
        facts = deeds_of([BuyerAsked(1, one.pk, NOW) for one in people])
        for operator in operators_of(field.kind):
            for operand in [None] if operator.takes == "nothing" else [0, 1, 7, 8]:
                if operator.takes not in ("nothing", "one", "days"):
                    continue
                is_day = name.startswith("activities.last") and operator.takes == "one"
                said = {"field": name, "op": operator.code}
                if operand is not None:
                    said["value"] = "2024-03-08" if is_day else operand
                self.compare(said, people, facts, moment)

    def compare(
        self, said: dict[str, Any], people: list[Customer], facts: Any, moment: Moment
    ) -> None:
        node = parse(said, scopes=OF_CUSTOMERS, in_database=True)
        alike = set(customers_matching(node, moment).values_list("pk", flat=True))
        condition = Condition(node)
        for one, own in zip(people, facts, strict=True):
            assert condition.holds_for({"deeds": own}, moment) == (one.pk in alike), said

    def test_days_that_are_none_make_no_field(self) -> None:
        for name in ("0.review", "x.review", "30", "99999.review"):
            assert field_named(f"activities.days.{name}") is None


class TestBalances:
    def test_segments_ask_whether_there_is_that_much_to_spend(self) -> None:
        program = make_program()
        for number, units in (("c1", 120), ("c2", 40)):
            adjust(make_wallet(program, number), units, number)
        Customer.objects.filter(external_id="c1").update(given_name="Ana")
        Customer.objects.filter(external_id="c2").update(given_name="Ben")
        CustomerFactory(given_name="Cy")
        assert found("member.balance", "at_least", 100) == {"Ana"}
        assert found("member.balance", "at_most", 40) == {"Ben"}
        assert found("member.balance", "not_empty") == {"Ana", "Ben"}
