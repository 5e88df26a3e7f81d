"""Where staff and customers are signed in: they see it, are told of what is new, and end it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from members import devices
from members.account.sign_in_notes import MARK
from members.devices import device_of, device_words
from members.models import AuditEntry, Customer, SignIn, StaffMember, User
from members.services.audit import SYSTEM, Actor
from members.services.customers import erase_customer_details
from members.services.sign_ins import (
    end_sign_ins,
    note_sign_in,
    place_of,
    prune_sign_ins,
)
from tests.factories import PASSWORD, CustomerFactory, StaffMemberFactory

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0"
    " Safari/537.36"
)


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (FIREFOX, "Firefox on Windows"),
        (IPHONE, "Safari on iPhone"),
        (CHROME, "Chrome on Linux"),
        (f"{CHROME} Edg/139.0", "Edge on Linux"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown"),
    ],
)
def test_a_device_has_a_name(user_agent: str, device: str) -> None:
    assert device_of(user_agent) == device


# As a language would say it that names the system first.
OTHER = {
    "%(browser)s on %(system)s": "%(system)s, mit %(browser)s", "Unknown device": "Unbekanntes",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "words", "elsewhere"),
    [
        ("Firefox on Windows", "Firefox on Windows", "Windows, mit Firefox"),
        ("Samsung Internet on Android", "Samsung Internet on Android",
         "Android, mit Samsung Internet"),
        ("curl", "curl", "curl"),
        ("Unknown", "Unknown device", "Unbekanntes"),
    ],
)  # fmt: skip
def test_a_device_is_said_in_the_language_of_the_reader(
    kept: str, words: str, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert device_words(kept) == words
    monkeypatch.setattr(devices, "_", lambda text: OTHER[text])
    assert device_words(kept) == elsewhere


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.77", "203.0.113.…"),
        ("::ffff:203.0.113.77", "203.0.113.…"),
        ("2001:db8:1:2::9", "2001:0db8:0001:…"),
        (None, "?"),
        ("x", "?"),
    ],
)
def test_an_address_is_shortened(address: str | None, place: str) -> None:
    assert place_of(address) == place


@pytest.fixture
def ada() -> User:
    user = StaffMemberFactory(administrator=True, user__email="eda@example.com").user
    user.set_password(PASSWORD)
    user.save()
    return user


def signed_in(user: User, user_agent: str = FIREFOX, address: str = "203.0.113.7") -> Client:
    client = Client(headers={"User-Agent": user_agent}, REMOTE_ADDR=address)
    data = {"login": user.email, "password": PASSWORD}
    assert client.post(reverse("account_login"), data).status_code == 302
    return client


def listed(client: Client, name: str = "own_sign_ins", *args: int) -> list[tuple[str, bool]]:
    response = client.get(reverse(f"backoffice:{name}", args=args))
    return [(row.device, here) for row, here in response.context["rows"]]


def test_one_sees_where_one_is_signed_in(ada: User) -> None:
    at_work, on_phone = signed_in(ada), signed_in(ada, IPHONE, "198.51.100.4")
    assert listed(at_work) == [("Safari on iPhone", False), ("Firefox on Windows", True)]
    html = on_phone.get(reverse("backoffice:own_sign_ins")).content.decode()
    assert "203.0.113.…" in html
    assert "203.0.113.7" not in html


def test_one_ends_a_sign_in_and_all_others(ada: User) -> None:
    here, phone, train = signed_in(ada), signed_in(ada, IPHONE), signed_in(ada, CHROME)
    row = SignIn.objects.get(device="Safari on iPhone")
    here.post(reverse("backoffice:own_sign_in_end", args=[row.pk]))
    assert phone.get(reverse("backoffice:home")).status_code == 302
    assert train.get(reverse("backoffice:home")).status_code == 200
    here.post(reverse("backoffice:own_sign_ins_end"))
    assert train.get(reverse("backoffice:home")).status_code == 302
    assert listed(here) == [("Firefox on Windows", True)]
    ended = AuditEntry.objects.filter(action="staff.signed_out").order_by("pk")
    assert [entry.after["device"] for entry in ended if entry.after] == [
        "Safari on iPhone", "Chrome on Linux",
    ]  # fmt: skip


def test_of_a_colleague_only_an_administrator_ends_anything(ada: User) -> None:
    sam = StaffMemberFactory(user__email="sam@example.com")
    sam.user.set_password(PASSWORD)
    sam.user.save()
    sams, adas = signed_in(sam.user), signed_in(ada)
    of_ada = SignIn.objects.get(user=ada)
    assert sams.post(reverse("backoffice:own_sign_in_end", args=[of_ada.pk])).status_code == 404
    assert adas.get(reverse("backoffice:home")).status_code == 200
    assert listed(adas, "team_sign_ins", sam.pk) == [("Firefox on Windows", False)]
    adas.post(reverse("backoffice:team_sign_ins_end", args=[sam.pk]))
    assert sams.get(reverse("backoffice:home")).status_code == 302
    entry = AuditEntry.objects.get(action="staff.signed_out")
    assert (entry.actor, entry.target) == (ada, f"members.staffmember:{sam.pk}")


def test_signing_out_ends_it(ada: User) -> None:
    client = signed_in(ada)
    client.post(reverse("account_logout"))
    assert SignIn.objects.get().ended_at is not None


@pytest.fixture
def maya() -> Customer:
    customer: Customer = CustomerFactory(with_user=True, given_name="Maya")
    assert customer.user is not None
    customer.user.set_password(PASSWORD)
    customer.user.save()
    return customer


def own(client: Client) -> list[tuple[str, bool]]:
    response = client.get(reverse("mypage:sign_ins"))
    return [(row.device, here) for row, here in response.context["rows"]]


def test_a_customer_sees_where_they_are_signed_in_and_signs_out_there(
    maya: Customer, ada: User
) -> None:
    assert maya.user is not None
    phone, train, work = (signed_in(maya.user, agent) for agent in (IPHONE, CHROME, FIREFOX))
    found = [("Firefox on Windows", False), ("Chrome on Linux", False), ("Safari on iPhone", True)]
    assert own(phone) == found
    html = phone.get(reverse("mypage:sign_ins")).content.decode()
    assert "203.0.113.…" in html
    assert "203.0.113.7" not in html
    train_row = SignIn.objects.get(device="Chrome on Linux")
    signed_in(ada)
    for foreign in (SignIn.objects.get(user=ada).pk, 0):
        address = reverse("mypage:sign_in_end", args=[foreign])
        assert phone.post(address).status_code == 404
    phone.post(reverse("mypage:sign_in_end", args=[train_row.pk]))
    assert train.get(reverse("mypage:profile")).status_code == 302
    assert work.get(reverse("mypage:profile")).status_code == 200
    phone.post(reverse("mypage:sign_ins_end"))
    assert work.get(reverse("mypage:profile")).status_code == 302
    assert own(phone) == [("Safari on iPhone", True)]
    ended = AuditEntry.objects.filter(action="customer.signed_out").order_by("pk")
    assert [entry.after and entry.after["device"] for entry in ended] == [
        "Chrome on Linux", "Firefox on Windows",
    ]  # fmt: skip
    assert {entry.target for entry in ended} == {f"members.customer:{maya.public_id}"}


def test_a_customer_s_list_takes_as_many_queries_however_many_there_are(maya: Customer) -> None:
    assert maya.user is not None
    here = signed_in(maya.user)
    own(here)
    with CaptureQueriesContext(connection) as few:
        own(here)
    for agent in (IPHONE, CHROME, "curl/8.5.0"):
        signed_in(maya.user, agent)
    with CaptureQueriesContext(connection) as many:
        assert len(own(here)) == 4
    assert len(many) == len(few)


def test_erasing_forgets_where_they_were_and_signs_them_out(maya: Customer) -> None:
    assert maya.user is not None
    phone = signed_in(maya.user)
    erase_customer_details(customer=maya, actor=SYSTEM)
    assert not SignIn.objects.exists()
    assert phone.get(reverse("mypage:profile")).status_code == 302


def test_a_customer_is_told_of_a_new_device_and_not_of_a_new_place(
    maya: Customer, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    capture, user = django_capture_on_commit_callbacks, maya.user
    assert user is not None
    assert told(capture, user, IPHONE, "203.0.113.7") == []
    assert told(capture, user, IPHONE, "198.51.100.4") == []
    [new] = told(capture, user, FIREFOX, "203.0.113.7")
    assert mail.outbox[0].to == [user.email]
    assert "Firefox on Windows" in new
    assert reverse("mypage:sign_ins") in new
    assert "back-office" not in new
    assert told(capture, user, FIREFOX, "203.0.113.7") == []


def told(
    capture: DjangoCaptureOnCommitCallbacks, user: User, user_agent: str, address: str
) -> list[str]:
    mail.outbox.clear()
    with capture(execute=True):
        signed_in(user, user_agent, address)
    bodies = [message.body for message in mail.outbox]
    # It is text: what pages mark up would be read as it stands.
    assert not any("<" in body for body in bodies)
    return bodies


def test_a_new_device_or_place_is_told_by_mail(
    ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    capture = django_capture_on_commit_callbacks
    assert told(capture, ada, FIREFOX, "203.0.113.7") == []
    assert told(capture, ada, FIREFOX, "203.0.113.99") == []
    [phone] = told(capture, ada, IPHONE, "203.0.113.7")
    assert "Safari on iPhone" in phone
    assert reverse("backoffice:own_sign_ins") in phone
    [away] = told(capture, ada, FIREFOX, "198.51.100.4")
    assert "198.51.100.…" in away
    assert told(capture, ada, IPHONE, "198.51.100.9") == []
    assert mail.outbox == []


def test_pages_and_mails_say_a_device_in_words_and_it_stays_known(
    ada: User, maya: Customer, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:  # fmt: skip
    monkeypatch.setattr(devices, "_", lambda text: OTHER[text])
    assert maya.user is not None
    for user, page in ((ada, "backoffice:own_sign_ins"), (maya.user, "mypage:sign_ins")):
        phone = signed_in(user, IPHONE)
        [mailed] = told(django_capture_on_commit_callbacks, user, FIREFOX, "203.0.113.7")
        assert "Windows, mit Firefox" in mailed
        assert told(django_capture_on_commit_callbacks, user, FIREFOX, "203.0.113.7") == []
        html = phone.get(reverse(page)).content.decode()
        assert "Windows, mit Firefox" in html
        assert "Firefox on Windows" not in html


def test_what_was_long_ago_is_forgotten_and_new_again(ada: User, actor: Actor) -> None:
    now = timezone.now()
    old = note_sign_in(user=ada, session_key="a", user_agent=FIREFOX, address=None, now=now)
    assert prune_sign_ins(now=now + timedelta(days=179)) == 0
    assert prune_sign_ins(now=now + timedelta(days=181)) == 1
    assert not SignIn.objects.filter(pk=old.pk).exists()


def test_ending_twice_ends_once(ada: User, actor: Actor) -> None:
    now = timezone.now()
    row = note_sign_in(user=ada, session_key="a", user_agent=FIREFOX, address=None, now=now)
    assert end_sign_ins(actor=actor, sign_ins=[row], now=now) == 1
    assert end_sign_ins(actor=actor, sign_ins=[row], now=now) == 0
    assert AuditEntry.objects.filter(action="staff.signed_out").count() == 1


def test_use_is_noted_every_few_minutes_and_with_a_new_session_key(
    ada: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(ada)
    row = SignIn.objects.get()
    SignIn.objects.update(last_seen_at=row.signed_in_at - timedelta(hours=1))
    client.get(reverse("backoffice:home"))
    row.refresh_from_db()
    assert row.last_seen_at < row.signed_in_at
    session = client.session
    pk, key, _seen = session[MARK]
    session[MARK] = [pk, "former", 0.0]
    session.save()
    SignIn.objects.update(session_key="former")
    client.get(reverse("backoffice:home"))
    row.refresh_from_db()
    assert row.last_seen_at >= row.signed_in_at
    assert row.session_key == key


def test_somebody_who_left_is_not_among_the_staff(ada: User) -> None:
    client = signed_in(ada)
    StaffMember.objects.all().delete()
    assert client.get(reverse("backoffice:own_sign_ins")).status_code == 403
