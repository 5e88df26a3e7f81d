"""docs/webhooks.md is written from the catalog, and its examples verify what is sent."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from campaigns.webhook_schedule import WAITS
from campaigns.webhook_secrets import fingerprint_of, new_seed, secret_of, signed_headers, written
from config.documents.event_reference import NAME, PAGE, event_reference
from config.documents.parts import DOCS, part_of

NODE = shutil.which("node") or str(settings.VAR_DIR / "node" / "bin" / "node")


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", (DOCS / PAGE).read_text(), re.DOTALL)
    assert found
    return found[1]


def test_the_page_is_in_step() -> None:
    assert part_of(PAGE, NAME) == event_reference().strip(), "run: manage.py event_reference"


def test_the_waits_are_those_of_the_program() -> None:
    row = next(
        line for line in (DOCS / PAGE).read_text().splitlines() if line.startswith("| after the")
    )
    seconds = {"s": 1, "min": 60, "h": 3600}
    told = [item.split() for item in row.split("|")[2:-1]]
    assert [int(number) * seconds[unit] for number, unit in told] == [
        int(wait.total_seconds()) for wait in WAITS
    ]


def message() -> tuple[str, dict[str, str], bytes]:
    seed = new_seed()
    secret = secret_of(seed, fingerprint_of(seed))
    assert secret is not None
    body = json.dumps({"type": "points.earned", "data": {}}).encode()
    headers = signed_headers(message_id="msg_1", body=body, at=timezone.now(), keys=[b"x", secret])
    return written(secret), headers, body


def test_the_python_example_takes_what_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    secret, headers, body = message()
    monkeypatch.setenv("SETIA_WEBHOOK_SECRET", secret)
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(example("python"), "example", "exec"), names)
    webhook = names["Webhook"](names["SECRET"])  # type: ignore[operator]
    assert webhook.verify(body, headers)["type"] == "points.earned"


@pytest.mark.skipif(not Path(NODE).exists(), reason="there is no node on this machine")
def test_the_node_example_takes_what_is_signed_and_nothing_else(tmp_path: Path) -> None:
    secret, headers, body = message()
    (tmp_path / "receiver.mjs").write_text(example("js"))
    (tmp_path / "check.mjs").write_text(
        'import { isFromSetia } from "./receiver.mjs";\n'
        f"const headers = {json.dumps(headers)};\n"
        f"const body = Buffer.from({json.dumps(body.decode())});\n"
        "console.log(isFromSetia(headers, body),"
        ' isFromSetia(headers, Buffer.concat([body, Buffer.from(" ")])));\n'
    )
    ran = subprocess.run(
        [NODE, "check.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
        env={"SETIA_WEBHOOK_SECRET": secret},
    )  # fmt: skip
    assert ran.stdout.split() == ["true", "false"]
