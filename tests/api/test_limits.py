"""How many requests a key may make in a minute."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import override_settings

from members.api import throttling
from members.api.throttling import forget_windows, take
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem

NOWHERE = "unix:///nowhere/valkey.sock"


@pytest.fixture(autouse=True)
def _one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still, so that no minute ends within a test."""
    monkeypatch.setattr(throttling.time, "time", lambda: 1_800_000_015.0)


@override_settings(API_REQUESTS_PER_MINUTE=3)
def test_the_limit_is_told_and_kept(api: ApiClient) -> None:
    left = [api.get("/customers")["RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    response = api.get("/customers")
    assert_problem(response, 429, "rate_limited")
    assert response["RateLimit-Limit"] == "3"
    assert response["RateLimit-Remaining"] == "0"
    assert response["RateLimit-Reset"] == response["Retry-After"] == "45"


@override_settings(API_REQUESTS_PER_MINUTE=1)
def test_each_key_has_its_own(api: ApiClient) -> None:
    _key, secret = create_api_key(actor=SYSTEM, name="other", scopes=["customers:read"])
    api.get("/customers")
    assert api.get("/customers").status_code == 429
    assert ApiClient(secret).get("/customers").status_code == 200


@override_settings(API_REQUESTS_PER_MINUTE=1)
def test_the_next_minute_begins_anew(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    api.get("/customers")
    assert api.get("/customers").status_code == 429
    monkeypatch.setattr(throttling.time, "time", lambda: 1_800_000_060.0)
    assert api.get("/customers").status_code == 200


@override_settings(API_REQUESTS_PER_MINUTE=1000)
def test_processes_share_the_limit_and_ask_seldom() -> None:
    granted = 0
    for _process in range(3):
        forget_windows()
        for _request in range(600):
            allowance = take(4711)
            assert allowance is not None
            granted += allowance.granted
    assert granted == 1000


@override_settings(API_REQUESTS_PER_MINUTE=0)
def test_no_limit_says_nothing(api: ApiClient) -> None:
    assert "RateLimit-Limit" not in api.get("/customers")


@override_settings(API_REQUESTS_PER_MINUTE=1)
def test_without_valkey_nobody_is_stopped(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.CACHES["default"], "LOCATION", NOWHERE)
    assert [api.get("/customers").status_code for _ in range(3)] == [200] * 3
    assert "RateLimit-Limit" not in api.get("/customers")
