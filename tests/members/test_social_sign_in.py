"""Signing in by an account elsewhere, against a server that really signs what it says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from cryptography.hazmat.primitives import serialization
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.models import AuditEntry, Customer, SignInProvider, User
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details, update_customer
from members.services.merging import merge_customers
from tests.elsewhere import ANNA, come_back, go_there, offer, sign_in, signed_in_as
from tests.factories import CustomerFactory, StaffMemberFactory, UserFactory
from tests.openid_server import FOREIGN, PUBLISHED, OpenIDServer, openid_server, signed

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[OpenIDServer]:
    with openid_server() as found:
        found.person = dict(ANNA)
        offer(found)
        yield found


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_a_customer_signs_in_and_is_known_again_whatever_their_address(
    client: Client, server: OpenIDServer
) -> None:
    anna = CustomerFactory(email="anna@example.com")
    server.person["email"] = "Anna@Example.com"
    answer = sign_in(client, server)
    assert answer.redirect_chain[-1][0] == reverse("mypage:home")
    anna.refresh_from_db()
    assert anna.user is not None
    assert signed_in_as(client) == anna.user.pk
    account = SocialAccount.objects.get()
    assert (account.user, account.provider, account.uid) == (anna.user, "acme", "1001")
    # Of all that is told, the address alone is kept, and no token at all.
    assert account.extra_data == {"email": "anna@example.com"}
    assert not SocialToken.objects.exists()
    assert not SocialApp.objects.exists()
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions[-2:] == ["customer.signed_in_first", "customer.sign_in_connected"]

    client.logout()
    server.person |= {"email": "other@example.com", "email_verified": False}
    sign_in(client, server)
    assert signed_in_as(client) == anna.user.pk
    assert SocialAccount.objects.count() == 1
    assert AuditEntry.objects.count() == len(actions)


@pytest.mark.parametrize("verified", [False, None, "false", 0, 1, "yes"])
def test_an_address_that_is_not_verified_there_opens_nothing(
    client: Client, server: OpenIDServer, verified: object
) -> None:
    CustomerFactory(email="anna@example.com")
    server.person["email_verified"] = verified
    if verified is None:
        del server.person["email_verified"]
    answer = sign_in(client, server)
    assert answer.status_code == 409
    assert "is not confirmed there" in text_of(answer)
    assert signed_in_as(client) is None
    assert not User.objects.exists()
    assert not SocialAccount.objects.exists()


def test_the_address_may_be_told_with_the_details_of_the_same_person_only(
    client: Client, server: OpenIDServer
) -> None:
    CustomerFactory(email="anna@example.com")
    server.person, server.told = {"sub": "1001"}, dict(ANNA, sub="1002")
    assert sign_in(client, server).status_code == 401
    assert signed_in_as(client) is None
    server.told = dict(ANNA)
    sign_in(client, server)
    assert signed_in_as(client) is not None


def changed(**values: object) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {
        name: value for name, value in (claims | values).items() if value is not None
    }


PUBLIC_PEM = PUBLISHED.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
HEADERS = {"kid": "key-1"}


def by_shared_secret(claims: dict[str, Any]) -> str:
    """Signed by the text of the public key, which everybody has."""
    import base64
    import hashlib
    import hmac
    import json

    def part(said: object) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=")

    head = part({"alg": "HS256", "typ": "JWT", "kid": "key-1"}) + b"." + part(claims)
    seal = hmac.new(PUBLIC_PEM, head, hashlib.sha256).digest()
    return (head + b"." + base64.urlsafe_b64encode(seal).rstrip(b"=")).decode()


def with_another_payload(claims: dict[str, Any]) -> str:
    head, _body, seal = signed(claims | {"sub": "9"}).split(".")
    return ".".join((head, signed(claims).split(".")[1], seal))


WRONG: dict[str, dict[str, Any]] = {
    "signed by another key": {"sign": lambda claims: signed(claims, FOREIGN)},
    "a signature of other words": {"sign": with_another_payload},
    "not signed": {
        "sign": lambda claims: jwt.encode(claims, None, algorithm="none", headers=HEADERS)
    },
    "signed by the public key": {"sign": by_shared_secret},
    "of a key that is not published": {
        "sign": lambda claims: jwt.encode(claims, FOREIGN, "RS256", headers={"kid": "key-2"})
    },
    "no token": {"sign": lambda claims: "nonsense"},
    "another sign-in's nonce": {"bend": changed(nonce="0" * 64)},
    "no nonce": {"bend": changed(nonce=None)},
    "for another shop": {"bend": changed(aud="shop-2")},
    "given to another shop": {"bend": changed(azp="shop-2")},
    "of another server": {"bend": changed(iss="https://accounts.google.com")},
    "expired": {"bend": changed(exp=int(time.time()) - 3600)},
    "of nobody": {"bend": changed(sub=None)},
    "of an endless number": {"bend": changed(sub="1" * 192)},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_token_that_is_wrong_opens_nothing(
    client: Client, server: OpenIDServer, name: str
) -> None:
    CustomerFactory(email="anna@example.com")
    for what, how in WRONG[name].items():
        setattr(server, what, how)
    answer = sign_in(client, server)
    assert answer.status_code == 401
    assert "That did not work" in text_of(answer)
    assert signed_in_as(client) is None
    assert not SocialAccount.objects.exists()


def test_who_does_not_agree_there_is_told_that_nothing_happened(
    client: Client, server: OpenIDServer
) -> None:
    CustomerFactory(email="anna@example.com")
    answer = come_back(client, server.deny(go_there(client)))
    assert answer.status_code == 200
    assert "You did not agree there" in text_of(answer)
    assert signed_in_as(client) is None


def test_an_answer_to_somebody_elses_question_opens_nothing(
    client: Client, server: OpenIDServer
) -> None:
    """A code that an attacker was given, put into the victim's browser."""
    CustomerFactory(email="anna@example.com")
    theirs = server.agree(go_there(Client()))
    assert come_back(client, theirs).status_code == 401
    go_there(client)
    assert come_back(client, theirs).status_code == 401
    assert signed_in_as(client) is None


def test_an_answer_counts_once(client: Client, server: OpenIDServer) -> None:
    CustomerFactory(email="anna@example.com")
    back = server.agree(go_there(client))
    come_back(client, back)
    client.logout()
    assert come_back(client, back).status_code == 401
    assert signed_in_as(client) is None


def test_one_servers_token_is_not_anothers(client: Client, server: OpenIDServer) -> None:
    """What was begun with one provider does not end with the other."""
    with openid_server() as other:
        other.person = dict(ANNA)
        offer(other, code="other", name="Other")
        back = other.agree(go_there(client, code="other"))
        assert come_back(client, back.replace("/with/other/", "/with/acme/")).status_code == 401
    assert signed_in_as(client) is None


@pytest.mark.parametrize("superuser", [True, False])
def test_staff_accounts_are_not_opened_by_it(
    client: Client, server: OpenIDServer, superuser: bool
) -> None:
    user = UserFactory(email="anna@example.com", is_superuser=superuser)
    if not superuser:
        StaffMemberFactory(user=user)
    CustomerFactory(email="anna@example.com", user=user)
    answer = sign_in(client, server)
    assert answer.status_code == 409
    assert "Staff sign in with their password" in text_of(answer)
    assert signed_in_as(client) is None
    # Neither is one connected by who has signed in, nor used by who has become staff since.
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    assert sign_in(client, server, process="connect").status_code == 409
    assert not SocialAccount.objects.exists()
    client.logout()
    SocialAccount.objects.create(user=user, provider="acme", uid="1001")
    assert sign_in(client, server).status_code == 409
    assert signed_in_as(client) is None


def test_the_second_factor_is_asked_for_all_the_same(client: Client, server: OpenIDServer) -> None:
    anna = CustomerFactory(email="anna@example.com", with_user=True)
    TOTP.activate(anna.user, "JBSWY3DPEHPK3PXP")
    answer = sign_in(client, server)
    assert answer.redirect_chain[-1][0] == reverse("mfa_authenticate")
    assert signed_in_as(client) is None


def test_of_a_stranger_nothing_is_kept(client: Client, server: OpenIDServer) -> None:
    answer = sign_in(client, server, next="/me/")
    assert answer.status_code == 404
    assert "We know nobody with the address anna@example.com" in text_of(answer)
    assert not User.objects.exists()
    assert not SocialAccount.objects.exists()


def test_after_a_change_of_address_the_account_is_known_by_the_new_one(
    client: Client, server: OpenIDServer
) -> None:
    anna = CustomerFactory(email="anna@example.com")
    sign_in(client, server)
    update_customer(customer=anna, actor=SYSTEM, changes={"email": "anna@new.example"})
    client.logout()
    assert sign_in(client, server).status_code == 404
    assert signed_in_as(client) is None
    server.person["email"] = "anna@new.example"
    sign_in(client, server)
    anna.refresh_from_db()
    assert anna.user is not None
    assert signed_in_as(client) == anna.user.pk
    assert SocialAccount.objects.get().user == anna.user


def test_the_account_of_a_merged_duplicate_opens_who_is_kept(
    client: Client, server: OpenIDServer
) -> None:
    duplicate, kept = CustomerFactory(email="anna@example.com"), CustomerFactory()
    sign_in(client, server)
    merge_customers(kept=kept, merged=duplicate, actor=SYSTEM, source="staff", now=timezone.now())
    client.logout()
    sign_in(client, server)
    assert kept.given_name in text_of(client.get(reverse("mypage:profile")))


def test_one_signs_in_elsewhere_connects_and_disconnects(
    client: Client, server: OpenIDServer
) -> None:
    anna = CustomerFactory(email="anna@example.com", with_user=True)
    client.force_login(anna.user, "django.contrib.auth.backends.ModelBackend")
    profile = reverse("mypage:profile")
    assert "Connect Acme" in text_of(client.get(profile))
    server.person |= {"email": "private@example.com", "email_verified": False}
    answer = sign_in(client, server, process="connect")
    assert answer.redirect_chain[-1][0] == profile
    assert "private@example.com" not in text_of(answer)
    account = SocialAccount.objects.get()
    assert "Disconnect" in text_of(answer)
    other = Client()
    sign_in(other, server)
    assert signed_in_as(other) == anna.user.pk
    # Nobody connects what is somebody else's, or disconnects it.
    ben = CustomerFactory(with_user=True)
    other.force_login(ben.user, "django.contrib.auth.backends.ModelBackend")
    assert sign_in(other, server, process="connect").status_code == 409
    path = reverse("social_disconnect", args=[account.pk])
    other.post(path)
    assert SocialAccount.objects.get().user == anna.user
    client.post(path)
    client.post(path)
    assert not SocialAccount.objects.exists()
    found = AuditEntry.objects.filter(action="customer.sign_in_disconnected")
    assert found.get().before == {"provider": "acme"}


def test_erasing_somebody_forgets_their_accounts_elsewhere(
    client: Client, server: OpenIDServer
) -> None:
    anna = CustomerFactory(email="anna@example.com")
    sign_in(client, server)
    anna.refresh_from_db()
    erase_customer_details(customer=anna, actor=SYSTEM)
    assert not SocialAccount.objects.exists()
    client.logout()
    assert sign_in(client, server).status_code == 404
    assert signed_in_as(client) is None


def test_a_provider_that_is_off_or_silent_takes_nobody_anywhere(
    client: Client, server: OpenIDServer
) -> None:
    path = reverse("social_begin", args=["acme"])
    SignInProvider.objects.update(is_on=False)
    assert client.post(path).status_code == 404
    assert client.get(reverse("social_done", args=["acme"])).status_code == 404
    assert "Acme" not in text_of(client.get(reverse("account_login")))
    SignInProvider.objects.update(is_on=True, issuer="http://127.0.0.1:9")
    answer = client.post(path)
    assert answer.status_code == 502
    assert "Acme does not answer" in text_of(answer)


def test_it_begins_with_a_form_of_ours_and_not_without_end(
    client: Client, server: OpenIDServer, settings: Any
) -> None:
    path = reverse("social_begin", args=["acme"])
    assert client.get(path).status_code == 405
    assert Client(enforce_csrf_checks=True).post(path).status_code == 403
    settings.ACCOUNT_RATE_LIMITS = {"social": "2/m/ip"}
    answers = [client.post(path).status_code for _ in range(3)]
    assert answers == [200, 200, 429]


def test_one_comes_back_to_where_one_was_and_nowhere_else(
    client: Client, server: OpenIDServer
) -> None:
    CustomerFactory(email="anna@example.com")
    answer = sign_in(client, server, next="/me/profile/")
    assert answer.redirect_chain[-1][0] == "/me/profile/"
    client.logout()
    answer = sign_in(client, server, next="https://evil.example/")
    assert all("evil" not in url for url, _status in answer.redirect_chain)


@pytest.mark.parametrize("path", ["3rdparty/", "3rdparty/signup/", "social/signup/"])
def test_the_librarys_own_pages_are_closed(client: Client, path: str) -> None:
    client.force_login(UserFactory(), "django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/accounts/{path}").status_code == 404


def test_the_policy_of_the_pages_is_as_it_was(client: Client, server: OpenIDServer) -> None:
    page = client.post(reverse("social_begin", args=["acme"]))
    policy = page["Content-Security-Policy"]
    assert "form-action 'self'" in policy
    assert "127.0.0.1" not in policy


def test_staff_see_by_what_a_customer_signs_in(client: Client, server: OpenIDServer) -> None:
    anna = CustomerFactory(email="anna@example.com")
    sign_in(Client(), server)
    client.force_login(StaffMemberFactory().user, "django.contrib.auth.backends.ModelBackend")
    shown = client.get(reverse("backoffice:customer_identity", args=[anna.public_id]))
    assert "Also signs in with" in text_of(shown)
    assert Customer.objects.count() == 1
