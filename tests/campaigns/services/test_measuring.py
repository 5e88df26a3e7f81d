"""What is counted of mails: links followed and mails opened, only where it may be, each once."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.automatic_readers import fetches_everything, is_automatic
from campaigns.click_links import (
    LONGEST,
    click_url,
    open_url,
    place_of,
    read_click_token,
    read_open_token,
    with_counted_links,
    with_pixel,
)
from campaigns.models import Consent, Delivery, DeliveryClick, ProgramMeasuring
from campaigns.selectors.consents import all_choices_of, choices_of
from campaigns.services.consents import set_consents
from campaigns.services.measuring import note_click, note_open, prune_clicks
from campaigns.services.policies import set_policy
from campaigns.tasks import prune_clicks as prune_task
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.merging import merge_customers
from tests.campaigns.factories import send, tell, write
from tests.factories import CustomerFactory
from tests.rewards.factories import make_member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
READER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}
SITE = "http://localhost:8000"
BODY = """<mj-section><mj-column><mj-text>Mine: {{ gift }}
<a href="https://shop.example/sale?a=1&amp;b=2">Sale</a></mj-text>
<mj-button href="{{ link }}">See it</mj-button></mj-column></mj-section>"""


def sent(customer: Customer | None = None, **how: str) -> Delivery:
    tell(customer or CustomerFactory(email="ana@example.com"), **how)
    send()
    return Delivery.objects.latest("pk")


def html_of(number: int = -1) -> str:
    message = mail.outbox[number]
    assert isinstance(message, EmailMultiAlternatives)
    return str(message.alternatives[0][0])


def links_in(html: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'<a\b[^>]*?href="([^"]+)"', html)]


def counted_in(html: str) -> list[str]:
    return [link for link in links_in(html) if "/messages/go/" in link]


def path_of(link: str) -> str:
    return urlsplit(link).path


def follow(link: str, **headers: str) -> str:
    """As a mail program does, without cookies; where it leads."""
    client = Client(enforce_csrf_checks=True)
    answer = client.get(path_of(link), headers={**READER, **headers})
    assert answer.status_code == 302
    assert not answer.cookies
    return answer["Location"]


def says(customer: Customer, *, yes: bool) -> None:
    set_consents(
        customer=customer, wanted={("email", "tracking"): yes}, source="account", actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip


def test_links_lead_over_ours_and_those_that_decline_do_not() -> None:
    write("gift", "For you", BODY, channel="email")
    row = sent()
    html = html_of()
    targets = [link.target for link in map(read_click_token, tokens(html)) if link]
    assert targets[0] == "https://shop.example/sale?a=1&b=2"
    assert len(targets) == 2
    others = [link for link in links_in(html) if "/messages/go/" not in link]
    assert others
    assert all("/messages/stop/" in link or "/choices/" in link for link in others)
    assert "/messages/seen/" not in html
    # Whoever reads the plain text sees where they go.
    assert "https://shop.example/sale?a=1&b=2" in str(mail.outbox[-1].body)
    assert "/messages/go/" not in str(mail.outbox[-1].body)
    assert (row.counts_clicks, row.counts_opens) == (True, False)


def tokens(html: str) -> list[str]:
    return [link.split("/messages/go/")[1].rstrip("/") for link in counted_in(html)]


def test_following_one_leads_on_and_is_counted_once_for_a_message_and_a_link() -> None:
    write("gift", "For you", BODY, channel="email")
    row = sent()
    sale, own = counted_in(html_of())
    assert follow(sale) == "https://shop.example/sale?a=1&b=2"
    row.refresh_from_db()
    first = row.clicked_at
    assert first is not None
    follow(sale)
    follow(own)
    row.refresh_from_db()
    assert row.clicked_at == first
    assert list(DeliveryClick.objects.order_by("pk").values_list("link", "count")) == [
        ("shop.example/sale", 2), (place_of(row.message.values["link"]), 1),
    ]  # fmt: skip
    # Nothing says that it was opened where opening is not counted.
    assert row.opened_at is None


def test_a_link_leads_nowhere_else() -> None:
    row = sent()
    good = click_url(row.public_id, "https://shop.example/")
    for bad in (f"{good[:-2]}x/", f"{SITE}/messages/go/nonsense/",
                good.replace("/go/", "/stop/")):  # fmt: skip
        answer = Client().get(path_of(bad), headers=READER)
        assert answer.status_code == 404
        assert "Location" not in answer
    # What is signed for one thing opens no other.
    token = open_url(row.public_id).split("/seen/")[1].removesuffix(".gif")
    assert read_click_token(token) is None
    assert read_open_token(good.split("/go/")[1].rstrip("/")) is None
    assert read_open_token(token) == row.public_id


def test_a_link_of_a_message_that_is_not_there_leads_on_uncounted() -> None:
    assert follow(click_url(uuid4(), "https://shop.example/")) == "https://shop.example/"
    assert not DeliveryClick.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": ""}, {"User-Agent": "Barracuda Sentinel"}, {"Sec-Purpose": "prefetch"},
        {"User-Agent": "Googlebot/2.1"}, {"User-Agent": "curl/8.1"}, {"Purpose": "prefetch"},
    ],
)  # fmt: skip
def test_programs_that_look_at_links_are_led_on_and_not_counted(headers: dict[str, str]) -> None:
    sent()
    assert follow(counted_in(html_of())[0], **headers)
    assert not DeliveryClick.objects.exists()
    assert Delivery.objects.get().clicked_at is None


def test_looking_at_the_head_alone_is_not_counted() -> None:
    sent()
    answer = Client().head(path_of(counted_in(html_of())[0]), headers=READER)
    assert answer.status_code == 302
    assert Client().post(path_of(counted_in(html_of())[0]), headers=READER).status_code == 405
    assert Delivery.objects.get().clicked_at is None


def test_opening_is_counted_only_when_it_is_switched_on() -> None:
    set_policy(changes={"track_opens": True}, actor=SYSTEM)
    row = sent()
    [dot] = re.findall(r'<img src="([^"]+/messages/seen/[^"]+)"', html_of())
    for agent in ("Mozilla/5.0", ""):
        answer = Client().get(path_of(dot), headers={"User-Agent": agent})
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/gif")
    assert Delivery.objects.get().opened_at is None
    for _time in range(2):
        answer = Client().get(path_of(dot), headers=READER)
        assert answer.content.startswith(b"GIF89a")
        assert "no-store" in answer["Cache-Control"]
        assert not answer.cookies
    assert Delivery.objects.get().opened_at is not None
    assert Client().get("/messages/seen/nonsense.gif").status_code == 200
    row.refresh_from_db()
    assert row.clicked_at is None


def test_who_follows_a_link_has_opened_it() -> None:
    set_policy(changes={"track_opens": True}, actor=SYSTEM)
    sent()
    follow(counted_in(html_of())[0])
    row = Delivery.objects.get()
    assert row.opened_at == row.clicked_at is not None


def test_nothing_is_counted_where_the_policy_says_so() -> None:
    set_policy(changes={"track_clicks": False}, actor=SYSTEM)
    row = sent()
    assert counted_in(html_of()) == []
    assert not row.counts_clicks
    note_click(delivery=row.public_id, target=SITE, now=timezone.now())
    note_open(delivery=row.public_id, now=timezone.now())
    row.refresh_from_db()
    assert (row.clicked_at, row.opened_at) == (None, None)


def test_nothing_is_counted_of_a_program_that_is_left_out() -> None:
    member = make_member(0, "c1")
    Customer.objects.filter(pk=member.customer_id).update(email="c1@example.com")
    member.customer.refresh_from_db()
    ProgramMeasuring.objects.create(program=member.program, is_off=True)
    tell(member.customer, membership=member)
    tell(member.customer, "two")
    send()
    flags = Delivery.objects.order_by("pk").values_list("counts_clicks", flat=True)
    assert list(flags) == [False, True]


def test_who_says_no_is_not_counted_also_not_by_what_was_sent_before() -> None:
    ana = CustomerFactory(email="ana@example.com")
    sent(ana)
    before = counted_in(html_of())[0]
    says(ana, yes=False)
    follow(before)
    sent(ana, occurrence="two")
    assert counted_in(html_of()) == []
    assert not Delivery.objects.exclude(clicked_at=None).exists()
    # They are told all the same.
    assert all(choice.wanted for choice in choices_of(ana) if choice.topic.code == "points")


def test_with_a_yes_alone_where_the_merchant_asks_for_one() -> None:
    set_policy(changes={"tracking_asks": True}, actor=SYSTEM)
    ana = CustomerFactory(email="ana@example.com")
    assert not sent(ana).counts_clicks
    says(ana, yes=True)
    # It is about nobody's address, so no mail confirms it.
    assert Consent.objects.get().state == "granted"
    assert sent(ana, occurrence="two").counts_clicks


def test_it_is_a_choice_beside_the_others_while_something_is_counted() -> None:
    ana = CustomerFactory(email="ana@example.com")
    assert [choice.topic.code for choice in all_choices_of(ana)][-1] == "tracking"
    set_policy(changes={"track_clicks": False}, actor=SYSTEM)
    assert all_choices_of(ana) == choices_of(ana)


def test_staff_and_members_note_it_on_the_forms_that_show_it(agent: Client) -> None:
    ana = CustomerFactory(with_user=True)
    form = reverse("messages_backoffice:consents", args=[ana.public_id])
    assert re.search(r'type="hidden" name="counted" value="True"', agent.get(form).content.decode())
    agent.post(form, {"email-points": "on", "counted": "True"})
    assert Consent.objects.get().state == "denied"
    own = Client()
    own.force_login(ana.user, "django.contrib.auth.backends.ModelBackend")
    page = reverse("messages_account:choices")
    assert 'name="email-tracking"' in own.get(page).content.decode()
    own.post(page, {"email-points": "on", "email-tracking": "on", "counted": "shown"})
    assert Consent.objects.get().state == "granted"
    own.post(page, {"email-points": "on"})
    assert Consent.objects.get().state == "granted"


def test_of_two_who_are_merged_a_no_counts_for_both() -> None:
    kept, merged = CustomerFactory(email="ana@example.com"), CustomerFactory(email="b@example.com")
    says(kept, yes=True)
    says(merged, yes=False)
    merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="staff", now=timezone.now())
    assert not sent(kept).counts_clicks


def test_the_mail_that_confirms_an_address_is_not_counted() -> None:
    ana = CustomerFactory(email="ana@example.com")
    set_consents(
        customer=ana, wanted={("email", "offers"): True}, source="account",
        actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    send()
    assert "/messages/confirm/" in html_of()
    assert counted_in(html_of()) == []


def test_erasing_somebody_forgets_what_they_followed() -> None:
    set_policy(changes={"track_opens": True}, actor=SYSTEM)
    ana, bob = CustomerFactory(email="ana@example.com"), CustomerFactory(email="bob@example.com")
    for one in (ana, bob):
        sent(one, occurrence=one.email)
        follow(counted_in(html_of())[0])
    link = counted_in(html_of(0))[0]
    for _time in range(2):
        erase_customer_details(customer=ana, actor=SYSTEM)
    follow(link)
    rows = Delivery.objects.order_by("pk").values_list("clicked_at", "opened_at", "counts_clicks")
    assert rows[0] == (None, None, False)
    assert None not in rows[1]
    assert DeliveryClick.objects.get().delivery.message.customer == bob


def test_which_links_were_followed_is_forgotten_in_time() -> None:
    row, now = sent(), timezone.now()
    note_click(delivery=row.public_id, target=SITE, now=now - dt.timedelta(days=91))
    note_click(delivery=row.public_id, target=f"{SITE}/new", now=now)
    assert prune_clicks(now=now) == 1
    assert prune_task() == 0
    assert DeliveryClick.objects.get().link == "/new"
    row.refresh_from_db()
    assert row.clicked_at is not None


def test_what_was_not_to_be_counted_cannot_be_written() -> None:
    set_policy(changes={"track_clicks": False}, actor=SYSTEM)
    sent()
    for name in ("clicked_at", "opened_at"):
        with pytest.raises(IntegrityError, match="counts_what_it_may"), transaction.atomic():
            Delivery.objects.update(**{name: timezone.now()})


def test_a_mail_that_is_sent_again_keeps_what_was_counted() -> None:
    row = sent()
    follow(counted_in(html_of())[0])
    set_policy(changes={"track_clicks": False}, actor=SYSTEM)
    Delivery.objects.filter(pk=row.pk).update(state="failed", reason="x")
    Delivery.objects.filter(pk=row.pk).update(
        state="queued", sent_at=None, available_at=timezone.now()
    )  # fmt: skip
    send()
    row.refresh_from_db()
    assert (row.state, row.counts_clicks, row.clicked_at is not None) == ("sent", True, True)


@pytest.mark.parametrize(
    ("target", "place"),
    [
        (f"{SITE}/me/7f1f0a4e-0000-4000-8000-000000000000/rewards/", "/me/…/rewards/"),
        (f"{SITE}?secret=1", "/"),
        ("https://shop.example/p/coffee?to=ana@example.com#x", "shop.example/p/coffee"),
        ("https://shop.example/orders/123456", "shop.example/orders/…"),
        (f"{SITE}/surveys/{'a' * 30}:x/", "/surveys/…/"),
    ],
)
def test_a_place_says_nothing_of_who_went_there(target: str, place: str) -> None:
    assert place_of(target) == place


def test_what_is_no_link_to_the_web_or_too_long_stays() -> None:
    long = f"https://x.example/{'a' * LONGEST}"
    html = (
        f'<a href="mailto:a@b.c">m</a><a href="tel:1">t</a><a href="{long}">l</a><img src="{SITE}">'
    )
    assert with_counted_links(html, uuid4()) == html
    assert with_pixel("<p>x</p>", uuid4()).startswith("<p>x</p><img")


def test_who_reads_for_nobody() -> None:
    assert not is_automatic(READER)
    assert not fetches_everything({"User-Agent": "GoogleImageProxy (via ggpht.com)"})
    assert fetches_everything({"User-Agent": "Mozilla/5.0"})
    assert not is_automatic({"User-Agent": "Mozilla/5.0"})
