"""What a forum asks is answered only if it was the forum who asked."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.discourse import (
    Person,
    RequestRefusedError,
    answer_url,
    leads_back,
    read_request,
    signature,
    signed,
    unpacked,
)
from tests.campaigns.community import SECRET, asked, told_in

HOME = "https://forum.example"


def query(text: str) -> tuple[str, str]:
    found = parse_qs(text)
    return found["sso"][0], found["sig"][0]


def test_the_example_of_the_protocols_own_documents() -> None:
    """Secret, payload and signature are those that Discourse publishes."""
    payload = "bm9uY2U9Y2I2ODI1MWVlZmI1MjExZTU4YzAwZmYxMzk1ZjBjMGI="
    assert signature("d836444a9e4084d5b224a60c208dce14", payload) == (
        "1ce1494f94484b6f6a092be9b15ccc1cdafb1f8460a3838fbb0e0883c4390471"
    )
    assert unpacked(payload) == {"nonce": "cb68251eefb5211e58c00ff1395f0c0b"}


def test_a_request_of_the_forum_is_read() -> None:
    found = read_request(HOME, SECRET, *query(asked(nonce="abc")))
    assert (found.nonce, found.return_url) == ("abc", f"{HOME}/session/sso_login")
    below = f"{HOME}/talk"
    assert read_request(below, SECRET, *query(asked(below))).return_url.startswith(below)


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/session/sso_login", "http://forum.example/session/sso_login",
        "https://forum.example:8443/session/sso_login", "https://forum.example.evil/session/sso_login",
        "https://forum.example@evil.example/session/sso_login", "//evil.example/session/sso_login",
        "https://user@forum.example/session/sso_login", "https://forum.example/elsewhere",
        "https://forum.example/session/sso_login/../x", "https://forum.example\\@evil.example/",
        "https://forum.example/session/sso_login?next=//evil", "javascript:alert(1)",
        "https://forum.example/session/sso_login#x", "https://forum.example:x/session/sso_login",
        "https://evil.example\t/session/sso_login", "/session/sso_login",
    ],
)  # fmt: skip
def test_nobody_is_sent_to_where_the_forum_is_not(back: str) -> None:
    assert not leads_back(HOME, back)
    with pytest.raises(RequestRefusedError) as caught:
        read_request(HOME, SECRET, *query(asked(back=back)))
    assert caught.value.code == "foreign_return"


@pytest.mark.parametrize("secret", ["another secret of somebody", ""])
def test_who_signs_with_another_secret_is_refused(secret: str) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        read_request(HOME, SECRET, *query(asked(secret=secret)))
    assert caught.value.code == "bad_signature"


@pytest.mark.parametrize(
    "payload",
    ["", "####", base64.b64encode(b"\xff\xfe").decode(), base64.b64encode(b"x").decode(),
     base64.b64encode(urlencode({"return_sso_url": f"{HOME}/session/sso_login"}).encode()).decode(),
     "A" * 5000],
)  # fmt: skip
def test_what_is_signed_and_says_nothing_is_refused(payload: str) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        read_request(HOME, SECRET, payload, signature(SECRET, payload))
    assert caught.value.code == "malformed"


@given(st.text(max_size=60), st.text(max_size=80))
def test_nothing_that_anybody_sends_does_more_than_be_refused(sso: str, sig: str) -> None:
    with pytest.raises(RequestRefusedError):
        read_request(HOME, SECRET, sso, sig)


@given(st.dictionaries(st.sampled_from("abcdef"), st.text(min_size=1, max_size=20), min_size=1))
def test_what_is_signed_is_read_again(fields: dict[str, str]) -> None:
    found = signed(SECRET, fields)
    assert found["sig"] == signature(SECRET, found["sso"])
    assert unpacked(found["sso"]) == fields


def test_the_answer_says_who_it_is_and_never_who_runs_the_forum() -> None:
    request = read_request(HOME, SECRET, *query(asked(nonce="abc")))
    person = Person(
        "e1", "mia@example.org", email_verified=False, username="Mia.K", title="Gold",
        add_groups=["gold-members"], remove_groups=["basic-members", "silver-members"],
    )  # fmt: skip
    location = answer_url(request, SECRET, person)
    assert location.startswith(f"{HOME}/session/sso_login?")
    assert told_in(location) == {
        "nonce": "abc", "external_id": "e1", "email": "mia@example.org", "username": "Mia.K",
        "name": "Mia.K", "require_activation": "true", "title": "Gold",
        "add_groups": "gold-members", "remove_groups": "basic-members,silver-members",
    }  # fmt: skip
