"""Which addresses of providers are taken, and what they hide."""

from email import charset

import pytest

from campaigns.provider_urls import check_provider, hint_of, names_for, provider_for
from members.errors import DomainError

FINE = {
    "sms": [
        f"twilio://AC{'a' * 32}:{'b' * 32}@+15005550006/{{to}}",
        f"vonage://{'a' * 8}:{'b' * 16}@15005550006/{{to}}",
        "jsons://user:secret@gateway.example/send?:to={to}&+X-Key=hidden",
        "forms://gateway.example/send?:to={to}",
    ],
    "whatsapp": [f"twilio://AC{'a' * 32}:{'b' * 32}@w%3A+15005550006/{{to}}"],
    "push": [f"pover://{'u' * 30}@{'a' * 30}/{{to}}", "json://127.0.0.1:8000/push?:to={to}"],
}


@pytest.mark.parametrize(("channel", "url"), [(key, url) for key in FINE for url in FINE[key]])
def test_these_are_taken(channel: str, url: str) -> None:
    assert check_provider(channel, f" {url} ") == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "without blanks"),
        ("mailto://a@b.example/{to}", "begins with one of"),
        ("syslog://localhost/{to}", "begins with one of"),
        (f"twilio://AC{'a' * 32}:{'b' * 32}@+15005550006/+60123456789", "Write {to}"),
        ("jsons://{to}/send", "Write {to}"),
        ("twilio://XX1:2@+15005550006/{to}", "Something is missing"),
        ("jsons://gateway.example/send?:to={to}&retry=3", "“retry”"),
        ("jsons://gateway.example/send?:to={to}&overflow=split", "“overflow”"),
        ("jsons://gateway.example/send?:to={to}&verify=no", "“verify”"),
        ("jsons://gateway.example/send?:to={to}&VERIFY=no", "“verify”"),
        ("jsons://gateway.example/send?:to={to}&%20Retry%20=3", "“retry”"),
        ("jsons://169.254.169.254/latest?:to={to}", "private network"),
        ("jsons://a@169.254.169.254@gateway.example/send?:to={to}", "private network"),
        ("jsons://a:b@169.254.169.254@gateway.example#/{to}", "private network"),
        (f"infobip://{'a' * 32}@169.254.169.254/{{to}}", "private network"),
        ("json://gateway.example/send?:to={to}", "https://"),
        ("jsons://{id}.gateway.example/send?:to={to}", "Write {id} only"),
        (f"twilio://AC{'a' * 32}:{'b' * 32}@+15005550006/{{to}}?from={{id}}", "Write {id} only"),
    ],
)
def test_these_are_refused(url: str, words: str) -> None:
    with pytest.raises(DomainError) as caught:
        check_provider("sms", url)
    assert words in str(caught.value.errors[0].message)
    assert caught.value.errors[0].field == "url"


def test_the_hint_has_no_keys() -> None:
    assert hint_of(FINE["sms"][0]) == "Twilio (twilio)"
    assert hint_of(FINE["sms"][2]) == "https://gateway.example/send"


@pytest.mark.parametrize("channel", list(FINE))
def test_all_that_are_named_are_known_to_apprise(channel: str) -> None:
    from apprise import Apprise

    known = {
        name
        for schema in Apprise().details()["schemas"]
        for names in (schema["protocols"], schema["secure_protocols"])
        for name in names or ()
    }
    assert set(names_for(channel)) <= known


def test_an_address_is_put_where_it_stands() -> None:
    made = provider_for(FINE["sms"][2], "+60 1&2=3/4")
    assert made is not None
    assert made.payload_extras == {"to": "+60 1&2=3/4"}


def test_mails_are_encoded_as_they_were_before_providers_were_asked() -> None:
    assert provider_for(FINE["sms"][2], "+60123456789")
    assert charset.CHARSETS["utf-8"] == (charset.SHORTEST, charset.BASE64, "utf-8")
