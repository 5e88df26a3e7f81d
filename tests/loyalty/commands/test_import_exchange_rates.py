"""`manage.py import_exchange_rates`."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from loyalty.models import ExchangeRate

TEXT = "date;from;to;rate\n2024-03-15;usd;EUR;0.92\n2024-03-16;USD;EUR;0.93\n"


def run(path: Path, *options: str) -> str:
    out = StringIO()
    call_command("import_exchange_rates", str(path), *options, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.mark.django_db
def test_a_file_is_tried_kept_and_kept_again(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_text(TEXT)
    assert "Would be: 2 created" in run(path, "--dry-run")
    assert not ExchangeRate.objects.exists()
    assert "Done: 2 created" in run(path)
    assert "Done: 2 unchanged" in run(path)


@pytest.mark.django_db
def test_a_file_with_errors_keeps_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_text(TEXT + "2024-03-17;USD;EUR;much\n")
    with pytest.raises(CommandError, match="1 values are wrong"):
        run(path)
    assert not ExchangeRate.objects.exists()
