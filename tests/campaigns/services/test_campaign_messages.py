"""Members are told of promotions: the teaser, that it has begun, the last day, each once."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import pytest

from campaigns.models import Campaign, Delivery, Message, OccasionSetting
from campaigns.selectors.campaigns import is_kept_aside
from campaigns.services.campaign_messages import KIND, OCCASIONS
from campaigns.services.campaigns import pause_campaign
from loyalty.models import Membership, Program
from loyalty.rules.calendar import start_of_day
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import DAY, launch
from tests.campaigns.factories import switch_on, work
from tests.loyalty.factories import NOW, enroll_all, line, make_program, make_wallet, order, record
from tests.sharing import anew, shared

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
HOUR = dt.timedelta(hours=1)
ALL = ["teaser", "begun", "last_day"]


def make_world() -> Program:
    program = make_program(time_zone="Europe/Athens")
    for occasion in OCCASIONS.values():
        switch_on(occasion.code, "inbox", at=NOW - 9 * DAY)
    return program


made_once = shared(make_world)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def tell(at: dt.datetime) -> list[str]:
    """What the job tells then, as subjects; twice, as after a failure."""
    before = Delivery.objects.count()
    work(KIND, at)
    assert work(KIND, at + dt.timedelta(seconds=1)) == 0
    return list(Delivery.objects.order_by("pk").values_list("subject", flat=True)[before:])


def three_days(program: Program, **said: Any) -> Campaign:
    values: dict[str, Any] = {
        "starts_at": begins(), "ends_at": begins() + 3 * DAY, "teased_at": begins() - 6 * HOUR,
        "title": "Spring points", "teaser": "Wait for it", "tells": ALL,
    }  # fmt: skip
    return launch(program, **(values | said))


def begins() -> dt.datetime:
    """The next midnight in Athens."""
    athens = zoneinfo.ZoneInfo("Europe/Athens")
    return start_of_day(NOW.astimezone(athens).date() + DAY, athens)


def test_each_is_told_once_at_its_time(program: Program) -> None:
    make_wallet(program, at=NOW - 9 * DAY)
    three_days(program)
    assert tell(begins() - 7 * HOUR) == []
    assert tell(begins() - 5 * HOUR) == ["Wait for it"]
    assert tell(begins() + HOUR) == ["Spring points"]
    assert tell(begins() + DAY) == []
    assert tell(begins() + 2 * DAY) == ["Last day: Spring points"]
    assert tell(begins() + 3 * DAY) == []
    assert Message.objects.filter(topic="offers").count() == 3


def test_who_comes_into_its_audience_later_is_told_too(program: Program) -> None:
    make_wallet(program, at=NOW - 9 * DAY)
    audience = {"field": "customer.tags", "op": "has_any", "value": ["student"]}
    three_days(program, audience=audience)
    assert tell(begins() + HOUR) == []
    Customer.objects.update(tags=["student"])
    assert tell(begins() + 2 * HOUR) == ["Spring points"]


def test_who_is_kept_aside_reads_nothing(program: Program) -> None:
    enroll_all(program, (f"c{number}" for number in range(30)), NOW - 9 * DAY)
    campaign = three_days(program, holdout=50)
    tell(begins() - HOUR)
    tell(begins() + HOUR)
    members = Membership.objects.select_related("customer", "program")
    aside = {member.pk for member in members if is_kept_aside(campaign, member)}
    told = set(Message.objects.values_list("membership", flat=True))
    assert 0 < len(aside) < 30
    assert told == set(members.values_list("pk", flat=True)) - aside
    assert Message.objects.count() == 2 * len(told)


def test_what_it_says_is_in_the_message(program: Program) -> None:
    make_wallet(program, at=NOW - 9 * DAY)
    codes = {"kind": "shared", "word": "STUDENT10"}
    three_days(program, text="Everything counts twice.", codes=codes)
    tell(begins() + HOUR)
    told = Delivery.objects.get().text
    assert "Everything counts twice. Your code: STUDENT10. It lasts until" in told


def test_only_what_it_says_is_told_and_nothing_while_it_rests(program: Program) -> None:
    make_wallet(program, at=NOW - 9 * DAY)
    campaign = three_days(program, tells=["last_day"])
    three_days(program, name="Quiet", tells=[])
    assert tell(begins() + HOUR) == []
    pause_campaign(campaign=campaign, actor=SYSTEM, now=begins() + 2 * HOUR)
    assert tell(begins() + 2 * DAY) == []


def test_of_one_day_the_last_is_the_first(program: Program) -> None:
    make_wallet(program, at=NOW - 9 * DAY)
    three_days(program, ends_at=begins() + DAY)
    assert tell(begins() + HOUR) == ["Spring points"]
    assert tell(begins() + 20 * HOUR) == []


def test_nothing_is_told_while_the_occasion_is_off(program: Program) -> None:
    OccasionSetting.objects.update(is_on=False)
    make_wallet(program, at=NOW - 9 * DAY)
    three_days(program)
    assert tell(begins() + HOUR) == []


def test_of_personal_offers_each_reads_their_own_and_why(program: Program) -> None:
    for who, category in (("c1", "coffee"), ("c2", "tea"), ("c3", "")):
        make_wallet(program, who, at=NOW - 9 * DAY)
        for ago in (1, 2):
            basket = (line(1, "10", category=category or "cake"),)
            said = order(f"{who}{ago}", "10", lines=basket, buyer=who, at=NOW - ago * DAY)
            record(said, now=NOW)
    offer = {"categories": ["coffee", "tea"], "bought": 2}
    three_days(program, template="personal-favorite", tells=["begun"], teased_at=None, offer=offer)
    assert tell(begins() + HOUR) == []
    work("personal_offers", begins() + 2 * HOUR)
    assert sorted(tell(begins() + 3 * HOUR)) == ["2 × points on coffee", "2 × points on tea"]
    told = Delivery.objects.filter(subject__contains="tea").get().text
    assert "Because you bought tea 2 times." in told


def test_nobody_is_told_of_a_surprise_beforehand(program: Program) -> None:
    make_wallet(program, at=NOW - 9 * DAY)
    three_days(program, template="surprise", tells=["begun", "teaser"])
    assert tell(begins() - HOUR) == []
    assert tell(begins() + HOUR) == []
