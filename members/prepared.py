"""Statements that a busy path repeats: put into words once for a process, planned once for each
connection.

Django composes the text of a query anew each time, and writes the values into it, so that the
server plans it anew as well: for rows with a few joins both take longer than reading them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Generic, TypeVar, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Field, ForeignObject, Lookup, ManyToOneRel, Model, QuerySet
from django.db.models.query import get_related_populators, prefetch_related_objects
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int4

from members.program_scope import limited_to, programs_in_scope

Row = TypeVar("Row", bound=Model)
Values = Sequence[Any] | Mapping[str, Any]
_GIVEN, _SCOPE = object(), object()
# Programs that there are not: where a text asks for them, it asks for those of whoever is limited.
SOME, OTHERS = [-(2**61)], [-(2**62)]
# As many statements as there are, and room for orders of other sizes.
PREPARED = 800
# "Cached plan must not change result type", and that there is no such statement.
OUTDATED = (psycopg.errors.FeatureNotSupported, psycopg.errors.InvalidSqlStatementName)


def run_prepared(query: str, values: Values) -> list[tuple[Any, ...]]:
    """Its rows; none of a statement that returns nothing."""
    run: Callable[..., Any] = _run
    # What watches Django's own queries, such as their time limit, watches these.
    for wrapper in reversed(connection.execute_wrappers):
        run = partial(wrapper, run)
    rows: list[tuple[Any, ...]] = run(query, values, False, {"connection": connection})
    return rows


def _run(query: str, values: Values, _many: bool, _context: Any) -> list[tuple[Any, ...]]:
    # As Django's own cursor does: a kept connection may have been dropped meanwhile.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    plain = cast("psycopg.Connection[Any]", connection.connection)
    # Django switches preparing off, which concerns no cursor of its own: those never prepare.
    plain.prepare_threshold = 0
    plain.prepared_max = PREPARED
    begun = time.monotonic() if connection.queries_logged else 0.0
    with connection.wrap_database_errors, psycopg.Cursor(plain) as cursor:
        try:
            cursor.execute(query, values)
        except OUTDATED:
            # A migration has changed what the statement reads: it is prepared anew, at once unless
            # a transaction has failed by it.
            cast("Any", connection).forget_prepared()
            if plain.info.transaction_status != TransactionStatus.IDLE:
                raise
            cursor.execute(query, values)
        # Not `description`, which makes an object for each column.
        result = cursor.pgresult
        rows = cursor.fetchall() if result is not None and result.nfields else []
    if connection.queries_logged:
        # With its values, as Django's own are logged.
        said = psycopg.ClientCursor(plain).mogrify(query, values)
        connection.queries_log.append({"sql": said, "time": f"{time.monotonic() - begun:.3f}"})
    return rows


@ForeignObject.register_lookup
@Field.register_lookup
class Among(Lookup):
    """`pk__among=ids`: as `pk__in`, with the same text for any number of them, even none."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        left, values = self.process_lhs(compiler, connection)
        # Without its length, to which longer values would be cut.
        kind = self.lhs.output_field.db_type(connection).partition("(")[0]
        return f"{left} = ANY(%s::{kind}[])", [*values, list(self.rhs)]


class KeptQuery(Generic[Row]):
    """A query of which only the values change. `build` makes it of these; they are all of its
    parameters, in the order in which it asks for them, but for the programs of those who are
    limited to some. `ending`: what comes after it, such as a lock that Django has no word for:
    that concerns all programs. What it prefetches is asked for by Django, where it has rows."""

    def __init__(self, build: Callable[..., QuerySet[Row]], *, ending: str = "") -> None:
        self.build, self.ending = build, ending
        # For those who see all, and for those who are limited to some programs.
        self.readings: dict[bool, _Reading] = {}

    def rows(self, *values: Any) -> list[Row]:
        if not self.ending and None in values:
            # What is kept asks for what is empty in no words.
            return list(self.build(*values))
        programs = None if self.ending else programs_in_scope()
        limited = programs is not None
        reading = self.readings.get(limited)
        if reading is None:
            # Others may ask meanwhile: what they find is whole.
            reading = _Reading(self._asked(values, SOME if limited else ()), values)
            reading.text += self.ending
            self.readings[limited] = reading
        found = run_prepared(reading.text, reading.all_of(values, programs))
        made: list[Row] = [reading.instance(row) for row in found]
        if made and reading.prefetches:
            # Those of a query of its own: others may prefetch meanwhile.
            lookups = self._asked(values, programs or ())._prefetch_related_lookups  # type: ignore[attr-defined]  # noqa: SLF001
            prefetch_related_objects(made, *lookups)
        return made

    def _asked(self, values: Sequence[Any], programs: Collection[int]) -> QuerySet[Row]:
        """By those who are limited to these, whoever asks now."""
        with limited_to(programs):
            return self.build(*values)

    def first(self, *values: Any) -> Row | None:
        """The first of its rows, of which it should have one at most."""
        return next(iter(self.rows(*values)), None)

    def one(self, *values: Any) -> Row:
        """Its only row. Raises DoesNotExist of the model where there is none."""
        found = self.rows(*values)
        if not found:
            return self.build(*values).get()  # which says that there is none
        return found[0]


class KeptRows:
    """Likewise of a query for values, or for how many rows it has. `unlike`: two of each value that
    it is given, by which it is seen where it asks for them; what else it asks for stays."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *unlike: tuple[Any, Any]) -> None:
        self.build, self.unlike = build, unlike
        # For those who see all, and for those who are limited to some programs.
        self.words: dict[bool, tuple[str, list[tuple[int | None, Any]]]] = {}

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        return self._run("%s", values)

    def count(self, *values: Any) -> int:
        return int(self._run('SELECT count(*) FROM (%s) "kept"', values)[0][0])

    def _run(self, form: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        programs = programs_in_scope()
        limited = programs is not None
        if limited not in self.words:
            self.words[limited] = self._put_into_words(limited)
        text, asked = self.words[limited]
        known = [*values, sorted(programs or ())]
        given = [item if place is None else known[place] for place, item in asked]
        return run_prepared(form.replace("%s", text, 1), given)

    def _put_into_words(self, limited: bool) -> tuple[str, list[tuple[int | None, Any]]]:
        """And what it asks for: a value by its place among those that are given, the programs of
        the scope behind them, or the same each time."""
        first = [one for one, _other in self.unlike]
        second = [other for _one, other in self.unlike]
        with limited_to(SOME if limited else ()):
            text, asked = self.build(*first).query.sql_with_params()
        with limited_to(OTHERS if limited else ()):
            _same, otherwise = self.build(*second).query.sql_with_params()
        places = [*first, SOME]
        return text, [
            (None, item) if item == other else (places.index(item), None)
            for item, other in zip(asked, otherwise, strict=True)
        ]


class _Reading:
    """The text of a query, and how its rows become instances."""

    def __init__(self, found: QuerySet[Any], values: Sequence[Any]) -> None:
        compiler = found.query.get_compiler(DEFAULT_DB_ALIAS)
        self.text, asked = compiler.as_sql()
        # What Django puts in by itself: the 1 of EXISTS (SELECT 1 …).
        self.asked = [
            item if isinstance(item, Int4) else _SCOPE if item == SOME else _GIVEN for item in asked
        ]
        given = [item for item in asked if not isinstance(item, Int4) and item != SOME]
        assert given == list(values), f"it asks for {given}, and is given {values}"
        known: Any = compiler.klass_info
        columns = compiler.select[: compiler.col_count]
        places = known["select_fields"]
        self.model: type[Model] = known["model"]
        self.prefetches = bool(found._prefetch_related_lookups)  # type: ignore[attr-defined]  # noqa: SLF001
        self.start, self.end = places[0], places[-1] + 1
        self.names = [column[0].target.attname for column in columns[self.start : self.end]]
        self.joined = get_related_populators(known, columns, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
        self.added = list(compiler.annotation_col_map.items())
        made = compiler.get_converters([column[0] for column in columns])
        self.converters = [(place, *how) for place, how in made.items()]

    def all_of(self, values: Sequence[Any], programs: Collection[int] | None) -> list[Any]:
        given = iter(values)
        return [
            next(given) if item is _GIVEN else sorted(programs or ()) if item is _SCOPE else item
            for item in self.asked
        ]

    def instance(self, found: tuple[Any, ...]) -> Any:
        row = list(found)
        for place, converters, expression in self.converters:
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        made = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.start : self.end])
        for populator in self.joined:
            populator.populate(row, made)
        for name, place in self.added:
            setattr(made, name, row[place])
        return made


def put_related(row: Model, name: str, found: Sequence[Model]) -> None:
    """Let a row know those that belong to it by this name, as prefetching would."""
    related = getattr(row, name).all()
    related._result_cache = list(found)  # noqa: SLF001
    known: Any = row
    known._prefetched_objects_cache = {  # noqa: SLF001
        **getattr(known, "_prefetched_objects_cache", {}), name: related,
    }  # fmt: skip


def read_along(rows: Sequence[Model], name: str, query: KeptQuery[Any]) -> list[Any]:
    """Those that belong to these rows by this name, which know each other then, as prefetching
    would have it. `query` asks for them by a list of the rows' keys."""
    if not rows:
        return []
    relation = type(rows[0])._meta.get_field(name)
    assert isinstance(relation, ManyToOneRel)
    owners = {row.pk: row for row in rows}
    found = query.rows(list(owners))
    belong: defaultdict[Any, list[Model]] = defaultdict(list)
    for item in found:
        owner = getattr(item, relation.field.attname)
        relation.field.set_cached_value(item, owners[owner])
        belong[owner].append(item)
    for row in rows:
        put_related(row, name, belong[row.pk])
    return found


def insert_row(row: Model) -> None:
    """What `save` of a new instance does, without its signals, which nobody listens to."""
    insert_rows([row])


def insert_rows(rows: Sequence[Model]) -> None:
    """Likewise of several of one model, few and as a rule as many: each number has its own text."""
    text, fields = _insertion(type(rows[0]), len(rows))
    values = [_stored(field, row, add=True) for row in rows for field in fields]
    for row, (key,) in zip(rows, run_prepared(text, values), strict=True):
        row.pk = key
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001


def read_again(row: Model) -> None:
    """What `refresh_from_db` does: it is as the database has it, and knows nothing else."""
    fresh = _one_of(type(row)).one(row.pk)
    for field in row._meta.concrete_fields:
        setattr(row, field.attname, getattr(fresh, field.attname))
    known: Any = row
    known._state.fields_cache = {}  # noqa: SLF001
    known._prefetched_objects_cache = {}  # noqa: SLF001


@lru_cache
def _one_of(model: type[Model]) -> KeptQuery[Any]:
    return KeptQuery(lambda key: model._base_manager.filter(pk=key))  # noqa: SLF001


def update_row(row: Model, *names: str) -> None:
    """What `save` of these fields does."""
    text, fields = _change(type(row), names)
    run_prepared(text, [*(_stored(field, row, add=False) for field in fields), row.pk])


def _stored(field: Field[Any, Any], row: Model, *, add: bool) -> Any:
    return field.get_db_prep_save(field.pre_save(row, add=add), connection)


@lru_cache
def _insertion(model: type[Model], count: int) -> tuple[str, list[Field[Any, Any]]]:
    options = model._meta
    assert options.pk is not None
    fields = [
        field
        for field in options.local_concrete_fields
        if not (field.primary_key or field.generated)
    ]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * count)
    text = f'INSERT INTO "{options.db_table}" ({columns}) VALUES {places}'
    return f'{text} RETURNING "{options.pk.column}"', fields


@lru_cache
def _change(model: type[Model], names: tuple[str, ...]) -> tuple[str, list[Field[Any, Any]]]:
    options = model._meta
    assert options.pk is not None
    fields = [cast("Field[Any, Any]", options.get_field(name)) for name in names]
    columns = ", ".join(f'"{field.column}" = %s' for field in fields)
    text = f'UPDATE "{options.db_table}" SET {columns} WHERE "{options.pk.column}" = %s'
    return text, fields
