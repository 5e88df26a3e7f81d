"""Settings → Sign-in: where else customers may sign in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse

from members.errors import DomainError
from members.kept_secrets import revealed
from members.models import AuditEntry, SignInProvider, StaffMember
from members.services.audit import SYSTEM
from members.services.sign_in_providers import add_provider
from tests.elsewhere import ANNA, offer, sign_in, signed_in_as
from tests.factories import CustomerFactory, StaffMemberFactory
from tests.openid_server import CLIENT_ID, SECRET, OpenIDServer, openid_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[OpenIDServer]:
    with openid_server() as found:
        found.person = dict(ANNA)
        yield found


@pytest.fixture
def admin(client: Client) -> Client:
    user = StaffMemberFactory(role=StaffMember.Role.ADMINISTRATOR).user
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def filled(server: OpenIDServer, **values: str) -> dict[str, str]:
    return {
        "name": "Acme", "code": "acme", "issuer": server.url, "client_id": CLIENT_ID,
        "secret": SECRET, "is_on": "on",
    } | values  # fmt: skip


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_what_an_administrator_sets_up_customers_use_at_once(
    admin: Client, server: OpenIDServer
) -> None:
    shown = admin.post(reverse("backoffice:sign_in_provider_create"), filled(server), follow=True)
    assert "/accounts/with/acme/done/" in text_of(shown)
    assert SECRET not in text_of(shown)
    kept = SignInProvider.objects.get()
    assert SECRET.encode() not in bytes(kept.secret)
    assert revealed(kept.secret) == SECRET
    entry = AuditEntry.objects.get(action="sign_in_provider.added")
    assert SECRET not in str(entry.after)
    CustomerFactory(email="anna@example.com")
    other = Client()
    sign_in(other, server)
    assert signed_in_as(other) is not None
    listed = text_of(admin.get(reverse("backoffice:sign_in_provider_list")))
    assert "Acme" in listed
    assert ">1</td>" in listed


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"issuer": "http://accounts.example"}, "https://"),
        ({"issuer": "http://127.0.0.1:9"}, "No OpenID Connect server answers there"),
        ({"code": "Two words"}, "slug"),
        ({"secret": " "}, "required"),
        ({"client_id": ""}, "required"),
    ],
)
def test_what_does_not_work_is_said_beside_the_field(
    admin: Client, server: OpenIDServer, values: dict[str, str], words: str
) -> None:
    path = reverse("backoffice:sign_in_provider_create")
    answer = admin.post(path, filled(server, **values))
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not SignInProvider.objects.exists()


def test_without_a_secret_there_is_nothing_to_keep(db: None, server: OpenIDServer) -> None:
    with pytest.raises(DomainError):
        add_provider(
            actor=SYSTEM, code="acme", name="Acme", issuer=server.url, client_id="1", secret=" "
        )
    assert not SignInProvider.objects.exists()


def test_a_server_that_calls_itself_otherwise_is_not_believed(
    admin: Client, server: OpenIDServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lying = server.configuration() | {"issuer": "https://accounts.google.com"}
    monkeypatch.setattr(server, "configuration", lambda: lying)
    answer = admin.post(reverse("backoffice:sign_in_provider_create"), filled(server))
    assert answer.status_code == 422
    assert "calls itself otherwise" in text_of(answer)


def test_codes_are_there_once(admin: Client, server: OpenIDServer) -> None:
    offer(server)
    answer = admin.post(reverse("backoffice:sign_in_provider_create"), filled(server))
    assert answer.status_code == 422
    assert SignInProvider.objects.count() == 1


def test_it_is_changed_and_its_secret_stays_unless_another_is_written(
    admin: Client, server: OpenIDServer
) -> None:
    kept = offer(server)
    path = reverse("backoffice:sign_in_provider", args=["acme"])
    assert admin.get(path).status_code == 200
    admin.post(path, filled(server, name="Acme ID", secret=""))
    kept.refresh_from_db()
    assert (kept.name, revealed(kept.secret)) == ("Acme ID", SECRET)
    admin.post(path, filled(server, name="Acme ID", secret="another one"))
    kept.refresh_from_db()
    assert revealed(kept.secret) == "another one"
    entries = AuditEntry.objects.filter(action="sign_in_provider.changed")
    assert "another one" not in str([entry.after for entry in entries])
    assert entries.count() == 2


def test_removed_it_opens_nothing_and_forgets_whose_accounts_were_whose(
    admin: Client, server: OpenIDServer
) -> None:
    offer(server)
    CustomerFactory(email="anna@example.com")
    sign_in(Client(), server)
    path = reverse("backoffice:sign_in_provider_remove", args=["acme"])
    assert admin.post(path).status_code == 302
    assert not SocialAccount.objects.exists()
    assert not SignInProvider.objects.exists()
    assert Client().post(reverse("social_begin", args=["acme"])).status_code == 404


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_its_pages_read_well(
    page: Any,
    admin: Client,
    live_server: Any,
    server: OpenIDServer,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    session = admin.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(reverse("backoffice:sign_in_provider_list"))
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Add a provider").first.click()
    assert_no_axe_violations(page)
    for label, value in (
        ("Name", "Acme"), ("Code", "acme"), ("Issuer", server.url), ("Client ID", CLIENT_ID),
        ("Secret", SECRET),
    ):  # fmt: skip
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Redirect URI").wait_for()
    assert_no_axe_violations(page)
    page.goto(reverse("backoffice:sign_in_provider_list"))
    assert_no_axe_violations(page)
