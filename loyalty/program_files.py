"""Programs as YAML files: read with errors that name line and field, written so that they read
back."""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import io
import re
from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.selectors.programs import definition_of
from members.errors import DomainError, FieldError
from members.wrong_values import place_of, words_of

LONGEST = 1_000_000
DEEPEST = 100
# Of so many mistakes it is looked for what was meant: what has more is no program misspelled.
SUGGESTED = 10


def load_program(text: str) -> ProgramDefinition:
    """The program that a file describes. Raises DomainError with one FieldError per mistake."""
    data, plain = _read(text)
    return _validated(plain, data)


def load_rules(text: str, program: ProgramDefinition) -> ProgramDefinition:
    """The program with the `earning_rules` of a file, and `multiplying` if it is there; what else
    the file says is passed over. Raises DomainError with one FieldError per mistake."""
    data, plain = _read(text)
    if "earning_rules" not in plain:
        raise _invalid([FieldError(_at(1), _("The rules are missing: “earning_rules: …”."))])
    said = program.model_dump(mode="json", exclude_none=True)
    said |= {key: plain[key] for key in ("earning_rules", "multiplying") if key in plain}
    return _validated(said, data)


def dump_rules(program: ProgramDefinition) -> str:
    """The rules of a program as `load_rules` reads them; what is as usual is left out."""
    rules = []
    for rule in program.earning_rules:
        told = rule.model_dump(mode="json", exclude_none=True)
        named = {name: told.pop(name) for name in ("code", "name", "kind", "wallet_type")}
        own = rule.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        rules.append(named | {name: value for name, value in told.items() if name in own})
    stream = io.StringIO()
    _writer().dump({"multiplying": program.multiplying, "earning_rules": rules}, stream)
    return stream.getvalue()


def _read(text: str) -> tuple[Any, dict[str, Any]]:
    """What a file says, with the lines where it does, and as plain values."""
    _refuse_monsters(text)
    yaml = YAML(typ="rt")
    yaml.allow_duplicate_keys = False
    try:
        data = yaml.load(text)
        plain = _plain(data, _Budget())
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _invalid([FieldError(_at(line), str(error.problem or error))]) from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = _("A character that no text file should hold.")
        raise _invalid([FieldError(_at(line), message)]) from error
    except RecursionError as error:
        message = _("The file is nested too deeply.")
        raise _invalid([FieldError(_at(1), message)]) from error
    if not isinstance(data, dict):
        raise _invalid([FieldError(_at(1), _("A program file is a list of settings: “code: …”."))])
    return data, plain


def _validated(plain: Any, data: Any) -> ProgramDefinition:
    try:
        return ProgramDefinition.model_validate(plain)
    except ValidationError as error:
        raise _invalid(
            [
                FieldError(
                    f"{_at(_line(data, place_of(item)))}, {_path(place_of(item))}",
                    _words(item, suggested=number < SUGGESTED),
                )
                for number, item in enumerate(error.errors(include_url=False))
            ]
        ) from error


def _words(item: ErrorDetails, *, suggested: bool) -> str:
    """What is wrong, and of a name that is misspelled which one is likely meant."""
    message, code = words_of(item)
    if suggested and code == "unknown" and (meant := _meant(item["loc"])):
        return _("There is no such field. Did you mean “%s”?") % meant
    return message


def _meant(loc: tuple[int | str, ...]) -> str:
    """The field of the same part that is called nearly so."""
    near = difflib.get_close_matches(str(loc[-1]), _fields_at(loc[:-1]), n=1, cutoff=0.75)
    return next(iter(near), "")


def _fields_at(place: tuple[int | str, ...]) -> list[str]:
    """What the part at a place has; nothing where any name may stand."""
    part: dict[str, Any] = _schema()
    for step in place:
        if isinstance(step, int):
            part = part.get("items", {})
        else:
            others = [*part.get("patternProperties", {}).values(), {}]
            part = part.get("properties", {}).get(step, others[0])
        for choice in (part, *part.get("anyOf", ())):
            if "$ref" in choice:
                part = _schema()["$defs"][choice["$ref"].rpartition("/")[2]]
    return sorted(part.get("properties", {}))


@functools.cache
def _schema() -> dict[str, Any]:
    """Made once: it takes longer than reading most files."""
    return ProgramDefinition.model_json_schema()


def _refuse_monsters(text: str) -> None:
    """What no program comes to, and what reading it would take minutes for."""
    if len(text) > LONGEST:
        raise _invalid([FieldError(_at(1), _("The file is too long."))])
    depth = 0
    for bracket in re.finditer(r"[\[{\]}]", text):
        depth = max(depth + (1 if bracket[0] in "[{" else -1), 0)
        if depth > DEEPEST:
            line = text.count("\n", 0, bracket.start()) + 1
            raise _invalid([FieldError(_at(line), _("The file is nested too deeply."))])


def dump_program(program: Program, now: dt.datetime) -> str:
    """The program as a file: `load_program` and `apply_definition` on it change nothing."""
    return dump_definition(definition_of(program, now))


def dump_definition(definition: ProgramDefinition) -> str:
    """A program that there need not be yet, as a file."""
    data = definition.model_dump(mode="json", exclude_none=True)
    stream = io.StringIO()
    stream.write(
        f"# {definition.name}: a Setia program. Apply with: manage.py apply_program FILE\n"
    )
    _writer().dump(data, stream)
    return stream.getvalue()


def dump_value(value: Any) -> str:
    """A value of a program as its file has it; empty: there is none."""
    if isinstance(value, dict | list):
        stream = io.StringIO()
        _writer().dump(value, stream)
        return stream.getvalue().rstrip()
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _writer() -> YAML:
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _invalid(errors: list[FieldError]) -> DomainError:
    return DomainError(_("The program file is not valid."), code="invalid_program", errors=errors)


def _at(line: int) -> str:
    return _("line %s") % line


def _path(loc: tuple[int | str, ...]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or _("whole file")


def _line(data: Any, loc: tuple[int | str, ...]) -> int:
    """The line of the innermost place on the path that the file has."""
    line = 1
    for part in loc:
        try:
            marks = data.lc
            line = (marks.item(part) if isinstance(part, int) else marks.key(part))[0] + 1
            data = data[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


class _Budget:
    """Values that a file may come to. Anchors repeated in anchors make billions of a few lines."""

    def __init__(self) -> None:
        self.left = 50_000

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _invalid([FieldError(_at(1), _("The file comes to too many values."))])


# What is JSON inside: its numbers are numbers.
_JSON = {"data_schema"}


def _plain(value: Any, budget: _Budget, *, json: bool = False) -> Any:
    """ruamel's own containers and numbers as plain ones; numbers keep the text they were written
    in, but for what is `json`."""
    budget.spend()
    if isinstance(value, dict):
        return {
            str(key): _plain(item, budget, json=json or key in _JSON) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_plain(item, budget, json=json) for item in value]
    if isinstance(value, float):
        return float(value) if json else str(value)
    return value
