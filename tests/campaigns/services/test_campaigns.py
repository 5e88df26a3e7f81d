"""Campaigns: what they give, to whom, what they bring, and what members see of them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone
from pydantic import ValidationError

from campaigns.campaign_definitions import CampaignDefinition
from campaigns.campaign_rules import draw_of, rules_of_campaign
from campaigns.demo.campaigns import show_campaigns
from campaigns.models import Campaign, CampaignMember
from campaigns.selectors.campaign_results import result_of
from campaigns.selectors.campaigns import audience_of, is_for, shown_to
from campaigns.services.campaigns import (
    pause_campaign,
)
from loyalty.models import (
    MemberTier,
    Program,
    Tier,
)
from loyalty.services.quotes import quote_order
from members.condition_fields import DrawnNumber, drawn_number
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import DAY, draft, launch, member
from tests.loyalty.factories import (
    NOW,
    day,
    enroll_all,
    give_back,
    line,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    refund,
    spendable,
)
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
Status = Campaign.Status
HOUR = dt.timedelta(hours=1)


made_once = shared(lambda: make_program(time_zone="Europe/Athens"))


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


# What each template gives


@pytest.mark.parametrize(
    ("template", "offer", "total", "points"),
    [
        ("points-weekend", {}, "10", 20),
        ("flash", {"factor": 3}, "10", 30),
        ("happy-hours", {"weekdays": ["friday"]}, "10", 20),
        ("happy-hours", {"weekdays": ["monday"]}, "10", 10),
        ("happy-hours", {"from_time": "13:00", "until_time": "15:00"}, "10", 20),
        ("happy-hours", {"from_time": "11:00", "until_time": "13:00"}, "10", 10),
        ("spend-get", {"reach": 50, "units": 70}, "49.99", 49),
        ("spend-get", {"reach": 50, "units": 70}, "50", 120),
        ("big-weekend", {"reach": 50, "units": 70}, "60", 190),
        ("first-purchase", {"units": 30}, "10", 40),
    ],
)
def test_an_order_in_its_time_earns_what_the_template_gives(
    program, template, offer, total, points
):
    """It is two o'clock on a Friday in Athens."""
    launch(program, template, offer=offer)
    record(order("A", total))
    assert spendable() == points


def test_before_it_begins_and_once_it_is_over_nothing_is_given(program):
    launch(program, starts_at=NOW, ends_at=NOW + DAY)
    record(order("A", "10", at=NOW - dt.timedelta(seconds=1)))
    assert spendable() == 10
    record(order("B", "10", at=NOW), order("C", "10", at=NOW + DAY), now=NOW + DAY)
    assert spendable(at=NOW + DAY) == 40


def test_a_boost_counts_for_what_it_names(program):
    launch(program, "boost", offer={"categories": ["Tea"], "factor": 3})
    record(order("A", "30", lines=[line(1, "10", category="Tea"), line(2, "20", category="Jam")]))
    assert spendable() == 50


def test_the_second_order_of_its_time_brings_the_bonus(program):
    record(order("0", "10", at=day(-3)))
    launch(program, "nth-order", offer={"number": 2, "units": 100})
    record(order("A", "10", at=NOW))
    assert spendable() == 20
    record(order("B", "10", at=NOW + HOUR))
    assert spendable(at=NOW + HOUR) == 130


def test_the_first_purchase_bonus_is_for_the_first_purchase_alone(program):
    launch(program, "first-purchase", offer={"units": 30})
    record(order("A", "10"))
    record(order("B", "10", at=NOW + HOUR))
    assert spendable(at=NOW + HOUR) == 50


@pytest.mark.parametrize(
    ("template", "said", "lines", "off"),
    [
        ("percent-off", {"percent": 10}, ["100"], "10"),
        ("percent-off", {"percent": 10, "least": 200}, ["100"], "0"),
        ("off-by-basket", {"brackets": [{"above": 50, "percent": 5}]}, ["100"], "5"),
        ("cheapest-free", {"every": 3}, ["30", "20", "10"], "10"),
        ("bundle", {"price": 40, "bundle": [{"pieces": 3}]}, ["30", "20", "10"], "20"),
        ("early-access", {"percent": 20}, ["100"], "20"),
    ],
)
def test_the_quote_takes_off_what_the_template_says_under_its_name(
    program, template, said, lines, off
):
    make_wallet(program)
    audience = {"field": "customer.tags", "op": "has_any", "value": ["vip"]}
    Customer.objects.update(tags=["vip"])
    launch(program, template, name="Sale", offer=said, audience=audience)
    basket = [line(number, total) for number, total in enumerate(lines, start=1)]
    whole = sum(Decimal(total) for total in lines)
    (quote,) = quote_order(order("Q", str(whole), lines=basket))
    (found,) = quote.discounted.discounts
    assert (found.version.rule_name, found.amount) == ("Sale", Decimal(off))


def test_the_quote_shows_the_award_by_the_campaigns_name(program):
    make_wallet(program)
    launch(program, name="Spring weekend")
    (quote,) = quote_order(order("Q", "10"))
    assert {award.award.version.rule_name: award.award.units for award in quote.awards} == {
        "Base rate": 10, "Spring weekend": 10,
    }  # fmt: skip


# For whom


def test_only_the_audience_gets_it(program):
    for number, country in (("c1", "GR"), ("c2", "CY")):
        make_wallet(program, number)
        Customer.objects.filter(external_id=number).update(country=country)
    launch(program, audience={"field": "customer.country", "op": "is", "value": "GR"})
    record(order("A", "10"), order("B", "10", buyer="c2"))
    assert (spendable("c1"), spendable("c2")) == (20, 10)


def test_a_tier_is_that_of_its_own_program():
    """Gold elsewhere is not gold here."""
    steps = [{"code": "base", "name": "Base"}, {"code": "gold", "name": "Gold", "threshold": 100}]
    clubs = [make_program(code, tiers={"tiers": steps}) for code in ("club", "other")]
    campaigns = [
        launch(club, audience={"field": "membership.tier", "op": "is", "value": "gold"})
        for club in clubs
    ]
    for club in clubs:
        make_wallet(club)
    MemberTier.objects.filter(membership__program=clubs[1]).update(
        tier=Tier.objects.get(tier_set__program=clubs[1], code="gold")
    )
    assert [audience_of(campaign, NOW).count() for campaign in campaigns] == [0, 1]


def test_an_audience_asks_only_what_the_database_can_answer():
    with pytest.raises(ValidationError, match="total"):
        CampaignDefinition(
            name="X", title="X", template="flash",
            audience={"field": "order.total", "op": "at_least", "value": 5},
        )  # fmt: skip


def test_the_number_drawn_is_the_same_in_python_and_in_the_database_and_evenly_spread(db):
    Customer.objects.bulk_create(Customer(external_id=f"d{number}") for number in range(600))
    drawn = Customer.objects.annotate(drawn=DrawnNumber.of("club.spring", "public_id"))
    found = dict(drawn.values_list("public_id", "drawn"))
    assert found == {public_id: drawn_number("club.spring", public_id) for public_id in found}
    assert all(0 <= number < 100 for number in found.values())
    assert 20 < sum(number < 10 for number in found.values()) < 110
    assert found != {public_id: drawn_number("club.summer", public_id) for public_id in found}


def test_those_kept_aside_get_nothing_and_are_written_down_when_it_begins(program):
    enroll_all(program, (f"c{number}" for number in range(30)), NOW - 2 * DAY)
    campaign = launch(program, holdout=50, at=NOW)
    record(*(order(f"A{number}", "10", buyer=f"c{number}") for number in range(30)))
    rows = CampaignMember.objects.filter(campaign=campaign).select_related("membership__customer")
    assert rows.count() == 30
    for row in rows:
        number = drawn_number(draw_of(campaign), row.membership.customer.public_id)
        assert row.held_out == (number < 50)
        assert spendable(row.membership.customer.external_id) == (10 if row.held_out else 20)
        assert is_for(campaign, row.membership, NOW) is not row.held_out
    assert {row.held_out for row in rows} == {True, False}


def test_a_stranger_is_quoted_what_those_earn_who_are_not_kept_aside(program):
    """Whoever becomes known with the order earns just that, or what there is without it."""
    campaign = launch(program, holdout=50, at=NOW)
    (quote,) = quote_order(order("Q", "10", buyer=None, at=day(1)))
    assert sum(item.award.units for item in quote.awards) == 20
    assert all(award.award.units for award in quote.awards)
    found = set()
    for number in range(30):
        who = f"new{number}"
        (before,) = quote_order(order("Q", "10", buyer=who, at=day(1)))
        assert sum(item.award.units for item in before.awards) == 20
        record(order(f"N{number}", "10", buyer=who, at=day(1)))
        public_id = Customer.objects.get(external_id=who).public_id
        kept_aside = drawn_number(draw_of(campaign), public_id) < 50
        assert spendable(who, at=day(2)) == (10 if kept_aside else 20)
        found.add(kept_aside)
    assert found == {True, False}


def test_who_is_known_is_quoted_what_their_own_number_brings(program):
    campaign = launch(program, holdout=50, at=NOW)
    for number in range(20):
        customer = Customer.objects.create(external_id=f"k{number}")
        basket = order(f"K{number}", "10", buyer=customer.external_id, at=day(1))
        (quote,) = quote_order(basket)
        expected = 10 if drawn_number(draw_of(campaign), customer.public_id) < 50 else 20
        assert sum(item.award.units for item in quote.awards) == expected
        record(basket)
        assert spendable(customer.external_id, at=day(2)) == expected


def test_who_joins_later_is_not_compared(program):
    make_wallet(program, "c1", at=NOW - DAY)
    campaign = launch(program, holdout=10, at=NOW)
    make_wallet(program, "c2", at=NOW)
    assert audience_of(campaign, NOW).count() == 2
    assert list(campaign.members.values_list("membership__customer__external_id", flat=True)) == [
        "c1"
    ]


# What it brings


def test_results_are_net_of_what_came_back(program):
    campaign = launch(program, at=NOW)
    record(order("A", "30"), order("B", "10", buyer="c2"))
    give_back(refund("R", "10", of="A", at=NOW + HOUR), refund("S", "10", of="B", at=NOW + HOUR))
    result = result_of(campaign, NOW + HOUR)
    assert (result.reach, result.aside) == (2, 0)
    assert (result.given.units, result.given.takers, result.given.orders) == (20, 1, 1)
    assert moves("c2")[-1][1] < 0


def test_orders_are_compared_with_those_kept_aside_once_there_are_enough(program):
    enroll_all(program, (f"c{number}" for number in range(240)), NOW - 2 * DAY)
    campaign = launch(program, holdout=50, at=NOW)
    led = campaign.members.filter(held_out=False).values_list(
        "membership__customer__external_id", flat=True
    )
    record(*(order(f"A{number}", "40", buyer=number) for number in led))
    result = result_of(campaign, NOW + HOUR)
    assert result.reach + result.aside == 240
    assert result.by_orders is not None
    assert result.by_revenue is not None
    assert (result.by_orders.led, result.by_orders.aside) == (1, 0)
    assert (result.by_revenue.difference, result.by_revenue.is_clear) == (40, True)


def test_few_members_say_nothing(program):
    make_wallet(program, "c1", at=NOW - DAY)
    result = result_of(launch(program, holdout=50, at=NOW), NOW)
    assert (result.by_orders, result.by_revenue) == (None, None)


# What members see


def test_members_see_what_is_on_for_them_and_the_teaser_before(program):
    make_wallet(program)
    later = launch(
        program, "flash", name="Night", teased_at=NOW, starts_at=NOW + DAY, ends_at=NOW + 2 * DAY
    )
    secret = launch(program, "flash", name="Secret", starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
    now_on = launch(program)
    others = {"field": "customer.country", "op": "is", "value": "GR"}
    launch(program, name="Greece", audience=others)
    found = shown_to(member(), NOW)
    assert found == [now_on, later]
    assert secret in shown_to(member(), NOW + DAY)
    assert later not in shown_to(member(), NOW - HOUR)


def test_what_is_paused_is_not_shown(program):
    make_wallet(program)
    campaign = launch(program, at=NOW)
    pause_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert shown_to(member(), NOW) == []


def test_its_rules_are_told_without_who_is_kept_aside(program):
    campaign = draft(program, holdout=10)
    (rule,) = rules_of_campaign(campaign, told=True)
    assert dict(rule.body.when) == {}
    (rule,) = rules_of_campaign(campaign)
    assert rule.body.when["all"][0]["field"] == "customer.draw.club.spring"


# The demonstration


def test_the_demonstration_has_one_of_each_kind_and_is_made_once():
    now = timezone.now()
    program = make_program(at=now - 40 * DAY, unit={"unit_value": "0.005"})
    enroll_all(program, (f"c{number}" for number in range(60)), now - 30 * DAY)
    for _time in range(2):
        show_campaigns(program)
    found = {item.code: item for item in Campaign.objects.select_related("program")}
    assert {code: item.status for code, item in found.items()} == {
        "bigger-baskets": Status.ENDED, "double-acorns": Status.LIVE,
        "friday-night-flash": Status.SCHEDULED, "early-access": Status.DRAFT,
        "students": Status.LIVE,
    }  # fmt: skip
    for code in ("bigger-baskets", "double-acorns"):
        result = result_of(found[code], now)
        assert result.given.units > 0
        assert result.reach + result.aside == 60
