"""Puts queries into words as Django does for PostgreSQL, and looks at less on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.backends.postgresql import compiler
from django.db.backends.postgresql.compiler import (
    SQLAggregateCompiler,
    SQLDeleteCompiler,
    SQLInsertCompiler,
    SQLUpdateCompiler,
)
from django.db.models import Value

__all__ = [
    "SQLAggregateCompiler", "SQLCompiler", "SQLDeleteCompiler", "SQLInsertCompiler",
    "SQLUpdateCompiler",
]  # fmt: skip
# Stands for a column that nobody asks for by name.
NAMELESS = (Value(None), None, None)


class SQLCompiler(compiler.SQLCompiler):
    def _order_by_pairs(self) -> Any:
        """To see whether an expression that rows are ordered by is one that they have, Django works
        out what each of their columns is, which takes as long as the rest of a query. Where rows
        are ordered by names, nothing is looked up but what has a name."""
        query: Any = self.query
        pairs: Callable[[], Any] = super()._order_by_pairs
        meta = query.get_meta()
        asked = [*query.extra_order_by, *query.order_by, *(meta.ordering if meta else ())]
        if query.combinator or not all(isinstance(name, str) for name in asked):
            return pairs()
        selected: Any = self.select
        named = [column if column[2] else NAMELESS for column in selected or ()]
        self.select = named if any(column is not NAMELESS for column in named) else []
        try:
            return list(pairs())
        finally:
            self.select = selected
