"""Members are told what happens to them, once each, in words that are true of it."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Delivery, Message
from campaigns.services import told_orders
from loyalty.models import Membership, Program
from loyalty.services.gifts import give_units
from loyalty.services.memberships import enroll_customer
from loyalty.services.occasions import give_occasions
from members.models import Customer, OutboxEvent
from members.services.audit import SYSTEM
from rewards.models import Redemption
from rewards.services.gifts import give_reward
from rewards.services.redemptions import cancel_redemption
from tests.campaigns.factories import follow, switch_on
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program, make_wallet, order, record, wallet_of
from tests.rewards.factories import make_member, offer, take
from tests.sharing import anew, shared

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]

HOUR = dt.timedelta(hours=1)
YEAR_AGO = dt.timedelta(days=365)


made_once = shared(lambda: make_program(
        at=timezone.now() - YEAR_AGO,
        unit={"singular": "Bean", "plural": "Beans", "unit_value": "0.01",
              "gifts": {"to_members": True}},
    ))  # fmt: skip


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    """Live for a year; a point for each dollar, worth a cent."""
    return anew(made_once)


def told(code: str) -> list[tuple[str, str]]:
    """What was told of an occasion in the inbox."""
    follow()
    rows = Delivery.objects.filter(message__occasion=code, channel="inbox").order_by("pk")
    # Amounts do not part from their units at the end of a line.
    return [(one.replace("\xa0", " "), two.replace("\xa0", " "))
            for one, two in rows.values_list("subject", "text")]  # fmt: skip


def again() -> None:
    """Everything is told once more, as after a failure."""
    OutboxEvent.objects.update(delivered_at=None, available_at=timezone.now())
    follow()


def join(program: Program, **how: Any) -> Membership:
    details = {"source": "staff", "at": timezone.now(), "actor": SYSTEM} | how
    return enroll_customer(customer=CustomerFactory(), program=program, **details)[0]


def buy(number: str, total: str = "120", ago: dt.timedelta = HOUR, **how: Any) -> None:
    now = timezone.now()
    record(order(number, total, at=now - ago, **how), now=now)


def test_receipts_are_worked_out_for_new_orders_alone(
    club: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch_on("order_earned")
    buy("A1")
    follow()
    asked: list[str] = []

    def noted(item: Any, *rest: Any) -> Any:
        asked.append(item.order.external_id)
        return news(item, *rest)

    news = told_orders._news
    monkeypatch.setattr(told_orders, "_news", noted)
    buy("A2")
    assert len(told("order_earned")) == 2
    again()
    assert asked == ["A2"]


@pytest.mark.django_db(transaction=True)
def test_who_joins_is_welcomed_once_and_told_how_it_works(club: Program) -> None:
    switch_on("welcome")
    join(club)
    [(subject, text)] = told("welcome")
    assert subject == "Welcome to Club"
    assert "1 Bean" in text
    again()
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_joined_before_or_came_with_a_file_is_not_welcomed(club: Program) -> None:
    join(club)
    switch_on("welcome")
    join(club, source="import")
    join(club, at=timezone.now() - dt.timedelta(days=30))
    assert told("welcome") == []


def test_nothing_is_told_of_an_occasion_that_is_off(club: Program) -> None:
    join(club)
    buy("A1")
    follow()
    assert not Message.objects.exists()


def test_a_buyer_is_told_what_an_order_earned(club: Program) -> None:
    switch_on("order_earned")
    buy("A1")
    [(subject, text)] = told("order_earned")
    assert subject == "You earned 120 Beans"
    assert "order A1" in text
    assert "You can use 120 Beans now, worth $1.20." in text
    again()
    assert Message.objects.count() == 1


def test_what_is_pending_is_said_to_be(club: Program) -> None:
    program = make_program(
        "wait", at=timezone.now() - YEAR_AGO, unit={"plural": "Seeds", "pending_days": 14}
    )
    Program.objects.filter(pk=club.pk).update(status="archived")
    switch_on("order_earned")
    buy("A1")
    [(_subject, text)] = told("order_earned")
    assert "You can use 120 Seeds from" in text
    assert "You can use 0 Seeds now" in text
    assert Message.objects.get().membership.program == program  # type: ignore[union-attr]


def test_history_that_is_told_late_is_no_news(club: Program) -> None:
    switch_on("order_earned")
    buy("A1", ago=dt.timedelta(days=4))
    assert told("order_earned") == []


def test_what_was_recorded_before_it_was_switched_on_is_not_told(club: Program) -> None:
    buy("A1")
    switch_on("order_earned")
    assert told("order_earned") == []


def test_of_two_programs_each_tells_what_it_brought(club: Program) -> None:
    make_program("second", at=timezone.now() - YEAR_AGO)
    switch_on("order_earned")
    buy("A1")
    assert len(told("order_earned")) == 2


def test_a_higher_tier_is_told_and_a_lower_one_is_not(club: Program) -> None:
    tiers = {
        "metric": "spend", "window": "lifetime",
        "tiers": [{"code": "base", "name": "Base"},
                  {"code": "gold", "name": "Gold", "threshold": "100"}],
    }  # fmt: skip
    make_program("tiered", at=timezone.now() - YEAR_AGO, tiers=tiers)
    switch_on("tier_up")
    buy("A1", "150")
    [(subject, _text)] = told("tier_up")
    assert subject == "You are Gold now"
    again()
    assert Message.objects.count() == 1


def test_a_reward_is_told_with_its_code_when_it_was_taken(club: Program) -> None:
    switch_on("reward_issued")
    member = make_member(program=club, at=timezone.now() - YEAR_AGO)
    taken = take(member, offer(club, valid_days=30))
    [(subject, text)] = told("reward_issued")
    assert subject == "Your reward: 5 off"
    assert taken.voucher is not None
    assert taken.voucher.written in text
    assert "It can be used to" in text
    cancel_redemption(redemption=taken, reason="x", actor=SYSTEM, source="api", now=timezone.now())
    again()
    assert Message.objects.count() == 1


def test_what_is_only_reserved_is_not_told(club: Program) -> None:
    switch_on("reward_issued")
    member = make_member(program=club, at=timezone.now() - YEAR_AGO)
    take(member, offer(club), hold=HOUR)
    assert told("reward_issued") == []


def test_a_reward_that_was_given_is_told_as_a_gift(club: Program) -> None:
    switch_on("gift")
    switch_on("reward_issued")
    member = make_member(program=club, at=timezone.now() - YEAR_AGO)
    give_reward(
        membership=member, reward=offer(club), gift=Redemption.Gift.STAFF.value,
        message="Sorry for the wait.", key="g1", source="backoffice", actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    assert told("gift") == [("You were given 5 off", "“Sorry for the wait.”")]
    assert told("reward_issued") == []


def test_units_of_another_member_are_told_to_who_was_given_them(club: Program) -> None:
    switch_on("gift")
    giver = make_member(program=club, at=timezone.now() - YEAR_AGO)
    Customer.objects.filter(pk=giver.customer_id).update(given_name="Noah", family_name="Berg")
    taker = make_wallet(club, "c2", timezone.now() - YEAR_AGO)
    give_units(
        wallet=wallet_of(giver.account_id),
        to=Membership.objects.get(account=taker.account_id), units=50, message="Enjoy!",
        actor=SYSTEM, key="g1", source="account", now=timezone.now(),
    )  # fmt: skip
    assert told("gift") == [("You were given 50 Beans", "From Noah. “Enjoy!”")]
    again()
    assert Message.objects.get().customer.external_id == "c2"


def test_a_birthday_is_told_with_what_was_given_for_it() -> None:
    now = timezone.now()
    rule = {"code": "day", "name": "Day", "kind": "occasion", "units": 100, "day": "birthday"}
    program = make_program(at=now - YEAR_AGO, earning_rules=[{}, rule])
    make_wallet(program, "c1", now - YEAR_AGO)
    Customer.objects.update(birthday=now.date().replace(year=1992))
    switch_on("birthday")
    switch_on("gift")
    assert give_occasions(timezone.now()) == 1
    assert told("birthday") == [("Happy birthday!", "A present for you: 100 points.")]
    assert told("gift") == []
