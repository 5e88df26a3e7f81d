"""Every table of the domain as Markdown: read off the models, with the sentences of columns.yaml.

What a docstring or a help text says is not said again in the file; everything else must be there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import (
    BaseConstraint,
    CheckConstraint,
    Field,
    ForeignKey,
    GeneratedField,
    Model,
    UniqueConstraint,
)
from ruamel.yaml import YAML

from config.documents.parts import cell, table

PAGE = "data-model.md"
NAME = "data_model"
APPS = ("members", "loyalty", "rewards", "campaigns")
SENTENCES = Path(__file__).parent / "columns.yaml"
# What every table has and no sentence needs to say.
PLAIN = {"id": "primary key"}


def data_model() -> str:
    """One section for each application that has tables."""
    return "\n\n".join(_app(label) for label in APPS if _models(label))


def missing_sentences() -> list[str]:
    """Columns, constraints and triggers that nothing explains, as table.name."""
    missing = []
    for model in all_models():
        names = [name for name, meaning in _columns(model) if not meaning]
        names += [name for name, meaning in _rules(model) if not meaning]
        if not _about(model):
            names.append("(table)")
        missing += [f"{model._meta.db_table}.{name}" for name in names]
    return missing


def stale_sentences() -> list[str]:
    """Sentences about what is not there any more."""
    known = {
        (model._meta.db_table, name)
        for model in all_models()
        for name in ["table", *(n for n, _ in _columns(model)), *(n for n, _ in _rules(model))]
    }
    return [
        f"{table_name}.{name}"
        for table_name, names in _sentences().items()
        for name in names
        if (table_name, name) not in known
    ]


def all_models() -> Iterator[type[Model]]:
    for label in APPS:
        yield from _models(label)


def _models(label: str) -> list[type[Model]]:
    found = apps.get_app_config(label).get_models()
    return [model for model in found if not model._meta.proxy]


@cache
def _sentences() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = YAML(typ="safe").load(SENTENCES.read_text(encoding="utf-8"))
    return found


def _said(model: type[Model], name: str) -> str:
    return _sentences().get(model._meta.db_table, {}).get(name, "")


def _app(label: str) -> str:
    models = _models(label)
    parts = [f"## {label}", _diagram(models), *(_table(model) for model in models)]
    return "\n\n".join(parts)


def _diagram(models: list[type[Model]]) -> str:
    """Entities of one application with their keys; those of others are boxes without columns."""
    lines = ["```mermaid", "erDiagram"]
    for model in models:
        for field in _foreign_keys(model):
            one = "|o" if field.null else "||"
            many = "o|" if field.unique else "o{"
            lines.append(
                f"    {_entity(field.related_model)} {one}--{many} {_entity(model)} : {field.name}"
            )
    for model in models:
        lines.append(f"    {_entity(model)} {{")
        for field in model._meta.local_fields:
            if not isinstance(field, ForeignKey):
                key = " PK" if field.primary_key else " UK" if field.unique else ""
                lines.append(f"        {_short_type(field)} {field.column}{key}")
        lines.append("    }")
    return "\n".join([*lines, "```"])


def _foreign_keys(model: type[Model]) -> list[Any]:
    return [field for field in model._meta.local_fields if isinstance(field, ForeignKey)]


def _entity(model: type[Model]) -> str:
    return model.__name__


def _short_type(field: Field[Any, Any]) -> str:
    """One word, as Mermaid wants it."""
    text = (field.db_type(connection) or "").split("(")[0].removesuffix(" with time zone")
    return text.replace("[]", "_array").replace(" ", "_")


def _table(model: type[Model]) -> str:
    rows = [
        [f"`{field.column}`", _type(field), cell(_meaning(model, field))]
        for field in model._meta.local_fields
    ]
    parts = [
        f"### `{model._meta.db_table}`",
        cell(_about(model)),
        table(["column", "type", "meaning"], rows),
    ]
    rules = [f"- `{name}`: {cell(text)}" for name, text in _rules(model)]
    if rules:
        parts.append("Held by the database:\n\n" + "\n".join(rules))
    return "\n\n".join(parts)


def _about(model: type[Model]) -> str:
    """The docstring, unless it is the one that Django makes up."""
    own = (model.__doc__ or "").strip()
    return _said(model, "table") or ("" if own.startswith(f"{model.__name__}(") else own)


def _columns(model: type[Model]) -> Iterator[tuple[str, str]]:
    for field in model._meta.local_fields:
        yield str(field.column), _meaning(model, field)


def _meaning(model: type[Model], field: Field[Any, Any]) -> str:
    name = str(field.column)
    said = _said(model, name) or PLAIN.get(name, "") or str(field.help_text)
    if isinstance(field, ForeignKey):
        target = f"→ `{field.related_model._meta.db_table}`"
        return f"{target}: {said}" if said else target
    choices = [f"`{value}`" for value, _label in field.flatchoices]
    if choices:
        said = f"{said} ({', '.join(choices)})" if said else ", ".join(choices)
    return said


def _type(field: Field[Any, Any]) -> str:
    text = (field.db_type(connection) or "").replace("timestamp with time zone", "timestamptz")
    if isinstance(field, GeneratedField):
        text += ", generated"
    return text + (", null" if field.null else "") + (", unique" if field.unique else "")


def _rules(model: type[Model]) -> Iterator[tuple[str, str]]:
    for constraint in model._meta.constraints:
        name = str(constraint.name)
        yield name, _said(model, name) or _plain_rule(constraint)
    for trigger in getattr(model._meta, "triggers", []):
        yield trigger.name, _said(model, trigger.name)


def _plain_rule(constraint: BaseConstraint) -> str:
    """A uniqueness without conditions explains itself; everything else has a sentence."""
    if isinstance(constraint, UniqueConstraint) and constraint.fields and not constraint.condition:
        return f"one row for each ({', '.join(constraint.fields)})"
    if isinstance(constraint, CheckConstraint) and str(constraint.name).endswith("_known"):
        return "one of the values above"
    return ""
