"""Empties the database after a test that commits, in proportion to what the test wrote.

Django's own way truncates every table, which makes a new file for each of them and each of their
indexes, and tells all apps about it: half a second for each such test.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.core.cache import cache
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.models.signals import post_migrate
from django.test import TransactionTestCase
from redis import Redis

from members.models import Merchant
from members.selectors.merchants import DEFAULT_NAME

# What migrations and the apps wrote for good, and no test changes.
KEPT = ("django_migrations", "django_content_type", "auth_permission")
PERMISSIONS = "django.contrib.auth.management.create_permissions"
# A request of the live server that is still writing is waited for, as truncating does.
EMPTYING = """
DO $$
DECLARE
    every_table text[];
    one text;
    found boolean;
BEGIN
    SELECT array_agg(format('%%I', relname)) INTO every_table
    FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace
        AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> ALL (%(kept)s);
    EXECUTE 'LOCK TABLE ' || array_to_string(every_table, ', ') || ' IN SHARE ROW EXCLUSIVE MODE';
    -- No trigger forbids it, and no foreign key is looked after: everything goes.
    PERFORM set_config('session_replication_role', 'replica', true);
    FOREACH one IN ARRAY every_table LOOP
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || one || ')' INTO found;
        IF found THEN EXECUTE 'DELETE FROM ' || one; END IF;
    END LOOP;
END $$
"""


def empty_database(self: TransactionTestCase) -> None:
    """Instead of `TransactionTestCase._fixture_teardown`."""
    assert not connection.in_atomic_block, "a test that commits inside of what others share"
    with connection.cursor() as cursor:
        cursor.execute(EMPTYING, {"kept": list(KEPT)})
        cursor.execute("SELECT pg_advisory_unlock_all()")
    # What every installation begins with is there again, and whoever it belongs to.
    Merchant(pk=1, name=DEFAULT_NAME).save(force_insert=True)
    with without_looking_at_what_is_kept():
        for config in apps.get_app_configs():
            if not config.name.startswith("django."):
                post_migrate.send(sender=config, app_config=config, apps=apps, **SILENT)


@contextmanager
def without_looking_at_what_is_kept() -> Iterator[None]:
    """Types of content and permissions are there still: forty queries would find nothing to do."""
    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(dispatch_uid=PERMISSIONS)
    try:
        yield
    finally:
        post_migrate.connect(create_contenttypes)
        post_migrate.connect(create_permissions, dispatch_uid=PERMISSIONS)


SILENT: dict[str, Any] = {"verbosity": 0, "interactive": False, "using": "default", "plan": []}


@lru_cache
def keeper() -> Redis:
    """A client with a connection of its own: Django makes one, and takes a connection, for each
    thing that is asked for."""
    pool = cache._cache.get_client(write=True).connection_pool
    return Redis(connection_pool=pool, single_connection_client=True)


def empty_cache() -> None:
    """What `cache.clear` does, after each test."""
    keeper().flushdb()


def check_constraints(self: DatabaseWrapper, table_names: Any = None) -> None:
    """What `DatabaseWrapper.check_constraints` does, after each test too, in one round trip."""
    with self.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def keep_connections(self: TransactionTestCase) -> bool:
    """Instead of `TransactionTestCase._should_reload_connections`, which makes a new one for each
    test: the server would read its catalog and plan its statements anew."""
    return False


def install() -> None:
    TransactionTestCase._fixture_teardown = empty_database
    TransactionTestCase._should_reload_connections = keep_connections
    DatabaseWrapper.check_constraints = check_constraints
