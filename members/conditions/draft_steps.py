"""The steps by which a condition is put together on a screen: adding a part, taking one away."""

from __future__ import annotations

from members.conditions.drafts import Draft, empty_group, numbered, part_at


def take_step(draft: Draft, step: str) -> str:
    """Do what a button says, as `question:0.1`; return the place and the control, as
    `0.1.0.field`, where one goes on. A step that makes no sense any more changes nothing."""
    what, _colon, rest = step.partition(":")
    place, _colon, number = rest.partition(":")
    part = part_at(draft, place)
    if part is None:
        return ""
    match what:
        case "question" | "lines" | "group" if part.kind == "group":
            return _add(draft, part, what)
        case "remove" if place:
            return _remove(draft, place)
        case "drop" if number.isdigit() and int(number) < len(part.values):
            del part.values[int(number)]
            return f"{place}.value"
        case "add":
            return f"{place}.value"
    return ""


def _add(draft: Draft, group: Draft, what: str) -> str:
    match what:
        case "question":
            added = Draft("question")
        case "lines":
            where = Draft("group", parts=[Draft("question")])
            added = Draft("lines", mode="any", parts=[where])
        case _:
            added = empty_group()
            added.mode = "any" if group.mode == "all" else "all"
            added.parts = [Draft("question")]
    group.parts.append(added)
    numbered(draft)
    return f"{added.place}.mode" if what == "lines" else f"{_first(added).place}.field"


def _first(draft: Draft) -> Draft:
    return draft.parts[0] if draft.parts else draft


def _remove(draft: Draft, place: str) -> str:
    """What comes next takes its place; where one goes on is what came before."""
    outer, _dot, number = place.rpartition(".")
    group = part_at(draft, outer)
    if group is None or group.kind != "group":
        return ""
    del group.parts[int(number)]
    numbered(draft)
    return f"{outer}.add" if outer else "add"
