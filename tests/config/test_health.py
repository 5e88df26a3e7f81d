"""The two probes of docs/operations.md."""

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test import Client


def test_alive_needs_nothing(client: Client) -> None:
    answer = client.get("/healthz", headers={"host": "10.1.2.3"})
    assert answer.status_code == 200
    assert answer.json() == {"status": "alive"}
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_ready_when_database_cache_and_migrations_are(client: Client) -> None:
    answer = client.get("/readyz", headers={"host": "10.1.2.3"})
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": "ok", "cache": "ok", "migrations": "ok"},
    }
    assert answer.status_code == 200


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'django_celery_beat'"
            " AND name LIKE '0019%%' OR app = 'mfa'"
        )
        removed = cursor.rowcount
    assert removed
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == f"{removed} not applied"


@pytest.mark.django_db
def test_not_ready_without_the_cache(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(cache, "set", refuse)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["cache"] == "unreachable: ConnectionRefusedError"


def test_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise DatabaseError("connection refused")

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "unreachable: DatabaseError"
    assert "migrations" not in answer.json()["checks"]
