"""What the search box leads to besides customers: pages, and what has pages of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from members.folding import fold
from members.navigation import Text, backoffice_pages


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to go. `sub`: what it belongs to, by which it is found, too."""

    title: Text
    url: str
    icon: str
    sub: Text = ""


# Gets what was typed, and answers with those among which it may be, in one query or two; what the
# reader may not open is not among them.
PlaceFinder = Callable[[HttpRequest, str], Iterable[Place]]

# Under one's name.
OWN_PAGES = (
    (_("Password"), "account_change_password", "lock"),
    (_("Two-factor sign-in"), "mfa_index", "shield-lock"),
    (_("Where you are signed in"), "backoffice:own_sign_ins", "device-laptop"),
)

_finders: dict[str, PlaceFinder] = {}


def register_place_finder(key: str, finder: PlaceFinder) -> None:
    """Have the search box ask this finder too; the same key again replaces it."""
    _finders[key] = finder


def find_places(request: HttpRequest, typed: str, limit: int) -> Sequence[Place]:
    """Those whose title, with what they belong to, has each word that was typed at the beginning
    of one of its own; first those where the title alone has them."""
    # No text in the database has a NUL.
    typed = typed.replace("\x00", " ")
    wanted = fold(typed).replace("-", " ").removeprefix("#").split()
    if not wanted:
        return ()
    found: list[tuple[bool, Place]] = []
    for finder in (find_pages, *_finders.values()):
        for place in finder(request, typed):
            if _has(f"{place.title} {place.sub}", wanted):
                found.append((not _has(str(place.title), wanted), place))
    # Sorting is stable: pages, then what each application has, in its order.
    return [place for _away, place in sorted(found, key=lambda each: each[0])[:limit]]


def find_pages(request: HttpRequest, typed: str) -> Iterable[Place]:
    """The entries of the menu, and the pages about oneself."""
    pages = [Place(link.label, link.url, link.icon) for link in backoffice_pages(request)]
    return [*pages, *(Place(title, reverse(name), icon) for title, name, icon in OWN_PAGES)]


def _has(text: str, wanted: Sequence[str]) -> bool:
    words = fold(text).replace("-", " ").split()
    return all(any(word.startswith(each) for word in words) for each in wanted)
