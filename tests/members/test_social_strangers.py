"""Whoever tries to be somebody else by an account elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from requests import Response

from members.errors import DomainError
from members.kept_secrets import revealed
from members.models import AuditEntry, Customer
from members.openid import LONGEST, OpenIDError, discover
from members.services.audit import SYSTEM
from members.services.sign_in_providers import change_provider
from tests.elsewhere import ANNA, offer, sign_in, signed_in_as
from tests.factories import CustomerFactory
from tests.openid_server import SECRET, OpenIDServer, openid_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[OpenIDServer]:
    with openid_server() as found:
        found.person = dict(ANNA)
        yield found


@pytest.mark.parametrize("email", ["mi\u212aa@example.com", "m\u0131ka@example.com"])
def test_an_address_that_only_looks_the_same_in_capitals_is_somebody_elses(
    client: Client, server: OpenIDServer, email: str
) -> None:
    """The sign of Kelvin is k in lower case, and an i without its dot is I in upper case."""
    offer(server)
    mika = CustomerFactory(email="mika@example.com")
    server.person["email"] = "mika@example.com"
    sign_in(client, server)
    client.logout()
    server.person |= {"sub": "9", "email": email}
    CustomerFactory(email="m\u0131ka@example.com")
    assert sign_in(client, server).status_code == 409
    assert signed_in_as(client) is None
    assert list(SocialAccount.objects.values_list("uid", flat=True)) == ["1001"]
    assert Customer.objects.get(pk=mika.pk).user is not None


def test_another_issuer_knows_nobody_by_the_numbers_of_the_one_before(
    client: Client, server: OpenIDServer
) -> None:
    """Numbers of people are one server's: another one gives the same to somebody else."""
    kept = offer(server)
    CustomerFactory(email="anna@example.com")
    sign_in(client, server)
    client.logout()
    with openid_server() as another:
        change_provider(actor=SYSTEM, provider=kept, issuer=another.url, secret=SECRET)
        assert not SocialAccount.objects.exists()
        entry = AuditEntry.objects.filter(action="sign_in_provider.changed").get()
        assert (entry.after or {})["accounts_forgotten"] == 1
        another.person = {"sub": "1001", "email": "mallory@example.net", "email_verified": True}
        assert sign_in(client, another).status_code == 404
        assert signed_in_as(client) is None
        another.person = dict(ANNA, sub="7")
        sign_in(client, another)
        assert signed_in_as(client) is not None


def test_the_secret_of_one_issuer_is_sent_to_no_other(server: OpenIDServer) -> None:
    kept = offer(server)
    with openid_server() as another:
        with pytest.raises(DomainError) as caught:
            change_provider(actor=SYSTEM, provider=kept, issuer=another.url)
        assert [error.field for error in caught.value.errors] == ["secret"]
        kept.refresh_from_db()
        assert (kept.issuer, revealed(kept.secret)) == (server.url, SECRET)


def test_a_document_without_an_end_is_not_read_to_its_end(
    server: OpenIDServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = server.configuration() | {"more": "x" * (LONGEST + 1)}
    monkeypatch.setattr(server, "configuration", lambda: long)
    read: list[int] = []
    whole = Response.content.fget

    def content(response: Response) -> bytes:
        read.append(1)
        assert whole is not None
        return whole(response)

    monkeypatch.setattr(Response, "content", property(content))
    with pytest.raises(OpenIDError):
        discover(server.url)
    assert not read
