"""Errors that reach a person or a program: each with a stable code, the field and the fix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field. `field` is a path as the caller wrote it: "lines[2].total"."""

    field: str
    message: str | Promise
    code: str = "invalid"


class DomainError(Exception):
    """A request that cannot be carried out. `code` is stable; `message` may be translated."""

    code = "invalid_request"
    status = 422

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


class NotFoundError(DomainError):
    code = "not_found"
    status = 404


class ConflictError(DomainError):
    code = "conflict"
    status = 409
