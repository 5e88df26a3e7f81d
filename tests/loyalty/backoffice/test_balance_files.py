"""Balances as files on screen: out of a program, and into one after its sums were seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from loyalty.backoffice.balance_files import SAMPLE
from loyalty.models import Program, Transfer
from loyalty.services.balance_imports import KIND
from loyalty.services.lot_exports import KIND as EXPORT
from members.models import Job
from members.services.job_runs import run_job
from tests.conftest import AT_REST, PHONE
from tests.loyalty.backoffice.conftest import make_beans, url
from tests.loyalty.factories import order, record, spendable
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]

_made_once, beans = of_each_test(make_beans)


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


@pytest.fixture
def administrator(client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


def send(client: Client, program: Program, text: str, name: str = "old.csv") -> Any:
    file = SimpleUploadedFile(name, text.encode())
    return client.post(
        url("import_balances"), {"program": program.pk, "source": "old", "file": file}
    )


def sample() -> str:
    return "\n".join(",".join(row) for row in SAMPLE) + "\n"


def work(answer: Any) -> Job:
    assert answer.status_code == 302, answer.content.decode()
    job = Job.objects.filter(kind=KIND).latest("pk")
    assert answer["Location"] == url("import_page", job.public_id)
    if job.state == "queued":
        run_job(job.pk)
    return Job.objects.get(pk=job.pk)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_sample_is_tried_seen_booked_and_undone(administrator: Client, beans: Program) -> None:
    kind = beans.wallet_types.get()
    tried = work(send(administrator, beans, sample().replace("wallet_type", "units_of")))
    page = text_of(administrator.get(url("import_page", tried.public_id)))
    assert "This was a dry run" in page
    assert "What would be booked" in page
    assert kind.plural in page
    assert Transfer.objects.count() == 0
    booked = work(administrator.post(url("import_confirm", tried.public_id)))
    page = text_of(administrator.get(url("import_page", booked.public_id)))
    assert "The balances are booked" in page
    assert spendable("C-17", timezone.now()) == 120
    undo = url("import_undo", booked.public_id)
    assert undo in page
    assert "2" in text_of(administrator.get(undo))
    administrator.post(undo, {"reason": "The wrong file"})
    job = Job.objects.get(kind="balance_import_undo")
    if job.state == "queued":
        run_job(job.pk)
    page = text_of(administrator.get(url("import_page", booked.public_id)))
    assert "Balances taken back" in page
    assert spendable("C-17", timezone.now()) == 0
    assert administrator.get(url("import_of_undo", job.public_id)).status_code == 302


def test_wrong_rows_are_named_on_the_page(administrator: Client, beans: Program) -> None:
    tried = work(send(administrator, beans, "reference,customer_id,units\nA,C-1,many\n"))
    page = text_of(administrator.get(url("import_page", tried.public_id)))
    assert "nothing would come in" in page
    assert "Write a number such as 120" in page
    assert url("import_confirm", tried.public_id) not in page


def test_a_file_of_another_kind_is_refused_at_once(administrator: Client, beans: Program) -> None:
    for text, name in (("a,b\n", "old.csv"), ("x", "old.xls"), ("reference\n", "old.ndjson")):
        assert send(administrator, beans, text, name).status_code == 422
    assert not Job.objects.exists()


# Orders are imported in threads of their own, which see only what is committed.
@pytest.mark.django_db(transaction=True)
def test_ndjson_of_balances_and_of_orders_is_taken(administrator: Client, beans: Program) -> None:
    line = '{"reference": "A", "customer_id": "C-1", "units": "5"}\n'
    assert work(send(administrator, beans, line, "old.ndjson")).result["created"] == 1
    order_line = (
        '{"external_id": "A1", "placed_at": "2026-03-01T10:00:00Z", "currency": "USD",'
        ' "total": "9.00", "customer": {"external_id": "C-9"}}\n'
    )
    file = SimpleUploadedFile("orders.ndjson", order_line.encode())
    administrator.post(
        url("import_create"), {"program": beans.pk, "source": "shop", "orders": file}
    )
    assert Job.objects.get(kind="order_import").result["created"] == 1


def test_who_imports_orders_sees_balances_and_does_not_book_them(
    administrator: Client, manager: Client, beans: Program
) -> None:
    tried = work(send(administrator, beans, sample().replace("wallet_type", "units_of")))
    page = manager.get(url("import_page", tried.public_id))
    assert page.status_code == 200
    assert url("import_confirm", tried.public_id) not in text_of(page)
    for name in ("import_confirm", "import_cancel", "import_resume", "import_undo"):
        assert manager.post(url(name, tried.public_id)).status_code == 403
    assert url("import_balances") not in text_of(manager.get(url("import_list")))
    assert url("import_balances") in text_of(administrator.get(url("import_list")))


def test_an_export_is_written_and_fetched(administrator: Client, beans: Program) -> None:
    record(order("A1", "40", buyer="C-1"))
    form = text_of(administrator.get(url("lot_export_create")))
    assert f'value="{beans.code}/"' in form
    answer = administrator.post(
        url("lot_export_create"), {"units": f"{beans.code}/", "form": "csv"}
    )
    job = Job.objects.get(kind=EXPORT)
    assert answer["Location"] == url("lot_export", job.public_id)
    if job.state == "queued":
        run_job(job.pk)
    assert "Download the file" in text_of(administrator.get(url("lot_export", job.public_id)))
    file = administrator.get(url("lot_export_file", job.public_id))
    assert file["Content-Disposition"].startswith("attachment")
    assert file.getvalue().decode().startswith("reference,customer_id,")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_file_goes_through_all_pages_which_fit_and_can_be_read_by_everybody(
    beans: Program,
    sign_in: Callable[[str], Any],
    assert_fits: Callable[[Any], None],
    assert_in_order: Callable[..., None],
    tmp_path: Path,
) -> None:
    file = tmp_path / "old.csv"
    file.write_text(sample().replace("wallet_type", "units_of") + "OLD-19,,,,many,,,,,\n")
    page = sign_in("administrator")

    def look() -> None:
        page.locator("h1").first.wait_for()
        assert_in_order(page)

    page.goto(url("import_list"))
    look()
    page.get_by_role("link", name="Import balances").click()
    look()
    page.get_by_label("File with balances").set_input_files(file)
    page.get_by_role("button", name="Try it").click()
    page.get_by_role("button", name="Book these balances").wait_for()
    look()
    page.get_by_role("button", name="Book these balances").click()
    page.get_by_text("The balances are booked").wait_for()
    look()
    page.get_by_role("link", name="Undo this import").click()
    page.get_by_role("button", name="Undo this import").wait_for()
    look()
    page.goto(url("lot_export_create"))
    look()
    page.get_by_role("button", name="Write the file").click()
    page.get_by_role("link", name="Download the file").wait_for()
    look()
    page.set_viewport_size(PHONE)
    page.goto(url("import_create"))
    page.wait_for_function(AT_REST)
    assert_fits(page)
