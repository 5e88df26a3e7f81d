"""Members are told of challenges what is so: what is theirs, until when, and what is over."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from campaigns.models import Delivery
from campaigns.services.challenge_clock import KIND
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.challenges import join_challenge
from campaigns.services.told_challenges import OCCASIONS
from loyalty.models import Program
from loyalty.rules.calendar import start_of_day
from members.models import Customer
from tests.campaigns.challenges import DAY, launch, member
from tests.campaigns.factories import switch_on, work
from tests.loyalty.factories import NOW, make_program, make_wallet, order, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def program() -> Program:
    made = make_program(time_zone="Europe/Athens", earning_rules=[])
    for who in ("c1", "c2"):
        make_wallet(made, who)
    for occasion in OCCASIONS:
        switch_on(occasion.code, "inbox", at=NOW - DAY)
    return made


def buy(number: str, total: str, at: dt.datetime, who: str = "c1") -> None:
    record(order(number, total, at=at, buyer=who))
    measure_customers(list(Customer.objects.values_list("pk", flat=True)), now=at)


def told(occasion: str) -> list[str]:
    rows = Delivery.objects.filter(message__occasion=occasion).order_by("pk")
    return [text.replace("\xa0", " ") for text in rows.values_list("text", flat=True)]


def test_the_last_day_is_the_one_before_the_midnight_at_which_it_ends(program: Program) -> None:
    athens = zoneinfo.ZoneInfo("Europe/Athens")
    ends = start_of_day(NOW.astimezone(athens).date() + 3 * DAY, athens)
    join_challenge(challenge=launch(program, ends_at=ends), membership=member(), now=NOW)
    [text] = told("challenge_started")
    assert text.endswith("Until Mar 17, 2024.")


def test_who_has_done_it_once_is_not_told_that_they_have_not(program: Program) -> None:
    challenge = launch(program, times=3)
    for who in ("c1", "c2"):
        join_challenge(challenge=challenge, membership=member(who), now=NOW)
    buy("A", "60", NOW + HOUR)
    buy("B", "20", NOW + HOUR, "c2")
    assert work(KIND, NOW + 7 * DAY, "ended") == 2
    assert told("challenge_ended") == ["You came to 40% of it. There will be another one."]


def test_what_the_budget_did_not_suffice_for_is_not_said_to_be_theirs(program: Program) -> None:
    challenge = launch(program, budget_units=100)
    for who in ("c1", "c2"):
        join_challenge(challenge=challenge, membership=member(who), now=NOW)
        buy(f"{who}A", "60", NOW + HOUR, who)
    assert told("challenge_won") == ["This is yours now: 100 points."]
