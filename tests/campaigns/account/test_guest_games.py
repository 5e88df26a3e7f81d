"""A visitor plays on the public page, once, and joins to get what it was."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.models import Game, GameDraw, GuestDraw
from campaigns.services.guest_plays import return_unclaimed
from loyalty.models import Membership, Program
from members.services.outbox import deliver_waiting
from tests.campaigns.games import live_game, sure
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program, make_wallet

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def game(db: None) -> Game:
    program = make_program(at=timezone.now() - dt.timedelta(days=9), unit={"unit_value": "0.01"})
    Program.objects.filter(pk=program.pk).update(joinable=True)
    return live_game(
        Program.objects.get(pk=program.pk), at=timezone.now() - HOUR, guests=True, prizes=sure()
    )


def address_of(game: Game) -> str:
    return reverse("games:guest", args=[game.public_id])


def page_of(client: Client, game: Game, status: int = 200) -> str:
    answer = client.get(address_of(game))
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def play(client: Client, game: Game, **said: Any) -> None:
    answer = client.post(address_of(game), {"act": "play"} | said)
    assert answer.status_code == 302


def linked(text: Any) -> str:
    """The address in a mail, on whatever host."""
    link = re.search(r"https?://[^/\s]+(\S+/join/\S+)", text)
    assert link is not None
    return link.group(1)


def test_a_guest_plays_once_and_joins_by_mail(client: Client, game: Game) -> None:
    assert "Spin the wheel" in page_of(client, game)
    play(client, game)
    play(client, game)
    drawn = GuestDraw.objects.get()
    html = page_of(client, game)
    assert "You have won: 10 points" in html
    assert "Yours until" in html
    assert "Spin the wheel" not in html
    # Who is a member already comes back here.
    assert f"?next={address_of(game)}" in html
    wrong = client.post(address_of(game), {"act": "join", "email": "no address"})
    assert wrong.status_code == 422
    answer = client.post(address_of(game), {"act": "join", "email": "gus@shop.test"})
    assert answer.status_code == 200
    deliver_waiting()
    # Wherever they read their mail.
    elsewhere = Client()
    address = linked(mail.outbox[0].body)
    assert "You have won: 10 points" in elsewhere.post(address).content.decode()
    deliver_waiting()
    made = GameDraw.objects.get(guest=drawn)
    assert made.membership.customer.email == "gus@shop.test"
    assert "It was claimed already." in page_of(client, game)
    # Again it is the same link, and the same prize.
    assert "You have won: 10 points" in elsewhere.post(address).content.decode()


def joined_by_mail(address: str) -> str:
    """Ask for the mail there as Gus, and read the page that its link ends on."""
    mail.outbox.clear()
    Client().post(address, {"email": "gus@shop.test"})
    deliver_waiting()
    return Client().post(linked(mail.outbox[0].body)).content.decode()


def claimed_by_mail(client: Client, game: Game) -> str:
    """The same for what this browser has drawn."""
    mail.outbox.clear()
    page_of(client, game)
    play(client, game)
    client.post(address_of(game), {"act": "join", "email": "gus@shop.test"})
    deliver_waiting()
    return Client().post(linked(mail.outbox[0].body)).content.decode()


def test_who_joined_for_a_prize_once_is_not_congratulated_when_they_join_again(
    client: Client, game: Game
) -> None:
    assert "You have won: 10 points" in claimed_by_mail(client, game)
    deliver_waiting()
    assert GameDraw.objects.count() == 1
    html = joined_by_mail(reverse("programs:program", args=[game.program.code]))
    assert "You are in" in html
    assert "You have won" not in html


def test_a_member_who_claims_by_mail_gets_it_or_reads_why_not(client: Client, game: Game) -> None:
    CustomerFactory(external_id="gus", email="gus@shop.test")
    make_wallet(game.program, "gus", at=timezone.now() - HOUR)
    assert "You have won: 10 points" in claimed_by_mail(client, game)
    assert GameDraw.objects.get().membership.customer.external_id == "gus"
    assert "You have claimed one already." in claimed_by_mail(Client(), game)
    assert GameDraw.objects.count() == 1


def test_who_comes_too_late_is_told_of_no_prize(client: Client, game: Game) -> None:
    page_of(client, game)
    play(client, game)
    client.post(address_of(game), {"act": "join", "email": "gus@shop.test"})
    deliver_waiting()
    assert return_unclaimed(game, timezone.now() + dt.timedelta(days=400)) == 1
    html = client.post(linked(mail.outbox[0].body)).content.decode()
    assert "You are in" in html
    assert "You have won" not in html


def test_opening_the_page_plays_nothing_and_programs_do_not_play(game: Game) -> None:
    stranger, trapped = Client(), Client()
    play(stranger, game)
    page_of(trapped, game)
    play(trapped, game, website="https://spam.test")
    assert not GuestDraw.objects.exists()


def test_one_place_on_the_network_plays_only_so_often(game: Game, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"guest_play": "5/h/ip"}
    for _number in range(6):
        browser = Client()
        page_of(browser, game)
        play(browser, game)
    assert GuestDraw.objects.count() == 5


def test_who_has_signed_in_joins_and_gets_it_at_once(client: Client, game: Game) -> None:
    customer = CustomerFactory(external_id="ana", with_user=True)
    client.force_login(customer.user, "django.contrib.auth.backends.ModelBackend")
    page_of(client, game)
    play(client, game)
    assert "Join and get it" in page_of(client, game)
    answer = client.post(address_of(game), {"act": "claim"}, follow=True)
    assert "You have won: 10 points" in answer.content.decode()
    assert GameDraw.objects.get().membership == Membership.objects.get(customer=customer)


def test_a_game_for_members_alone_has_no_such_page(client: Client, game: Game) -> None:
    other = live_game(game.program, at=timezone.now() - HOUR)
    page_of(client, other, 404)


@pytest.mark.browser
def test_a_guest_plays_with_the_keyboard_alone(
    page: Page, live_server: Any, game: Game, assert_no_axe_violations: Any
) -> None:
    page.goto(f"{live_server.url}{address_of(game)}")
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Spin the wheel").press("Enter")
    expect(page.get_by_role("heading", name="You have won: 10 points")).to_be_visible()
    expect(page.get_by_role("button", name="Join and get it")).to_be_visible()
    assert_no_axe_violations(page)
