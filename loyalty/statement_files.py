"""A statement as a document to keep or print (PDF)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.utils.translation import gettext as _

from loyalty.models import Membership
from loyalty.statement_words import (
    COLUMNS,
    ToldStatement,
    ToldWallet,
    column_labels,
    nothing_words,
)
from members.api.throttling import take
from members.errors import DomainError
from members.selectors.merchants import get_merchant

if TYPE_CHECKING:
    from members.pdf_pages import Align, MerchantPages

# Of one member in a minute: a long one takes seconds to draw.
AT_MOST = 6
WIDTHS = (26, 92, 28, 28)
ALIGNED: tuple[Align, ...] = ("LEFT", "LEFT", "RIGHT", "RIGHT")


class TooManyPapersError(DomainError):
    code = "too_many_requests"
    status = 429


def count_paper(membership: Membership) -> None:
    """Raises TooManyPapersError."""
    allowance = take(f"paper:{membership.pk}", AT_MOST)
    if allowance is not None and not allowance.granted:
        raise TooManyPapersError(_("Please try again in a minute."))


def statement_response(told: ToldStatement, *, period: str) -> HttpResponse:
    """`period`: as in its address, for the file's name."""
    response = HttpResponse(statement_file(told), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="statement-{period}.pdf"'
    return response


def statement_file(told: ToldStatement) -> bytes:
    # Every process would load it for a quarter of a second, and few ever draw.
    from members.pdf_pages import MerchantPages

    merchant, nothing = get_merchant(), nothing_words()
    title = f"{told.title} – {told.period}"
    pages = MerchantPages(merchant, title=title, text=[nothing, *_all_text(told)])
    pages.line_of(title, "title", bold=True)
    pages.ln(3)
    pages.facts(told.facts)
    if told.note:
        pages.line_of(told.note)
    for wallet in told.wallets:
        _write_wallet(pages, wallet, nothing)
    if not told.wallets:
        pages.ln(4)
        pages.line_of(nothing)
    return bytes(pages.output())


def _write_wallet(pages: MerchantPages, wallet: ToldWallet, nothing: str) -> None:
    pages.ln(6)
    if pages.will_page_break(40):
        pages.add_page()
    pages.line_of(wallet.name, "heading", bold=True)
    pages.ln(2)
    pages.figures(list(wallet.figures))
    if not wallet.lines:
        pages.line_of(nothing)
        return
    labels = column_labels()
    rows = (
        [line.day, " · ".join(filter(None, (line.what, line.detail))), line.units, line.held]
        for line in wallet.lines
    )
    pages.rows([labels[name] for name in COLUMNS], rows, widths=WIDTHS, aligned=ALIGNED)


def _all_text(told: ToldStatement) -> Iterator[str]:
    yield from (told.title, told.period, told.note, " · –")
    yield from (text for pair in told.facts for text in pair)
    yield from column_labels().values()
    for wallet in told.wallets:
        yield wallet.name
        yield from (text for pair in wallet.figures for text in pair)
        for line in wallet.lines:
            yield from (line.day, line.what, line.detail, line.units, line.held)
