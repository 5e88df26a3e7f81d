"""The one set of screen components. The style page in the back-office shows every one of them.

Block components take a body, and some take named slots: `{% slot "actions" %}…{% endslot %}`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from members.charts import Chart, Timeline
from members.components import block_component, compile_kept, compile_slot
from members.formatting import format_number, format_percent
from members.icons import icon_svg
from members.list_files import ListFile
from members.paging import Page
from members.policy import AnyUser, is_allowed
from members.slow_figures import Look, next_look
from members.states import state_label
from members.templatetags import setia_forms, setia_menus
from members.timeline_view import TimelineEntry
from members.toasts import undo_url

register = template.Library()
register.tag("slot", compile_slot)
register.tag("kept", compile_kept)
register.tags.update(setia_forms.register.tags | setia_menus.register.tags)
register.filters.update(setia_menus.register.filters)

Crumbs = Sequence[tuple[str, str]]
Values = dict[str, Any]


# --- Small things -----------------------------------------------------------------------------

register.filter("undo_url", undo_url)


@register.filter
def may(user: AnyUser, action: str) -> bool:
    """`{% if request.user|may:"staff.manage" %}`: for the buttons of pages that others read."""
    return is_allowed(user, action)


@register.simple_tag
def icon(name: str, size: int = 20, label: str = "", css: str = "") -> SafeString:
    """`{% icon "users" %}`: an outline icon; without a label it is hidden from readers."""
    return icon_svg(name, size=size, label=label, css=css)


@register.inclusion_tag("components/badge.html")
def badge(text: str, kind: str = "neutral", icon: str = "", dot: bool = False) -> Values:
    """`{% badge "Gold" kind="accent" %}`: neutral, info, success, warning, danger or accent."""
    return {"text": text, "kind": kind, "icon": icon, "dot": dot}


@register.inclusion_tag("components/badge.html")
def status(value: str) -> Values:
    """`{% status job.state %}`: the badge of a state every part of Setia knows."""
    label, kind = state_label(value)
    return {"text": label, "kind": kind, "dot": True}


@register.inclusion_tag("components/avatar.html")
def avatar(name: str, size: str = "md", src: str = "") -> Values:
    """`{% avatar customer.name %}`: a picture, or the initials."""
    words = [word for word in name.split() if word[0].isalnum()] or ["?"]
    initials = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return {"name": name, "initials": initials.upper(), "size": size, "src": src}


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """`{% query sort="name" cursor=None %}`: this page's address with parameters changed."""
    return changed_query(context.get("request"), changes)


def changed_query(request: HttpRequest | None, changes: dict[str, Any]) -> str:
    """Return the request's address with some parameters set, or removed by None."""
    if request is None:
        return ""
    parameters = request.GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    encoded = parameters.urlencode()
    return f"{request.path}?{encoded}" if encoded else request.path


@register.simple_tag(name="next_look", takes_context=True)
def next_look_tag(context: Context) -> Look:
    """When a page without its figures asks for them next (`members/slow_figures.py`)."""
    request = context.get("request")
    return next_look(request.GET.get("figures", "") if request is not None else "")


# --- The page ---------------------------------------------------------------------------------


@block_component(register, "page_header", "components/page_header.html")
def page_header(
    context: Context,
    title: str,
    summary: str = "",
    breadcrumbs: Crumbs = (),
    icon: str = "",
    badge: str = "",
    badge_kind: str = "neutral",
) -> Values:
    """The page's title, what it is (or what is wrong) in one line, and its actions as the body."""
    return {
        "title": title,
        "summary": summary,
        "breadcrumbs": breadcrumbs,
        "icon": icon,
        "badge": badge,
        "badge_kind": badge_kind,
    }


@block_component(register, "panel", "components/panel.html")
def panel(
    context: Context,
    title: str = "",
    id: str = "",
    icon: str = "",
    href: str = "",
    count: int | None = None,
    flush: bool = False,
) -> Values:
    """A titled box. `flush` drops the padding for tables and lists; slot "actions", "footer"."""
    return {
        "title": title,
        "id": id,
        "icon": icon,
        "href": href,
        "count": count,
        "flush": flush,
    }


@register.inclusion_tag("components/lazy_panel.html")
def lazy_panel(
    title: str, url: str, id: str, icon: str = "", rows: int = 4, narrow: int = 0
) -> Values:
    """A panel that loads itself from its own page, holding the room of `rows` lines until then; of
    `narrow` on a phone, if it takes more there."""
    further = range(max(narrow - rows, 0))
    return {
        "title": title, "url": url, "id": id, "icon": icon, "rows": range(rows), "further": further,
    }  # fmt: skip


@register.inclusion_tag("components/stat.html")
def stat(
    label: str,
    value: str | float,
    unit: str = "",
    sub: str = "",
    trend: float | None = None,
    trend_label: str = "",
    trend_good: str = "up",
    href: str = "",
    icon: str = "",
    kind: str = "",
) -> Values:
    """One figure, or a judgment as a badge of a `kind`. `trend` is a change in percent;
    `trend_good` says which direction is welcome."""
    shown = value if isinstance(value, str) else format_number(value)
    direction = "flat" if not trend else "up" if trend > 0 else "down"
    welcome = direction == trend_good
    trend_kind = "neutral" if direction == "flat" or trend_good == "none" else ""
    return {
        "label": label,
        "value": shown,
        "unit": unit,
        "sub": sub,
        "trend": None if trend is None else format_percent(abs(trend) / 100),
        "trend_label": trend_label,
        "direction": direction,
        "trend_kind": trend_kind or ("good" if welcome else "bad"),
        "href": href,
        "icon": icon,
        "kind": kind,
    }


@block_component(register, "menu", "components/menu.html")
def menu(context: Context, label: str, icon: str = "dots-vertical", text: str = "") -> Values:
    """A button that opens a list of `<a class="dropdown-item">`; `text` stands beside the icon."""
    return {"label": label, "icon": icon, "text": text}


# --- Tables and lists -------------------------------------------------------------------------


@block_component(register, "table", "components/table.html")
def table(
    context: Context,
    caption: str,
    page: Page[Any] | None = None,
    file: ListFile[Any] | None = None,
) -> Values:
    """Rows that become cards on a phone. Slot "head" holds the `{% th %}`s; slot "empty". `file`:
    the list can be taken as a file, with the filter that is in the URL."""
    pager_values = pager(context, page) if page is not None else {}
    file_url = changed_query(context.get("request"), {"cursor": None}) if file else ""
    return {
        "caption": caption, "page": page, "file": file, "file_url": file_url,
        "csrf_token": context.get("csrf_token"), **pager_values,
    }  # fmt: skip


@register.inclusion_tag("components/list_file.html", takes_context=True)
def list_file(context: Context, file: ListFile[Any]) -> Values:
    """The button that takes a list as a file, for a list that is no table."""
    url = changed_query(context.get("request"), {"cursor": None})
    return {"file": file, "file_url": url, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("components/th.html", takes_context=True)
def th(context: Context, label: str, sort: str = "", end: bool = False) -> Values:
    """A column's head. `sort` names the ordering that its link asks for (`-` reverses)."""
    request = context.get("request")
    current = request.GET.get("sort", "") if request else ""
    current = current or getattr(context.get("page"), "sort", "")
    state = {sort: "ascending", f"-{sort}": "descending"}.get(current, "") if sort else ""
    target = f"-{sort}" if state == "ascending" else sort
    url = changed_query(request, {"sort": target, "cursor": None, "figures": None}) if sort else ""
    in_panel = context.get("in_panel", False)
    return {"label": label, "url": url, "state": state, "end": end, "in_panel": in_panel}


@register.inclusion_tag("components/pager.html", takes_context=True, name="pager")
def pager(context: Context, page: Page[Any]) -> Values:
    """Previous and next by cursor, keeping the filters that are in the URL."""
    request = context.get("request")

    def link(cursor: str | None) -> str:
        return changed_query(request, {"cursor": cursor}) if cursor else ""

    return {
        "previous_url": link(page.previous_cursor),
        "next_url": link(page.next_cursor),
        "in_panel": context.get("in_panel", False),
    }


@block_component(register, "kv", "components/kv.html")
def kv(context: Context) -> Values:
    """A list of names and values; fill it with `{% kv_row %}`."""
    return {}


@block_component(register, "kv_row", "components/kv_row.html")
def kv_row(context: Context, label: str) -> Values:
    """One name and value; the body is the value."""
    return {"label": label}


@register.inclusion_tag("components/timeline.html")
def timeline(entries: Iterable[TimelineEntry], label: str = "") -> Values:
    """What happened, newest first, each with the steps that explain it."""
    return {"entries": entries, "label": label}


@register.inclusion_tag("components/timeline_entry.html")
def timeline_entry(entry: TimelineEntry) -> Values:
    """One row of a timeline."""
    return {"entry": entry}


# --- States -----------------------------------------------------------------------------------


@block_component(register, "empty_state", "components/empty_state.html")
def empty_state(
    context: Context,
    title: str,
    text: str = "",
    icon: str = "mood-empty",
    action_label: str = "",
    action_url: str = "",
    action_dialog: bool = False,
) -> Values:
    """What this place is for and the one button that starts it; the body may offer templates."""
    return {
        "title": title,
        "text": text,
        "icon": icon,
        "action_label": action_label,
        "action_url": action_url,
        "action_dialog": action_dialog,
    }


ALERT_ICONS = {
    "info": "info-circle",
    "success": "circle-check",
    "warning": "alert-triangle",
    "danger": "alert-circle",
}


@block_component(register, "alert", "components/alert.html")
def alert(
    context: Context, kind: str = "info", title: str = "", text: str = "", icon: str = ""
) -> Values:
    """Something the reader must know: info, success, warning or danger."""
    return {"kind": kind, "title": title, "text": text, "icon": icon or ALERT_ICONS[kind]}


@register.inclusion_tag("components/progress.html")
def progress(
    value: float | None,
    total: float = 100,
    label: str = "",
    rate: str = "",
    time_left: str = "",
    state: str = "running",
    poll_url: str = "",
    id: str = "progress",
) -> Values:
    """Long work: how far, how fast, how long still. Polls itself until the work has ended."""
    share = None if value is None or not total else min(1.0, max(0.0, value / total))
    return {
        "percent": None if share is None else format_percent(math.floor(share * 100) / 100),
        "share": None if share is None else f"{share:.4f}",
        "label": label,
        "rate": rate,
        "time_left": time_left,
        "state": state,
        "poll_url": poll_url if state in ("queued", "running") else "",
        "id": id,
    }


@register.inclusion_tag("components/chart.html")
def chart(chart: Chart) -> Values:
    """A picture of numbers with a sentence for screen readers and the numbers as a table."""
    # In an attribute, because HTMX takes every script out of what it swaps in.
    return {"chart": chart, "payload": json.dumps(chart.payload()), "rows": chart.rows()}


@block_component(register, "timeline_chart", "components/timeline_chart.html")
def timeline_chart(context: Context, chart: Timeline) -> Values:
    """What is the case when, as bars over days; its body is the table that says the same."""
    return {"chart": chart, "payload": json.dumps(chart.payload())}


@register.inclusion_tag("components/confirm_button.html", takes_context=True)
def confirm_button(
    context: Context,
    label: str,
    url: str,
    title: str,
    text: str = "",
    confirm: str = "",
    kind: str = "danger",
    icon: str = "",
    css: str = "",
    hidden: dict[str, str] | None = None,
    file: bool = False,
) -> Values:
    """A button that posts after a dialog has named what it will do. `file`: a file is what comes
    of it, and the page stays."""
    return {
        "file": file,
        "label": label,
        "url": url,
        "title": title,
        "text": text,
        "confirm": confirm or label,
        "kind": kind,
        "icon": icon,
        "css": css,
        "hidden": (hidden or {}).items(),
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag
def skeleton(rows: int = 3) -> SafeString:
    """Gray lines in the place of what is still loading."""
    lines = SafeString('<span class="skeleton-line"></span>' * rows)
    return format_html('<div class="skeleton" aria-hidden="true">{}</div>', lines)
