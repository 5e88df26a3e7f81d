"""The screens of figures: all messages, one of them, a journey; and what is counted at all."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django import Settings

from campaigns.demo.figures import show_figures
from campaigns.demo.messages import show_messages
from campaigns.models import Delivery, DeliveryClick, ProgramMeasuring
from campaigns.selectors.figures import figures_of_occasion
from campaigns.selectors.policies import get_policy
from campaigns.services.journeys import publish_journey
from campaigns.services.measuring import note_click
from campaigns.services.policies import set_policy
from config.devmail.server import Delivery as Keeper
from members.models import AuditEntry
from members.services.audit import SYSTEM
from members.timeline import list_timeline
from tests.campaigns.factories import make_journey, send, tell
from tests.campaigns.services.test_figures import buys, led, reachable, told
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
DAY = dt.timedelta(days=1)


def url(name: str, *args: Any) -> str:
    return reverse(f"messages_backoffice:{name}", args=args)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def lines(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer["Content-Type"].startswith("text/csv")
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(content.decode())))


def some_gifts(now: dt.datetime) -> None:
    """Two gifts, of which one was followed to an order, and a tier."""
    program = make_program()
    members = [reachable(f"c{number}", program) for number in range(2)]
    rows = [told(member, now - 10 * DAY) for member in members]
    note_click(delivery=rows[0].public_id, target="https://shop.example/sale", now=now - 9 * DAY)
    buys(members[0], now - 8 * DAY)
    told(members[1], now - DAY, code="tier_up")


def test_before_anything_was_told_the_pages_teach(manager: Client) -> None:
    assert "Nothing was told in these days" in page(manager, url("figure_list"))
    assert "It was not told in these days" in page(manager, url("occasion_figures", "gift"))
    journey = make_journey()
    assert "It has told nothing" in page(manager, url("journey_figures", journey.public_id))
    assert "Says little." in page(manager, url("figure_list"))


def test_all_messages_side_by_side_by_any_of_their_figures(manager: Client) -> None:
    some_gifts(timezone.now())
    seen = page(manager, url("figure_list"))
    assert url("occasion_figures", "gift") in seen

    def order(sort: str) -> list[str]:
        answer = manager.get(url("figure_list"), {"sort": sort, "days": "90"})
        return [row.name for row in answer.context["rows"]]

    gift, tier = order("-sent")
    assert order("sent") == [tier, gift]
    assert order("-clicked") == [gift, tier]
    assert order("clicked") == [tier, gift]
    # Of the tier nobody's days are over, so nothing is known: last, whichever way.
    assert order("ordered") == order("-ordered") == [gift, tier]
    assert order("name") == order("-name")[::-1] == sorted([gift, tier])
    assert order("nonsense") == [gift, tier]


def test_one_message_from_sent_to_ordered(manager: Client) -> None:
    some_gifts(timezone.now())
    seen = page(manager, url("occasion_figures", "gift"))
    assert "shop.example/sale" in seen
    assert "Of 2 whose 7 days are over." in seen
    assert "Your mail provider has told of none." in seen
    assert "Opens are not counted." in seen
    assert seen.count("50%<") >= 2
    assert "E-mail · en · Ready-made" in seen
    shown = page(manager, url("occasion_figures", "gift") + "?days=7")
    assert "It was not told in these days" in shown
    assert "the last 30 days" in page(manager, url("occasion_figures", "gift") + "?days=13")
    assert manager.get(url("occasion_figures", "nothing")).status_code == 404
    assert url("occasion_figures", "gift") in page(manager, url("occasion", "gift"))


def test_a_journey_by_step_and_against_who_was_kept_aside(manager: Client) -> None:
    now, program = timezone.now(), make_program()
    journey = make_journey(program)
    publish_journey(journey=journey, actor=SYSTEM, now=now - 40 * DAY)
    led(journey, [reachable(f"c{number}", program) for number in range(3)], now - 20 * DAY)
    seen = page(manager, url("journey_figures", journey.public_id))
    assert "By step" in seen
    assert "1. Tell: Welcome" in seen
    assert "Too few to say anything yet" in seen
    assert url("journey_figures", journey.public_id) in page(
        manager, url("journey", journey.public_id)
    )
    overview = manager.get(url("figure_list")).context["journeys"]
    assert [row.name for row in overview] == [journey.name]
    rows = lines(manager, url("journey_figure_file", journey.public_id))
    sent = Delivery.objects.exclude(sent_at=None).count()
    for part in ("day", "way", "words", "step"):
        assert sum(int(row["sent"]) for row in rows if row["part"] == part) == sent > 0


def test_figures_as_files(manager: Client) -> None:
    some_gifts(timezone.now())
    rows = lines(manager, url("figure_file") + "?days=30")
    assert {(row["kind"], row["sent"], row["clicked"]) for row in rows} == {
        ("message", "2", "1"), ("message", "1", "0"),
    }  # fmt: skip
    rows = lines(manager, url("occasion_figure_file", "gift"))
    assert sum(row["part"] == "day" for row in rows) == 30
    assert [row["name"] for row in rows if row["part"] == "words"] == ["email en ready-made"]


def test_what_is_counted_is_settled_for_all_and_for_a_program(manager: Client) -> None:
    program = make_program()
    assert "Count who opens a mail" in page(manager, url("measuring"))
    said = {"track_opens": "on", "order_days": "14", f"{program.code}-days": "3"}
    assert manager.post(url("measuring"), said).status_code == 302
    policy, own = get_policy(), ProgramMeasuring.objects.get()
    assert (policy.track_clicks, policy.track_opens, policy.order_days) == (False, True, 14)
    assert (own.is_off, own.order_days) == (True, 3)
    manager.post(url("measuring"), said | {f"{program.code}-counted": "on",
                                           f"{program.code}-days": ""})  # fmt: skip
    assert not ProgramMeasuring.objects.exists()
    assert AuditEntry.objects.filter(action="messaging.measuring").count() == 2
    assert manager.post(url("measuring"), said | {"order_days": "91"}).status_code == 422


def test_who_may_only_look_reads_what_is_counted(sign_in: Any, client_of: Any) -> None:
    analyst = client_of("analyst")
    assert "Opens are counted" in page(analyst, url("measuring"))
    assert analyst.post(url("measuring"), {"order_days": "3"}).status_code == 403


def test_a_message_of_one_customer_says_what_was_followed(manager: Client) -> None:
    row = told(reachable("c1"), timezone.now())
    note_click(delivery=row.public_id, target="https://shop.example/sale", now=timezone.now())
    assert "shop.example/sale" in page(manager, url("delivery", row.public_id))
    customer = row.message.customer
    panel = page(manager, url("message_panel", customer.public_id))
    assert "E-mail: Clicked" in panel
    told_lately = list_timeline(customer)
    assert [(event.title, event.text) for event in told_lately if event.text] == [
        (f"Told: {row.subject}", "E-mail: clicked")
    ]


def test_the_overview_costs_as_many_queries_with_many_messages(manager: Client) -> None:
    now, counts = timezone.now(), []
    some_gifts(now)
    manager.get(url("figure_list"))
    for _time in range(2):
        with CaptureQueriesContext(connection) as queries:
            manager.get(url("figure_list"))
            manager.get(url("occasion_figures", "gift"))
        counts.append(len(queries))
        for number in range(8):
            tell(CustomerFactory(), str(number), code=("gift", "welcome")[number % 2])
        send()
    assert counts[0] == counts[1]


def test_the_demonstration_has_figures_made_once(manager: Client) -> None:
    program = make_program()
    for number in range(60):
        reachable(f"c{number}", program)
    show_messages(program)
    for _time in range(2):
        show_figures(program)
        clicks = list(DeliveryClick.objects.order_by("pk").values_list("pk", "first_at"))
    assert clicks
    found = figures_of_occasion("welcome", days=30, now=timezone.now())
    mails = found.by_channel["email"]
    assert mails.sent >= mails.delivered > mails.clicked > 0
    assert found.by_channel["inbox"].opened > 0
    show_figures(program)
    assert clicks == list(DeliveryClick.objects.order_by("pk").values_list("pk", "first_at"))


@pytest.fixture
def mailbox(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The development inbox: a mail server that keeps what it is sent."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    controller = Controller(Keeper(tmp_path), hostname="127.0.0.1", port=port)
    controller.start()
    yield tmp_path
    controller.stop()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_link_in_a_mail_of_the_development_inbox_is_followed_and_counted(
    page: Any, live_server: Any, sign_in: Any, mailbox: Path, settings: Settings,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    settings.SITE_URL = live_server.url
    set_policy(changes={"quiet_from": dt.time(0), "quiet_until": dt.time(0)}, actor=SYSTEM)
    set_policy(changes={"track_opens": True}, actor=SYSTEM)
    told(reachable("c1", make_program()), timezone.now(), link=f"{live_server.url}/programs/club/")
    [mail] = mailbox.glob("*.eml")
    letter = message_from_bytes(mail.read_bytes(), policy=default)
    html = letter.get_body(("html",))
    assert html is not None
    [link] = [
        unescape(found) for found in re.findall(r'<a\b[^>]*?href="([^"]+)"', html.get_content())
        if "/messages/go/" in found
    ]  # fmt: skip
    # The tests' browser says that nobody looks at it.
    agent = page.evaluate("navigator.userAgent").replace("Headless", "")
    page.set_extra_http_headers({"User-Agent": agent})
    page.goto(link)
    assert urlsplit(page.url).path == "/programs/club/"
    row = Delivery.objects.get()
    assert row.clicked_at == row.opened_at is not None
    sign_in("analyst")
    for address in (url("measuring"), url("figure_list")):
        page.goto(address)
        assert_no_axe_violations(page)
    page.get_by_role("link", name="Gift received").click()
    page.get_by_role("heading", name="From sent to ordered").wait_for()
    assert_no_axe_violations(page)
    expect(page.get_by_text("/programs/club/")).to_be_visible()
