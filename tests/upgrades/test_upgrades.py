"""A database that an earlier version left is brought up to date, and its books still agree.

Beside this file are backups of the demonstration with four households, each made by
`python -m tests.upgrades FILE` with the version of its day. One is added with each version that is
handed out, and none is ever renewed.
"""

from pathlib import Path
from typing import Any

import pytest

from config.backups.backup import Backup
from config.backups.rehearsal import run_rehearsal, start_rehearsal
from members.models import Job

BACKUPS = sorted(Path(__file__).parent.glob("*.dump"))


def test_there_are_some() -> None:
    assert BACKUPS


@pytest.mark.long
@pytest.mark.parametrize("path", BACKUPS, ids=lambda path: str(path.stem))
@pytest.mark.django_db(transaction=True)
def test_it_is_brought_up_to_date_and_its_books_agree(
    path: Path, settings: Any, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    said: list[str] = []
    job = run_rehearsal(start_rehearsal(Backup.read(path)).pk, say=said.append)
    assert job is not None
    assert job.state == Job.State.SUCCEEDED, said
    assert any("The ledger is coherent there" in words for words in said)
    assert any("It holds every row" in words for words in said)
