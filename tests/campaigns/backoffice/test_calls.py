"""What a customer's page says of games, surveys, friends and messages when they call about them;
what the team's page says of the program."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Message
from campaigns.services.consents import set_consents
from campaigns.services.contact_addresses import name_address
from campaigns.services.number_codes import code_of
from loyalty.models import Membership, Program
from members.services.audit import SYSTEM
from rewards.addresses import Address
from rewards.models import FulfillmentTask
from rewards.services.fulfillment import advance_task
from tests.campaigns.campaigns import launch
from tests.campaigns.factories import send
from tests.campaigns.games import live_game, play
from tests.campaigns.receiver import Receiver
from tests.campaigns.referrals import bring, make_link, make_member, promise
from tests.campaigns.services.test_ways import gateway, use
from tests.campaigns.surveys import REWARDED, make_survey, reply
from tests.loyalty.factories import make_program
from tests.rewards.factories import offer, take
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
HOME = Address(recipient="Ann Lee", street="1 Oak St", city="Springfield", country="US")
NEVER = [
    {"code": "none", "kind": "nothing", "name": "Better luck", "weight": 3, "catches": True},
    {"code": "prize", "kind": "units", "name": "10 points", "weight": 1, "units": 10},
]


made_once = shared(
    lambda: make_program(at=timezone.now() - 30 * DAY, unit={"unit_value": "0.01"}, **REWARDED)
)


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def ana(club: Program) -> Membership:
    return make_member(club, "ana", at=timezone.now() - 20 * DAY, given_name="Ana")


def page(client: Client, name: str, *args: Any) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def test_a_game_says_what_came_of_it_and_what_may_still_be_played(
    agent: Client, club: Program, ana: Membership
) -> None:
    about = ("games_backoffice:customer_games", ana.customer.public_id)
    assert "Nothing played yet" in page(agent, *about)
    now = timezone.now()
    game = live_game(club, at=now - DAY, free_plays=2, prizes=NEVER)
    drawn = play(game, ana, at=now)
    shown = page(agent, *about)
    assert "Spring wheel : 1 play now (2 free plays every day)" in shown
    assert drawn.prize.name in shown
    chance = "75%" if drawn.prize.code == "none" else "25%"
    assert f"By chance: {chance} of all plays come to this." in shown
    play(game, ana, "2", at=now)
    assert "none left" in page(agent, *about)


def test_a_survey_says_what_it_brought_or_why_nothing(
    agent: Client, club: Program, ana: Membership
) -> None:
    about = ("surveys_backoffice:customer_surveys", ana.customer.public_id)
    paid = make_survey(club, activity="survey")
    asked = page(agent, *about)
    assert "May answer: Spring (50 points)" in asked
    reply(paid, ana)
    reply(make_survey(club, code="plain", title="Plain"), ana)
    shown = page(agent, *about)
    assert "May answer" not in shown
    assert "50 points" in shown
    assert "Nothing is promised for this survey." in shown


def test_friends_are_named_with_what_is_missing(agent: Client, club: Program) -> None:
    now = timezone.now()
    promise(club, at=now - 10 * DAY, least="20", within_days=60)
    link = make_link(club, "ann", at=now - 9 * DAY, given_name="Ann")
    bring(link, at=now - 8 * DAY, given_name="Ben")
    ann = link.membership
    assert ann is not None
    shown = page(agent, "referrals_backoffice:referral_panel", ann.customer.public_id)
    assert "Ben" in shown
    assert "Has joined, and has to buy for $20.00 or more at once by" in shown
    only = agent.get(reverse("referrals_backoffice:referral_list"), {"by": ann.public_id})
    assert "Brought by Ann" in only.content.decode()
    assert agent.get(reverse("referrals_backoffice:referral_list"), {"by": "x"}).status_code == 404


def test_the_timeline_has_friends_games_surveys_rewards_and_parcels(
    agent: Client, club: Program
) -> None:
    now = timezone.now()
    promise(club, at=now - 10 * DAY)
    link = make_link(club, "ann", at=now - 9 * DAY, given_name="Ann")
    bring(link, at=now - 8 * DAY, given_name="Ben")
    ann = Membership.objects.get(customer__external_id="ann")
    play(live_game(club, at=now - 7 * DAY, prizes=NEVER), ann, at=now - 6 * DAY)
    reply(make_survey(club), ann)
    mug = offer(club, "mug", kind="gift", name="A mug", price=0)
    taken = take(ann, mug, at=now - 4 * DAY, address=HOME)
    parcel = FulfillmentTask.objects.get(redemption=taken)
    for state in ("packed", "sent"):
        advance_task(task=parcel, to=state, actor=SYSTEM, now=now - 3 * DAY)
    address = reverse("backoffice:customer_timeline", args=[ann.customer.public_id])
    shown = {
        kind: re.sub(r"<[^>]*>", " ", agent.get(address, {"kind": kind}).content.decode())
        for kind in ("campaigns", "rewards", "units")
    }
    for words in ("Brought Ben", "Played Spring wheel: ", "Answered the survey Spring"):
        assert words in shown["campaigns"]
        assert words not in shown["units"]
    for words in ("Taken: A mug", "Sent: A mug"):
        assert words in shown["rewards"]
    assert "Brought Ben" not in shown["rewards"]


@pytest.mark.usefixtures("awake")
def test_a_code_is_read_by_nobody_but_whom_it_was_sent_to(
    agent: Client, ana: Membership, receiver: Receiver
) -> None:
    use("whatsapp", gateway(receiver))
    row = name_address(
        customer=ana.customer, channel="whatsapp", address="+60123456789", actor=SYSTEM,
        now=timezone.now(), vouched=False,
    )  # fmt: skip
    send(timezone.now())
    way = Message.objects.get(occasion="number_code").deliveries.get()
    assert code_of(row) in way.subject
    for about in (
        ("messages_backoffice:message_panel", ana.customer.public_id),
        ("messages_backoffice:delivery", way.public_id),
        ("messages_backoffice:delivery_list",),
        ("backoffice:customer_timeline", ana.customer.public_id),
    ):
        shown = page(agent, *about)
        assert "A code for a number" in shown
        assert f"{code_of(row)} is your code" not in shown


def test_what_they_said_before_names_the_way(agent: Client, ana: Membership) -> None:
    set_consents(
        customer=ana.customer, wanted={("email", "offers"): True}, source="staff", actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    shown = page(agent, "messages_backoffice:consents", ana.customer.public_id)
    assert "Offers · E-mail: Yes" in shown


def test_the_teams_page_tells_of_all_that_is_on_and_answers_calls(
    agent: Client, club: Program
) -> None:
    now = timezone.now()
    launch(club, at=now - 2 * DAY, name="Double days", starts_at=now - DAY, ends_at=now + DAY)
    live_game(club, at=now - DAY, prizes=NEVER)
    promise(club, at=now)
    make_survey(club, activity="survey")
    shown = page(agent, "loyalty_backoffice:knowledge", club.code)
    for words in (
        "Double days", "For every member.", "Better luck: 75% of all plays.",
        "Who brings a friend gets: 300 points.", "Spring 50 points", "I have two accounts.",
        "My points have expired, although I bought.", "if the till tells it within 72 hours.",
        "What happens to my points when I leave?",
    ):  # fmt: skip
        assert words in shown
    assert "I gave points to the wrong person." not in shown
