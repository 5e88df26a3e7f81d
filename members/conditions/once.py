"""What is worked out when it is first asked for, and then kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class once(Generic[Value]):  # noqa: N801  (read as a decorator)
    """`functools.cached_property` without its lock, which costs more than most of what is kept
    here. Two threads that ask at once work out the same."""

    def __init__(self, work: Callable[[Any], Value]) -> None:
        self.work, self.name, self.__doc__ = work, work.__name__, work.__doc__

    def __get__(self, it: Any, _owner: type) -> Value:
        found = it.__dict__[self.name] = self.work(it)
        return found
