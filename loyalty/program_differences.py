"""In what two definitions of a program differ, place by place, as its file names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from loyalty.definitions import ProgramDefinition

# What tells things of one list apart: the first that each of them has, and no two alike.
NAMED_BY = ("code", "name", "title", "needs")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place: `path` as in `rewards[mug].price`. Of what is added or removed as a whole the
    value is all of it."""

    path: str
    kind: Literal["added", "changed", "removed"]
    before: Any = None
    after: Any = None

    @property
    def section(self) -> str:
        """The part of the definition that it is in."""
        return self.path.partition(".")[0].partition("[")[0]

    @property
    def name(self) -> str:
        """What people call what was added or removed, if it is called anything."""
        said = self.after if self.kind == "added" else self.before
        return str(said.get("name") or said.get("title") or "") if isinstance(said, dict) else ""


def program_differences(
    before: ProgramDefinition | None, after: ProgramDefinition
) -> list[Difference]:
    """Everything in which the second differs. Without a first one all of it is added."""
    return list(_of_parts("", _said(before) if before else {}, _said(after)))


def _said(definition: ProgramDefinition) -> dict[str, Any]:
    return definition.model_dump(mode="json", exclude_none=True)


def _of_values(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_parts(path, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(path, before, after)
    else:
        yield Difference(path, "changed", before, after)


def _of_parts(
    path: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Difference]:
    for name in [*after, *(name for name in before if name not in after)]:
        place = f"{path}.{name}" if path else name
        old, new = before.get(name), after.get(name)
        if isinstance(old or new, list):
            yield from _of_values(place, old or [], new or [])
        elif old is None:
            yield from [Difference(place, "added", after=new)] if new != {} else ()
        elif new is None:
            yield from [Difference(place, "removed", before=old)] if old != {} else ()
        else:
            yield from _of_values(place, old, new)


def _of_lists(path: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Difference]:
    key = _key_of(before, after)
    if key is None:
        kind: Literal["added", "changed"] = "changed" if before else "added"
        yield Difference(path, kind, list(before) or None, list(after))
        return
    old = {item[key]: item for item in before}
    new = {item[key]: item for item in after}
    for name, item in new.items():
        place = f"{path}[{name}]"
        if name in old:
            yield from _of_values(place, old[name], item)
        else:
            yield Difference(place, "added", after=item)
    for name, item in old.items():
        if name not in new:
            yield Difference(f"{path}[{name}]", "removed", before=item)
    stayed = [name for name in old if name in new]
    order = [name for name in new if name in old]
    if stayed != order:
        yield Difference(path, "changed", stayed, order)


def _key_of(before: Sequence[Any], after: Sequence[Any]) -> str | None:
    items = [*before, *after]
    if not all(isinstance(item, dict) for item in items):
        return None
    for key in NAMED_BY:
        if all(key in item for item in items) and all(
            len({str(item[key]) for item in side}) == len(side) for side in (before, after)
        ):
            return key
    return None
