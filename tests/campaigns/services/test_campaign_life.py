"""Campaigns from a draft to their end: planned, begun, paused, taken back, copied, ended."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError
from pydantic import ValidationError

from campaigns.campaign_definitions import definition_of_campaign
from campaigns.campaign_templates import PROMOTIONS, TEMPLATES
from campaigns.models import Campaign
from campaigns.selectors.campaign_results import result_of
from campaigns.selectors.campaigns import status_at
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
    EarningRule,
    Program,
)
from loyalty.rule_definitions import DiscountRuleDefinition
from loyalty.rules.body_parts import BundlePart
from loyalty.services.order_inputs import OrderInput
from loyalty.services.programs import apply_definition
from loyalty.services.rules import RuleRefusedError, set_four_eyes
from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Segment, User
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import run_scheduled
from tests.campaigns.campaigns import DAY, draft, fresh, launch, used
from tests.loyalty.factories import (
    NOW,
    define,
    make_program,
    make_wallet,
    order,
    record,
    spendable,
)
from tests.sharing import anew, rolled_back, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
Status = Campaign.Status
HOUR = dt.timedelta(hours=1)


made_once = shared(lambda: make_program(time_zone="Europe/Athens"))


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


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


def test_a_draft_from_every_template_can_be_planned_with_what_it_needs(program):
    became = {}
    for known in PROMOTIONS:
        with rolled_back():
            became[known.code] = planned_with_what_it_needs(program, known.code).status
    assert became == dict.fromkeys(became, Status.SCHEDULED)


def planned_with_what_it_needs(program: Program, template: str) -> Campaign:
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
        # Without it, it is refused.
        with pytest.raises(DomainError):
            publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
        changed_definition = definition.model_copy(update=changed)
        change_campaign(campaign=campaign, definition=changed_definition, actor=SYSTEM, now=NOW)
    return publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW)


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
