"""Figures of messages as files for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields

from campaigns.selectors.figures import Counts, Measured
from members.file_cells import harmless

_COLUMNS = [item.name for item in fields(Counts)]


def overview_lines(rows: Iterable[tuple[str, str, Counts]]) -> Iterator[list[str]]:
    """A line for each message and each journey."""
    yield ["kind", "name", *_COLUMNS]
    for kind, name, counts in rows:
        yield [kind, harmless(name), *_numbers(counts)]


def day_lines(measured: Measured) -> Iterator[list[str]]:
    """A line for each day, then for each way, language and version, and step."""
    yield ["part", "name", *_COLUMNS]
    for day, counts in measured.by_day.items():
        yield ["day", day.isoformat(), *_numbers(counts)]
    for channel, counts in measured.by_channel.items():
        yield ["way", channel, *_numbers(counts)]
    for (channel, locale, number), counts in measured.by_words.items():
        version = "ready-made" if number is None else f"version {number}"
        yield ["words", harmless(f"{channel} {locale} {version}"), *_numbers(counts)]
    for step, counts in measured.by_step.items():
        yield ["step", step, *_numbers(counts)]


def _numbers(counts: Counts) -> list[str]:
    return [str(number) for number in astuple(counts)]
