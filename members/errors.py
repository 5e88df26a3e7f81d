"""Errors that reach a person or a program: each with a stable code, the field and the fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field. `field` is a path as the caller wrote it: "lines[2].total"."""

    field: str
    message: str | Promise
    code: str = "invalid"


class DomainError(Exception):
    """A request that cannot be carried out. `code` is stable; `message` may be translated.

    `index`: where several inputs came at once, the first that cannot be taken.
    """

    code = "invalid_request"
    status = 422
    index: int | None = None

    def __init__(
        self,
        message: str | Promise,
        *,
        code: str | None = None,
        status: int | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(str(message))
        self.message = message
        self.code = code or self.code
        self.status = status or self.status
        self.errors = tuple(errors)

    def place_fields(self, path: str) -> None:
        """Name the fields as the caller of a batch wrote them: total becomes orders[3].total."""
        self.errors = tuple(replace(wrong, field=f"{path}.{wrong.field}") for wrong in self.errors)


class NotFoundError(DomainError):
    code = "not_found"
    status = 404


class ConflictError(DomainError):
    code = "conflict"
    status = 409


@contextmanager
def placed(index: int) -> Iterator[None]:
    """What cannot be taken here is that input of those that came at once."""
    try:
        yield
    except DomainError as error:
        error.index = index
        raise
