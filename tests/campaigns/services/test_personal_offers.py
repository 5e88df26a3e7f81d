"""Personal offers: to whom they are made, why, what orders get by them, what becomes of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.campaign_rules import rules_of_campaign
from campaigns.demo.offers import show_offers
from campaigns.models import Campaign, PersonalOffer, SurpriseDraw
from campaigns.offer_words import gives_words, reason_words
from campaigns.selectors.campaigns import is_kept_aside, shown_to
from campaigns.selectors.offer_forecasts import forecast_offers
from campaigns.selectors.offer_picks import PRIOR, habits, ranked
from campaigns.selectors.personal_offers import eligible, offered_by, offers_to
from campaigns.selectors.surprises import wrong_in_draw
from campaigns.services.campaigns import create_from_template, pause_campaign, publish_campaign
from campaigns.services.offer_jobs import KIND, find_offers
from campaigns.services.personal_offers import follow_customers, give_offers, mark_seen
from loyalty.models import Membership, Order, Program
from loyalty.services.quotes import quote_order
from members.errors import DomainError
from members.models import Customer, Job
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from tests.campaigns.campaigns import DAY, launch
from tests.loyalty.factories import (
    NOW,
    day,
    enroll_all,
    line,
    make_program,
    make_wallet,
    order,
    record,
)
from tests.sharing import anew, rolled_back, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
State = PersonalOffer.State
TWO = ["coffee", "tea"]


def make_world() -> Program:
    program = make_program(time_zone="Europe/Athens")
    enroll_all(program, (f"c{number}" for number in range(1, 5)))
    return program


made_once = shared(make_world)


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def member(number: str = "c1") -> Membership:
    return Membership.objects.select_related("program", "customer").get(
        customer__external_id=number
    )


def bought(name: str, category: str, buyer: str = "c1", *, ago: int = 20, sku: str = "") -> None:
    at = NOW - ago * DAY
    basket = (line(1, "10", category=category, sku=sku),)
    record(order(name, "10", lines=basket, buyer=buyer, at=at), now=at)


def favorites(program: Program, template: str = "personal-favorite", **said: Any) -> Campaign:
    offer = {"categories": TWO, "bought": 2} | said.pop("offer", {})
    return launch(program, template, offer=offer, **said)


def run(now: dt.datetime = NOW) -> Job:
    job = run_scheduled(kind=KIND, now=now)
    assert job is not None
    return job


def only_offer() -> PersonalOffer:
    return PersonalOffer.objects.select_related("campaign__program", "membership").get()


def earned(name: str, category: str, buyer: str = "c1", at: dt.datetime = NOW) -> int:
    """What an order of ten earns, as its quote said before."""
    told = order(name, "10", lines=(line(1, "10", category=category),), buyer=buyer, at=at)
    [quote] = quote_order(told)
    [result] = record(told)
    units = [(award.version.id, award.units) for _program, award in result.awards]
    assert [(item.award.version.id, item.award.units) for item in quote.awards] == units
    return sum(given for _rule, given in units)


# Who is offered what


def test_who_bought_often_enough_is_offered_more_there_and_reads_why(program):
    for number, ago in enumerate((20, 40, 60)):
        bought(f"A{number}", "coffee", ago=ago)
    bought("B", "tea")
    bought("C", "coffee", "c2")
    campaign = favorites(program)
    run()
    offer = only_offer()
    assert (offer.membership, offer.target, offer.times) == (member(), "coffee", 3)
    assert (offer.starts_at, offer.ends_at) == (NOW, campaign.ends_at)
    assert reason_words(campaign, offer) == "Because you bought coffee 3 times."
    assert gives_words(campaign, offer.name) == "2 × points on coffee"
    assert shown_to(member(), NOW) == []


def test_it_is_theirs_for_its_days_and_for_what_it_is_about(program):
    bought("A", "coffee"), bought("B", "coffee", ago=21)
    favorites(program, offer={"lasts": 3})
    run()
    assert earned("C", "coffee") == 20
    assert earned("D", "tea") == 10
    assert earned("E", "coffee", "c2") == 10
    assert earned("F", "coffee", at=NOW + 3 * DAY - dt.timedelta(seconds=1)) == 20
    assert earned("G", "coffee", at=NOW + 3 * DAY) == 10


def test_what_was_bought_too_long_ago_or_came_to_nothing_is_no_reason(program):
    bought("A", "coffee", ago=40), bought("B", "coffee", ago=2)
    bought("C", "tea", ago=3), bought("D", "tea", ago=2)
    Order.objects.filter(external_id="D").update(status="cancelled")
    favorites(program, offer={"within": 30})
    run()
    assert not PersonalOffer.objects.exists()


def test_of_two_as_frequent_it_is_where_more_was_spent(program):
    for number, (category, total) in enumerate((("coffee", "10"), ("tea", "12"))):
        for ago in (3, 4):
            at = NOW - ago * DAY
            record(
                order(f"A{number}{ago}", total, lines=(line(1, total, category=category),), at=at)
            )
    favorites(program)
    run()
    assert only_offer().target == "tea"


def test_who_is_not_in_the_audience_is_offered_nothing(program):
    for who in ("c1", "c2", "c3", "c4"):
        bought(f"A{who}", "coffee", who), bought(f"B{who}", "coffee", who, ago=5)
    Customer.objects.filter(external_id="c1").update(tags=["vip"])
    favorites(program, audience={"field": "customer.tags", "op": "has_any", "value": ["vip"]})
    run()
    assert only_offer().membership == member("c1")


def test_who_is_kept_aside_is_offered_nothing(program):
    for who in ("c1", "c2", "c3", "c4"):
        bought(f"A{who}", "coffee", who), bought(f"B{who}", "coffee", who, ago=5)
    campaign = favorites(program, holdout=50)
    run()
    given = set(campaign.personal_offers.values_list("membership", flat=True))
    members = Membership.objects.select_related("customer")
    assert given == {one.pk for one in members if not is_kept_aside(campaign, one)}


def test_a_birthday_is_told_in_the_favorite_category(program):
    for who in ("c1", "c2"):
        bought(f"A{who}", "tea", who)
    Customer.objects.filter(external_id="c1").update(
        birthday=(NOW + 5 * DAY).date().replace(year=1990)
    )
    Customer.objects.filter(external_id="c2").update(
        birthday=(NOW + 9 * DAY).date().replace(year=1990)
    )
    campaign = favorites(program, "personal-birthday", offer={"picks": "birthday", "bought": 1})
    run()
    offer = only_offer()
    assert (offer.membership, offer.target) == (member("c1"), "tea")
    assert reason_words(campaign, offer) == "For your birthday, because you like tea."
    [quote] = quote_order(order("Q", "10", lines=(line(1, "10", category="tea"),)))
    assert quote.discounted.amount == 1
    [other] = quote_order(order("Q", "10", lines=(line(1, "10", category="tea"),), buyer="c2"))
    assert other.discounted.amount == 0


def test_a_collection_is_completed_for_a_bonus_once(program):
    for who, number in (("c1", 2), ("c2", 1), ("c3", 3)):
        for place in range(number):
            bought(f"A{who}{place}", "cups", who, ago=5 + place, sku=f"S{place}")
    campaign = launch(
        program, "personal-collection",
        offer={"skus": ["S0", "S1", "S2"], "units": 70, "missing": 1},
    )  # fmt: skip
    run()
    offer = only_offer()
    assert (offer.membership, offer.target) == (member("c1"), "S2")
    assert reason_words(campaign, offer) == "You have 2 of 3. Still missing: S2."
    basket = (line(1, "10", category="cups", sku="S2"),)
    [first] = record(order("B", "10", lines=basket))
    [second] = record(order("C", "10", lines=basket, at=day(1)))
    assert [sum(one.units for _of, one in it.awards) for it in (first, second)] == [80, 10]


def test_what_is_next_best_is_likely_worth_much_and_not_bought_just_now(program):
    """Of ten orders of everybody four had coffee for 10 each, six had tea; who has bought tea two
    days ago is offered coffee, unless tea is long ago."""
    for place in range(3):
        bought(f"T{place}", "tea", "c2", ago=30 + place), bought(f"U{place}", "tea", ago=30 + place)
        bought(f"C{place}", "coffee", "c3", ago=30 + place)
    bought("C9", "coffee", "c4", ago=40)
    bought("D", "tea", "c2", ago=2)
    campaign = favorites(program, "personal-next", offer={"picks": "next", "bought": 1})
    run()
    found = dict(
        campaign.personal_offers.values_list("membership__customer__external_id", "target")
    )
    assert found == {"c1": "tea", "c2": "coffee", "c3": "coffee", "c4": "coffee"}
    share = {habit.category: habit.share for habit in habits(program)}
    [tea, coffee] = ranked(campaign, member().pk, NOW)
    assert (tea.target, coffee.target) == ("tea", "coffee")
    assert float(tea.score) == pytest.approx(
        (3 + PRIOR * share["tea"]) / (3 + PRIOR) * 10, abs=0.001
    )
    assert reason_words(campaign, coffee) == "Something new for you: coffee."


def test_what_came_to_nothing_and_other_money_are_no_habits(program):
    bought("A", "coffee"), bought("B", "tea"), bought("C", "tea", ago=3)
    Order.objects.filter(external_id="C").update(status="refunded")
    assert {item.category: (item.share, item.spend) for item in habits(program)} == {
        "coffee": (0.5, 10), "tea": (0.5, 10)
    }  # fmt: skip
    Order.objects.filter(external_id="B").update(currency="JPY")
    assert [(item.category, item.share) for item in habits(program)] == [("coffee", 1)]


def test_what_was_bought_in_other_money_is_not_forecast(program):
    for name, ago in (("A", 3), ("B", 4)):
        bought(name, "coffee", ago=ago)
    campaign = favorites(program, "personal-birthday", offer={"picks": "favorite", "percent": 10})
    assert forecast_offers(campaign, NOW).money == 2
    Order.objects.filter(external_id="B").update(currency="JPY")
    assert forecast_offers(campaign, NOW).money == 1


def test_percents_are_written_as_the_language_does(program):
    campaign = favorites(program, "personal-birthday", offer={"percent": "12.5"})
    assert gives_words(campaign, "coffee") == "12.5% off coffee"
    with override("el"):
        assert "12,5%" in gives_words(campaign, "coffee")


def test_a_margin_weighs_what_is_next_best(program):
    bought("A", "tea", ago=30), bought("B", "coffee", ago=31), bought("C", "tea", ago=32)
    said = {"picks": "next", "bought": 1}
    plain = favorites(program, "personal-next", offer=said)
    worth = favorites(
        program, "personal-next", name="Margins",
        offer=said | {"margins": {"tea": 10, "coffee": 60}},
    )  # fmt: skip
    assert ranked(plain, member().pk, NOW)[0].target == "tea"
    assert ranked(worth, member().pk, NOW)[0].target == "coffee"


# Its life


def test_an_order_brings_an_offer_at_once_and_takes_one(program):
    campaign = favorites(program)
    bought("A", "coffee", ago=2)
    people = [member().customer_id]
    follow_customers(people, now=NOW)
    assert not PersonalOffer.objects.exists()
    bought("B", "coffee", ago=1)
    follow_customers(people, now=NOW)
    follow_customers(people, now=NOW)
    offer = only_offer()
    mark_seen([offer], NOW)
    assert only_offer().state == State.SEEN
    bought("C", "coffee", ago=0)
    follow_customers(people, now=NOW)
    offer = only_offer()
    assert (offer.state, offer.taken_at) == (State.TAKEN, NOW)
    Order.objects.filter(external_id="C").update(status="cancelled")
    follow_customers(people, now=NOW)
    assert (only_offer().state, only_offer().taken_at) == (State.SEEN, None)
    [told] = offered_by(campaign, NOW)
    assert (told.name, told.given, told.seen, told.taken, told.over) == ("coffee", 1, 1, 0, 0)


def test_it_is_offered_once_or_again_when_it_is_over(program):
    bought("A", "coffee"), bought("B", "coffee", ago=21)
    once = favorites(program, offer={"lasts": 2})
    again = favorites(program, name="Again", offer={"lasts": 2, "again": True})
    for days in (0, 1, 2, 3, 4):
        run(NOW + days * DAY)
    assert once.personal_offers.count() == 1
    assert list(again.personal_offers.order_by("number").values_list("number", "starts_at")) == [
        (1, NOW), (2, NOW + 2 * DAY), (3, NOW + 4 * DAY)
    ]  # fmt: skip


@pytest.mark.parametrize("again", [False, True])
def test_two_who_looked_at_the_same_time_give_one(program, again):
    """Both asked who has none before either of them gave anything."""
    bought("A", "coffee"), bought("B", "coffee", ago=21)
    campaign = favorites(program, offer={"again": again})
    people = list(eligible(campaign, NOW).values_list("pk", flat=True))
    assert give_offers(campaign, people, NOW) == 1
    assert give_offers(campaign, people, NOW) == 0
    assert only_offer().number == 1


def test_the_job_goes_on_where_it_was_killed_and_gives_nobody_two(program, monkeypatch):
    for who in ("c1", "c2", "c3"):
        bought(f"A{who}", "coffee", who), bought(f"B{who}", "coffee", who, ago=5)
    campaign = favorites(program)
    monkeypatch.setattr("campaigns.services.offer_jobs.PIECE", 1)
    pieces = iter([None, RuntimeError("killed")])

    def give(*how: Any) -> int:
        if (wrong := next(pieces, None)) is not None:
            raise wrong
        return give_offers(*how)

    monkeypatch.setattr("campaigns.services.offer_jobs.give_offers", give)
    with pytest.raises(RuntimeError):
        run()
    assert campaign.personal_offers.count() == 1
    job = run()
    assert (job.state, job.result["given"]) == (Job.State.SUCCEEDED, 3)
    assert find_offers(NOW) is None
    assert campaign.personal_offers.count() == 3
    assert offers_to(member("c2"), NOW)


def test_nothing_is_looked_for_while_nothing_is_on(program):
    assert find_offers(NOW) is None
    favorites(program, starts_at=day(1), ends_at=day(2))
    assert find_offers(NOW) is None
    assert find_offers(day(1)) is not None


def test_one_that_ended_shows_no_offers_any_more(program):
    bought("A", "coffee"), bought("B", "coffee", ago=21)
    campaign = favorites(program)
    run()
    assert offers_to(member(), NOW) == [only_offer()]
    pause_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert offers_to(member(), NOW) == []


def test_a_draft_names_the_categories_of_the_shop_and_what_is_missing_is_said(program):
    bought("A", "coffee"), bought("B", "tea"), bought("C", "tea")
    made = create_from_template(program=program, template="personal-next", actor=SYSTEM, now=NOW)
    assert made.offer["categories"] == ["tea", "coffee"]
    assert len(rules_of_campaign(made)) == 2
    empty = create_from_template(
        program=program, template="personal-collection", actor=SYSTEM, now=NOW
    )
    with pytest.raises(DomainError, match="two at least"):
        publish_campaign(campaign=empty, actor=SYSTEM, now=NOW)
    many = {"categories": [f"k{number}" for number in range(41)]}
    with pytest.raises(DomainError, match="At most 40"):
        favorites(program, name="Many", offer=many)


def test_the_budget_is_one_for_all_that_is_offered(program):
    for who, category in (("c1", "coffee"), ("c2", "tea")):
        bought(f"A{who}", category, who), bought(f"B{who}", category, who, ago=5)
    favorites(program, budget_units=15)
    run()
    assert earned_by_rules("C", "coffee", "c1") == 20
    assert earned_by_rules("D", "tea", "c2") == 15
    assert earned_by_rules("E", "tea", "c2") == 10


def earned_by_rules(name: str, category: str, buyer: str) -> int:
    [result] = record(order(name, "10", lines=(line(1, "10", category=category),), buyer=buyer))
    return sum(award.units for _program, award in result.awards)


def test_the_database_keeps_what_was_offered(program):
    bought("A", "coffee"), bought("B", "coffee", ago=21)
    favorites(program)
    run()
    offer = only_offer()
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
        PersonalOffer.objects.filter(pk=offer.pk).update(target="tea")
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonalOffer.objects.filter(pk=offer.pk).update(state="taken")
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
        offer.delete()


# What was quoted is what is earned, whoever buys whatever whenever


@pytest.fixture
def offered(db: None) -> dict[str, str]:
    """What each of two likes, who have offers of it for three days."""
    program, likes = make_program(), {"c1": "coffee", "c2": "tea"}
    for who, category in likes.items():
        make_wallet(program, who)
        bought(f"A{who}", category, who)
        bought(f"B{who}", category, who, ago=5)
    favorites(program, offer={"lasts": 3})
    run()
    return likes


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["c1", "c2"]),
            st.lists(st.tuples(st.sampled_from([*TWO, "cake"]), st.integers(1, 40)), min_size=1,
                     max_size=3),
            st.integers(0, 5),
        ),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_a_quote_and_the_order_agree_whatever_is_offered(offered, buys):
    likes = offered
    with rolled_back():
        for number, (who, basket, days) in enumerate(sorted(buys, key=lambda buy: buy[2])):
            lines = tuple(
                line(place, str(total), category=category)
                for place, (category, total) in enumerate(basket, start=1)
            )
            whole = sum(total for _category, total in basket)
            said = order(f"X{number}", str(whole), lines=lines, buyer=who, at=NOW + days * DAY)
            [quote] = quote_order(said)
            [result] = record(said)
            given = [(award.version.id, award.units) for _program, award in result.awards]
            twice = sum(total for category, total in basket if category == likes[who])
            assert sum(units for _rule, units in given) == whole + (twice if days < 3 else 0)
            asked = [(item.award.version.id, item.award.units) for item in quote.awards]
            assert asked == given


def test_the_demonstration_shows_offers_and_a_surprise_once(program):
    now = timezone.now()
    for who in ("c1", "c2"):
        for ago in (3, 4, 5, 30):
            at, basket = now - ago * DAY, (line(1, "10", category="coffee"),)
            record(order(f"{who}{ago}", "10", lines=basket, buyer=who, at=at), now=at)
    for _again in range(2):
        show_offers(program)
        kinds = Campaign.objects.order_by("pk").values_list("template", flat=True)
        assert list(kinds) == ["personal-favorite", "personal-next", "surprise"]
    draw = SurpriseDraw.objects.get()
    assert wrong_in_draw(draw) == ""
    assert draw.tickets.filter(chosen=True, settled_at=None).count() == 0
    favorite = Campaign.objects.get(template="personal-favorite")
    members = Membership.objects.filter(customer__external_id__in=["c1", "c2"])
    led = [one for one in members.select_related("customer") if not is_kept_aside(favorite, one)]
    assert favorite.personal_offers.count() == len(led)
