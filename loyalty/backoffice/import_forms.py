"""What one uploads to import orders, and the format that is explained beside it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any, NamedTuple

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.models import Program
from loyalty.services.import_files import is_ndjson
from loyalty.services.import_rows import LINE_COLUMNS, ORDER_COLUMNS

_NAME = re.compile(r".+\.(csv|ndjson|jsonl)(\.gz)?", re.IGNORECASE).fullmatch
# What a file may be.
FILES = ".csv,.ndjson,.jsonl,.gz"
SOURCE = (
    gettext_lazy("Where the numbers come from"),
    gettext_lazy("Two systems may use the same number; this tells them apart."),
)


class Column(NamedTuple):
    """A column of a file, as it is explained to people."""

    name: str
    text: str | Promise
    example: str
    required: bool = True


ORDER_FORMAT = (
    Column(
        "order_id", gettext_lazy("The order's number in your shop; a return has its own."), "A-1001"
    ),
    Column("customer_id", gettext_lazy("Your number of the customer. Empty: a guest."), "C-17"),
    Column(
        "placed_at",
        gettext_lazy("When. Without an offset: in the program's time zone."),
        "2026-03-31T18:05:00",
    ),
    Column("currency", gettext_lazy("Three letters."), "USD"),
    Column("total", gettext_lazy("What was paid; below zero for a return."), "24.50"),
    Column("kind", gettext_lazy("sale or return."), "sale", required=False),
    Column(
        "returns_order_id",
        gettext_lazy("Of a return: the order it belongs to, if known."),
        "",
        required=False,
    ),
    Column(
        "shipping",
        gettext_lazy("What the total holds beside the lines for sending it."),
        "4.90",
        required=False,
    ),
    Column(
        "email",
        gettext_lazy("Of a customer who is new here; they sign in with it."),
        "ann@example.com",
        required=False,
    ),
    Column("given_name", gettext_lazy("Of a customer who is new here."), "Ann", required=False),
    Column("family_name", gettext_lazy("Of a customer who is new here."), "Lee", required=False),
    Column(
        "exchange_rate",
        gettext_lazy("What one of the order’s currency is worth in that of the program."),
        "",
        required=False,
    ),
    Column(
        "exchange_currency",
        gettext_lazy("What the rate is in; empty: the program’s."),
        "",
        required=False,
    ),
)
LINE_FORMAT = (
    Column("order_id", gettext_lazy("The order that the line belongs to."), "A-1001"),
    Column("line_no", gettext_lazy("1, 2, 3 … within the order."), "1"),
    Column("sku", gettext_lazy("The product's number."), "COFFEE-250", required=False),
    Column("category", gettext_lazy("Its category."), "Coffee", required=False),
    Column("quantity", gettext_lazy("How many; below zero in a return."), "2"),
    Column("unit_price", gettext_lazy("What one costs."), "9.75", required=False),
    Column("discount", gettext_lazy("What was taken off this line."), "0", required=False),
    Column(
        "line_total",
        gettext_lazy("What the line comes to, after its discount. It decides."),
        "19.50",
    ),
)
SAMPLES: dict[str, tuple[tuple[str, ...], ...]] = {
    "orders": (
        ORDER_COLUMNS,
        ("A-1001", "C-17", "2026-03-31T18:05:00", "USD", "24.50", "sale", ""),
        ("A-1002", "C-18", "2026-04-01T09:12:00", "USD", "9.75", "sale", ""),
        ("R-0001", "C-17", "2026-04-02T11:30:00", "USD", "-9.75", "return", "A-1001"),
    ),
    "lines": (
        LINE_COLUMNS,
        ("A-1001", "1", "COFFEE-250", "Coffee", "2", "9.75", "0", "19.50"),
        ("A-1001", "2", "MUG-RED", "Kitchen", "1", "6.00", "1.00", "5.00"),
        ("A-1002", "1", "COFFEE-250", "Coffee", "1", "9.75", "0", "9.75"),
        ("R-0001", "1", "COFFEE-250", "Coffee", "-1", "9.75", "0", "-9.75"),
    ),
}


class ImportForm(forms.Form):
    """A program, and the two files of an order history."""

    program = forms.ModelChoiceField(
        Program.objects.none(),
        label=gettext_lazy("Program"),
        empty_label=None,
        help_text=gettext_lazy("Whoever is in the files becomes a member, and their orders earn."),
    )
    orders = forms.FileField(
        label=gettext_lazy("Orders"), widget=forms.FileInput(attrs={"accept": FILES})
    )
    lines = forms.FileField(
        label=gettext_lazy("Order lines"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.gz"}),
        help_text=gettext_lazy("Needed where rules name products, or returns name what came back."),
    )
    source = forms.SlugField(
        label=SOURCE[0],
        max_length=32,
        initial="shop",
        help_text=gettext_lazy("Two systems may use the same order number; this tells them apart."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        program = self.fields["program"]
        assert isinstance(program, forms.ModelChoiceField)
        program.queryset = Program.objects.filter(status=Program.Status.LIVE)

    def clean_orders(self) -> UploadedFile[bytes]:
        return checked_file(self.cleaned_data["orders"], ORDER_FORMAT)

    def clean_lines(self) -> UploadedFile[bytes] | None:
        lines = self.cleaned_data["lines"]
        files = [file for file in (self.cleaned_data.get("orders"), lines) if file]
        if lines and any(is_ndjson(Path(file.name or "")) for file in files):
            raise forms.ValidationError(
                _("Lines are CSV, beside orders in CSV. In NDJSON each order has its own lines.")
            )
        return checked_file(lines, LINE_FORMAT) if lines else None


def checked_file(
    file: UploadedFile[bytes], columns: tuple[Column, ...], *, one_of: tuple[str, ...] = ()
) -> UploadedFile[bytes]:
    """Refuse at once what is no such file, so that nobody waits for a job to say so. `one_of`: of
    these columns one must be there."""
    if not _NAME(file.name or ""):
        raise forms.ValidationError(
            _("Choose a file that ends in .csv or .ndjson, plain or packed as .gz.")
        )
    try:
        head = _first_line(file)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise forms.ValidationError(
            _("This file cannot be read: it must be in UTF-8, plain or gzipped.")
        ) from error
    if is_ndjson(Path(file.name or "")):
        if not head.lstrip("\ufeff").lstrip().startswith("{"):
            raise forms.ValidationError(_("Each line is one JSON object: {…}."))
        return file
    names = [cell.strip().strip('"') for cell in head.lstrip("\ufeff").strip().split(",")]
    missing = [column.name for column in columns if column.required and column.name not in names]
    if missing:
        raise forms.ValidationError(
            _("The first line must name the columns; missing: %s.") % ", ".join(missing)
        )
    if one_of and not set(one_of) & set(names):
        raise forms.ValidationError(
            _("The first line must name one of these columns: %s.") % ", ".join(one_of)
        )
    return file


def _first_line(file: UploadedFile[bytes]) -> str:
    file.seek(0)
    start: bytes = file.read(2)
    file.seek(0)
    if start == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=file) as unzipped:
            line = unzipped.readline(10_000)
    else:
        line = file.readline(10_000)
    file.seek(0)
    return line.decode()
