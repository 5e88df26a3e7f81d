"""Documents on paper in the merchant's look: A4, its name or logo on top, the page number below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TextEmphasis, XPos, YPos
from fpdf.fonts import FontFace

from members.branding import parse_hex
from members.images import UNDRAWABLE
from members.models import Merchant
from members.pdf_fonts import fonts_for

REGULAR, BOLD = 400, 650
# Millimeters.
MARGIN, LOGO_HEIGHT, LINE = 18, 11, 6
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
        """A table; its headings stand on each page."""
        self.style("small")
        self.set_draw_color(*RULE)
        face = FontFace(emphasis=TextEmphasis.B, color=MUTED, fill_color=SHADE)
        layout = TableBordersLayout.HORIZONTAL_LINES
        with self.table(
            col_widths=widths, text_align=aligned, headings_style=face, borders_layout=layout,
            line_height=5, padding=(0.8, 1.5),
        ) as table:  # fmt: skip
            table.row(headings)
            for row in rows:
                table.row(row)


def _page_words(number: int) -> str:
    return _("Page %s") % number
