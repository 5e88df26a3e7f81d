"""Keys are shown once, kept as a fingerprint, and checked without asking the database each time."""

import hashlib
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from members.errors import ConflictError, DomainError
from members.models import ApiKey, AuditEntry
from members.services import api_keys
from members.services.api_keys import (
    SCOPES,
    authenticate_api_key,
    create_api_key,
    forget_cached_keys,
    revoke_api_key,
    rotate_api_key,
)
from members.services.audit import Actor
from tests.factories import ApiKeyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the cache; add seconds to its only item."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_key_is_shown_once_and_kept_as_a_fingerprint(actor: Actor) -> None:
    key, presented = create_api_key(actor=actor, name=" Web shop ", scopes=["orders:write"])
    brand, prefix, secret = presented.split("_", 2)
    assert (brand, prefix) == ("setia", key.prefix)
    assert len(secret) == 43
    assert bytes(key.key_hash) == hashlib.sha256(secret.encode()).digest()
    assert key.name == "Web shop"
    assert key.created_by == actor.user
    entry = AuditEntry.objects.get()
    assert entry.action == "api_key.created"
    assert secret not in str(entry.after)


def test_two_keys_have_nothing_in_common(actor: Actor) -> None:
    one, other = ApiKeyFactory(), ApiKeyFactory()
    assert one.prefix != other.prefix
    assert one.key_hash != other.key_hash


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["orders:delete"]}, "scopes"),
        ({"expires_at": timezone.now() - timedelta(minutes=1)}, "expires_at"),
    ],
)
def test_what_makes_no_sense_is_refused(actor: Actor, values: dict[str, Any], field: str) -> None:
    fine: dict[str, Any] = {"name": "Till", "scopes": ["orders:write"]}
    with pytest.raises(DomainError) as caught:
        create_api_key(actor=actor, **(fine | values))
    assert [error.field for error in caught.value.errors][:1] == [field]


def test_a_name_is_used_by_one_key_at_a_time(actor: Actor) -> None:
    key = ApiKeyFactory(name="Till")
    with pytest.raises(ConflictError):
        create_api_key(actor=actor, name="Till", scopes=list(SCOPES))
    revoke_api_key(actor=actor, key=key)
    create_api_key(actor=actor, name="Till", scopes=list(SCOPES))


def test_a_key_is_recognized() -> None:
    key = ApiKeyFactory()
    assert authenticate_api_key(key.presented) == key


@pytest.mark.parametrize(
    "presented",
    ["", "setia", "setia_", "setia__", "other_{prefix}_{secret}", "setia_{prefix}_", "{secret}",
     "setia_{prefix}_wrong", "setia_0000000000_{secret}", "setia_\x00\x00\x00\x00\x00_{secret}",
     "setia_{prefix}_{secret}x", "setia_ééééé_x"],
)  # fmt: skip
def test_what_is_no_key_opens_nothing(presented: str) -> None:
    key = ApiKeyFactory()
    _brand, prefix, secret = key.presented.split("_", 2)
    assert authenticate_api_key(presented.format(prefix=prefix, secret=secret)) is None


def test_a_key_ends_with_its_day_even_while_it_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends = timezone.now() + timedelta(days=1)
    key = ApiKeyFactory(expires_at=ends)
    assert authenticate_api_key(key.presented) == key
    monkeypatch.setattr(timezone, "now", lambda: ends)
    assert authenticate_api_key(key.presented) is None


def test_a_revoked_key_opens_nothing(actor: Actor) -> None:
    key = ApiKeyFactory()
    assert authenticate_api_key(key.presented)
    revoke_api_key(actor=actor, key=key)
    assert authenticate_api_key(key.presented) is None


def test_revoking_twice_is_written_down_once(actor: Actor) -> None:
    key = ApiKeyFactory()
    revoke_api_key(actor=actor, key=key)
    revoke_api_key(actor=actor, key=key)
    assert AuditEntry.objects.filter(action="api_key.revoked").count() == 1


def test_a_key_revoked_by_another_process_is_refused_after_five_seconds(
    clock: list[float],
) -> None:
    key = ApiKeyFactory()
    assert authenticate_api_key(key.presented)
    ApiKey.objects.update(revoked_at=timezone.now())
    clock[0] += 4.9
    assert authenticate_api_key(key.presented)
    clock[0] += 0.2
    assert authenticate_api_key(key.presented) is None


def test_the_second_request_asks_the_database_nothing(
    clock: list[float], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = ApiKeyFactory()
    forget_cached_keys()
    with django_assert_num_queries(2):  # the key, and that it was used
        authenticate_api_key(key.presented)
    with django_assert_num_queries(0):
        authenticate_api_key(key.presented)


def test_the_use_is_written_down_once_a_minute() -> None:
    key = ApiKeyFactory()
    authenticate_api_key(key.presented)
    first = ApiKey.objects.get().last_used_at
    assert first is not None
    forget_cached_keys()
    authenticate_api_key(key.presented)
    assert ApiKey.objects.get().last_used_at == first

    ApiKey.objects.update(last_used_at=first - timedelta(seconds=61))
    forget_cached_keys()
    authenticate_api_key(key.presented)
    assert ApiKey.objects.get().last_used_at > first


def test_guessing_does_not_fill_the_memory() -> None:
    for number in range(20):
        authenticate_api_key(f"setia_{number:010}_guess")
    assert api_keys._known == {}


# --- Rotation -----------------------------------------------------------------------------------


def test_after_a_rotation_both_secrets_open_until_the_overlap_ends(actor: Actor) -> None:
    key = ApiKeyFactory()
    assert authenticate_api_key(key.presented) == key
    rotated, presented = rotate_api_key(actor=actor, key=key, hours=2, now=timezone.now())
    assert presented != key.presented
    assert presented.startswith(f"setia_{key.prefix}_")
    assert authenticate_api_key(presented) == authenticate_api_key(key.presented) == key
    ApiKey.objects.update(former_until=timezone.now() - timedelta(seconds=1))
    forget_cached_keys()
    assert authenticate_api_key(key.presented) is None
    assert authenticate_api_key(presented) == key
    entry = AuditEntry.objects.get(action="api_key.rotated")
    assert rotated.former_until is not None
    assert entry.after == {"former_until": rotated.former_until.isoformat()}


def test_the_cache_does_not_outlive_the_overlap(
    actor: Actor, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    key = ApiKeyFactory()
    rotate_api_key(actor=actor, key=key, hours=1, now=timezone.now())
    assert authenticate_api_key(key.presented) == key
    later = timezone.now() + timedelta(hours=1, seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert authenticate_api_key(key.presented) is None


def test_a_secret_that_leaked_ends_at_once_and_a_second_rotation_ends_the_first(
    actor: Actor,
) -> None:
    key, now = ApiKeyFactory(), timezone.now()
    _row, second = rotate_api_key(actor=actor, key=key, hours=24, now=now)
    _row, third = rotate_api_key(actor=actor, key=key, hours=24, now=now)
    assert authenticate_api_key(key.presented) is None
    assert authenticate_api_key(second) == authenticate_api_key(third) == key
    _row, fourth = rotate_api_key(actor=actor, key=key, hours=0, now=now)
    assert [authenticate_api_key(text) for text in (second, third)] == [None, None]
    assert authenticate_api_key(fourth) == key


@pytest.mark.parametrize("hours", [-1, 169])
def test_the_overlap_has_an_end(actor: Actor, hours: int) -> None:
    with pytest.raises(DomainError) as refused:
        rotate_api_key(actor=actor, key=ApiKeyFactory(), hours=hours, now=timezone.now())
    assert [error.field for error in refused.value.errors] == ["hours"]


def test_a_key_out_of_use_is_not_rotated(actor: Actor) -> None:
    key = ApiKeyFactory()
    revoke_api_key(actor=actor, key=key)
    with pytest.raises(ConflictError):
        rotate_api_key(actor=actor, key=key, hours=1, now=timezone.now())
