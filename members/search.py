"""Where else the search box looks. Each application adds what customers are found by in ready()."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FoundBy:
    """A customer that a search provider found, and by what: "Order 4711"."""

    customer_id: int
    why: str


# Gets the words as typed and a limit; answers with exact finds only, in one query.
SearchProvider = Callable[[str, int], Sequence[FoundBy]]

_providers: dict[str, SearchProvider] = {}


def register_search_provider(key: str, provider: SearchProvider) -> None:
    """Have the search box ask this provider too; the same key again replaces it."""
    _providers[key] = provider


def search_providers() -> list[SearchProvider]:
    return list(_providers.values())
