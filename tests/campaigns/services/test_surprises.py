"""Surprises: who is drawn, by what anybody can check, and that each gets it once."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError
from hypothesis import given
from hypothesis import strategies as st

from campaigns.campaign_rules import draw_of
from campaigns.fair_draws import commitment_of, new_seed
from campaigns.models import Campaign, SurpriseDraw, SurpriseTicket
from campaigns.offers import Offer
from campaigns.selectors.campaign_results import result_of
from campaigns.selectors.campaigns import is_kept_aside, shown_to
from campaigns.selectors.surprises import rehearse, wrong_in_draw
from campaigns.services.campaigns import (
    ask_to_publish,
    end_campaign,
    pause_campaign,
    publish_campaign,
    resume_campaign,
    withdraw_campaign,
)
from campaigns.services.surprise_jobs import KIND, find_surprises
from campaigns.services.surprises import draw_round, give_some
from campaigns.surprise_draws import hash_of_list, in_drawn_order, places_for, wrong_in
from loyalty.models import Membership, Program, Transfer
from members.errors import ConflictError, DomainError
from members.models import Customer, Job, StaffMember, User
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import run_scheduled
from members.services.merging import merge_customers
from rewards.models import Redemption
from tests.campaigns.campaigns import DAY, draft, launch
from tests.loyalty.factories import NOW, make_program, make_wallet, spendable
from tests.rewards.factories import offer as make_reward
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
PEOPLE = [f"c{number}" for number in range(1, 9)]


def make_world() -> Program:
    program = make_program(time_zone="Europe/Athens")
    for who in PEOPLE:
        make_wallet(program, who)
    return program


made_once = shared(make_world)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def surprise(program: Program, *, start: bool = True, **said: Any) -> Campaign:
    offer = {"choose": "number", "winners": 3, "units": 50} | said.pop("offer", {})
    words = {"title": "A treat", "text": "Thank you for being here."}
    made = launch(program, "surprise", offer=offer, **(words | said))
    if start:
        run_scheduled(kind="campaigns", now=NOW)
    return Campaign.objects.select_related("program").get(pk=made.pk)


def run(now: dt.datetime = NOW) -> Job | None:
    return run_scheduled(kind=KIND, now=now)


def chosen(number: int = 1) -> list[SurpriseTicket]:
    rows = SurpriseTicket.objects.filter(draw__number=number, chosen=True).order_by("place")
    return list(rows.select_related("membership__customer", "redemption"))


def balances() -> list[int]:
    return sorted(spendable(who) for who in PEOPLE)


def managers() -> list[User]:
    found = [User.objects.create_user(f"{name}@shop.example") for name in ("mia", "sam")]
    for user in found:
        StaffMember.objects.create(user=user, role=StaffMember.Role.MARKETING_MANAGER)
    return found


# Who is drawn


def test_so_many_are_drawn_and_each_gets_it_once_with_the_reason(program):
    surprise(program)
    job = run()
    assert job is not None
    assert (job.state, job.result["given"]) == (Job.State.SUCCEEDED, 3)
    assert balances() == [0, 0, 0, 0, 0, 50, 50, 50]
    assert run() is None
    assert balances() == [0, 0, 0, 0, 0, 50, 50, 50]
    for ticket in chosen():
        assert ticket.activity is not None
        assert ticket.activity.subject_name == "A treat. Thank you for being here."
        assert (ticket.settled_at, ticket.ungiven) == (NOW, "")


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ({"choose": "all"}, 8), ({"choose": "number", "winners": 99}, 8),
        ({"choose": "share", "share": 50}, 4), ({"choose": "share", "share": 1}, 1),
    ],
)  # fmt: skip
def test_all_of_them_or_a_share(program, said, number):
    surprise(program, offer=said)
    run()
    assert sum(balances()) == 50 * number


def test_the_seed_is_committed_to_before_and_anybody_can_work_the_draw_out(program):
    """By nothing but what is public, and the standard library."""
    campaign = surprise(program, start=False)
    before = campaign.surprise_draws.get()
    assert (before.revealed, before.drawn_at) == ("", None)
    run_scheduled(kind="campaigns", now=NOW)
    run()
    draw = campaign.surprise_draws.get()
    assert draw.commitment == before.commitment
    assert hashlib.sha256(bytes.fromhex(draw.revealed)).hexdigest() == before.commitment
    names = sorted(str(name) for name in Membership.objects.values_list("public_id", flat=True))
    listed = hashlib.sha256("\n".join(names).encode()).hexdigest()
    key = bytes.fromhex(draw.revealed)
    numbers = {
        hmac.digest(key, f"{listed}|{name}".encode(), "sha256").hex(): name for name in names
    }
    winners = [numbers[number] for number in sorted(numbers)][:3]
    assert winners == [str(ticket.membership.public_id) for ticket in chosen()]
    assert (draw.list_hash, draw.eligible, draw.chosen) == (listed, 8, 3)
    assert wrong_in_draw(draw) == ""


@given(st.sets(st.uuids(), min_size=1, max_size=40), st.integers(1, 40), st.data())
def test_whatever_is_tampered_with_is_found(names, winners, data):
    seed, people = new_seed(), [str(name) for name in names]
    places = places_for(Offer(winners=winners), len(people))
    drawn = [
        (name, proof, place < places)
        for place, (name, proof) in enumerate(in_drawn_order(seed, people))
    ]
    right = (seed, commitment_of(seed), hash_of_list(people), drawn, places)
    assert wrong_in(*right) == ""
    assert wrong_in(new_seed(), *right[1:]) == "seed"
    at = data.draw(st.integers(0, len(drawn) - 1))
    name, proof, won = drawn[at]
    other = [*drawn[:at], (name, proof, not won), *drawn[at + 1 :]]
    assert wrong_in(*right[:3], other, places) == "chosen"
    assert wrong_in(*right[:3], [*drawn[:at], *drawn[at + 1 :]], places) == "list"
    forged = [*drawn[:at], (name, "0" * 64, won), *drawn[at + 1 :]]
    assert wrong_in(*right[:3], forged, places) == "numbers"


def test_everybody_is_as_likely(program):
    """Chi-square of 8 places over 4,000 draws of one; 24.3 is passed once in 1,000 by chance, and
    the seeds are fixed."""
    names, counts = [str(number) for number in range(8)], dict.fromkeys(map(str, range(8)), 0)
    for number in range(4000):
        seed = hashlib.sha256(str(number).encode()).hexdigest()
        counts[in_drawn_order(seed, names)[0][0]] += 1
    assert sum((found - 500) ** 2 / 500 for found in counts.values()) < 24.3


def test_who_is_kept_aside_or_in_no_audience_cannot_be_drawn(program):
    Customer.objects.filter(external_id__in=PEOPLE[:4]).update(tags=["vip"])
    vips = {"field": "customer.tags", "op": "has_any", "value": ["vip"]}
    campaign = surprise(program, offer={"choose": "all"}, audience=vips, holdout=50)
    run()
    members = Membership.objects.filter(customer__external_id__in=PEOPLE[:4])
    wanted = {one.pk for one in members.select_related("customer")
              if not is_kept_aside(campaign, one)}  # fmt: skip
    assert {ticket.membership_id for ticket in chosen()} == wanted
    assert draw_of(campaign) == "club.spring"


# Budgets, rewards, rounds


def test_the_budget_stops_hard(program):
    campaign = surprise(program, offer={"choose": "all"}, budget_units=120)
    run()
    assert sum(balances()) == 120
    assert [ticket.ungiven for ticket in chosen()] == ["", "", "", *["Its budget is used up."] * 5]
    assert rehearse(campaign, NOW).units == 120


def test_a_reward_is_given_within_the_budget_and_says_why(program):
    reward = make_reward(program, code="cake", price=40)
    surprise(program, offer={"reward": "cake"}, budget_units=100)
    run()
    given = Redemption.objects.filter(reward=reward)
    assert [one.message for one in given] == ["A treat. Thank you for being here."] * 2
    assert [ticket.ungiven for ticket in chosen()] == ["", "", "Its budget is used up."]


def test_a_reward_that_is_not_there_is_refused_as_it_is_planned(program):
    with pytest.raises(DomainError, match="no such reward"):
        surprise(program, offer={"reward": "none"})


def test_it_comes_again_every_week_or_month_with_another_seed(program):
    campaign = surprise(program, offer={"rounds": "month"}, ends_at=NOW + 70 * DAY)
    for days in range(0, 70, 5):
        run(NOW + days * DAY)
    draws = list(campaign.surprise_draws.order_by("number"))
    assert [draw.drawn_at is not None for draw in draws] == [True, True, True]
    assert len({draw.commitment for draw in draws}) == 3
    assert (
        draws[1].due_at.astimezone(program.zone).day == draws[0].due_at.astimezone(program.zone).day
    )
    assert sum(balances()) == 450
    weekly = surprise(program, name="Weekly", offer={"rounds": "week"}, ends_at=NOW + 20 * DAY)
    for days in range(0, 20, 3):
        run(NOW + days * DAY)
    assert weekly.surprise_draws.count() == 3


@pytest.mark.parametrize(("rounds", "later"), [("week", 25), ("month", 70)])
def test_rounds_that_it_rested_through_are_left_out(program, rounds, later):
    campaign = surprise(program, offer={"rounds": rounds}, ends_at=NOW + 100 * DAY)
    run()
    pause_campaign(campaign=campaign, actor=SYSTEM, now=NOW + DAY)
    resume_campaign(campaign=campaign, actor=SYSTEM, now=NOW + later * DAY)
    run(NOW + later * DAY)
    assert sum(balances()) == 300
    coming = campaign.surprise_draws.get(drawn_at=None)
    assert NOW + later * DAY < coming.due_at <= NOW + (later + 31) * DAY
    first = campaign.surprise_draws.get(number=1).due_at.astimezone(program.zone)
    local = coming.due_at.astimezone(program.zone)
    same = (lambda at: at.weekday()) if rounds == "week" else (lambda at: at.day)
    assert (same(local), local.time()) == (same(first), first.time())


# Its life


@pytest.mark.django_db(transaction=True)
def test_the_job_goes_on_where_it_was_killed_and_nobody_gets_it_twice(program, monkeypatch):
    surprise(program, offer={"choose": "all"})
    monkeypatch.setattr("campaigns.services.surprises.PIECE", 2)
    pieces = iter([None, None, RuntimeError("killed")])

    def give(*how: Any) -> int:
        found = give_some(*how)
        if (wrong := next(pieces, None)) is not None:
            raise wrong
        return found

    monkeypatch.setattr("campaigns.services.surprise_jobs.give_some", give)
    with pytest.raises(RuntimeError):
        run()
    assert sum(balances()) == 200
    job = run()
    assert job is not None
    assert job.state == Job.State.SUCCEEDED
    assert balances() == [50] * 8
    assert Transfer.objects.filter(kind="accrual").count() == 8


def test_who_was_drawn_under_two_names_gets_it_once(program):
    """Merged between the drawing and the giving."""
    campaign = surprise(program, offer={"choose": "all"})
    draw = campaign.surprise_draws.select_related("campaign__program").get()
    draw_round(draw, NOW)
    kept, merged = (Customer.objects.get(external_id=who) for who in ("c1", "c2"))
    merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="backoffice", now=NOW)
    run()
    assert spendable("c1") == 50
    assert Transfer.objects.filter(kind="accrual").count() == 7


def test_two_who_became_one_person_with_a_third_get_it_once(program):
    """Of whom the third was not drawn."""
    campaign = surprise(program, offer={"winners": 2})
    draw = campaign.surprise_draws.select_related("campaign__program").get()
    draw_round(draw, NOW)
    drawn = [ticket.membership.customer for ticket in chosen()]
    kept = Customer.objects.exclude(pk__in=[one.pk for one in drawn]).order_by("pk")[0]
    for merged in drawn:
        merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="backoffice", now=NOW)
    run()
    assert spendable(kept.external_id) == 50
    assert sorted(bool(ticket.ungiven) for ticket in chosen()) == [False, True]


def test_who_was_drawn_gets_it_though_its_time_is_over_meanwhile(program):
    campaign = surprise(program, ends_at=NOW + DAY)
    draw_round(campaign.surprise_draws.select_related("campaign__program").get(), NOW)
    later = NOW + 2 * DAY
    run_scheduled(kind="campaigns", now=later)
    assert Campaign.objects.get(pk=campaign.pk).status == "live"
    run(later)
    assert sum(balances()) == 150
    assert campaign.surprise_draws.get().done_at == later
    run_scheduled(kind="campaigns", now=later + dt.timedelta(minutes=1))
    assert Campaign.objects.get(pk=campaign.pk).status == "ended"


def test_one_that_rests_as_its_time_is_over_gives_nothing_more(program):
    campaign = surprise(program, ends_at=NOW + DAY)
    draw_round(campaign.surprise_draws.select_related("campaign__program").get(), NOW)
    pause_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    run_scheduled(kind="campaigns", now=NOW + 2 * DAY)
    assert Campaign.objects.get(pk=campaign.pk).status == "ended"
    assert run(NOW + 2 * DAY) is None
    assert sum(balances()) == 0


def test_a_budget_that_is_used_up_is_said_to_all_who_were_drawn(program, monkeypatch):
    """The clock comes between two pieces."""
    campaign = surprise(program, offer={"choose": "all"}, budget_units=100)
    monkeypatch.setattr("campaigns.services.surprises.PIECE", 2)
    draw = campaign.surprise_draws.select_related("campaign__program").get()
    draw_round(draw, NOW)
    give_some(draw, NOW)
    run_scheduled(kind="campaigns", now=NOW)
    run()
    assert [ticket.ungiven for ticket in chosen()] == ["", "", *["Its budget is used up."] * 6]


def test_who_was_drawn_gets_nothing_once_somebody_ended_it(program):
    campaign = surprise(program)
    draw_round(campaign.surprise_draws.select_related("campaign__program").get(), NOW)
    end_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert find_surprises(NOW) is None
    assert sum(balances()) == 0


def test_one_that_rests_gives_nothing_until_it_goes_on(program):
    campaign = surprise(program)
    pause_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert find_surprises(NOW) is None
    resume_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    run()
    assert sum(balances()) == 150


def test_taken_back_it_has_drawn_nothing_and_is_planned_with_another_seed(program):
    campaign = surprise(program, start=False, starts_at=NOW + DAY, ends_at=NOW + 5 * DAY)
    before = campaign.surprise_draws.get().commitment
    withdraw_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert not campaign.surprise_draws.exists()
    publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert campaign.surprise_draws.get().commitment != before


def test_nobody_reads_of_it_beforehand(program):
    surprise(program)
    member = Membership.objects.select_related("program", "customer").first()
    assert shown_to(member, NOW) == []


def test_above_the_limit_of_a_role_somebody_else_publishes(program):
    boss, other = managers()
    asked = Actor.of_user(boss)
    campaign = draft(
        program, "surprise", offer={"choose": "number", "winners": 3, "units": 5000},
        starts_at=NOW, ends_at=NOW + DAY,
    )  # fmt: skip
    Campaign.objects.filter(pk=campaign.pk).update(author=boss)
    with pytest.raises(ConflictError) as error:
        publish_campaign(campaign=campaign, actor=asked, now=NOW)
    assert error.value.code == "second_person"
    ask_to_publish(campaign=campaign, actor=asked, now=NOW)
    assert publish_campaign(campaign=campaign, actor=Actor.of_user(other), now=NOW).status == "live"


def test_more_than_a_role_may_give_at_once_it_does_not_publish_for_others_either(program):
    boss, other = managers()
    campaign = draft(program, "surprise", offer={"choose": "all", "units": 9000})
    Campaign.objects.filter(pk=campaign.pk).update(author=boss)
    with pytest.raises(ConflictError) as error:
        publish_campaign(campaign=campaign, actor=Actor.of_user(other), now=NOW)
    assert error.value.code == "limit_exceeded"


def test_those_drawn_are_compared_with_those_kept_aside_and_nobody_else(program):
    campaign = surprise(program, offer={"winners": 1}, holdout=50)
    run()
    aside = campaign.members.filter(held_out=True).count()
    result = result_of(campaign, NOW + DAY)
    assert (result.reach, result.aside) == (min(8 - aside, 1), aside)
    assert (result.given.takers, result.given.units) == (result.reach, 50 * result.reach)


def test_the_database_keeps_a_draw_as_it_was(program):
    surprise(program)
    run()
    ticket, draw = chosen()[0], SurpriseDraw.objects.get()
    for change in (
        lambda: SurpriseTicket.objects.filter(pk=ticket.pk).update(settled_at=None),
        lambda: SurpriseTicket.objects.filter(chosen=False).update(chosen=True),
        ticket.delete,
        draw.delete,
        lambda: SurpriseDraw.objects.update(commitment="0" * 64),
        lambda: SurpriseDraw.objects.update(revealed="0" * 64),
    ):
        with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
            change()
