"""What is asked of somebody who brings a shop's own export: the file, its columns, where to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.models import Program
from loyalty.services.import_files import is_ndjson
from loyalty.shop_exports.columns import BUYER, LINE, ORDER, WANTED
from loyalty.shop_exports.tables import Table
from loyalty.shop_exports.uploads import Choices
from members.choices import currencies

EXAMPLE = 28
HISTORY = "history"


class ExportForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label=gettext_lazy("File with orders"),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.gz"}),
        help_text=gettext_lazy(
            "CSV as your shop exports it, also packed as .gz; 100,000 rows at most."
        ),
    )

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if is_ndjson(Path(file.name or "")):
            raise forms.ValidationError(
                _("NDJSON needs no choice of columns: bring it with “Files in Setia’s own format”.")
            )
        return file


class ColumnsForm(forms.Form):
    """For each thing that an import can use the column that has it, and how values are written."""

    mark = forms.ChoiceField(
        label=gettext_lazy("Amounts are written"),
        choices=(
            (".", gettext_lazy("with a point: 1,234.50")),
            (",", gettext_lazy("with a comma: 1.234,50")),
        ),
    )
    days = forms.ChoiceField(
        label=gettext_lazy("Days are written"),
        choices=(
            ("ymd", gettext_lazy("year first: 2026-03-31")),
            ("dmy", gettext_lazy("day first: 31.03.2026 or 31/03/2026")),
            ("mdy", gettext_lazy("month first: 03/31/2026")),
        ),
    )
    currency = forms.ChoiceField(
        label=gettext_lazy("Currency"),
        help_text=gettext_lazy("Of orders for which no column says it."),
    )
    source = forms.SlugField(
        label=gettext_lazy("Where the numbers come from"), max_length=32,
        help_text=gettext_lazy("Two systems may use the same order number; this tells them apart."),
    )  # fmt: skip

    def __init__(self, data: Any, *, table: Table, choices: Choices) -> None:
        written = {name: getattr(choices, name) for name in ("mark", "days", "currency", "source")}
        super().__init__(data, initial=written)
        self.fields["currency"].choices = currencies(choices.currency)  # type: ignore[attr-defined]
        columns = [("", _("– not in the file –")), *_columns(table)]
        for item in WANTED.values():
            self.fields[f"column_{item.name}"] = forms.ChoiceField(
                label=item.label, choices=columns, required=item.needed, help_text=item.help,
                initial=str(choices.columns.get(item.name, "")),
            )  # fmt: skip

    @property
    def orders(self) -> list[forms.BoundField]:
        return [self[f"column_{item.name}"] for item in ORDER]

    @property
    def buyers(self) -> list[forms.BoundField]:
        return [self[f"column_{item.name}"] for item in BUYER]

    @property
    def lines(self) -> list[forms.BoundField]:
        return [self[f"column_{item.name}"] for item in LINE]

    @property
    def writing(self) -> list[forms.BoundField]:
        return [self[name] for name in ("mark", "days", "currency", "source")]

    def choices(self) -> Choices:
        data = self.cleaned_data
        chosen = {name: data[f"column_{name}"] for name in WANTED}
        return Choices(
            columns={name: int(place) for name, place in chosen.items() if place},
            mark=data["mark"], days=data["days"], currency=data["currency"],
            source=data["source"],
        )  # fmt: skip


class WhereToForm(forms.Form):
    """What becomes of the orders."""

    into = forms.ChoiceField(label=gettext_lazy("What they are for"), widget=forms.RadioSelect)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        live = Program.objects.filter(status=Program.Status.LIVE).order_by("name")
        self.programs = {program.code: program for program in live}
        history = (HISTORY, _("Keep them as history: advice, backtests and segments use them"))
        words = _("%s: their buyers become members, and the orders earn")
        programs = [(code, words % program.name) for code, program in self.programs.items()]
        field = self.fields["into"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [history, *programs]
        self.initial["into"] = HISTORY if len(programs) != 1 else programs[0][0]

    def program(self) -> Program | None:
        return self.programs.get(self.cleaned_data["into"])


def _columns(table: Table) -> list[tuple[str, str]]:
    """The columns by name, with what they begin with."""
    found = []
    for place, name in enumerate(table.header):
        first = next(iter(table.column(place)), "")
        shown = f"{first[:EXAMPLE]}…" if len(first) > EXAMPLE else first
        label = name or _("Column %s") % (place + 1)
        found.append((str(place), f"{label}: {shown}" if shown else label))
    return found
