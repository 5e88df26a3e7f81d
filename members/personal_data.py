"""Which tables say something about a person: what is handed out to them, and what becomes of it
when they are erased.

Each application registers its parts in AppConfig.ready. The package of a person's data, the look
before erasing and the erasing itself (`members.forgetting`, whose functions go by the keys of these
parts) have it all from here. A test walks all foreign keys and finds the part of each table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Field, ForeignKey, Model, Q, QuerySet
from django.utils.functional import Promise

from members.models import Customer

Text = str | Promise
Rows = Callable[[Sequence[Customer]], "QuerySet[Model]"]
Telling = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """Where rows about somebody are. `whose`: the ways from a row to a customer, or `rows` where
    no foreign key leads there; `without`: columns that say nothing about this person, or are a
    secret; `for_staff`: what colleagues wrote, which is handed out by one of them, who reads it
    before. `name` tells two looks at the same table apart; `also` are columns of other tables, each
    with the way there; `told` says of columns what of them is about this person."""

    label: str
    whose: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    for_staff: bool = False
    rows: Rows | None = None
    name: str = ""
    also: tuple[tuple[str, str], ...] = ()
    told: tuple[tuple[str, Telling], ...] = ()

    @property
    def model(self) -> type[Model]:
        return apps.get_model(self.label)

    @property
    def key(self) -> str:
        return self.name or str(self.model._meta.model_name)

    def of(self, customers: Sequence[Customer]) -> QuerySet[Model]:
        """The rows about these customers, the oldest first."""
        if self.rows is not None:
            return self.rows(customers).order_by("pk")
        found, people = self._all(), [one.pk for one in customers]
        one, *more = self.whose
        if not more:
            return found.filter(**{f"{one}__in": people}).order_by("pk")
        # Each way by its own index.
        ways = Q()
        for way in self.whose:
            ways |= Q(pk__in=found.filter(**{f"{way}__in": people}).values("pk"))
        return found.filter(ways).order_by("pk")

    def _all(self) -> QuerySet[Model]:
        return self.model._default_manager.all()  # noqa: SLF001  (Django's own name for it)


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What belongs together; `members.forgetting` says what becomes of it."""

    key: str
    title: Text
    tables: Sequence[PersonalTable]


_parts: dict[str, tuple[int, PersonalData]] = {}
_not_told: dict[str, str] = {}


def table(
    label: str, *whose: str, without: str = "", for_staff: bool = False, rows: Rows | None = None,
    name: str = "", also: Sequence[tuple[str, str]] = (),
    told: Sequence[tuple[str, Telling]] = (),
) -> PersonalTable:  # fmt: skip
    """A table of a part. `without`: names with spaces."""
    left_out = frozenset(without.split())
    return PersonalTable(
        label, whose, left_out, for_staff, rows, name, tuple(also), tuple(told)
    )  # fmt: skip


def register_personal_data(part: PersonalData, order: int = 100) -> None:
    """Make it known; the same key again replaces it."""
    _parts[part.key] = order, part


def register_not_told(tables: dict[str, str]) -> None:
    """Tables that lead to a person and say nothing about them, each with why."""
    _not_told.update(tables)


def personal_data() -> list[PersonalData]:
    """Every part, in its order."""
    return [part for _order, part in sorted(_parts.values(), key=lambda item: item[0])]


def fields_without_part() -> set[str]:
    """The foreign keys to somebody, or to a row about somebody, of tables that no part has."""
    told = {apps.get_model(one.label) for part in personal_data() for one in part.tables}
    left_out = {apps.get_model(label) for label in _not_told}
    return {
        f"{model._meta.label}.{field.name}"
        for model, field in _leading_to(told)
        if model not in told and model not in left_out
    }


def _leading_to(told: Iterable[type[Model]]) -> list[tuple[type[Model], Field]]:  # type: ignore[type-arg]
    about = {Customer, *told}
    return [
        (model, field)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model in about
    ]
