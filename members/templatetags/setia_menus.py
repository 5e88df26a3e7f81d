"""Menus, tabs and answers of the search: what leads to the pages of the back-office.

Its tags and filters are part of the `setia` library; templates load that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from members import navigation
from members.navigation import NavLink, ProgramChoice, Tab

register = template.Library()

Values = dict[str, Any]


@register.filter
def keys(shortcut: str) -> list[str]:
    """`{{ "g h"|keys }}`: the keys of a shortcut, one after the other."""
    return [key.upper() for key in shortcut.split()]


@register.filter
def current_program(programs: Sequence[ProgramChoice]) -> ProgramChoice | None:
    """The program that the page is about, if it is about one."""
    return next((program for program in programs if program.current), None)


@register.simple_tag
def nav_links(links: Sequence[NavLink]) -> SafeString:
    """`{% nav_links shell.main %}`: the entries of a part of the menu."""
    return SafeString("".join(_drawn("components/nav_link.html", links)))


@register.simple_tag
def nav_shortcuts(links: Sequence[NavLink]) -> SafeString:
    """`{% nav_shortcuts shell.main %}`: the keys that lead there, for the dialog of them."""
    return SafeString("".join(_drawn("components/nav_shortcut.html", links)))


def _drawn(name: str, links: Sequence[NavLink]) -> list[str]:
    """The menu is on every page and nearly always the same: an entry is drawn once."""
    language = get_language()
    return [_entry(name, link, language) for link in links]


@lru_cache(maxsize=1000)
def _entry(name: str, link: NavLink, language: str | None) -> str:
    return render_to_string(name, {"link": link})


@register.inclusion_tag("components/tabs.html")
def tabs(items: Iterable[Tab], label: str) -> Values:
    """Links between the views of one thing; `label` names the set for screen readers."""
    return {"items": items, "label": label}


@register.inclusion_tag("components/tabs.html", takes_context=True)
def program_tabs(context: Context, program: Any) -> Values:
    """The tabs of a program's own pages, the current one by the address: `{% program_tabs program
    %}` below the page's header."""
    match = context["request"].resolver_match
    items = navigation.program_tabs(program.code, match.view_name if match else "")
    return {"items": items, "label": program.name}


@register.inclusion_tag("components/search_option.html")
def search_option(
    url: str, title: str, sub: str = "", icon: str = "", badge: str = "", kind: str = "neutral"
) -> Values:
    """One answer of the search box: `{% search_option url customer.name customer.email %}`."""
    return {"url": url, "title": title, "sub": sub, "icon": icon, "badge": badge, "kind": kind}
