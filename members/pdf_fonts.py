"""Fonts for documents on paper: of each family only the files that a text needs.

The families come as many small files, each for some ranges of Unicode, which `unicode.json` of the
package names; a document of Latin letters reads one of them, one of Chinese a dozen. They are
variable ones; a document wants a file for each weight, which takes a tenth of a second and more to
make, so it is kept (`var/fonts`) for all documents and processes.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

LATIN = "noto-sans"
# Where two families draw the same character, that of the reader's script is asked first.
BY_LANGUAGE = {
    "zh-hans": (LATIN, "noto-sans-sc", "noto-sans-tc"),
    "zh-hant": (LATIN, "noto-sans-tc", "noto-sans-sc"),
}
ELSEWHERE = BY_LANGUAGE["zh-hans"]
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FontFile:
    """A variable font (axis `wght`) of some ranges of Unicode, both ends included."""

    name: str
    path: Path
    ranges: tuple[Range, ...]

    def draws(self, character: int) -> bool:
        return any(first <= character <= last for first, last in self.ranges)

    def at_weight(self, weight: int) -> Path:
        """The file that draws this weight alone, prepared by whoever first asks for it."""
        folder = Path(settings.FONTS_DIR)
        prepared = folder / f"{self.name}-{weight}-{_digest(self.path)}.ttf"
        if not prepared.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            _prepare(self.path, weight, prepared)
        return prepared


def fonts_for(text: Iterable[str], language: str) -> list[FontFile]:
    """The files that together draw every character that any of them can, the Latin one first."""
    missing = {ord(character) for character in set().union(*map(set, text)) if character > " "}
    chosen = []
    for family in BY_LANGUAGE.get(language.lower(), ELSEWHERE):
        for file in files_of(family):
            drawn = {character for character in missing if file.draws(character)}
            if drawn or file.name == f"{LATIN}-latin":
                chosen.append(file)
                missing -= drawn
    return sorted(chosen, key=lambda file: file.name != f"{LATIN}-latin")


@cache
def files_of(family: str) -> tuple[FontFile, ...]:
    """All files of a family of upright letters."""
    package = Path(settings.NODE_MODULES) / "@fontsource-variable" / family
    ranges = json.loads((package / "unicode.json").read_text())
    return tuple(_files(package, family, ranges))


def _files(package: Path, family: str, ranges: dict[str, str]) -> Iterator[FontFile]:
    for key, text in ranges.items():
        subset = key.strip("[]")
        path = package / "files" / f"{family}-{subset}-wght-normal.woff2"
        if path.is_file():
            yield FontFile(f"{family}-{subset}", path, tuple(map(_range, text.split(","))))


@cache
def _digest(path: Path) -> str:
    """Another version of the package has other files."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _prepare(source: Path, weight: int, target: Path) -> None:
    # Few processes ever draw, and every one would load it.
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    with TTFont(source, recalcTimestamp=False) as font:
        instantiateVariableFont(font, {"wght": weight}, inplace=True, static=True)
        font.flavor = None
        # Whoever else prepares it meanwhile puts the same into place.
        with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".new", delete=False) as file:
            font.save(file)
    Path(file.name).replace(target)


def _range(text: str) -> Range:
    """Read "U+4e00-4eff" or "U+4e00"."""
    first, _dash, last = text.strip().removeprefix("U+").partition("-")
    return int(first, 16), int(last or first, 16)
