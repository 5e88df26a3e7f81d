"""The shelf and the vouchers on the customer's own pages."""

import re
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.giving_definitions import CharityDefinition
from loyalty.models import Membership
from loyalty.services.charities import create_charity
from members.services.audit import SYSTEM
from rewards.models import AutoTake, Redemption, Reward
from rewards.services.gifts import give_reward
from rewards.services.redemptions import cancel_redemption
from rewards.services.wishes import choose_goal
from tests.loyalty.backoffice.conftest import queries_of
from tests.rewards.factories import offer, take

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("maya_for_all", "undone_when_refused"),
]  # fmt: skip


@pytest.fixture
def member(maya):
    found = Membership.objects.select_related("program", "customer")
    return found.get(customer=maya)


@pytest.fixture
def client(maya, sign_in_customer):
    return sign_in_customer(maya)


def text(response):
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def test_an_empty_shelf_says_what_it_is_for(client, member):
    assert "No rewards yet" in text(client.get("/me/rewards/"))


def test_the_shelf_says_what_can_be_taken_what_is_near_and_why_not(client, member):
    offer(member.program, "cheap", name="Sticker", price=10)
    offer(member.program, "dear", name="Grinder", price=10_000)
    offer(member.program, "gone", name="Old mug", price=10, stock=0)
    offer(member.program, "draft", name="Secret", price=10, status="draft")
    page = text(client.get("/me/rewards/"))
    ready, near, locked = (
        page.index(words) for words in ("You can take these now", "Keep collecting", "Not now")
    )
    assert ready < page.index("Sticker") < near < page.index("Grinder") < locked
    assert page.index("Old mug") > locked
    assert "Beans to go" in page
    assert "All of them are taken." in page
    assert "Secret" not in page


def test_the_shelf_asks_as_often_for_many_rewards_as_for_one(client, member):
    offer(member.program, "first", per_member=1)
    once = queries_of(client, "/me/rewards/")
    for number in range(8):
        offer(member.program, f"more-{number}", per_member=1)
    assert queries_of(client, "/me/rewards/") == once


def test_a_reward_is_taken_with_two_taps_and_a_double_tap_takes_one(client, member):
    reward = offer(member.program, price=10)
    address = reverse("rewards_account:reward", args=[member.public_id, reward.public_id])
    page = text(client.get(address))
    assert "Take it for 10 Beans" in page
    key = re.search(r'name="key" value="([^"]+)"', page)[1]
    answers = [client.post(address, {"key": key}) for _tap in range(2)]
    assert len({answer["Location"] for answer in answers}) == 1
    taken = Redemption.objects.get()
    shown = text(client.get(answers[0]["Location"]))
    assert taken.voucher.written in shown
    assert "Show" in shown or "show it at the till" in shown
    assert taken.voucher.written in text(client.get("/me/vouchers/"))
    assert f"Taken: {reward.name}" in text(client.get("/me/history/"))


def test_what_cannot_be_taken_says_why_and_takes_nothing(client, member):
    reward = offer(member.program, price=10_000)
    address = reverse("rewards_account:reward", args=[member.public_id, reward.public_id])
    assert "Beans to go" in text(client.get(address))
    answer = client.post(address, {"key": str(uuid.uuid4())})
    assert (answer.status_code, Redemption.objects.count()) == (409, 0)
    assert client.post(address, {"key": "x"}).status_code == 404


def test_a_voucher_that_is_over_shows_no_code_to_scan(client, member):
    taken = take(member, offer(member.program, price=10))
    cancel_redemption(redemption=taken, reason="", source="api", actor=SYSTEM, now=timezone.now())
    page = text(client.get(f"/me/vouchers/{taken.voucher.public_id}/"))
    assert "Called back" in page or "Canceled" in page
    assert "qr-picture" not in page


def test_a_voucher_has_bars_and_an_entry_for_the_calendar(client, member):
    taken = take(member, offer(member.program, price=10, valid_days=5))
    address = f"/me/vouchers/{taken.voucher.public_id}/"
    page = text(client.get(address))
    assert "barcode-picture" in page
    assert f"{address}expiry.ics" in page
    entry = client.get(f"{address}expiry.ics")
    assert entry["Content-Type"].startswith("text/calendar")
    last = taken.voucher.last_moment.astimezone(member.program.zone)
    assert f"DTSTART;VALUE=DATE:{last:%Y%m%d}" in entry.content.decode()
    assert "SUMMARY:Last day: 5 off" in entry.content.decode()
    endless = take(member, offer(member.program, "endless", price=10), "k2")
    for voucher in (endless.voucher.public_id, uuid.uuid4()):
        assert client.get(f"/me/vouchers/{voucher}/expiry.ics").status_code == 404


def test_a_member_reads_rewards_in_their_language(client, member, maya):
    reward = offer(member.program, price=10, name="Sticker", texts={"ms": {"name": "Pelekat"}})
    assert "Sticker" in text(client.get("/me/rewards/"))
    type(maya).objects.filter(pk=maya.pk).update(locale="ms-my")
    assert "Pelekat" in text(client.get("/me/rewards/"))
    take(member, reward)
    assert "Pelekat" in text(client.get("/me/vouchers/"))


def test_what_was_in_a_mystery_gift_is_said_on_its_voucher(client, member):
    offer(member.program, "cup", kind="free_product", skus=["CUP"], name="A cup", status="draft")
    gift = offer(
        member.program, "gift", kind="mystery", name="Surprise", price=10, prizes={"cup": 1}
    )
    address = reverse("rewards_account:reward", args=[member.public_id, gift.public_id])
    page = text(client.get(address))
    assert "One of these by chance: A cup (100%)." in page
    key = re.search(r'name="key" value="([^"]+)"', page)[1]
    shown = text(client.get(client.post(address, {"key": key})["Location"]))
    assert "This was in Surprise." in shown
    assert "A cup" in shown


def test_a_member_saves_for_a_reward_and_the_home_page_says_how_far_they_are(client, member):
    reward = offer(member.program, "dear", price=1000, name="Grinder")
    address = reverse("rewards_account:reward_goal", args=[member.public_id, reward.public_id])
    assert "You save for" not in text(client.get("/me/"))
    client.post(address, {"goal": "on"})
    home = text(client.get("/me/"))
    assert "You save for: Grinder" in home
    assert "of 1,000 Beans" in home
    page = reverse("rewards_account:reward", args=[member.public_id, reward.public_id])
    assert "You save for this one." in text(client.get(page))
    client.post(address, {"goal": "off"})
    assert "You save for" not in text(client.get("/me/"))


def test_a_member_has_a_reward_taken_by_itself_or_not_any_more(client, member):
    reward = offer(member.program, "dear", price=1000, name="Grinder")
    address = reverse("rewards_account:reward_auto", args=[member.public_id, reward.public_id])
    page = reverse("rewards_account:reward", args=[member.public_id, reward.public_id])
    refused = client.post(address, {"auto": "on", "balance": "5"}, follow=True)
    assert "At least its price, 1,000 Beans." in text(refused)
    assert "Grinder" in text(client.post(address, {"balance": "many"}, follow=True))
    assert not AutoTake.objects.exists()
    client.post(address, {"auto": "on", "balance": "1,200"})
    assert "whenever you come to 1,200 Beans" in text(client.get(page))
    client.post(address, {"auto": "off"})
    assert not AutoTake.objects.exists()


def test_nobody_sees_somebody_elses_voucher(client, member, shop, sign_in_customer):
    taken = take(member, offer(member.program, price=10))
    other = shop.add_customer("noor@example.com", given_name="Noor")
    shop.give_sign_in(other)
    shop.enroll(other)
    stranger = sign_in_customer(other)
    assert stranger.get(f"/me/vouchers/{taken.voucher.public_id}/").status_code == 404
    address = reverse("rewards_account:reward", args=[member.public_id, taken.reward.public_id])
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, {"key": str(uuid.uuid4())}).status_code == 404
    for name in ("reward_goal", "reward_auto"):
        other_address = reverse(
            f"rewards_account:{name}", args=[member.public_id, taken.reward.public_id]
        )
        assert stranger.post(other_address).status_code == 404


def test_a_gift_is_among_the_vouchers_with_what_was_said_of_it(client, member):
    given, _replayed = give_reward(
        membership=member, reward=offer(member.program, on_shelf=False, name="Free cake"),
        gift="birthday", message="Happy birthday, Maya", key="g", source="job", actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    assert "Free cake" not in text(client.get("/me/rewards/"))
    page = text(client.get(reverse("rewards_account:vouchers")))
    assert "Happy birthday, Maya" in page
    assert given.voucher.written in page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_customer_takes_a_reward_on_a_phone_once(
    page: Any, client, member, assert_no_axe_violations
) -> None:
    offer(member.program, price=10, name="Sticker", valid_days=20)
    offer(member.program, "dear", name="Grinder", price=10_000)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    host = {"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "domain": "localhost"}
    page.context.add_cookies([{**host, "path": "/"}])
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/me/rewards/")
    page.get_by_role("heading", name="You can take these now").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Sticker").click()
    assert_no_axe_violations(page)
    # Two quick taps and the way back take it once.
    page.get_by_role("button", name=re.compile("Take it for")).dblclick()
    page.get_by_role("button", name="Copy the code").wait_for()
    expect(page.locator(".barcode-picture")).to_be_visible()
    assert_no_axe_violations(page)
    assert Redemption.objects.get().status == "issued"
    page.go_back()
    page.get_by_role("button", name=re.compile("Take another for")).wait_for()
    page.get_by_role("link", name="Show its code").click()
    page.get_by_text(Redemption.objects.get().voucher.written).first.wait_for()
    assert Redemption.objects.count() == 1
    page.goto("/me/vouchers/")
    assert_no_axe_violations(page)


def test_a_goal_that_costs_nothing_is_reached(client, member):
    free = offer(member.program, kind="experience", price=0)
    choose_goal(membership=member, reward=free, actor=SYSTEM, now=timezone.now())
    assert client.get("/me/").status_code == 200


def test_a_donation_is_taken_in_two_taps_and_leads_to_its_charity(client, member):
    definition = CharityDefinition(code="grove", name="City Trees", thing_singular="tree",
                                   thing_plural="trees", thing_price=5)  # fmt: skip
    create_charity(program=member.program, definition=definition, actor=SYSTEM)
    found = offer(
        member.program, kind="charity", charity="grove", things=2, price=10, name="Two trees"
    )
    address = reverse("rewards_account:reward", args=[member.public_id, found.public_id])
    assert "2 trees for City Trees" in text(client.get(address))
    key = str(uuid.uuid4())
    for _tap in range(2):
        answer = client.post(address, {"key": key})
        assert answer.url == reverse("mypage:charity", args=[member.public_id, "grove"])
    page = text(client.get(answer.url))
    assert "It was given to City Trees." in page
    assert "2 trees" in page
    assert Redemption.objects.count() == 1


def test_the_home_page_says_what_can_be_taken_or_what_is_nearest(client, member):
    assert "next reward" not in text(client.get("/me/"))
    offer(member.program, "grinder", name="Grinder", price=1000)
    far = offer(member.program, "trip", name="Trip", price=9000)
    home = text(client.get("/me/"))
    assert "Your next reward: Grinder" in home
    assert "to go" in home
    assert "Trip" not in home
    choose_goal(membership=member, reward=far, actor=SYSTEM, now=timezone.now())
    home = text(client.get("/me/"))
    assert "You save for: Trip" in home
    assert "Your next reward" not in home
    for number in range(2):
        offer(member.program, f"cup{number}", name=f"Cup {number}", price=10)
        home = text(client.get("/me/"))
        words = "reward now" if number == 0 else "rewards now"
        assert f"You can take {number + 1} {words}" in home
    assert "Cup 0 and others" in home
    # The first screen: what one has, how to get more, what it can be had for now.
    html = client.get("/me/").content.decode()
    parts = [
        "purse-value",
        f"/me/{member.public_id}/earn/",
        "You can take",
        "You save for",
        "Latest",
    ]
    places = [html.index(part) for part in parts]
    assert places == sorted(places)


def test_rewards_are_in_the_terms_of_their_program(client, member):
    address = reverse("programs:terms", args=[member.program.code])
    assert "Grinder" not in text(client.get(address))
    reward = offer(
        member.program, "grinder", name="Grinder", price=1000, per_member=2, summary="By hand.",
    )  # fmt: skip
    offer(member.program, "secret", name="Secret", status="draft")
    terms = text(client.get(address))
    assert "Grinder" in terms
    assert "1,000 Beans" in terms
    assert "By hand." in terms
    assert "2 for each member." in terms
    assert "Secret" not in terms
    with CaptureQueriesContext(connection) as one:
        client.get(address)
    for number in range(3):
        offer(member.program, f"cup{number}", name=f"Cup {number}", price=10)
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(one)
    Reward.objects.filter(pk=reward.pk).update(status="archived")
    assert "Grinder" not in text(client.get(address))
