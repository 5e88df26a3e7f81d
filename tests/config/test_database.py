"""A kept connection that the server has left is replaced before it does harm."""

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

pytestmark = pytest.mark.django_db(transaction=True)


def begin_request() -> None:
    """What Django does before a request's first query."""
    connection.health_check_done = False
    connection.close_if_health_check_failed()


def ask() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def _checked(db: None):
    """As in a web process: the tests' own connections last no longer than a request."""
    connection.ensure_connection()
    enabled, connection.health_check_enabled = connection.health_check_enabled, True
    yield
    connection.health_check_enabled = enabled


def test_a_living_connection_is_kept_without_asking_the_server():
    process = ask()
    sent = []
    connection.execute_wrappers.append(lambda execute, *rest: sent.append(rest) or execute(*rest))
    try:
        begin_request()
    finally:
        connection.execute_wrappers.pop()
    assert sent == []
    assert ask() == process


def test_a_dropped_connection_is_replaced():
    process = ask()
    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    begin_request()
    assert ask() != process


def test_a_failed_transaction_makes_a_connection_unusable():
    with transaction.atomic():
        assert connection.is_usable()
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        assert not connection.is_usable()
        transaction.set_rollback(True)
    assert connection.is_usable()
