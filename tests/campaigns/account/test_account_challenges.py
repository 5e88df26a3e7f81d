"""Members read how far they are, join and leave, alone and in a team, without JavaScript."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.models import Challenge, ChallengeEntry, ChallengeTeam
from campaigns.services.challenge_progress import measure_customers
from campaigns.services.leaderboards import join_leaderboards
from loyalty.models import Membership, Program
from tests.campaigns.campaigns import launch as launch_campaign
from tests.campaigns.challenges import draft, launch, member
from tests.factories import CustomerFactory
from tests.loyalty.factories import line, make_program, make_wallet, order, record
from tests.rewards.factories import make_member
from tests.sharing import anew, shared
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


made_once = shared(lambda: make_program(at=timezone.now() - 9 * DAY))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def client_of_ana(club: Program) -> Client:
    CustomerFactory(external_id="ana", with_user=True)
    ana: Membership = make_member(0, "ana", club)
    return signed_in(ana.customer.user)


def live(club: Program, *steps: dict[str, Any], **said: Any) -> Challenge:
    now = timezone.now()
    return launch(club, *steps, at=now, starts_at=now, ends_at=now + 9 * DAY, **said)


def page(client: Client, name: str = "challenges_account:challenges") -> str:
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def act(client: Client, challenge: Challenge, name: str, **sent: str) -> str:
    address = reverse(
        f"challenges_account:challenge_{name}",
        args=[member("ana").public_id, challenge.campaign.public_id],
    )
    answer = client.post(address, sent, follow=True)
    return re.sub(r"\s+", " ", answer.content.decode())


def test_who_joins_sees_how_far_they_are_and_what_it_brings(
    client_of_ana: Client, club: Program
) -> None:
    challenge = live(club, {"kind": "collection", "names": ["A", "B"]}, badge="Collector")
    shown = page(client_of_ana)
    assert "Buy each of these: A, B" in shown
    assert "the badge “Collector”" in shown
    assert "You take part." in act(client_of_ana, challenge, "join")
    lines = [line(1, "10", sku="B", quantity=Decimal(1))]
    record(order("X", "10", at=timezone.now(), buyer="ana", lines=lines))
    shown = page(client_of_ana)
    assert "1 of 2" in shown
    assert "You have: B" in shown
    lines = [line(1, "10", sku="A", quantity=Decimal(1))]
    record(order("Y", "10", at=timezone.now(), buyer="ana", lines=lines))
    measure_customers([member("ana").customer_id], now=timezone.now())
    shown = page(client_of_ana)
    assert "Done. It is yours." in shown
    assert "Your badges" in shown


def test_who_leaves_is_asked_again(client_of_ana: Client, club: Program) -> None:
    challenge = live(club)
    act(client_of_ana, challenge, "join")
    assert "You take part no more." in act(client_of_ana, challenge, "leave")
    assert ChallengeEntry.objects.get().state == "left"
    assert "Take part" in page(client_of_ana)
    challenge_of_nobody = live(club, name="Other")
    address = reverse(
        "challenges_account:challenge_leave",
        args=[member("ana").public_id, challenge_of_nobody.campaign.public_id],
    )
    assert client_of_ana.post(address).status_code == 404


def test_a_team_is_begun_and_its_code_is_shown(client_of_ana: Client, club: Program) -> None:
    challenge = live(club, team_size=4)
    assert "Give your team a name" in act(client_of_ana, challenge, "join")
    assert "There is no team" in act(client_of_ana, challenge, "join", team_code="NOPE")
    shown = act(client_of_ana, challenge, "join", team_name="Beans")
    code = ChallengeTeam.objects.get().code
    assert f"Team Beans: 1 of 4. Others join it with the code {code}." in shown


def test_nobody_joins_a_draft_or_another_programs(client_of_ana: Client, club: Program) -> None:
    elsewhere = make_program("elsewhere", at=timezone.now() - DAY)
    for challenge in (draft(club), live(elsewhere)):
        address = reverse(
            "challenges_account:challenge_join",
            args=[member("ana").public_id, challenge.campaign.public_id],
        )
        assert client_of_ana.post(address).status_code == 404


def test_nothing_to_do_is_said(client_of_ana: Client) -> None:
    assert "No challenge at the moment" in page(client_of_ana)


def test_the_page_of_ways_to_earn_has_all_of_them(client_of_ana: Client, club: Program) -> None:
    now = timezone.now()
    launch_campaign(club, at=now, starts_at=now, ends_at=now + DAY, text="It counts twice.")
    live(club, opt_in=False)
    shown = page(client_of_ana, "mypage:earn")
    assert shown.index("It counts twice.") < shown.index("Buy for $50.00")
    assert shown.index("Buy for $50.00") < shown.index("What always counts")
    assert "Base rate" in shown
    # Rules that promotions and challenges write are told by those.
    assert shown.count("Coffee week") == 1


def test_who_is_suspended_earns_nothing(client_of_ana: Client, club: Program) -> None:
    live(club, opt_in=False)
    Membership.objects.update(status="suspended")
    shown = page(client_of_ana, "mypage:earn")
    assert "Nothing earns at the moment." in shown
    assert "Coffee week" not in shown


def test_the_number_of_queries_does_not_grow_with_the_orders(
    client_of_ana: Client, club: Program, django_assert_max_num_queries: Any
) -> None:
    act(client_of_ana, live(club), "join")
    live(club, opt_in=False, name="Other")
    make_wallet(club, "x", at=timezone.now())
    for number in range(12):
        lines = [line(1, "1", category="Tea")]
        record(order(f"O{number}", "1", at=timezone.now(), buyer="ana", lines=lines))
    page(client_of_ana)
    with django_assert_max_num_queries(32):
        page(client_of_ana)


def test_a_member_is_seen_by_another_name_and_no_more(client_of_ana: Client, club: Program) -> None:
    challenge = live(club)
    act(client_of_ana, challenge, "join")
    record(order("A", "60", buyer="ana", at=timezone.now(), currency=club.currency))
    measure_customers([member("ana").customer_id], now=timezone.now())
    shown = page(client_of_ana)
    assert "Starter" in shown
    assert "2 more to “Regular”" in shown
    board = "challenges_account:board"
    assert "Nobody yet" in page(client_of_ana, board)
    address = reverse(board)
    html = client_of_ana.post(address, {"act": "join", "name": "Night Owl"}, follow=True)
    assert "Others see you as <strong>Night Owl</strong>" in html.content.decode()
    assert "Night Owl <span" in page(client_of_ana, board)
    of_one = client_of_ana.get(address, {"of": str(challenge.campaign.public_id)})
    assert "100&nbsp;%" in of_one.content.decode()
    wrong = client_of_ana.post(address, {"act": "join", "name": "x"}, follow=True)
    assert "3 to 24 letters" in wrong.content.decode()
    client_of_ana.post(address, {"act": "leave"})
    assert "You are not on leaderboards" in page(client_of_ana, board)


@pytest.mark.browser
def test_the_leaderboard_can_be_used_by_everybody(
    page: Page, live_server: Any, client_of_ana: Client, assert_no_axe_violations: Any
) -> None:
    join_leaderboards(membership=member("ana"), name="Night Owl", now=timezone.now())
    page.context.add_cookies(
        [{"name": "sessionid", "value": client_of_ana.cookies["sessionid"].value,
          "url": live_server.url}]
    )  # fmt: skip
    page.goto(f"{live_server.url}{reverse('challenges_account:board')}")
    expect(page.get_by_text("Others see you as Night Owl.")).to_be_visible()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Be seen no more").click()
    expect(page.get_by_text("Others do not see you any more.")).to_be_visible()
