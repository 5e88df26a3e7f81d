"""Parcels, events, the library and early access on the customer's own pages."""

import datetime as dt
import re
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Membership
from members.services.audit import SYSTEM
from rewards.event_definitions import EventDefinition
from rewards.models import ContentDownload, EventWait, FulfillmentTask, Redemption
from rewards.services.access_windows import WindowTerms, save_window
from rewards.services.content import ContentTerms, create_content
from rewards.services.events import create_event
from rewards.services.fulfillment import advance_task, give_by_hand
from rewards.services.redemptions import cancel_redemption
from tests.loyalty.backoffice.conftest import queries_of
from tests.rewards.factories import make_member, offer, take

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("maya_for_all", "undone_when_refused"),
]  # fmt: skip
HOME = {"recipient": "Maya Lim", "street": "1 Oak St", "city": "Springfield", "country": "US"}
DAY = dt.timedelta(days=1)


@pytest.fixture
def member(maya):
    found = Membership.objects.select_related("program", "customer")
    return found.get(customer=maya)


@pytest.fixture
def client(maya, sign_in_customer):
    return sign_in_customer(maya)


@pytest.fixture
def event(member):
    begins = timezone.now() + 9 * DAY
    definition = EventDefinition.model_validate(
        {"code": "tasting", "name": "Tasting", "link": "https://example.com/live", "seats": 1,
         "starts_at": begins, "ends_at": begins + dt.timedelta(hours=2), "price": 10,
         "wallet_type": member.program.wallet_types.get().code}
    )  # fmt: skip
    return create_event(program=member.program, definition=definition, actor=SYSTEM, live=True)


def text(response):
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def of(name, *args):
    return reverse(f"rewards_account:{name}", args=args)


def key_in(page: str) -> str:
    return re.search(r'name="key" value="([^"]+)"', page)[1]


def test_a_gift_asks_where_it_goes_to_and_says_how_far_it_is(client, member):
    mug = offer(member.program, "mug", kind="gift", name="A mug", price=10)
    address = of("reward", member.public_id, mug.public_id)
    key = key_in(text(client.get(address)))
    wrong = client.post(address, {"key": key} | HOME | {"city": ""})
    assert (wrong.status_code, Redemption.objects.count()) == (422, 0)
    assert key_in(text(wrong)) == key
    answers = [client.post(address, {"key": key} | HOME) for _tap in range(2)]
    task = FulfillmentTask.objects.get()
    assert (task.status, task.address["city"]) == ("to_do", "Springfield")
    page = text(client.get(answers[0]["Location"], follow=True))
    assert "Is being prepared" in page
    assert "A mug" in text(client.get("/me/rewards/"))
    assert task.redemption.voucher.written not in text(client.get("/me/vouchers/"))
    client.post(of("parcel", task.public_id), HOME | {"city": "Shelbyville"})
    advance_task(task=task, to="packed", actor=SYSTEM, now=timezone.now())
    client.post(of("parcel", task.public_id), HOME | {"city": "Elsewhere"})
    how = {"carrier": "Post", "tracking_number": "R1"}
    advance_task(task=task, to="sent", actor=SYSTEM, now=timezone.now(), **how)
    page = text(client.get(of("parcel", task.public_id)))
    assert "Is on its way" in page
    assert "R1" in page
    assert "Shelbyville" in page


def test_a_surprise_stays_one_until_it_is_sent_and_asks_for_an_address(client, member):
    task = give_by_hand(
        membership=member, kind="surprise", what="Box of tea", words="", address=None, key="s",
        actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    shelf = text(client.get("/me/rewards/"))
    assert "Something for you" in shelf
    assert "Box of tea" not in shelf
    client.post(of("parcel", task.public_id), HOME)
    assert client.get(of("parcel", task.public_id)).status_code == 404
    assert "Something for you" not in text(client.get("/me/rewards/"))
    for state in ("packed", "sent"):
        advance_task(task=task, to=state, actor=SYSTEM, now=timezone.now())
    assert "Box of tea" in text(client.get("/me/rewards/"))


def test_nobody_sees_somebody_elses_parcel(client, member, shop, sign_in_customer):
    take(member, offer(member.program, "mug", kind="gift", price=10))
    task = FulfillmentTask.objects.get()
    other = shop.add_customer("noor@example.com", given_name="Noor")
    shop.give_sign_in(other)
    shop.enroll(other)
    stranger = sign_in_customer(other)
    assert stranger.get(of("parcel", task.public_id)).status_code == 404
    assert stranger.post(of("parcel", task.public_id), HOME).status_code == 404


def test_a_seat_is_booked_shown_with_its_code_and_given_up(client, member, event):
    page = text(client.get(of("event", event.public_id)))
    assert "Book a seat for 10 Beans" in page
    assert "https://example.com/live" not in page
    assert "example.com" not in client.get(of("event_calendar", event.public_id)).content.decode()
    address = of("reward", member.public_id, event.reward.public_id)
    assert client.get(address)["Location"] == of("event", event.public_id)
    client.post(address, {"key": key_in(page)})
    taken = Redemption.objects.get()
    page = text(client.get(of("event", event.public_id)))
    assert taken.voucher.written in page
    assert "https://example.com/live" in page
    file = client.get(of("event_calendar", event.public_id))
    assert file["Content-Type"].startswith("text/calendar")
    assert "SUMMARY:Tasting\r\n" in file.content.decode()
    for _tap in range(2):
        client.post(of("event_act", event.public_id), {"action": "give_up"})
    taken.refresh_from_db()
    assert taken.status == "cancelled"


def test_a_member_waits_is_offered_the_seat_and_takes_it(client, member, event):
    booked = take(make_member(100, "first", member.program, timezone.now()), event.reward)
    page = text(client.get(of("event", event.public_id)))
    assert "It is booked out." in page
    act = of("event_act", event.public_id)
    client.post(act, {"action": "wait"})
    assert "number 1 in the waiting list" in text(client.get(of("event", event.public_id)))
    assert client.post(act, {"action": "accept"}).status_code == 409
    cancel_redemption(redemption=booked, reason="", source="api", actor=SYSTEM, now=timezone.now())
    assert "A seat is free for you" in text(client.get("/me/events/"))
    assert "We keep it until" in text(client.get(of("event", event.public_id)))
    client.post(act, {"action": "accept"})
    assert EventWait.objects.get().status == "accepted"
    assert Redemption.objects.filter(membership=member, status="issued").exists()
    assert client.post(act, {"action": "other"}).status_code == 404


def test_the_library_gives_files_to_who_may_have_them(client, member, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    unit = member.program.wallet_types.get().code
    for code, price in (("free", None), ("dear", Decimal(10))):
        create_content(
            program=member.program, code=code, actor=SYSTEM,
            file=ContentFile(b"<script>", name=f"{code}.html"),
            terms=ContentTerms(title=code.title(), price=price, wallet_type=unit, status="live"),
        )  # fmt: skip
    page = text(client.get("/me/library/"))
    assert page.index("Free") < page.index("Dear")
    free, dear = (member.program.content.get(code=code) for code in ("free", "dear"))
    answer = client.get(of("content_file", free.public_id))
    assert b"".join(answer.streaming_content) == b"<script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert client.get(of("content_file", dear.public_id)).status_code == 404
    page = text(client.get(of("content", dear.public_id)))
    client.post(of("reward", member.public_id, dear.reward.public_id), {"key": key_in(page)})
    assert client.get(of("content_file", dear.public_id)).status_code == 200
    assert ContentDownload.objects.count() == 2
    assert client.get(of("content_file", uuid.uuid4())).status_code == 404


def test_the_shelf_says_when_a_sale_opens(client, member):
    now = timezone.now()
    terms = WindowTerms(name="Sale", teaser="All tea", opens_at=now + DAY, closes_at=now + 2 * DAY)
    save_window(program=member.program, code="sale", terms=terms, actor=SYSTEM)
    assert "Opens for you on" in text(client.get("/me/rewards/"))
    early = WindowTerms(name="Sale", opens_at=now - DAY, closes_at=now + 2 * DAY)
    save_window(program=member.program, code="sale", terms=early, actor=SYSTEM)
    assert "Open for you until" in text(client.get("/me/rewards/"))


def test_the_list_of_events_asks_as_often_for_many_as_for_one(client, member, event):
    once = queries_of(client, "/me/events/")
    for number in range(5):
        again = EventDefinition.model_validate(
            {"code": f"more-{number}", "name": "More", "place": "Here", "seats": 5, "price": 0,
             "starts_at": event.starts_at, "ends_at": event.ends_at,
             "wallet_type": member.program.wallet_types.get().code}
        )  # fmt: skip
        create_event(program=member.program, definition=again, actor=SYSTEM, live=True)
    assert queries_of(client, "/me/events/") == once


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_customer_books_a_seat_on_a_phone(
    page: Any, client, member, event, assert_no_axe_violations
) -> None:
    take(member, offer(member.program, "mug", kind="gift", name="A mug", price=10))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    host = {"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "domain": "localhost"}
    page.context.add_cookies([{**host, "path": "/"}])
    page.set_viewport_size({"width": 390, "height": 844})
    # The shelf itself: `test_shelf`.
    page.goto("/me/rewards/")
    page.get_by_role("link", name="A mug").first.click()
    page.get_by_label("City").wait_for()
    assert_no_axe_violations(page)
    page.goto("/me/events/")
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Tasting").click()
    page.get_by_role("button", name=re.compile("Book a seat")).click()
    page.get_by_text("Show this code at the door").wait_for()
    assert_no_axe_violations(page)
    page.goto("/me/library/")
    assert_no_axe_violations(page)
