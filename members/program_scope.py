"""Which programs the person before a screen may see. What belongs to others is not there for them.

One place says so: the managers of models that belong to programs. Every look-up, list, count, file
and search goes through them, so that a screen cannot forget to ask. Which foreign keys lead from a
model to its program is registered by each application in AppConfig.ready; a test looks that none is
missing. Who is limited is set for a request by `ProgramScopeMiddleware`, of the API by `ApiView`
for keys that are limited, and for nothing else: commands and workers see everything.

A write that concerns further programs, as an order does, sees all of them once it has begun
(`run_atomically`): whether it may begin was decided by what its screen has found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Exists, Manager, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

M = TypeVar("M", bound=Model)
SCREENS = "/backoffice/"

_programs: ContextVar[frozenset[int] | None] = ContextVar("programs_in_scope", default=None)


@dataclass(frozen=True, slots=True)
class UnlessElsewhere:
    """Something of no program that those of a program see, unless `model` names it by `field` in
    other programs only: a customer by their memberships. `instead`: the field with whoever stands
    in for it since a merge, and is what `model` names now."""

    model: type[Model]
    field: str
    instead: str = ""


# The foreign keys that lead towards the program, all of which must lead to one that is seen; with
# a "?" behind it, empty is as good. Of the program itself: none.
Way = tuple[str | UnlessElsewhere, ...]

_ways: dict[type[Model], Way] = {}
_choices: list[Callable[[], Iterable[tuple[int, str]]]] = []


class ScopedManager(Manager[M]):
    """Finds what is in the scope of whoever asks."""

    # To type checkers, which look at models as they are at work, the manager that each one has.
    __module__ = "django.db.models.manager"
    __qualname__ = "Manager"

    def get_queryset(self) -> QuerySet[M]:
        rows = super().get_queryset()
        programs = programs_in_scope()
        return rows if programs is None else rows.filter(_condition(self.model, programs))


def register_ways(ways: dict[type[Model], Way]) -> None:
    """Say how models lead to their programs, those first that others lead to."""
    for model, way in ways.items():
        _ways[model] = way
        if not isinstance(model._default_manager, ScopedManager):  # noqa: SLF001
            model._meta.local_managers.clear()
            model.add_to_class("objects", ScopedManager())


def registered_ways() -> dict[type[Model], Way]:
    return dict(_ways)


def register_program_choices(choices: Callable[[], Iterable[tuple[int, str]]]) -> None:
    """Say which programs somebody may be limited to, by key and name."""
    _choices[:] = [choices]


def program_names() -> dict[int, str]:
    """All there are, by key."""
    with of_all_programs():
        return dict(_choices[0]()) if _choices else {}


def programs_in_scope() -> frozenset[int] | None:
    """The keys of the programs that are seen now; None: all."""
    return _programs.get()


def is_in_scope(program: int) -> bool:
    """Whether it is seen now, for what is kept of all of them."""
    seen = programs_in_scope()
    return seen is None or program in seen


@contextmanager
def limited_to(programs: Collection[int]) -> Iterator[None]:
    """See these programs only; none given: all."""
    token = _programs.set(frozenset(programs) or None)
    try:
        yield
    finally:
        _programs.reset(token)


def limit_to(programs: Collection[int]) -> None:
    """The same from here on, for what is within `limited_to` and learns only now who asks."""
    _programs.set(frozenset(programs) or None)


@contextmanager
def of_all_programs() -> Iterator[None]:
    """See everything: for what is kept for everybody, and writes that concern further programs."""
    token = _programs.set(None)
    try:
        yield
    finally:
        _programs.reset(token)


def program_of(instance: Model) -> int | None:
    """The key of the program that something belongs to; None: to none, or to several."""
    way = _ways.get(type(instance))
    if way is None:
        return None
    if not way:
        return int(instance.pk)
    for step in way:
        if isinstance(step, UnlessElsewhere):
            continue
        related = getattr(instance, step.rstrip("?"))
        found = program_of(related) if related is not None else None
        if found is not None:
            return found
    return None


def _condition(model: type[Model], programs: frozenset[int]) -> Q:
    way = _ways[model]
    if not way:
        return Q(pk__among=list(programs))
    found = Q()
    for step in way:
        if isinstance(step, UnlessElsewhere):
            found &= _elsewhere(step, programs)
        else:
            found &= _along(model, step, programs)
    return found


def _along(model: type[Model], step: str, programs: frozenset[int]) -> Q:
    name = step.rstrip("?")
    related: type[Model] = model._meta.get_field(name).related_model  # type: ignore[assignment]
    if not _ways[related]:
        leads = Q(**{f"{name}__among": list(programs)})
    else:
        seen = related._base_manager.filter(_condition(related, programs))  # noqa: SLF001
        leads = Q(**{f"{name}__in": seen.values("pk")})
    return leads | Q(**{f"{name}__isnull": True}) if step.endswith("?") else leads


def _elsewhere(step: UnlessElsewhere, programs: frozenset[int]) -> Q:
    named = Coalesce(OuterRef(step.instead), OuterRef("pk")) if step.instead else OuterRef("pk")
    naming = step.model._base_manager.filter(**{step.field: named})  # noqa: SLF001
    own = naming.filter(_condition(step.model, programs))
    return Q(Exists(own)) | ~Q(Exists(naming))


class ProgramScopeMiddleware:
    """Every page of the back-office, also that which says that there is none, is in the scope of
    whoever has asked for it; so is a file that is written while it is sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(SCREENS):
            return self.get_response(request)
        programs = programs_of(request.user)
        with limited_to(programs):
            response = self.get_response(request)
        keep_scope(response, programs)
        return response


def keep_scope(response: HttpResponseBase, programs: Collection[int]) -> None:
    """A file that is written while it is sent is in the scope of whoever asked for it."""
    if programs and response.streaming:
        chunks: Any = response.streaming_content  # type: ignore[attr-defined]
        response.streaming_content = _each_in_scope(chunks, programs)  # type: ignore[attr-defined]


def programs_of(user: Any) -> list[int]:
    """What somebody's role is limited to; nothing: to nothing."""
    staff_member = getattr(user, "staff_member", None) if user.is_authenticated else None
    return list(staff_member.programs) if staff_member is not None else []


def _each_in_scope(chunks: Iterable[bytes], programs: Collection[int]) -> Iterator[bytes]:
    """Between two of them others may be at work in the same thread."""
    rest = iter(chunks)
    while True:
        with limited_to(programs):
            chunk = next(rest, None)
        if chunk is None:
            return
        yield chunk
