"""How the audit log names things: what was done, to what, and where its page is.

Each application registers its own words in AppConfig.ready.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.text import capfirst

from members.formatting import format_day, format_moment, format_number
from members.models import AuditEntry

Text = str | Promise

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(_DAY.pattern + r"[T ]\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class TargetKind:
    """A kind of object in the log; `url_name` is its page and takes the identity in the target.

    `hides`: takes out of each text what those who read the log may not know. Entries are written
    without it; of those from before that, the chain over the log keeps what it says.
    """

    label: Text
    url_name: str = ""
    takes_id: bool = True
    hides: Callable[[str], str] | None = None


_actions: dict[str, Text] = {}
_targets: dict[str, TargetKind] = {}
_fields: dict[str, Text] = {}
# By action and field; "" is whichever field the action tells of.
_values: dict[tuple[str, str], Callable[[], Mapping[Any, Text]]] = {}


def register_audit_actions(actions: Mapping[str, Text]) -> None:
    """Say in words what actions are: {"customer.created": _("Created a customer")}."""
    _actions.update(actions)


def register_audit_target(model_label: str, kind: TargetKind) -> None:
    """Say what a model is called and where its page is: "members.customer"."""
    _targets[model_label] = kind


def register_audit_fields(labels: Mapping[str, Text]) -> None:
    """Name values that are no fields of the model: {"note": _("Note")}. Without a name, a value is
    kept but not shown."""
    _fields.update(labels)


def register_audit_values(
    action: str, words: Mapping[str, Callable[[], Mapping[Any, Text]]]
) -> None:
    """Name what the fields of an action may say where the model has no such field:
    {"channel": channel_labels}. The field "" is all that have no words of their own."""
    _values.update({(action, name): known for name, known in words.items()})


def target_of(instance: Model) -> str:
    """The name under which an object's entries are found: "members.customer:3f2a…"."""
    identity = getattr(instance, "public_id", None) or instance.pk
    return f"{instance._meta.label_lower}:{identity}"


def action_label(action: str) -> str:
    return str(_actions.get(action, action.replace(".", ": ").replace("_", " ")))


def known_actions() -> list[tuple[str, str]]:
    """Every action that has words, sorted by them."""
    return sorted(((key, str(label)) for key, label in _actions.items()), key=lambda item: item[1])


def target_kind(target: str) -> str:
    """What kind of object a target is ("Customer")."""
    label, _, _ = target.partition(":")
    kind = _targets.get(label)
    return str(kind.label) if kind else label


def target_url(target: str) -> str:
    """The page of the object, if it has one."""
    label, _, identity = target.partition(":")
    kind = _targets.get(label)
    if kind is None or not kind.url_name:
        return ""
    try:
        return reverse(kind.url_name, args=[identity] if kind.takes_id else [])
    except NoReverseMatch:
        return ""


def field_label(target: str, name: str) -> str:
    """A field as people call it."""
    if name in _fields:
        return str(_fields[name])
    field = _field(target, name)
    return capfirst(str(getattr(field, "verbose_name", name.replace("_", " "))))


def way_words(entry: AuditEntry) -> str:
    """How it came, and from where: "Screen · 203.0.113.…", "API: Web shop · 198.51.100.…". The
    names of screens are for programs, and only in files."""
    way = entry.get_way_display()
    if entry.way_name and entry.way != AuditEntry.Way.SCREEN:
        way = f"{way}: {entry.way_name.replace('_', ' ')}"
    return " · ".join(part for part in (way, entry.place.replace("?", "")) if part)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field before and after, as text; empty text where there was nothing."""

    label: str
    before: str
    after: str


def readable(entry: AuditEntry, value: Any) -> Any:
    """A text of an entry, or its values, as those who read the log may know them."""
    kind = _targets.get(entry.target.partition(":")[0])
    return _hidden(value, kind.hides) if kind is not None and kind.hides is not None else value


def _hidden(value: Any, hides: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return hides(value)
    if isinstance(value, list):
        return [_hidden(item, hides) for item in value]
    if isinstance(value, dict):
        return {name: _hidden(item, hides) for name, item in value.items()}
    return value


def differences(entry: AuditEntry) -> list[Difference]:
    """What an entry changed, field by field, in the order in which the object has its fields."""
    before, after = readable(entry, entry.before or {}), readable(entry, entry.after or {})
    found = []
    for name in _in_order(entry.target, {*before, *after}):
        words = _choices(entry.target, name) or _named_values(entry.action, name)
        old, new = _text(before.get(name), words), _text(after.get(name), words)
        if old != new and _fields.get(name) != "":
            found.append(Difference(field_label(entry.target, name), old, new))
    return found


def _choices(target: str, name: str) -> dict[Any, Any]:
    """The words for a field's values, where they are chosen from a list."""
    field = _field(target, name)
    return dict(getattr(field, "flatchoices", None) or ())


def _named_values(action: str, name: str) -> Mapping[Any, Any]:
    known = _values.get((action, name)) or _values.get((action, ""))
    return known() if known is not None else {}


def _field(target: str, name: str) -> Any:
    try:
        return apps.get_model(target.partition(":")[0])._meta.get_field(name)
    except (LookupError, ValueError, FieldDoesNotExist):
        return None


def _in_order(target: str, names: set[str]) -> list[str]:
    """JSON in the database has no order of its own."""
    try:
        fields = [field.name for field in apps.get_model(target.partition(":")[0])._meta.fields]
    except (LookupError, ValueError):
        fields = []
    known = [name for name in fields if name in names]
    return [*known, *sorted(names - set(known))]


def _text(value: Any, words: Mapping[Any, Any] | None = None) -> str:
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, list):
        return ", ".join(_text(item, words) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    if words and value in words:
        return str(words[value])
    if isinstance(value, int):
        return format_number(value)
    return _moment(value) if isinstance(value, str) else str(value)


def _moment(text: str) -> str:
    """Days and instants as people write them; everything else as it is."""
    try:
        if _DAY.fullmatch(text):
            return format_day(date.fromisoformat(text))
        return format_moment(datetime.fromisoformat(text)) if _INSTANT.fullmatch(text) else text
    except ValueError:
        return text
