"""Test databases begin as a copy of one that was migrated before, where the server has one.

All migrations take five seconds, a copy one. After each making of a test database the server keeps
it, empty, as a template that is named after its migrations; a checkout with other migrations begins
with the largest template that has none but its own, and runs only what that lacks.
"""

import json
from collections.abc import Callable
from hashlib import blake2b
from inspect import getsourcefile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.base.creation import BaseDatabaseCreation
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from config.embedded.locks import locked
from members.selectors.merchants import get_merchant

PREFIX = "setia_template_"
# As many checkouts as somebody works in at once.
KEPT = 4
make_test_database = BaseDatabaseCreation.create_test_db


def install() -> None:
    BaseDatabaseCreation.create_test_db = create_test_database  # type: ignore[method-assign]


def create_test_database(self: Any, *arguments: Any, **options: Any) -> str:
    """Instead of `BaseDatabaseCreation.create_test_db`. The merchant is there, whom each test
    would make with its first page."""
    name = copy_or_make(self, *arguments, **options)
    get_merchant()
    return name


def copy_or_make(self: Any, *arguments: Any, **options: Any) -> str:
    """Processes take turns, so that the second one finds what the first has made."""
    wanted = migrations_here()
    with locked(settings.VAR_DIR / "locks" / "test-templates"):
        nearest, has = nearest_template(self, wanted)
        self.connection.settings_dict["TEST"]["TEMPLATE"] = nearest
        if has == wanted and not options.get("keepdb"):
            return copy_template(self, options.get("verbosity", 1))
        name = make_test_database(self, *arguments, **options)
        if not options.get("keepdb"):
            keep_as_template(self, name, wanted)
    return name


def make_template() -> None:
    """Before the first test, whose time is limited: all migrations take longer than a test may."""
    creation, name = connection.creation, connection.settings_dict["NAME"]
    wanted = migrations_here()
    if all(has != wanted for _name, has in templates(creation)):
        creation.create_test_db(verbosity=0, autoclobber=True)
        creation.destroy_test_db(name, verbosity=0)


def copy_template(creation: Any, verbosity: int) -> str:
    """What Django does around its migrations, without them."""
    name: str = creation._get_test_db_name()
    creation._create_test_db(verbosity, autoclobber=True)
    creation.connection.close()
    settings.DATABASES[creation.connection.alias]["NAME"] = name
    creation.connection.settings_dict["NAME"] = name
    creation.connection.ensure_connection()
    return name


def migrations_here() -> dict[str, str]:
    """The digest of each migration's text, by its name."""
    files = {
        f"{app}.{name}": getsourcefile(type(migration))
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
    }
    return {
        name: blake2b(Path(file or "").read_bytes(), digest_size=8).hexdigest()
        for name, file in sorted(files.items())
    }


def nearest_template(creation: Any, wanted: dict[str, str]) -> tuple[str | None, dict[str, str]]:
    """The name of the largest template with none but these migrations, and what it has."""
    fitting = [
        (name, has) for name, has in templates(creation) if has.items() <= wanted.items()
    ]  # fmt: skip
    return max(fitting, key=lambda found: len(found[1]), default=(None, {}))


def templates(creation: Any) -> list[tuple[str, dict[str, str]]]:
    """The names of all templates and the migrations they have, the newest first."""
    with creation._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE starts_with(datname, %s) ORDER BY oid DESC",
            [PREFIX],
        )
        # Without a description, somebody was killed who made it.
        return [(name, json.loads(said or '{"": ""}')) for name, said in cursor.fetchall()]


def keep_as_template(creation: Any, source: str, has: dict[str, str]) -> None:
    name = PREFIX + blake2b(json.dumps(has).encode(), digest_size=8).hexdigest()
    outdated = [found for found, _ in templates(creation) if found != name][KEPT - 1 :]
    # A database somebody is connected to cannot be copied.
    connection.close()
    with creation._nodb_cursor() as cursor:
        execute: Callable[[sql.Composable], None] = cursor.execute
        for old in [name, *outdated]:
            execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(old)))
        execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(source)
            )
        )
        execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                sql.Identifier(name), sql.Literal(json.dumps(has))
            )
        )
