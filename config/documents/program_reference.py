"""The fields of a program file as tables, read off loyalty/definitions.py."""

from __future__ import annotations

import inspect
import types
from collections.abc import Container, Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from config.documents.parts import cell, table
from loyalty.definitions import ProgramDefinition
from loyalty.program_parts import item_of
from loyalty.rule_definitions import RULE_KINDS, EarningRuleDefinition

PAGE = "programs.md"
NAME = "program_reference"


def program_reference() -> str:
    """One section for each kind of mapping in the file, outermost first."""
    return "\n\n".join(_section(path, model) for path, model in _models("", ProgramDefinition))


def _models(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    yield from _inner_models(path, model, set())
    if model is EarningRuleDefinition:
        known: set[str] = set(EarningRuleDefinition.model_fields)
        for kind in RULE_KINDS.values():
            yield path, kind
            yield from _inner_models(path, kind, known)
            known |= set(kind.model_fields)


def _inner_models(
    path: str, model: type[BaseModel], known: Container[str]
) -> Iterator[tuple[str, type[BaseModel]]]:
    """What its fields hold; kinds of rules have most of them in common, described once."""
    for name, field in model.model_fields.items():
        inner, many = _inner(field.annotation)
        inner = item_of(name) or inner if not path else inner
        if inner is not None and name not in known:
            place = f"{path}.{name}" if path else name
            yield from _models(place + ("[]" if many else ""), inner)


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model that a field holds, and whether it holds several."""
    if get_origin(annotation) is types.UnionType:
        annotation = get_args(annotation)[0]
    many = get_origin(annotation) in (tuple, Mapping)
    found = annotation
    if many:
        found = get_args(annotation)[1 if get_origin(annotation) is Mapping else 0]
    if get_origin(found) is Annotated:
        found = get_args(found)[0]
    if inspect.isclass(found) and issubclass(found, BaseModel):
        return found, many
    return None, many


def _section(path: str, model: type[BaseModel]) -> str:
    title = f"### `{path}`" if path else "### The file"
    if model in RULE_KINDS.values():
        title += f" of kind `{next(kind for kind in RULE_KINDS if RULE_KINDS[kind] is model)}`"
    known = EarningRuleDefinition.model_fields if model in RULE_KINDS.values() else ()
    rows = [
        [f"`{name}`", _kind(field, path, name), _default(field), cell(field.description or "")]
        for name, field in model.model_fields.items()
        if name not in known and not _is_fixed(name, field)
    ]
    header = ["field", "value", "default", "meaning"]
    return f"{title}\n\n{cell(model.__doc__ or '')}\n\n{table(header, rows)}"


def _is_fixed(name: str, field: FieldInfo) -> bool:
    """Of a kind that a section is about there is nothing to choose."""
    return name == "kind" and len(get_args(field.annotation)) == 1


def _kind(field: FieldInfo, path: str, name: str) -> str:
    inner, many = _inner(field.annotation)
    if name == "data_schema":
        return "a [JSON schema](activities.md)"
    if name == "body":
        return "fields of its own"
    if inner is not None:
        place = (f"{path}.{name}" if path else name) + ("[]" if many else "")
        by_code = get_origin(field.annotation) is Mapping
        how = "by code, each " if by_code else "a list of " if many else ""
        return f"{how}[`{place}`](#{_anchor(place)})"
    return cell(_type_text(field.annotation, [*field.metadata]))


def _type_text(annotation: Any, metadata: list[Any]) -> str:
    if get_origin(annotation) is Annotated:
        first, *more = get_args(annotation)
        return _type_text(first, [*more, *metadata])
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "a list of texts"
    if get_origin(annotation) in (types.UnionType, Union):
        given = [argument for argument in get_args(annotation) if argument is not type(None)]
        return _type_text(given[-1], metadata)
    if get_origin(annotation) is Mapping:
        plain = get_args(annotation)[1] is Any
        return "a [condition](conditions.md)" if plain else "by code, each a number"
    words = {
        bool: "`true` or `false`", int: "whole number", str: "text", date: "day, as 2026-03-31",
        AwareDatetime: "time, as 2026-03-31T09:00:00+02:00",
    }  # fmt: skip
    return ", ".join([words.get(annotation, "number"), *_limits(metadata)])


def _limits(metadata: list[Any]) -> Iterator[str]:
    """What pydantic's constraints say, in words."""
    found: dict[str, Any] = {}
    parts = [part for item in metadata for part in (item, *getattr(item, "metadata", ()))]
    for part in parts:
        names = ("ge", "gt", "le", "decimal_places", "max_length", "pattern")
        found |= {name: value for name in names if (value := getattr(part, name, None)) is not None}
    if "ge" in found and "le" in found:
        yield f"{found.pop('ge')} to {found.pop('le')}"
    words = {
        "ge": "{} or more",
        "gt": "more than {}",
        "le": "at most {}",
        "decimal_places": "at most {} decimals",
        "pattern": "like `{}`",
        "max_length": "at most {} characters",
    }
    yield from (text.format(found[name]) for name, text in words.items() if name in found)


def _default(field: FieldInfo) -> str:
    default = field.default
    if default is PydanticUndefined:
        return "required"
    if default is None:
        return "none"
    if isinstance(default, BaseModel):
        return "its defaults"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if default in ("", (), {}):
        return "empty"
    return f"`{default}`"


def _anchor(place: str) -> str:
    """The address that GitHub gives to the heading of a place."""
    return place.replace(".", "").replace("[]", "")
