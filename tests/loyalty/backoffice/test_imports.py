"""Importing orders in the browser: files in, progress and refusals out, nothing counted twice."""

import csv
import datetime as dt
import gzip
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from loyalty.backoffice.import_forms import SAMPLES
from loyalty.models import Order, Program
from loyalty.services.import_files import discard_old_files
from loyalty.services.imports import KIND
from members.models import Job, JobError
from tests.factories import JobFactory
from tests.loyalty.backoffice.conftest import make_beans, queries_of, url
from tests.loyalty.factories import spendable
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db
# The import works in threads of its own, which see only what is committed.
imports = pytest.mark.django_db(transaction=True)

_made_once, beans = of_each_test(make_beans)


@pytest.fixture(autouse=True)
def var_dir(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


def file_of(rows: Any, name: str, *, packed: bool = False) -> SimpleUploadedFile:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    content = text.getvalue().encode()
    return SimpleUploadedFile(name, gzip.compress(content) if packed else content)


def sample(name: str, **how: Any) -> SimpleUploadedFile:
    return file_of(SAMPLES[name], f"{name}.csv{'.gz' if how.get('packed') else ''}", **how)


def upload(client: Client, program: Program, **files: Any) -> Any:
    return client.post(url("import_create"), {"program": program.pk, "source": "shop", **files})


@imports
@pytest.mark.parametrize("packed", [False, True])
def test_the_samples_import_and_earn(manager: Client, beans: Program, packed: bool) -> None:
    response = upload(
        manager, beans, orders=sample("orders", packed=packed), lines=sample("lines", packed=packed)
    )
    job = Job.objects.get(kind=KIND)
    assert response.url == url("import_page", job.public_id)
    assert job.state == "succeeded"
    assert spendable("C-17", timezone.now()) == 14
    html = manager.get(response.url).content.decode()
    assert "Every row was fine" in html
    assert "Bean Club" in html


@imports
def test_only_orders_are_needed_and_twice_counts_once(manager: Client, beans: Program) -> None:
    for _ in range(2):
        upload(manager, beans, orders=sample("orders"))
    assert Order.objects.count() == 2
    assert spendable("C-18", timezone.now()) == 9
    assert (
        "Were here already"
        in manager.get(url("import_page", Job.objects.first().public_id)).content.decode()
    )


@imports
def test_uploads_are_for_nobody_else_to_read(
    manager: Client, beans: Program, var_dir: Path
) -> None:
    upload(manager, beans, orders=sample("orders"))
    files = [path for path in (var_dir / "imports").rglob("*") if path.is_file()]
    assert len(files) == 2
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@imports
def test_rows_that_are_wrong_are_named_and_can_be_downloaded(
    manager: Client, beans: Program
) -> None:
    rows = [*SAMPLES["orders"], ("A-9", "C-1", "yesterday", "USD", "=1+1", "sale", "")]
    upload(manager, beans, orders=file_of(rows, "orders.csv"))
    job = Job.objects.get(kind=KIND)
    html = manager.get(url("import_page", job.public_id)).content.decode()
    assert "orders, row 5" in html
    assert "placed_at" in html
    response = manager.get(url("import_errors", job.public_id))
    found = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert {row["column"] for row in found} == {"placed_at", "total"}
    assert "'=1+1" in {row["value"] for row in found}


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (SimpleUploadedFile("orders.xlsx", b"PK"), "ends in .csv"),
        (SimpleUploadedFile("orders.csv", b"\xff\xfe\x00"), "cannot be read"),
        (SimpleUploadedFile("orders.csv.gz", b"\x1f\x8bnot gzip"), "cannot be read"),
        (SimpleUploadedFile("orders.csv", b"a,b\n1,2\n"), "missing: order_id"),
        (SimpleUploadedFile("orders.csv", b""), "empty"),
    ],
)
def test_a_file_that_is_none_is_refused_at_once(
    manager: Client, beans: Program, file: SimpleUploadedFile, message: str
) -> None:
    response = upload(manager, beans, orders=file)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("orders", "lines"),
    [(("orders.csv", b"order_id,customer_id,placed_at,currency,total\n"), ("lines.ndjson", b"{}")),
     (("orders.ndjson", b"{}"), ("lines.csv", b"order_id,line_no,quantity,line_total\n"))],
    ids=["lines", "orders"],
)  # fmt: skip
def test_lines_are_csv_beside_orders_in_csv(
    manager: Client, beans: Program, orders: tuple[str, bytes], lines: tuple[str, bytes]
) -> None:
    files = {"orders": SimpleUploadedFile(*orders), "lines": SimpleUploadedFile(*lines)}
    response = upload(manager, beans, **files)
    assert response.status_code == 422
    assert "each order has its own lines" in response.content.decode()
    assert not Job.objects.exists()


def test_a_draft_takes_no_orders(manager: Client, beans: Program) -> None:
    Program.objects.update(status="draft")
    assert "First a live program" in manager.get(url("import_create")).content.decode()
    assert upload(manager, beans, orders=sample("orders")).status_code == 422


@imports
def test_a_canceled_import_goes_on_and_one_without_files_says_so(
    manager: Client, beans: Program, var_dir: Path
) -> None:
    upload(manager, beans, orders=sample("orders"))
    job = Job.objects.get(kind=KIND)
    Job.objects.filter(pk=job.pk).update(state="cancelled")
    assert "Go on" in manager.get(url("import_page", job.public_id)).content.decode()
    manager.post(url("import_resume", job.public_id))
    assert Job.objects.filter(kind=KIND).latest("pk").state == "succeeded"
    for path in (var_dir / "imports").rglob("*.csv"):
        path.unlink()
    response = manager.post(url("import_resume", job.public_id), follow=True)
    assert "files of this import are gone" in response.content.decode()


def test_a_running_import_shows_how_far_it_is_and_can_be_canceled(
    manager: Client, beans: Program
) -> None:
    now = timezone.now()
    job = JobFactory(
        kind=KIND, state="running", done=500, total=1000, params={"program": beans.pk},
        started_at=now - dt.timedelta(seconds=10), heartbeat_at=now,
    )  # fmt: skip
    html = manager.get(url("import_page", job.public_id)).content.decode()
    assert "50%" in html
    assert "Refused rows" not in html
    manager.post(url("import_cancel", job.public_id))
    job.refresh_from_db()
    assert job.cancel_requested


def test_old_uploads_go_and_needed_ones_stay(var_dir: Path) -> None:
    old, needed, fresh = (var_dir / "imports" / name for name in ("old", "needed", "fresh"))
    for folder in (old, needed, fresh):
        folder.mkdir(parents=True)
    ago = (timezone.now() - dt.timedelta(days=8)).timestamp()
    for folder in (old, needed):
        os.utime(folder, (ago, ago))
    JobFactory(kind=KIND, state="failed", params={"orders": str(needed / "orders.csv")})
    discard_old_files(timezone.now())
    assert not old.exists()
    assert needed.exists()
    assert fresh.exists()


def test_the_format_is_explained_and_sampled(manager: Client, beans: Program) -> None:
    html = manager.get(url("import_create")).content.decode()
    for column in (*SAMPLES["orders"][0], *SAMPLES["lines"][0]):
        assert column in html
    for name in ("orders", "lines"):
        content = manager.get(url("import_sample", name)).getvalue().decode()
        assert content.splitlines()[0] == ",".join(SAMPLES[name][0])
    assert manager.get(url("import_sample", "people")).status_code == 404


def test_the_list_costs_the_same_for_many_imports(manager: Client, beans: Program) -> None:
    job = JobFactory(kind=KIND, state="succeeded", created_by=None)
    few = queries_of(manager, url("import_list"))
    JobError.objects.create(job=job, file="orders", row=2, column="total", value="x", reason="no")
    for number in range(3):
        JobFactory(kind=KIND, state="failed", label=f"Import {number}")
    assert queries_of(manager, url("import_list")) == few


def test_agents_import_nothing(client_of: Callable[[str], Client], beans: Program) -> None:
    agent = client_of("support_agent")
    for name in ("import_list", "import_create"):
        assert agent.get(url(name)).status_code == 403
