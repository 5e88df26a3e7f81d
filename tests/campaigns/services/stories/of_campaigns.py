"""Messages, broadcasts, promotions, games, challenges, referrals and journeys."""

import datetime as dt

from anymail.signals import AnymailTrackingEvent
from django.utils import timezone

from campaigns.journey_entrants import Wanted
from campaigns.models import Delivery, PersonalOffer
from campaigns.selectors.journeys import version_in_force
from campaigns.services.broadcasts import stop_broadcast
from campaigns.services.campaigns import end_campaign
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.challenges import join_challenge
from campaigns.services.consents import set_consents
from campaigns.services.experiment_clock import look_at
from campaigns.services.games import end_game
from campaigns.services.guest_plays import claim_guest_draw, play_as_guest
from campaigns.services.inbox import mark_read
from campaigns.services.journey_entries import enter
from campaigns.services.journey_steps import take_due
from campaigns.services.journeys import create_journey, publish_journey
from campaigns.services.personal_offers import follow_customers, mark_seen
from campaigns.services.policies import set_policy
from campaigns.services.posts import archive_post
from campaigns.services.referral_reviews import refuse_referral
from campaigns.services.tracking import note_event
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from tests.campaigns import broadcasts as broadcasting
from tests.campaigns import campaigns as campaigning
from tests.campaigns import challenges as quest
from tests.campaigns import community as talking
from tests.campaigns import factories as messaging
from tests.campaigns import games as gaming
from tests.campaigns import referrals as referring
from tests.campaigns import surveys as surveying
from tests.campaigns.experiments import start as start_experiment
from tests.factories import CustomerFactory
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    line,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)
from tests.rewards.factories import make_member


def opinions() -> None:
    member = make_member(0, "m0")
    surveying.reply(surveying.make_survey(member.program), member)


def reading() -> None:
    member = make_member(0, "m0")
    post = talking.make_post(member.program)
    talking.say(post, member, name="Mia.K")
    archive_post(post=post, actor=SYSTEM, now=NOW)


def promotions() -> None:
    program = make_program()
    campaign = campaigning.launch(program, at=NOW)
    end_campaign(campaign=campaign, actor=SYSTEM, now=day(1))


def experimenting() -> None:
    program = make_program()
    make_wallet(program)
    look_at(start_experiment(program), day(14))


def offers_and_surprises() -> None:
    program = make_program()
    make_wallet(program)
    for name in ("A", "B"):
        record(order(name, "10", lines=(line(1, "10", category="tea"),), at=day(-2)))
    offering = {"categories": ["tea"], "bought": 2}
    campaigning.launch(program, "personal-favorite", offer=offering)
    campaigning.launch(program, "surprise", name="Surprise", offer={"choose": "all"})
    run_scheduled(kind="personal_offers", now=NOW)
    run_scheduled(kind="campaigns", now=NOW)
    run_scheduled(kind="surprises", now=NOW)
    mark_seen(list(PersonalOffer.objects.all()), NOW)
    record(order("C", "10", lines=(line(1, "10", category="tea"),)))
    follow_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)


def games() -> None:
    member = make_member(0, "m0")
    game = gaming.live_game(member.program, prizes=gaming.sure())
    gaming.play(game, member)
    again = gaming.live_game(member.program, prizes=gaming.sure(kind="play", units=None))
    gaming.play(again, member)
    end_game(game=game, actor=SYSTEM, now=day(1))
    open_to_all = gaming.live_game(member.program, prizes=gaming.sure(), guests=True)
    drawn, _again = play_as_guest(game=open_to_all, browser=b"one", nonce="", now=NOW)
    claim_guest_draw(
        guest=drawn, membership=make_member(0, "m1", member.program), source="account", now=NOW
    )


def quests() -> None:
    program = make_program(earning_rules=[])
    challenge = quest.launch(program)
    for who in ("c1", "c2"):
        make_wallet(program, who)
        join_challenge(challenge=challenge, membership=quest.member(who), now=NOW)
    record(order("A", "40", at=NOW), order("B", "60", at=NOW, buyer="c2"))
    measure_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    give_back(refund("R", "60", of="B", at=day(1)))
    measure_customers(list(Customer.objects.values_list("pk", flat=True)), now=day(1))
    end_campaign(campaign=challenge.campaign, actor=SYSTEM, now=day(1))
    run_scheduled(kind="challenges", now=day(1))


def friends() -> None:
    """A step of one friend after the other, as it is told."""
    program = make_program(unit={"unit_value": "0.01"}, earning_rules=[])
    referring.promise(program)
    link = referring.make_link(program, email="ann@example.com")
    paid, lapsed = (referring.bring(link, name) for name in ("ben", "cat"))
    referring.buy(at=day(1))
    for at in (day(1), day(20)):
        referring.settle(paid, at)
    give_back(refund("R", "50", of="ben-1", at=day(30)))
    referring.settle(paid, day(30))
    referring.settle(lapsed, day(100))
    odd = referring.bring(link, "dan", email="ann+1@example.com")
    refuse_referral(referral=odd, note="Made up", actor=SYSTEM, now=day(1))


def shares() -> None:
    """A friend buys again, and gives it back."""
    program = make_program(unit={"unit_value": "0.01"}, earning_rules=[])
    share = {"percent": 2, "orders": 5}
    referring.promise(
        program, wait_days=0, advocate_further=share, friend_further=share, advocate={}, friend={}
    )
    brought = referring.bring(referring.make_link(program), "ben")
    for number in (1, 2):
        referring.buy(at=day(number), name=f"B{number}")
        referring.settle(brought, day(number))
    give_back(refund("R", "50", of="B2", at=day(3)))
    referring.settle(brought, day(3))


def writing() -> None:
    """What becomes of one mail after the other, as the provider tells, and of one in the inbox."""
    set_policy(changes={"quiet_from": dt.time(0), "quiet_until": dt.time(0)}, actor=SYSTEM)
    ana, now = CustomerFactory(email="ana@example.com"), timezone.now()
    messaging.tell(ana, "inbox", channels=("inbox",))
    mark_read(delivery=Delivery.objects.get(), now=now)
    messaging.tell(ana, "lost")
    lost = Delivery.objects.filter(channel="email")
    for state in ("sending", "uncertain"):
        lost.update(state=state, handed_over_at=now)
    messaging.tell(ana, "arrives")
    messaging.send()
    arrived = Delivery.objects.latest("pk")
    for kind, said in (
        ("delivered", {}), ("clicked", {"click_url": "https://shop.example/"}),
        ("unsubscribed", {}), ("bounced", {"reject_reason": "bounced"}),
    ):  # fmt: skip
        event = AnymailTrackingEvent(
            event_type=kind, recipient=ana.email, metadata={"delivery": str(arrived.public_id)},
            **said,
        )  # fmt: skip
        note_event(event=event, now=now)
    messaging.tell(ana, "unwanted")
    messaging.send()


def broadcasts() -> None:
    """One is read by everybody in the inbox; another is stopped while its mail waits."""
    ana = CustomerFactory(external_id="c1", email="ana@example.com")
    program = make_program()
    make_wallet(program, str(ana.external_id))
    broadcasting.schedule(broadcasting.make_broadcast(program))
    broadcasting.run()
    waiting = broadcasting.make_broadcast(program, name="Summer", channels=["email"])
    broadcasting.schedule(waiting)
    broadcasting.run()
    stop_broadcast(broadcast=waiting, actor=SYSTEM, now=broadcasting.NOON)


def consenting() -> None:
    set_consents(
        customer=CustomerFactory(), wanted={("email", "offers"): True}, source="api",
        actor=SYSTEM, now=NOW,
    )  # fmt: skip


def leading() -> None:
    member = make_member(0, "m0")
    step = {"key": "s1", "kind": "wait", "days": 3}
    journey = create_journey(
        program=member.program, name="One", trigger="joined",
        body={"holdout": 0, "steps": [step]}, actor=SYSTEM, now=NOW,
    )  # fmt: skip
    publish_journey(journey=journey, actor=SYSTEM, now=NOW)
    version = version_in_force(journey)
    assert version is not None
    enter(version, [Wanted(member.pk, "one")], NOW)
    for at in (NOW, day(3)):
        take_due(clock=lambda at=at: at)
