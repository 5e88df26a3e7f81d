"""Campaigns: what they give, to whom, for how long, and how they are planned, paused and ended."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from django.db.models import Sum
from django.db.utils import ProgrammingError
from django.utils import timezone
from pydantic import ValidationError

from campaigns.campaign_definitions import CampaignDefinition, definition_of_campaign
from campaigns.campaign_rules import draw_of, rules_of_campaign
from campaigns.campaign_templates import PROMOTIONS, TEMPLATES
from campaigns.demo_campaigns import show_campaigns
from campaigns.models import Campaign, CampaignMember
from campaigns.selectors.campaign_results import result_of
from campaigns.selectors.campaigns import audience_of, is_for, shown_to, status_at, units_budgets
from campaigns.services.campaign_clock import find_changes, move_on
from campaigns.services.campaigns import (
    ask_to_publish,
    change_campaign,
    copy_campaign,
    create_from_template,
    delete_campaign,
    end_campaign,
    findings_of,
    pause_campaign,
    publish_campaign,
    resume_campaign,
    send_back,
    withdraw_campaign,
)
from loyalty.models import (
    CapCounter,
    EarningRule,
    Membership,
    MemberTier,
    Program,
    Tier,
    Transfer,
)
from loyalty.rule_definitions import DiscountRuleDefinition
from loyalty.rules.body_parts import BundlePart
from loyalty.services.order_inputs import OrderInput
from loyalty.services.programs import apply_definition
from loyalty.services.quotes import quote_order
from loyalty.services.rules import RuleRefusedError, set_four_eyes
from members.condition_fields import DrawnNumber, drawn_number
from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Customer, Segment, User
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import run_scheduled
from tests.campaigns.campaigns import DAY, draft, launch
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    day,
    define,
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

pytestmark = pytest.mark.usefixtures("coherent_ledger")
Status = Campaign.Status
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def program() -> Program:
    return make_program(time_zone="Europe/Athens")


def fresh(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_related("program").get(pk=campaign.pk)


def member(number: str = "c1") -> Membership:
    return Membership.objects.select_related("program", "customer").get(
        customer__external_id=number
    )


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
    for number in range(30):
        make_wallet(program, f"c{number}", at=NOW - 2 * DAY)
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


# Budgets


def used() -> int:
    return CapCounter.objects.aggregate(sum=Sum("used"))["sum"] or 0


def given(campaign: Campaign) -> int:
    rows = Transfer.objects.filter(rule_version__rule__source=campaign.source)
    return sum(
        row.amount if row.kind == Transfer.Kind.ACCRUAL else -row.amount for row in rows
    )  # fmt: skip


def test_several_rules_have_one_budget(program):
    campaign = launch(
        program, "big-weekend", offer={"reach": 50, "units": 70}, budget_units=Decimal(100)
    )
    record(order("A", "60"))
    # Sixty more for the multiplier, forty left for the bonus of seventy.
    assert spendable() == 160
    assert given(campaign) == used() == 100
    record(order("B", "60", buyer="c2"))
    assert spendable("c2") == 60
    budget = units_budgets([campaign])[campaign.pk]
    assert (budget.percent, budget.is_used_up) == (100, True)


def test_what_comes_back_is_there_to_be_given_again(program):
    campaign = launch(
        program, "big-weekend", offer={"reach": 50, "units": 70}, budget_units=Decimal(100)
    )
    record(order("A", "60"))
    give_back(refund("R", "60", of="A", at=NOW + HOUR))
    assert given(campaign) == used() == 0
    record(order("B", "60", buyer="c2", at=NOW + HOUR))
    assert spendable("c2", at=NOW + HOUR) == 160


def test_a_returned_part_leaves_the_order_what_it_deserves_of_the_shared_budget(program):
    campaign = launch(
        program, "big-weekend", offer={"reach": 50, "units": 70}, budget_units=Decimal(100)
    )
    record(order("A", "60"))
    give_back(refund("R", "20", of="A", at=NOW + HOUR))
    # Forty are bought: forty by the rate, forty by the multiplier, no bonus.
    assert spendable(at=NOW + HOUR) == 80
    assert given(campaign) == used() == 40


def test_most_for_one_member_is_for_all_of_its_rules_together(program):
    campaign = launch(
        program, "big-weekend", offer={"reach": 50, "units": 70, "per_member": 100}
    )  # fmt: skip
    record(order("A", "60"))
    assert (spendable(), given(campaign)) == (160, 100)
    # The other has as much; the first has had it.
    record(order("B", "60", buyer="c2"))
    record(order("C", "60", at=NOW + HOUR))
    assert spendable("c2", at=NOW + HOUR) == 160
    assert spendable(at=NOW + HOUR) == 220
    # What comes back is there to be given again, and no more.
    give_back(refund("R", "60", of="A", at=NOW + HOUR))
    record(order("D", "60", at=NOW + 2 * HOUR))
    assert spendable(at=NOW + 2 * HOUR) == 220
    assert used() == given(campaign) == 200


def test_a_budget_in_money_is_as_many_units_as_that_is_worth():
    program = make_program(unit={"unit_value": "0.05"})
    campaign = launch(program, budget_money=Decimal(1), budget_units=Decimal(50))
    record(order("A", "100"))
    assert given(campaign) == 20


def test_units_without_worth_have_no_budget_in_money():
    program = make_program(unit={"unit_value": "0"})
    with pytest.raises(DomainError, match="worth no money"):
        launch(program, budget_money=Decimal(10))


def test_what_is_judged_by_itself_has_no_budget():
    with pytest.raises(ValidationError, match="budget_units"):
        CampaignDefinition(name="X", title="X", template="nth-order", budget_units=Decimal(5))


@pytest.mark.django_db(transaction=True)
def test_orders_at_once_never_exceed_the_budget_of_several_rules():
    program = make_program()
    campaign = launch(
        program, "big-weekend", offer={"reach": 40, "units": 33}, budget_units=Decimal(500)
    )
    for number in range(6):
        make_wallet(program, f"c{number}")

    def buy(number: int) -> None:
        try:
            record(order(f"A{number}", "40", buyer=f"c{number % 6}"), now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(buy, range(30)))
    assert given(campaign) == used() == 500
    assert_ledger_coherent()


def test_a_budget_rule_is_of_the_same_program_and_units(program):
    campaign = launch(program, "big-weekend", budget_units=Decimal(100))
    other = make_program("other")
    keeper = EarningRule.objects.filter(source=campaign.source).order_by("pk").first()
    with pytest.raises(IntegrityError), transaction.atomic():
        other.earning_rules.update(budget_rule=keeper)


# From a draft to its end


def test_a_draft_gives_nothing_and_can_be_changed_and_thrown_away(program):
    campaign = draft(program)
    record(order("A", "10"))
    assert spendable() == 10
    definition = definition_of_campaign(campaign).model_copy(update={"name": "Summer"})
    assert change_campaign(
        campaign=campaign, definition=definition, actor=SYSTEM, now=NOW
    ).name == "Summer"  # fmt: skip
    delete_campaign(campaign=campaign, actor=SYSTEM)
    assert not Campaign.objects.exists()


def test_the_clock_begins_and_ends_it(program):
    campaign = launch(program, starts_at=NOW, ends_at=NOW + DAY)
    assert (campaign.status, status_at(campaign, NOW)) == (Status.SCHEDULED, Status.LIVE)
    assert find_changes(NOW - HOUR) is None
    assert find_changes(NOW) is not None
    campaign = move_on(campaign, NOW)
    assert (campaign.status, campaign.live_at) == (Status.LIVE, NOW)
    assert find_changes(NOW + HOUR) is None
    assert status_at(campaign, NOW + DAY) == Status.ENDED
    campaign = move_on(campaign, NOW + DAY + HOUR)
    assert (campaign.status, campaign.ended_at) == (Status.ENDED, NOW + DAY)
    assert campaign.ending == Campaign.Ending.OVER


def test_one_whose_whole_time_nobody_looked_is_over(program):
    campaign = launch(program, starts_at=NOW, ends_at=NOW + DAY)
    assert move_on(campaign, NOW + 5 * DAY).status == Status.ENDED


def test_the_job_of_the_schedule_moves_all_that_is_due(program):
    first, second = launch(program), launch(program, name="Other")
    run_scheduled(kind="campaigns", now=NOW + 30 * DAY)
    # Their week was long ago.
    assert {fresh(first).status, fresh(second).status} == {Status.ENDED}


def test_a_pause_gives_nothing_and_keeps_what_was_used(program):
    campaign = launch(program, at=NOW - HOUR, budget_units=Decimal(25))
    record(order("A", "10", at=NOW))
    campaign = pause_campaign(campaign=campaign, actor=SYSTEM, now=NOW + HOUR)
    record(order("B", "10", at=NOW + 2 * HOUR))
    assert spendable(at=NOW + 2 * HOUR) == 30
    campaign = resume_campaign(campaign=campaign, actor=SYSTEM, now=NOW + 3 * HOUR)
    record(order("C", "100", at=NOW + 4 * HOUR))
    # Fifteen were left of the budget.
    assert spendable(at=NOW + 4 * HOUR) == 30 + 100 + 15
    assert (campaign.status, used()) == (Status.LIVE, 25)
    record(order("D", "10", at=NOW + 2 * HOUR), now=NOW + 5 * HOUR)
    assert spendable(at=NOW + 5 * HOUR) == 155  # told late, of the pause


def test_pausing_and_resuming_again_changes_nothing(program):
    campaign = launch(program, at=NOW)
    for _time in range(2):
        pause_campaign(campaign=campaign, actor=SYSTEM, now=NOW + HOUR)
    for _time in range(2):
        resume_campaign(campaign=campaign, actor=SYSTEM, now=NOW + 2 * HOUR)
    actions = AuditEntry.objects.filter(action__startswith="campaign.").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "campaign.created", "campaign.published", "campaign.paused", "campaign.resumed",
    ]  # fmt: skip


def test_ended_early_it_gives_nothing_more_and_does_not_come_back(program):
    campaign = launch(program, at=NOW - HOUR)
    campaign = end_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    record(order("A", "10", at=NOW))
    assert (spendable(), campaign.ending, campaign.ended_at) == (10, Campaign.Ending.EARLY, NOW)
    with pytest.raises(ConflictError):
        resume_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    with pytest.raises(ProgrammingError), transaction.atomic():
        Campaign.objects.update(status=Status.LIVE)


def test_one_that_has_not_begun_can_be_taken_back(program):
    campaign = launch(program, starts_at=NOW + HOUR, ends_at=NOW + DAY, at=NOW)
    campaign = withdraw_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert campaign.status == Status.DRAFT
    record(order("A", "10", at=NOW + 2 * HOUR))
    assert spendable(at=NOW + 2 * HOUR) == 10
    again = publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW + 3 * HOUR)
    assert again.status == Status.LIVE
    record(order("B", "10", at=NOW + 4 * HOUR))
    assert spendable(at=NOW + 4 * HOUR) == 30


def test_what_it_gives_does_not_change_once_it_is_planned(program):
    campaign = launch(program)
    definition = definition_of_campaign(campaign).model_copy(update={"holdout": 20})
    with pytest.raises(ConflictError):
        change_campaign(campaign=campaign, definition=definition, actor=SYSTEM, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.update(holdout=20)
    with pytest.raises(ProgrammingError), transaction.atomic():
        Campaign.objects.all().delete()


def test_a_copy_is_a_draft_for_the_next_time(program):
    campaign = launch(program, holdout=10)
    copied = copy_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert (copied.status, copied.code, copied.holdout) == (Status.DRAFT, "spring-2", 10)
    # The next Saturday and Sunday in Athens.
    assert copied.starts_at == dt.datetime(2024, 3, 15, 22, tzinfo=dt.UTC)
    assert copied.ends_at == dt.datetime(2024, 3, 17, 22, tzinfo=dt.UTC)


def test_a_copy_of_one_with_several_rules_can_be_planned_beside_it(program):
    first = launch(program, "big-weekend")
    copied = copy_campaign(campaign=first, actor=SYSTEM, now=NOW)
    assert copied.code == "spring-3"
    publish_campaign(campaign=copied, actor=SYSTEM, now=NOW)
    assert EarningRule.objects.filter(source=copied.source).count() == 2


def test_one_with_several_rules_keeps_clear_of_a_code_that_exists(program):
    launch(program, name="Spring 2")
    second = launch(program, "big-weekend")
    assert second.code == "spring-3"
    assert launch(program).code == "spring"


def test_what_names_a_segment_that_is_gone_can_be_copied(program):
    Segment.objects.create(code="vip", name="VIP")
    audience = {"field": "customer.segments", "op": "has_any", "value": ["vip"]}
    campaign = draft(program, audience=audience)
    Segment.objects.update(archived_at=NOW)
    copied = copy_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert copied.audience == audience
    with pytest.raises(DomainError, match="vip"):
        publish_campaign(campaign=copied, actor=SYSTEM, now=NOW)


def test_what_was_taken_back_can_be_thrown_away_with_rules_that_share_a_budget(program):
    campaign = draft(program, "big-weekend", budget_units=Decimal(100), starts_at=NOW + DAY)
    publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    withdraw_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    delete_campaign(campaign=campaign, actor=SYSTEM)
    assert not EarningRule.objects.filter(source=campaign.source).exists()


@pytest.mark.parametrize("template", [known.code for known in PROMOTIONS])
def test_a_draft_from_every_template_can_be_planned_with_what_it_needs(program, template):
    campaign = create_from_template(program=program, template=template, actor=SYSTEM, now=NOW)
    known = TEMPLATES[template]
    definition = definition_of_campaign(campaign)
    changed: dict[str, Any] = {}
    if "lines" in known.needs:
        changed["offer"] = definition.offer.model_copy(update={"categories": ("Tea",)})
    if "bundle" in known.needs:
        parts = (BundlePart(pieces=2),)
        changed["offer"] = definition.offer.model_copy(update={"bundle": parts})
    if "set" in known.needs:
        changed["offer"] = definition.offer.model_copy(update={"skus": ("A", "B")})
    if known.for_some:
        changed["audience"] = {"field": "customer.tags", "op": "has_any", "value": ["vip"]}
    if changed:
        with pytest.raises(DomainError):
            publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
        changed_definition = definition.model_copy(update=changed)
        change_campaign(campaign=campaign, definition=changed_definition, actor=SYSTEM, now=NOW)
    assert publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW).status == Status.SCHEDULED


def test_what_could_never_be_given_is_refused(program):
    campaign = draft(
        program, "happy-hours", offer={"weekdays": ["monday"]},
        starts_at=NOW, ends_at=NOW + 3 * HOUR,
    )  # fmt: skip
    assert any("never" in message for message in findings_of(campaign, NOW))
    with pytest.raises(RuleRefusedError):
        publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW)


def test_what_multiplies_at_the_same_time_is_named(program):
    launch(program, name="Spring weekend")
    other = draft(program, "flash", name="Night")
    assert any("Spring weekend" in message for message in findings_of(other, NOW))


def test_a_second_person_publishes_where_the_program_asks_for_one(program):
    set_four_eyes(program=program, on=True, actor=SYSTEM)
    mia, sam = (
        Actor.of_user(User.objects.create_user(f"{name}@shop.example")) for name in ("mia", "sam")
    )
    campaign = draft(fresh(draft(program)).program)
    definition = definition_of_campaign(campaign).model_copy(update={"name": "Summer"})
    change_campaign(campaign=campaign, definition=definition, actor=mia, now=NOW)
    with pytest.raises(ConflictError, match="Somebody else"):
        publish_campaign(campaign=campaign, actor=mia, now=NOW)
    ask_to_publish(campaign=campaign, actor=mia, now=NOW)
    with pytest.raises(DomainError):
        send_back(campaign=campaign, actor=sam, note=" ")
    assert send_back(campaign=campaign, actor=sam, note="Too long").sent_back == "Too long"
    ask_to_publish(campaign=campaign, actor=mia, now=NOW)
    assert publish_campaign(campaign=campaign, actor=sam, now=NOW).status == Status.LIVE


def test_applying_a_program_file_leaves_campaigns_alone(program):
    launch(program)
    apply_definition(define(time_zone="Europe/Athens", name="Other"), actor=SYSTEM, now=NOW)
    record(order("A", "10"))
    assert spendable() == 20


def test_rules_of_people_cannot_have_the_codes_of_campaigns():
    with pytest.raises(ValidationError, match="campaign-"):
        define(discount_rules=[DiscountRuleDefinition(code="campaign-x", name="X", percent=5)])


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
    for number in range(240):
        make_wallet(program, f"c{number}", at=NOW - 2 * DAY)
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


def discounted_order(number: str, amount: str) -> OrderInput:
    from loyalty.services.order_inputs import DiscountInput

    said = [DiscountInput("club", "campaign-spring", Decimal(amount))]
    return order(number, "90", discount_total=Decimal(amount), discounts=said)


def test_a_discount_ends_once_its_budget_of_money_is_used_up(program):
    make_wallet(program)
    campaign = launch(program, "percent-off", budget_money=Decimal(15), at=NOW)
    record(discounted_order("A", "10"))
    assert find_changes(NOW) is None
    record(discounted_order("B", "10"))
    assert find_changes(NOW) is not None
    campaign = move_on(campaign, NOW + HOUR)
    assert (campaign.status, campaign.ending) == (Status.ENDED, Campaign.Ending.BUDGET)
    assert result_of(campaign, NOW + HOUR).given.money == 20


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
    for number in range(60):
        make_wallet(program, f"c{number}", at=now - 30 * DAY)
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
