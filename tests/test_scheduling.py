"""Tests of a module run in one process, and what those shared is gone before one that commits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.scheduling import together

PLUGIN = """
from tests.scheduling import ModuleScheduling, put_in_order
def pytest_collection_modifyitems(config, items):
    put_in_order(items, parallel=hasattr(config, "workerinput"))
def pytest_xdist_make_scheduler(config, log):
    return ModuleScheduling(config, log)
"""
MODULE = """
import os, pathlib, pytest
@pytest.mark.parametrize("number", range({tests}))
def test_it(number):
    with pathlib.Path("said").open("a") as said:
        said.write(f"{name} {{os.environ['PYTEST_XDIST_WORKER']}}\\n")
{long}
"""


def run(folder: Path) -> list[list[str]]:
    """Module and process of each test, as two processes ran them."""
    (folder / "conftest.py").write_text(PLUGIN)
    root = str(Path(__file__).resolve().parent.parent)
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "xdist.plugin", "-n", "2",
         "--dist", "loadfile", "-p", "no:cacheprovider"],
        cwd=folder, check=True,
        # Nothing but what it is about: three processes would load all plugins that there are.
        env={"PYTHONPATH": root, "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    return [line.split() for line in (folder / "said").read_text().splitlines()]


def test_a_module_is_run_by_one_process_and_what_takes_long_begins_first(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = long: first\n")
    for name, tests, long in [
        ("few", 2, ""), ("many", 9, ""), ("some", 5, ""),
        ("late", 1, "test_it = pytest.mark.long(test_it)"),
    ]:  # fmt: skip
        module = MODULE.format(name=name, tests=tests, long=long)
        (tmp_path / f"test_{name}.py").write_text(module)
    ran = run(tmp_path)
    assert len(ran) == 17
    assert len({(name, process) for name, process in ran}) == 4
    process = dict(map(tuple, ran))
    # Each process begins at its end of the order: the long one, and that of the most tests.
    assert process["late"] != process["many"]
    assert next(name for name, by in ran if by == process["late"]) == "late"
    assert next(name for name, by in ran if by == process["many"]) == "many"


def test_modules_of_a_folder_that_share_an_installation_are_like_one() -> None:
    assert together("tests/kill/test_api.py::test_it") == "tests/kill/"
    assert together("tests/kill/test_jobs.py::test_it[worker-2]") == "tests/kill/"
    assert together("tests/api/test_jobs.py::test_it[a::b]") == "tests/api/test_jobs.py"
