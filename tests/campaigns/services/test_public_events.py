"""What services write is told as the catalogue says: every type of event, by its schema."""

import datetime as dt
from collections import Counter

import pytest
from anymail.signals import AnymailTrackingEvent
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from jsonschema import Draft202012Validator

from campaigns.journey_entrants import Wanted
from campaigns.models import (
    Delivery,
    Passage,
    PersonalOffer,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from campaigns.selectors.journeys import version_in_force
from campaigns.services.campaigns import end_campaign
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.challenges import join_challenge
from campaigns.services.consents import set_consents
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
from campaigns.services.webhook_endpoints import change_endpoint, switch_off, switch_on
from campaigns.webhook_events import (
    known_types,
    message_of,
    message_schema,
    sample_message,
    told_type,
    told_types,
)
from loyalty.models import Membership, Subscription
from loyalty.services.activity_decisions import (
    approve_activity,
    reject_activity,
    reverse_activity,
)
from loyalty.services.expiry import write_down_expired
from loyalty.services.goals import close_goal
from loyalty.services.leaving import leave_program
from loyalty.services.lots import reinstate_units, settle_debt
from loyalty.services.plan_refunds import cancel_now
from loyalty.services.redemptions import redeem_units, reverse_redemption
from loyalty.services.subscriptions import cancel_at_period_end
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.models import Customer, EventWish, OutboxEvent
from members.services.audit import SYSTEM
from members.services.customers import create_customer, update_customer
from members.services.job_runs import run_job, run_scheduled
from members.services.outbox import deliver_waiting
from rewards.services.event_jobs import cancel_event
from rewards.services.fulfillment import set_address
from rewards.services.gift_cards import (
    activate_gift_card,
    block_gift_card,
    cancel_gift_card,
    replace_gift_card,
)
from rewards.services.redemptions import (
    cancel_redemption,
    expire_redemption,
    issue_redemption,
    reissue_redemption,
    use_redemption,
)
from rewards.services.vouchers import use_voucher
from tests.campaigns import campaigns as campaigning
from tests.campaigns import challenges as quest
from tests.campaigns import community as talking
from tests.campaigns import factories as messaging
from tests.campaigns import games as gaming
from tests.campaigns import referrals as referring
from tests.campaigns import surveys as surveying
from tests.campaigns.webhooks import make_endpoint
from tests.factories import CustomerFactory
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    line,
    make_program,
    make_type,
    make_wallet,
    order,
    record,
    refund,
    tell,
    told,
    wallet_of,
)
from tests.loyalty.planning import join as subscribe
from tests.loyalty.planning import make_club, pass_time, pay, plan
from tests.loyalty.planning import member as plan_member
from tests.loyalty.services import merging, pooling, test_gifts, test_goals
from tests.loyalty.services.test_tiers import tiered
from tests.rewards import cards
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.rewards.services import carts, test_events, test_fulfillment

pytestmark = pytest.mark.django_db
HOW = {"source": "api", "actor": SYSTEM, "now": NOW}
STAFF = {"source": "backoffice", "actor": SYSTEM, "note": "Asked for it", "now": NOW}
DAY = dt.timedelta(days=1)
LISTENER = "https://listener.example/hooks"


def heard() -> Counter[str]:
    """What was told since the beginning, each by the schema of its type."""
    while deliver_waiting(500):
        pass
    failed = OutboxEvent.objects.exclude(last_error="").values_list("kind", "last_error")
    assert not list(failed)
    for event in WebhookEvent.objects.all():
        kind = told_type(event.type)
        assert kind is not None
        Draft202012Validator(message_schema(kind)).validate(message_of(event))
    return Counter(WebhookEvent.objects.values_list("type", flat=True))


def data_of(kind: str) -> dict[str, object]:
    return WebhookEvent.objects.filter(type=kind).latest("pk").data


def people() -> None:
    ann = create_customer(actor=SYSTEM, external_id="c1", email="ann@example.com")
    update_customer(customer=ann, actor=SYSTEM, changes={"tags": ["vip"]})
    program = make_program()
    for number in ("c1", "c2"):
        adjust(make_wallet(program, number), 50, f"start-{number}")
    merging.part(merging.merge())
    [found] = Membership.objects.filter(customer=ann)
    for act in (suspend_membership, suspend_membership, resume_membership, resume_membership):
        act(membership=found, reason="Asked for", actor=SYSTEM, now=NOW)
    leave_program(membership=found, actor=SYSTEM, now=NOW)
    leave_program(membership=found, actor=SYSTEM, now=NOW)


def movements() -> None:
    program = test_gifts.generous(unit={"expiry": {"kind": "days", "length": 10}})
    giver, receiver = test_gifts.olivia(program), test_gifts.maya(program)
    test_gifts.give(giver, receiver, 10)
    test_gifts.donate(giver, 10)
    spent, _replayed = redeem_units(wallet=giver, units=20, key="spent", **HOW)
    reverse_redemption(transfer=spent, key="back", **HOW)
    adjust(giver, -60, "gone")
    give_back(refund("R1", "100", of="O1"))
    settle_debt(wallet=wallet_of(giver.account_id), way="write_off", key="k", **STAFF)
    record(order("O2", "40", buyer="maya"))
    write_down_expired(day(30))
    expired = wallet_of(receiver.account_id).transfers.filter(kind="expiry").latest("pk")
    reinstate_units(transfer=expired, units=5, until=day(60), key="r", **STAFF | {"now": day(30)})
    record(order("O1", "120", buyer="olivia", status="paid"), now=day(31))


def debts() -> None:
    wallet = make_wallet(make_program(debt_policy="refuse_redemption_only"))
    record(order("A1", "50"))
    adjust(wallet, -50, "spent")
    give_back(refund("R1", "50", of="A1"))
    record(order("A2", "60", at=day(1)))
    settle_debt(wallet=wallet, way="repay", key="k", **STAFF | {"now": day(2)})


def shared() -> None:
    program = make_program()
    ann = pooling.join(program, "ann")
    record(order("P1", "100", buyer="ann"))
    pool = pooling.found_pool(ann)
    pooling.put_in("ann", 40)
    assert pooling.in_pool(pool)[0] == 40


def tiers() -> None:
    tiered()
    record(order("T1", "600"), now=NOW)


def activities() -> None:
    make_program(earning_rules=[{}])
    make_type("review", approval=True)
    make_wallet(make_program("second"), "c1")
    found = [result.activity for result in tell(told("V1"), told("V2"))]
    approve_activity(activity=found[0], **HOW)
    reject_activity(activity=found[1], actor=SYSTEM, note="Spam", now=NOW)
    found[0].refresh_from_db()
    reverse_activity(activity=found[0], note="Fake", **HOW)


def plans() -> None:
    held = subscribe(plan_member(make_club(plan(pay_days=14, grace_days=10))))
    pay(held, day(1))
    pass_time(day(52))
    held.refresh_from_db()
    assert held.state == "past_due"
    pay(held, day(52), all_of_it=True)
    held.refresh_from_db()
    cancel_at_period_end(subscription=held, actor=SYSTEM, now=day(53))
    cancel_now(subscription=held, refund="none", actor=SYSTEM, source="job", now=day(54))
    assert Subscription.objects.get(pk=held.pk).state == "canceled"


def goals() -> None:
    program = make_program()
    first = test_goals.aim(program)
    test_goals.join(program, 10, at=day(1))
    close_goal(goal=first, state="reached", actor=SYSTEM, now=day(2))
    second = test_goals.aim(program, "50", since=2, at=day(2))
    close_goal(goal=second, state="missed", actor=SYSTEM, now=day(80))
    third = test_goals.aim(program, "50", since=80, by=120, at=day(80))
    close_goal(goal=third, state="given_up", actor=SYSTEM, now=day(81), note="Why not")


def taken() -> None:
    member = make_member()
    program = member.program
    shelf = offer(program, valid_days=5)
    first = take(member, shelf, "k1", at=NOW, hold=DAY)
    issue_redemption(redemption=first, actor=SYSTEM, now=NOW)
    use_voucher(voucher=voucher_of(first), checkout="A1", occasion=None, actor=SYSTEM, now=NOW)
    second = take(member, shelf, "k2", at=NOW)
    use_redemption(redemption=second, actor=SYSTEM, now=NOW)
    second.refresh_from_db()
    reissue_redemption(redemption=second, actor=SYSTEM, now=NOW)
    third = take(member, shelf, "k3", at=NOW)
    cancel_redemption(redemption=third, reason="", source="api", actor=SYSTEM, now=NOW)
    fourth = take(member, shelf, "k4", at=NOW)
    assert expire_redemption(redemption=fourth, now=day(20))


def parcels() -> None:
    member = make_member()
    mug = offer(member.program, "mug", kind="gift", name="A mug", price=100, stock=5)
    task = test_fulfillment.task_of(take(member, mug, at=NOW))
    set_address(task=task, address=test_fulfillment.HOME, actor=SYSTEM, now=NOW)
    test_fulfillment.go(task, "packed", "sent", "returned", "canceled")


def shopping() -> None:
    member = carts.shopper()
    carts.commit(carts.reserve(carts.cart(member, "C1", units=100)))
    carts.cancel(carts.reserve(carts.cart(member, "C2", units=100)))
    third = carts.reserve(carts.cart(member, "C3", units=100))
    from rewards.services.checkouts import expire_checkout

    assert expire_checkout(checkout=third, now=day(2), actor=SYSTEM)


def cards_and_credit() -> None:
    program = cards.money_program()
    card = cards.issue(program)
    cards.pay(card, "20")
    block_gift_card(card=card, reason="Lost", actor=SYSTEM, now=NOW)
    replace_gift_card(card=card, reason="Lost", key="x", **HOW)
    later = cards.issue(program, key="g2", active=False)
    activate_gift_card(card=later, **HOW)
    unsold = cards.issue(program, key="g3", active=False)
    cancel_gift_card(card=unsold, reason="Damaged", **HOW)
    member = make_member(0, "c9", program)
    record(order("K1", "50", buyer="c9"))
    from loyalty.models import Order
    from loyalty.services.store_credit import refund_order_to_credit
    from tests.rewards.cards import Decimal

    refund_order_to_credit(
        membership=member, order=Order.objects.get(external_id="K1"), amount=Decimal("5"),
        key="rc", **HOW,
    )  # fmt: skip


def seats() -> None:
    first, second = make_member(1000, "m0"), None
    second = make_member(1000, "m1", first.program)
    event = test_events.plan(first.program)
    booked = take(first, event.reward, "a", at=NOW)
    test_events.wait_for(event, second)
    test_events.give_up(booked)
    run_job(cancel_event(event=event, reason="Storm", actor=SYSTEM, now=NOW).job.pk)


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


# What each story must be told of, at least.
STORIES = {
    games: {"game.started", "game.ended", "game.play_granted", "game.played", "game.won",
            "game.claimed"},
    people: {
        "customer.created", "customer.changed", "customer.merged", "customer.merge_undone",
        "membership.joined", "membership.suspended", "membership.resumed", "membership.left",
        "membership.merged", "points.merged",
    },
    movements: {
        "points.earned", "points.taken_back", "points.spent", "points.returned", "points.adjusted",
        "points.expired", "points.reinstated", "points.gifted", "points.donated",
        "points.debt_written_off", "order.recorded", "order.changed", "refund.recorded",
        "balance.changed",
    },
    debts: {"points.taken_back", "points.debt_settled"},
    shared: {"points.pooled"},
    tiers: {"tier.changed"},
    activities: {
        "activity.recorded", "activity.approved", "activity.rejected", "activity.reversed",
    },
    plans: {
        "plan.started", "plan.renewed", "plan.past_due", "plan.cancellation_changed", "plan.ended",
    },
    goals: {"goal.reached", "goal.missed", "goal.given_up"},
    taken: {
        "redemption.reserved", "redemption.issued", "redemption.used", "redemption.reopened",
        "redemption.cancelled", "redemption.refunded", "redemption.expired", "voucher.issued",
        "voucher.used", "voucher.reopened", "voucher.void", "voucher.expired",
    },
    parcels: {
        "fulfillment.awaited", "fulfillment.to_do", "fulfillment.packed", "fulfillment.sent",
        "fulfillment.returned", "fulfillment.canceled",
    },
    shopping: {
        "checkout.reserved", "checkout.committed", "checkout.cancelled", "checkout.expired",
    },
    cards_and_credit: {
        "gift_card.issued", "gift_card.activated", "gift_card.blocked", "gift_card.replaced",
        "gift_card.cancelled", "gift_card.balance_changed", "points.paid_in",
    },
    seats: {"event.seat_offered", "event.canceled"},
    opinions: {"survey.answered"},
    shares: {"referral.share_paid", "referral.share_taken_back"},
    writing: {
        "message.sent", "message.failed", "message.uncertain", "message.suppressed",
        "message.delivered", "message.opened", "message.clicked", "message.unsubscribed",
    },
    consenting: {"consent.changed"},
    leading: {"journey.entered", "journey.left"},
    reading: {"post.published", "post.archived", "post.commented"},
    promotions: {"campaign.started", "campaign.ended"},
    offers_and_surprises: {"offer.made", "offer.seen", "offer.taken", "surprise.given"},
    quests: {
        "challenge.started", "challenge.progressed", "challenge.nearly_there", "challenge.won",
        "challenge.undone", "challenge.ended",
    },
    friends: {
        "referral.joined", "referral.pending", "referral.in_review", "referral.paid",
        "referral.refused", "referral.lapsed", "referral.taken_back",
    },
}  # fmt: skip


@pytest.mark.parametrize("story", list(STORIES), ids=lambda story: story.__name__)
def test_what_services_write_is_told_by_the_schema_of_its_type(story):
    make_endpoint(LISTENER)
    story()
    found = heard()
    assert found.keys() >= STORIES[story]
    assert WebhookDelivery.objects.count() == sum(found.values())


def test_what_becomes_of_a_membership_is_told_once_however_often_it_is_asked_for():
    make_endpoint(LISTENER)
    people()
    found = heard()
    once = ("membership.suspended", "membership.resumed", "membership.left")
    assert [found[name] for name in once] == [1, 1, 1]
    # Two joined, and the one that was merged is a member again when that is undone.
    assert (found["membership.merged"], found["membership.joined"]) == (1, 3)


def test_messages_are_told_by_what_became_of_them_and_shares_by_what_is_left():
    make_endpoint(LISTENER)
    writing()
    shares()
    found = heard()
    # One arrived and one is in the inbox; opening is counted of what is read there alone.
    assert (found["message.sent"], found["message.opened"], found["message.clicked"]) == (2, 1, 1)
    assert data_of("message.suppressed")["reason"] == "address_blocked"
    assert data_of("message.failed")["state"] == "failed"
    # None says a word of what was written.
    assert not any("subject" in data_of(kind) for kind in found if kind.startswith("message."))
    # Both sides, of one further purchase.
    assert (found["referral.share_paid"], found["referral.share_taken_back"]) == (2, 2)
    told = data_of("referral.share_taken_back")
    assert (told["order_external_id"], told["units"], told["units_back"]) == ("B2", "100", "100")


def test_who_is_kept_aside_of_a_journey_is_not_told_of():
    make_endpoint(LISTENER)
    leading()
    passage = Passage.objects.get()
    Passage.objects.create(
        journey=passage.journey, version=passage.version, membership=passage.membership,
        occurrence="aside", held_out=True, state="done", entered_at=NOW, left_at=NOW, why="aside",
    )  # fmt: skip
    found = heard()
    assert (found["journey.entered"], found["journey.left"]) == (1, 1)
    assert data_of("journey.left")["why"] == "finished"


def test_the_stories_tell_every_type_that_there_is():
    assert set().union(*STORIES.values()) == known_types()


@pytest.mark.parametrize("kind", told_types(), ids=lambda kind: kind.name)
def test_the_sample_of_a_type_is_one_of_it(kind):
    schema = message_schema(kind)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(sample_message(kind))


def test_nothing_is_written_that_nobody_wants():
    make_endpoint(LISTENER, types=["goal.reached"])
    people()
    assert not OutboxEvent.objects.filter(kind__startswith="told.").exists()
    assert not heard()


def test_what_is_wanted_follows_the_endpoints():
    assert not EventWish.objects.exists()
    endpoint = make_endpoint(LISTENER, types=["customer.created"])
    assert [wish.kind for wish in EventWish.objects.all()] == ["told.customers"]
    change_endpoint(endpoint=endpoint, actor=SYSTEM, changes={"types": ["points.earned"]})
    assert [wish.kind for wish in EventWish.objects.all()] == ["told.transfers"]
    switch_off(endpoint=endpoint, actor=SYSTEM, now=NOW)
    assert not EventWish.objects.exists()
    switch_on(endpoint=endpoint, actor=SYSTEM)
    assert EventWish.objects.count() == 1


def test_each_endpoint_gets_what_it_asked_for():
    club, other = make_program(), make_program("other")
    make_endpoint(LISTENER, types=["points.earned"])
    make_endpoint(f"{LISTENER}/other", program=other)
    for program in (club, other):
        make_wallet(program)
    record(order("A1", "10"))
    heard()
    by_url = {
        url: Counter(
            WebhookDelivery.objects.filter(endpoint__url=url).values_list(
                "event__type", "event__program"
            )
        )
        for url in WebhookEndpoint.objects.values_list("url", flat=True)
    }
    assert by_url[LISTENER] == {("points.earned", "club"): 1, ("points.earned", "other"): 1}
    assert {program for _type, program in by_url[f"{LISTENER}/other"]} == {"other"}


def test_a_movement_says_whose_how_many_and_of_which_order():
    make_endpoint(LISTENER)
    make_program(unit={"decimals": 2})
    record(order("A1", "12.50"))
    heard()
    found = data_of("points.earned")
    assert (found["units"], found["kind"], found["program"]) == ("12.50", "accrual", "club")
    assert found["customer"]["external_id"] == "c1"
    assert (
        found["order"] == {"source": "", "external_id": "A1"}
        or found["order"]["external_id"] == "A1"
    )
    assert data_of("balance.changed")["balance"] == "12.50"


def test_nothing_that_is_told_has_a_name_or_an_address():
    make_endpoint(LISTENER)
    people()
    movements()
    heard()
    told_text = " ".join(str(event.data) for event in WebhookEvent.objects.all())
    assert "ann@example.com" not in told_text
    assert "Olivia" not in told_text


def test_told_again_by_the_outbox_it_is_told_once():
    make_endpoint(LISTENER)
    create_customer(actor=SYSTEM, external_id="c1")
    assert heard() == {"customer.created": 1}
    OutboxEvent.objects.update(delivered_at=None)
    assert heard() == {"customer.created": 1}


def test_a_batch_of_orders_is_one_row_of_the_outbox_for_each_table():
    make_endpoint(LISTENER, types=["points.earned", "balance.changed"])
    program = make_program()
    for number in range(20):
        make_wallet(program, f"c{number}")
    OutboxEvent.objects.all().delete()
    record(*(order(f"A{number}", "10", buyer=f"c{number}") for number in range(20)))
    assert OutboxEvent.objects.filter(kind__startswith="told.").count() == 1
    assert heard() == {"points.earned": 20, "balance.changed": 20}


def test_telling_costs_as_many_queries_for_many_as_for_few():
    from loyalty.selectors.telling.movements import tell_movements

    make_endpoint(LISTENER)
    program = make_program()
    costs = []
    for first, last in ((0, 2), (2, 22)):
        OutboxEvent.objects.all().delete()
        for number in range(first, last):
            make_wallet(program, f"c{number}")
        record(*(order(f"A{n}", "10", buyer=f"c{n}") for n in range(first, last)))
        events = list(OutboxEvent.objects.filter(kind="told.transfers"))
        with CaptureQueriesContext(connection) as queries:
            assert len(list(tell_movements(events))) == 2 * (last - first)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_customers_who_are_gone_are_passed_over():
    make_endpoint(LISTENER)
    create_customer(actor=SYSTEM, external_id="c1")
    Customer.objects.all().delete()
    assert not heard()
