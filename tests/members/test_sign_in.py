"""Signing in: customers with a code, staff with a password or a code, nobody by themselves."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from members.models import AuditEntry, Customer, OutboxEvent, StaffMember, User
from members.services.audit import SYSTEM
from members.services.customers import update_customer
from members.services.first_visit import first_visit_token
from members.services.sign_in import link_customer, provide_user
from tests.factories import PASSWORD, CustomerFactory, StaffMemberFactory, UserFactory

pytestmark = pytest.mark.django_db
Response = Any


@pytest.fixture
def ask_for_code(
    client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Callable[[str], Response]:
    def ask(email: str) -> Response:
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(reverse("account_request_login_code"), {"email": email})

    return ask


def code() -> str:
    found = re.search(r"^\s+([A-Z0-9]{3,6}-?[A-Z0-9]{3,6})$", mail.outbox[-1].body, re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def enter(client: Client, entered: str) -> Response:
    return client.post(reverse("account_confirm_login_code"), {"code": entered}, follow=True)


def test_a_customer_signs_in_with_a_code_and_is_linked(
    client: Client, ask_for_code: Callable[[str], Response]
) -> None:
    customer = CustomerFactory(email="anna@example.com", given_name="Anna", family_name="K")
    ask_for_code(" Anna@Example.com ")
    assert mail.outbox[0].to == ["anna@example.com"]
    # Asking for a code proves nothing yet.
    customer.refresh_from_db()
    assert customer.user is None

    response = enter(client, code())
    customer.refresh_from_db()
    assert customer.user is not None
    assert (customer.user.email, customer.user.name) == ("anna@example.com", "Anna K")
    assert not customer.user.has_usable_password()
    assert response.redirect_chain[-1][0] == reverse("mypage:home")
    assert AuditEntry.objects.get().action == "customer.signed_in_first"


def test_the_second_sign_in_links_nothing_anew(
    client: Client, ask_for_code: Callable[[str], Response]
) -> None:
    customer = CustomerFactory(with_user=True)
    ask_for_code(customer.email)
    enter(client, code())
    assert not AuditEntry.objects.exists()
    assert User.objects.count() == 1


def test_a_wrong_code_opens_nothing(
    client: Client, ask_for_code: Callable[[str], Response]
) -> None:
    customer = CustomerFactory()
    ask_for_code(customer.email)
    enter(client, "WRONG1")
    assert "_auth_user_id" not in client.session
    customer.refresh_from_db()
    assert customer.user is None


def test_after_three_wrong_codes_the_right_one_is_void(
    client: Client, ask_for_code: Callable[[str], Response]
) -> None:
    ask_for_code(CustomerFactory().email)
    for _ in range(3):
        enter(client, "WRONG1")
    enter(client, code())
    assert "_auth_user_id" not in client.session


def test_a_stranger_gets_the_same_answer_and_only_the_mailbox_learns_more(
    client: Client, ask_for_code: Callable[[str], Response]
) -> None:
    CustomerFactory(email="known@example.com")
    known = ask_for_code("known@example.com")
    known_page = client.get(known["Location"]).content.decode()
    client.logout()
    unknown = ask_for_code("other@example.com")
    unknown_page = client.get(unknown["Location"]).content.decode()

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert without_address(known_page) == without_address(unknown_page)
    assert not User.objects.filter(email="other@example.com").exists()
    assert "know nobody with this address" in mail.outbox[-1].body
    assert "signup" not in mail.outbox[-1].body


def without_address(page: str) -> str:
    page = re.sub(r"(known|other)@example\.com", "ADDRESS", page)
    page = re.sub(r'value="[A-Za-z0-9]{64}"', "TOKEN", page)
    return re.sub(r'"X-CSRFToken": "[^"]+"', "TOKEN", page)


def test_nothing_is_sent_from_inside_the_request(client: Client) -> None:
    customer = CustomerFactory()
    client.post(reverse("account_request_login_code"), {"email": customer.email})
    assert mail.outbox == []
    assert OutboxEvent.objects.filter(kind="mail.queued").count() == 1


def test_the_code_is_forgotten_once_it_is_sent(ask_for_code: Callable[[str], Response]) -> None:
    ask_for_code(CustomerFactory().email)
    assert OutboxEvent.objects.get(kind="mail.queued").payload == {}


def test_staff_sign_in_with_a_code_too_and_land_in_the_back_office(
    client: Client, ask_for_code: Callable[[str], Response]
) -> None:
    user = User.objects.create_user("noor@example.com", name="Noor")
    StaffMember.objects.create(user=user, role=StaffMember.Role.ANALYST)
    ask_for_code("noor@example.com")
    response = enter(client, code())
    assert response.redirect_chain[-1][0] == reverse("backoffice:home")


def sign_in(client: Client, email: str, password: str = PASSWORD) -> Response:
    data = {"login": email, "password": password}
    return client.post(reverse("account_login"), data, follow=True)


@pytest.mark.parametrize("page", ["login", "request_login_code", "reset_password"])
def test_an_address_is_asked_for_by_one_name_everywhere(client: Client, page: str) -> None:
    for language, label in (("en", "E-mail"), ("ms", "E-mel")):
        client.cookies["django_language"] = language
        shown = client.get(reverse(f"account_{page}")).content.decode()
        assert re.search(rf"<label[^>]*>\s*{label}", shown), language


@pytest.mark.parametrize(
    ("language", "mistake", "short"),
    [
        ("el", "Ο κωδικός δεν είναι σωστός.", "τουλάχιστον 8 χαρακτήρες"),
        ("ms", "Kod ini tidak betul.", "sekurang-kurangnya 8 aksara"),
        ("zh-hans", "验证码不正确。", "至少需要 8 个字符"),
        ("zh-hant", "驗證碼不正確。", "至少需要 8 個字元"),
    ],
)
def test_what_is_wrong_with_a_sign_in_is_said_in_every_language(
    client: Client, ask_for_code: Callable[[str], Response], language: str, mistake: str,
    short: str,
) -> None:  # fmt: skip
    customer = CustomerFactory()
    client.cookies["django_language"] = language
    ask_for_code(customer.email)
    assert mistake in enter(client, "no-code").content.decode()
    with translation.override(language), pytest.raises(ValidationError, match=short):
        MinimumLengthValidator(8).validate("short")


def test_staff_sign_in_with_a_password_and_land_in_the_back_office(client: Client) -> None:
    staff_member = StaffMemberFactory()
    response = sign_in(client, staff_member.user.email.upper())
    assert response.redirect_chain[-1][0] == reverse("backoffice:home")


def test_who_works_here_and_buys_here_lands_in_the_back_office(client: Client) -> None:
    staff_member = StaffMemberFactory()
    customer = CustomerFactory(email=staff_member.user.email)
    response = sign_in(client, staff_member.user.email)
    assert response.redirect_chain[-1][0] == reverse("backoffice:home")
    customer.refresh_from_db()
    assert customer.user == staff_member.user


def test_a_wrong_password_opens_nothing(client: Client) -> None:
    staff_member = StaffMemberFactory()
    sign_in(client, staff_member.user.email, "wrong")
    assert "_auth_user_id" not in client.session


def test_too_many_wrong_passwords_lock_the_sign_in_even_for_the_right_one(
    client: Client, settings: Settings
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
    staff_member = StaffMemberFactory()
    for _ in range(5):
        sign_in(client, staff_member.user.email, "wrong")
    response = sign_in(client, staff_member.user.email)
    assert "_auth_user_id" not in client.session
    assert "Too many failed login attempts" in response.content.decode()
    other = StaffMemberFactory()
    sign_in(client, other.user.email)
    assert "_auth_user_id" in client.session


def test_codes_are_not_sent_without_end(
    settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {}
    customer = CustomerFactory()
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(5):
            Client().post(reverse("account_request_login_code"), {"email": customer.email})
    assert len(mail.outbox) == 3


def test_who_asks_for_another_code_gets_one_and_the_first_is_void(
    client: Client,
    ask_for_code: Callable[[str], Response],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    customer = CustomerFactory()
    ask_for_code(customer.email)
    first = code()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("account_confirm_login_code"), {"action": "resend"})
    assert len(mail.outbox) == 2
    enter(client, first)
    assert "_auth_user_id" not in client.session
    enter(client, code())
    assert "_auth_user_id" in client.session


def test_somebody_who_may_not_sign_in_does_not(client: Client) -> None:
    staff_member = StaffMemberFactory()
    User.objects.update(is_active=False)
    sign_in(client, staff_member.user.email)
    assert "_auth_user_id" not in client.session


def test_nobody_signs_up(client: Client) -> None:
    data = {"email": "new@example.com", "password1": PASSWORD}
    response = client.post(reverse("account_signup"), data)
    assert not User.objects.exists()
    assert response.status_code in (200, 302)


def test_addresses_are_not_changed_by_their_owners(client: Client) -> None:
    client.force_login(UserFactory(), "django.contrib.auth.backends.ModelBackend")
    assert client.get("/accounts/email/").status_code == 404


def test_a_forgotten_password_is_replaced_by_mail(
    client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    staff_member = StaffMemberFactory()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("account_reset_password"), {"email": staff_member.user.email})
    link = re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", mail.outbox[0].body)
    assert link, mail.outbox[0].body
    form = client.get(link[1], follow=True)
    new = "quite-another-password"
    client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})
    client.logout()
    assert sign_in(client, staff_member.user.email, new).redirect_chain[-1][0] == reverse(
        "backoffice:home"
    )


def test_strangers_at_the_door_are_asked_for_their_address(client: Client) -> None:
    StaffMemberFactory()
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_request_login_code"))


def test_where_nobody_works_yet_the_door_says_how_to_begin(client: Client) -> None:
    said = client.get("/").content.decode()
    assert "The terminal in which Setia was started shows an address" in said
    assert first_visit_token() not in said


def test_customers_come_to_their_own_door_although_nobody_works_yet(client: Client) -> None:
    CustomerFactory()
    answer = client.get("/")
    assert answer["Location"].startswith(reverse("account_request_login_code"))


def test_what_was_sent_after_the_session_leads_back_to_its_page(client: Client) -> None:
    there, page = reverse("backoffice:segment_create"), reverse("backoffice:segment_list")
    entrance = reverse("account_login")
    for referer, place in (
        (f"http://testserver{page}?q=1", f"{page}%3Fq%3D1"),
        (f"http://elsewhere.example{page}", there),
    ):
        answer = client.post(there, headers={"referer": referer})
        assert answer["Location"] == f"{entrance}?next={place}"


def test_who_is_neither_staff_nor_customer_reads_why_there_is_nothing(client: Client) -> None:
    client.force_login(
        UserFactory(email="x@example.com"), "django.contrib.auth.backends.ModelBackend"
    )
    response = client.get("/")
    assert response.status_code == 403
    assert "x@example.com" in response.content.decode()


def test_who_becomes_a_customer_after_signing_in_gets_in(client: Client) -> None:
    user = UserFactory(email="x@example.com")
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    CustomerFactory(email="x@example.com")
    assert client.get("/").status_code == 302
    assert Customer.objects.get().user == user


def test_an_address_that_is_not_proved_is_linked_to_nobody() -> None:
    CustomerFactory(email="x@example.com")
    assert link_customer(UserFactory(email="x@example.com", verified=False)) is None


def test_a_customer_who_already_signs_in_is_not_given_to_another_user() -> None:
    customer = CustomerFactory(with_user=True)
    owner = customer.user
    Customer.objects.update(email="other@example.com")
    assert link_customer(UserFactory(email="other@example.com")) is None
    customer.refresh_from_db()
    assert customer.user == owner


def test_after_a_change_of_address_the_old_one_leads_nowhere(client: Client) -> None:
    customer = CustomerFactory(email="old@example.com", with_user=True)
    client.force_login(customer.user, "django.contrib.auth.backends.ModelBackend")
    update_customer(customer=customer, actor=SYSTEM, changes={"email": "new@example.com"})
    assert client.get("/").status_code == 403


def test_no_user_is_made_for_an_address_nobody_has() -> None:
    assert provide_user("nobody@example.com") is None
    assert provide_user("") is None
    assert not User.objects.exists()


def test_a_mail_comes_from_the_merchant(ask_for_code: Callable[[str], Response]) -> None:
    ask_for_code(CustomerFactory().email)
    assert mail.outbox[0].from_email.startswith("Setia <")
    assert re.search(r"is your sign-in code for Setia", mail.outbox[0].subject)
