"""A kept connection that the server has left is replaced before it does harm, and a process that
forks keeps its own to itself."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
from django.db import DatabaseError, NotSupportedError, connection, transaction

from members.prepared import run_prepared

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


def in_a_child(work: Callable[[], object]) -> str:
    """What it comes to in a forked process, in words."""
    ours, theirs = os.pipe()
    process = os.fork()
    if not process:
        said = "it ended before it said anything"
        try:
            said = f"{work()}"
        except BaseException as error:
            said = f"{error}"
        finally:
            os.write(theirs, said.encode())
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        said = pipe.read()
    assert os.waitpid(process, 0)[1] == 0
    return said


def outside_of_loops(work: Callable[[], None]) -> None:
    """In a thread of its own: where a browser was, an event loop runs in that of the tests."""

    def closing() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(closing).result()


PREPARED = "SELECT pg_backend_pid() + %s"


def test_a_process_that_forks_shares_its_connection_with_no_child():
    mine = run_prepared(PREPARED, [0])
    children = {in_a_child(lambda: run_prepared(PREPARED, [0])) for _ in range(2)}
    assert len(children | {f"{mine}"}) == 3
    assert run_prepared(PREPARED, [0]) == mine


def test_what_was_connected_before_an_event_loop_began_is_not_shared_either(monkeypatch):
    """Inside of it Django sees other connections than outside of it, and its child is outside."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

    async def fork() -> str:
        try:
            return in_a_child(ask)
        finally:
            connection.close()

    def work() -> None:
        mine = ask()
        assert asyncio.run(fork()) != f"{mine}"
        assert ask() == mine

    outside_of_loops(work)


def test_a_child_does_nothing_in_the_transaction_of_its_parent():
    def work() -> None:
        with transaction.atomic():
            process = ask()
            assert "atomic block" in in_a_child(ask)
            assert ask() == process

    outside_of_loops(work)


def test_what_is_prepared_outlasts_whatever_ends_a_transaction():
    """psycopg forgets the names when the server forgets the statements, and the other way round."""
    for ending in ("ROLLBACK TO SAVEPOINT a", "ROLLBACK TO SAVEPOINT a", "ROLLBACK", "fail"):
        with transaction.atomic():
            run_prepared("SAVEPOINT a", ())
            assert run_prepared(PREPARED, [0]) == [(ask(),)]
            if ending == "fail":
                with pytest.raises(DatabaseError), transaction.atomic():
                    run_prepared("SELECT 1 / %s::int", [0])
            elif ending == "ROLLBACK":
                transaction.set_rollback(True)
            else:
                with connection.cursor() as cursor:
                    cursor.execute(ending)
        assert run_prepared(PREPARED, [0]) == [(ask(),)]


def test_what_is_prepared_is_planned_once_whatever_is_rolled_back():
    def known() -> set[str]:
        rows = run_prepared("SELECT name, statement FROM pg_prepared_statements", ())
        return {name for name, statement in rows if statement == PREPARED.replace("%s", "$1")}

    run_prepared(PREPARED, [0])
    before = known()
    assert len(before) == 1
    with transaction.atomic():
        with suppress(DatabaseError), transaction.atomic():
            run_prepared("SELECT 1 / %s::int", [0])
        transaction.set_rollback(True)
    run_prepared(PREPARED, [0])
    assert known() == before


def test_what_reads_a_table_that_was_rolled_back_finds_the_one_that_was_made_since():
    for kind, value in (("int", 1), ("text", "1")):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE TEMPORARY TABLE made_twice (what {kind})")
            run_prepared("INSERT INTO made_twice SELECT %s", [value])
            assert run_prepared("SELECT what FROM made_twice WHERE 1 = %s", [1]) == [(value,)]
            transaction.set_rollback(True)


READING = "SELECT what FROM retyped WHERE %s = 1"


@pytest.fixture
def retype():
    """Changes a column's type from another session, as a migration may while others are at work."""
    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as other:
        other.execute("CREATE TABLE retyped AS SELECT 1 AS what")
        try:
            yield lambda kind: other.execute(f"ALTER TABLE retyped ALTER what TYPE {kind}")
        finally:
            other.execute("DROP TABLE retyped")


def test_what_reads_a_column_whose_type_was_changed_meanwhile_is_prepared_anew(retype):
    assert run_prepared(READING, [1]) == [(1,)]
    retype("text")
    assert run_prepared(READING, [1]) == [("1",)]
    assert run_prepared(READING, [1]) == [("1",)]
    assert run_prepared(PREPARED, [0]) == [(ask(),)]


def test_a_transaction_fails_once_by_a_column_whose_type_was_changed_meanwhile(retype):
    for ending in ("transaction", "savepoint"):
        assert len(run_prepared(READING, [1])) == 1
        retype("text" if ending == "transaction" else "varchar(9)")
        with transaction.atomic():
            with pytest.raises(NotSupportedError), transaction.atomic():
                run_prepared(READING, [1])
            if ending == "savepoint":
                assert run_prepared(READING, [1]) == [("1",)]
            else:
                transaction.set_rollback(True)
        assert run_prepared(READING, [1]) == [("1",)]
        assert run_prepared(PREPARED, [0]) == [(ask(),)]


def test_of_what_is_never_prepared_nothing_is_kept():
    run_prepared(PREPARED, [0])
    kept = connection.connection._prepared
    before = list(kept._names)
    for number in range(3):
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [f"a long text {number}"])
    assert (list(kept._counts), list(kept._names)) == ([], before)
