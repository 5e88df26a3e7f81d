"""The commands in the pages about the API, pasted into a shell one after the other as they are.

Only the address, the key and the days are put in place: what was written on WRITTEN is read today.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from loyalty.models import Program
from loyalty.program_files import load_program
from loyalty.services.programs import apply_definition
from members.services.api_keys import SCOPES, create_api_key, forget_cached_keys
from members.services.audit import SYSTEM
from rewards.definitions import RewardDefinition
from rewards.demo.catalog import CATALOG
from rewards.services.rewards import create_reward
from tests.chromium import PROJECT
from tests.docs.tables import DOCS
from tests.factories import StaffMemberFactory

WRITTEN = dt.date(2026, 11, 28)
# One world, in which the later pages go on from what the first has done.
PAGES = (
    "api", "checkout", "till", "storefront", "companies", "backtests", "reward-gifts", "webhooks",
)  # fmt: skip
COMMAND = re.compile(r"(curl|export|field\(\)) ")
DAY = re.compile(r"\b20\d\d-\d\d-\d\d\b")
SHOWN_FIELD = re.compile(r'"(\w+)":')


def blocks(page: str) -> Iterator[str]:
    """The indented blocks of a page, in their order."""
    lines: list[str] = []
    for line in [*(DOCS / f"{page}.md").read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("    "):
            lines.append(line)
        elif lines:
            margin = len(lines[0]) - len(lines[0].lstrip())
            yield "\n".join(line[margin:] for line in lines)
            lines = []


def commands(page: str, address: str, secret: str) -> str:
    """What one pastes, for this installation and this day."""
    text = "\n".join(block for block in blocks(page) if COMMAND.match(block))
    text = text.replace("http://localhost:8000", address).replace("setia_…", secret)
    later = timezone.localdate() - WRITTEN
    return DAY.sub(lambda day: str(dt.date.fromisoformat(day[0]) + later), text)


@pytest.fixture
def harvest_club(transactional_db: None) -> Program:
    """The demonstration's program with the first of its rewards, and nobody in it."""
    definition = load_program((PROJECT / "loyalty/demo/program.yaml").read_text("utf-8"))
    long_ago = timezone.now() - dt.timedelta(days=400)
    program = apply_definition(definition, actor=SYSTEM, now=long_ago).program
    first = CATALOG[0] | {"status": "live", "wallet_type": "acorns"}
    create_reward(program=program, definition=RewardDefinition.model_validate(first), actor=SYSTEM)
    StaffMemberFactory(user__email="mia@setia.example")
    return program


@pytest.mark.long
@pytest.mark.timeout(180)
@override_settings(API_REQUESTS_PER_MINUTE=0, PRIVACY_REQUESTS_PER_MINUTE=0)
def test_every_command_does_what_its_page_says(
    harvest_club: Program, live_server: Any, tmp_path: Path
) -> None:
    forget_cached_keys()
    _key, secret = create_api_key(actor=SYSTEM, name="docs", scopes=list(SCOPES))
    curl = tmp_path / "curl"
    stand_in = DOCS.parent / "tests/docs/curl.py"
    curl.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{stand_in}" "$@"\n')
    curl.chmod(0o755)
    (tmp_path / "python3").symlink_to(sys.executable)
    script = "\n".join(commands(page, live_server.url, secret) for page in PAGES)
    ran = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=170, check=False,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}",
             "CALLS": str(tmp_path / "calls")},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    refused = [call for call in calls if not 200 <= call[2] < 300]
    assert refused == []
    assert len(calls) == script.count("curl ")
    check_answers("api", calls)


def check_answers(page: str, calls: list[Any]) -> None:
    """Each answer that the page shows below a command has the fields that it shows."""
    told, checked = iter(calls), 0
    answers: list[str] = []
    for block in blocks(page):
        if COMMAND.match(block):
            answers = [next(told)[3] for _call in range(block.count("curl "))]
        elif block.startswith("{") and answers and "about:blank" not in block:
            fields = set(SHOWN_FIELD.findall(block))
            assert fields - set(SHOWN_FIELD.findall(answers[-1])) == set(), block
            answers, checked = [], checked + 1
    assert checked >= 6
