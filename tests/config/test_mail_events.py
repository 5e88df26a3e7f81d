"""Providers are listened to only if it can be checked who they are."""

import pytest

from config.mail_events import mail_event_urls


@pytest.mark.parametrize(
    ("provider", "keys", "listened"),
    [
        ("postmark", {"WEBHOOK_SECRET": "setia:long"}, True),
        ("postmark", {"WEBHOOK_SECRET": ""}, False),
        ("postmark", {"POSTMARK_SERVER_TOKEN": "x"}, False),
        ("", {"WEBHOOK_SECRET": "setia:long"}, False),
    ],
)
def test_without_a_secret_nobody_is_listened_to(
    provider: str, keys: dict[str, str], listened: bool
) -> None:
    assert bool(mail_event_urls(provider, keys)) == listened
