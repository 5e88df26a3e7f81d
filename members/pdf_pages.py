"""Documents on paper in the merchant's look: A4, its name or logo on top, the page number below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from members.branding import parse_hex
from members.images import UNDRAWABLE
from members.models import Merchant
from members.pdf_fonts import fonts_for

REGULAR, BOLD = 400, 650
# Millimeters.
MARGIN, LOGO_HEIGHT, LINE, ROW = 18, 11, 6, 5
# Of a cell: above and below its text, and beside it.
PADDING = (0.8, 1.5)
INK, MUTED = (30, 41, 59), (100, 116, 139)
RULE, SHADE = (226, 232, 240), (248, 250, 252)
SIZES = {"title": 20, "heading": 13, "text": 10, "small": 8.5}
Align = Literal["LEFT", "RIGHT"]


class MerchantPages(FPDF):
    """Pages that draw each character of `text`, all that will be written; what no font knows is
    drawn as an empty box."""

    def __init__(self, merchant: Merchant, *, title: str, text: Iterable[str]) -> None:
        super().__init__(format="A4")
        self.merchant = merchant
        self.set_title(title)
        self.set_author(merchant.name)
        self.set_lang((get_language() or "en").lower())
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(True, margin=MARGIN + 4)
        self._use_fonts([*text, title, merchant.name, _page_words(0)])
        self.add_page()

    def _use_fonts(self, text: Iterable[str]) -> None:
        files = fonts_for(text, get_language() or "en")
        for file in files:
            self.add_font(file.name, "", file.at_weight(REGULAR))
            self.add_font(file.name, "B", file.at_weight(BOLD))
        first, *others = [file.name for file in files]
        self.family = first
        self.set_fallback_fonts(others)

    def style(self, size: str, *, bold: bool = False, color: tuple[int, int, int] = INK) -> None:
        self.set_font(self.family, "B" if bold else "", SIZES[size])
        self.set_text_color(*color)
        # Otherwise fpdf2 names the font inside the first text of another color and believes that
        # it holds for the next one, which is then drawn in whatever font there was before.
        if self.page and self.current_font is not None:
            self._out(self._set_font_for_page(self.current_font, self.font_size_pt))

    def header(self) -> None:
        accent = [round(part * 255) for part in parse_hex(self.merchant.accent_color)]
        self.set_fill_color(*accent)
        self.rect(0, 0, self.w, 2.5, style="F")
        self.set_y(10)
        if not self._draw_logo():
            self.style("heading", bold=True)
            self.cell(text=self.merchant.name)
        self.set_y(10 + LOGO_HEIGHT + 6)

    def _draw_logo(self) -> bool:
        """Whether there is one that can be drawn."""
        if not self.merchant.logo:
            return False
        try:
            with self.merchant.logo.open("rb") as logo:
                self.image(logo.read(), x=MARGIN, h=LOGO_HEIGHT, alt_text=self.merchant.name)
        except UNDRAWABLE:
            return False
        return True

    def footer(self) -> None:
        self.set_y(-MARGIN + 4)
        self.style("small", color=MUTED)
        self.cell(0, text=_page_words(self.page_no()), align="R")

    def line_of(self, text: str, size: str = "text", *, bold: bool = False) -> None:
        """A line of its own, wrapped where it is too long."""
        self.style(size, bold=bold)
        height = SIZES[size] * 0.55
        self.multi_cell(0, height, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Labels and values, one below the other."""
        for label, value in pairs:
            self.style("text", color=MUTED)
            self.cell(40, LINE, label)
            self.style("text")
            self.multi_cell(0, LINE, value, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")

    def figures(self, pairs: list[tuple[str, str]]) -> None:
        """Numbers side by side, each below its label."""
        width = self.epw / len(pairs)
        top = self.y
        self.set_fill_color(*SHADE)
        self.rect(self.l_margin, top, self.epw, 15, style="F")
        for place, (label, number) in enumerate(pairs):
            self.set_xy(self.l_margin + place * width + 2, top + 1.5)
            self.style("small", color=MUTED)
            self.cell(width - 4, 5, label)
            self.set_xy(self.l_margin + place * width + 2, top + 6.5)
            self.style("heading", bold=True)
            self.cell(width - 4, 7, number)
        self.set_xy(self.l_margin, top + 18)

    def rows(
        self,
        headings: list[str],
        rows: Iterable[list[str]],
        *,
        widths: tuple[int, ...],
        aligned: tuple[Align, ...],
    ) -> None:
        """A table; its headings stand on each page. What fits into its cell is written there at
        once: the library's own tables measure each piece of text several times."""
        unit = self.epw / sum(widths)
        cells = [(unit * width, align) for width, align in zip(widths, aligned, strict=True)]
        self.set_draw_color(*RULE)
        self._headings(headings, cells)
        for row in rows:
            lines = [
                self._lines_in(text, width)
                for text, (width, _align) in zip(row, cells, strict=True)
            ]
            if self.will_page_break(_height(lines)):
                self.add_page()
                self._headings(headings, cells)
            self.line(self.l_margin, self.y, self.l_margin + self.epw, self.y)
            self._write_row(lines, cells)

    def _headings(self, headings: list[str], cells: Sequence[tuple[float, Align]]) -> None:
        self.style("small", bold=True, color=MUTED)
        lines = [
            self._lines_in(text, width)
            for text, (width, _align) in zip(headings, cells, strict=True)
        ]
        self.set_fill_color(*SHADE)
        self.rect(self.l_margin, self.y, self.epw, _height(lines), style="F")
        self._write_row(lines, cells)
        self.style("small")

    def _lines_in(self, text: str, width: float) -> list[str]:
        """How a text is broken within a cell."""
        room = width - 2 * PADDING[1]
        if "\n" not in text and self.get_string_width(text) <= room:
            return [text]
        with self._to_the_edge():
            lines = self.multi_cell(room, ROW, text, dry_run=True, output=MethodReturnValue.LINES)
        assert isinstance(lines, list)
        return lines

    def _write_row(self, lines: Sequence[list[str]], cells: Sequence[tuple[float, Align]]) -> None:
        """Each cell in the middle of the highest."""
        top, height, left = self.y, _height(lines), self.l_margin
        with self._to_the_edge():
            for wrapped, (width, align) in zip(lines, cells, strict=True):
                first = top + (height - ROW * len(wrapped)) / 2
                for number, text in enumerate(wrapped):
                    self.set_xy(left + PADDING[1], first + number * ROW)
                    self.cell(width - 2 * PADDING[1], ROW, text, align=align)
                left += width
        self.set_xy(self.l_margin, top + height)

    @contextmanager
    def _to_the_edge(self) -> Iterator[None]:
        """Text begins and ends where its cell does."""
        margin, self.c_margin = self.c_margin, 0
        try:
            yield
        finally:
            self.c_margin = margin


def _height(lines: Sequence[list[str]]) -> float:
    """Of a row whose cells have these lines."""
    return ROW * max(map(len, lines)) + 2 * PADDING[0]


def _page_words(number: int) -> str:
    return _("Page %s") % number
