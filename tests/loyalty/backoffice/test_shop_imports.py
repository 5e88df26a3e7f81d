"""A shop's own export in the browser: columns, dry run, then the same import as any other."""

import os
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Membership, Order, Program
from loyalty.services.exchange_rates import RateInput, put_rates
from loyalty.services.import_files import discard_old_files
from loyalty.services.imports import KIND
from loyalty.shop_exports import tables
from loyalty.shop_exports.columns import WANTED
from loyalty.shop_exports.dry_runs import KIND as DRY_RUN
from loyalty.shop_exports.dry_runs import run_dry_run, start_dry_run
from loyalty.shop_exports.uploads import NOTE, find_upload
from members.backoffice import jobs as job_pages
from members.backoffice.job_rows import JobProgress
from members.models import AuditEntry, Customer, Job, User
from members.services.audit import SYSTEM
from members.services.jobs import claim_job
from tests.factories import CustomerFactory
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import spendable

# The import works in threads of its own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

HEAD = (
    "Name,Email,Financial Status,Currency,Shipping,Total,Created at,Lineitem quantity,"
    "Lineitem price,Lineitem sku,Billing Name,Refunded Amount,Id\n"
)
EXPORT = HEAD + (
    "#1,Ann@Example.com,paid,USD,4.90,24.90,2026-03-01 09:15:00 +0000,1,15.00,COF,Ann Lee,0.00,1\n"
    "#1,,,,,,2026-03-01 09:15:00 +0000,1,7.00,TEA,,,\n"
    "#2,ben@example.com,refunded,USD,0,10.00,2026-03-02 09:15:00 +0000,1,10.00,COF,Ben,10.00,2\n"
    "#3,cleo@example.com,voided,USD,0,10.00,2026-03-03 09:15:00 +0000,1,10.00,COF,Cleo,0.00,3\n"
    "#4,dan@example.com,paid,USD,0,free,2026-03-04 09:15:00 +0000,1,10.00,COF,Dan,0.00,4\n"
    "#5,,paid,USD,0,10.00,2026-03-05 09:15:00 +0000,1,10.00,COF,,0.00,5\n"
    "#6,,paid,USD,0,10.00,2026-03-06 09:15:00 +0000,1,10.00,COF,,0.00,6\n"
)


@pytest.fixture(autouse=True)
def var_dir(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


def uploaded(client: Client, content: str = EXPORT, name: str = "orders_export.csv") -> str:
    """The address of the page of columns, after the upload."""
    answer = client.post(url("import_upload"), {"file": SimpleUploadedFile(name, content.encode())})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.url)


def as_guessed(client: Client, address: str, **other: str) -> Any:
    form = client.get(address).context["form"]
    said = {name: form[name].value() for name in form.fields}
    return client.post(address, {**said, **other})


def test_a_dry_run_counts_names_and_imports_nothing(manager: Client) -> None:
    address = uploaded(manager)
    answer = as_guessed(manager, address)
    page = manager.get(answer.url)
    report = page.context["report"]
    assert {name: report[name] for name in ("orders", "returns", "customers", "refused")} == {
        "orders": 4, "returns": 1, "customers": 2, "refused": 1,
    }  # fmt: skip
    assert report["left_out"] == {"voided": 1}
    html = page.content.decode()
    assert "paid 3 · refunded 1" in html
    assert "Addresses that are none" not in html
    assert "Write a number such as 12.50." in html
    assert "ann@example.com" in html
    errors = manager.get(url("import_check_errors", address.rstrip("/").split("/")[-1]))
    row = errors.getvalue().decode().splitlines()[1]
    assert row == "6,Total,free,Write a number such as 12.50."
    assert not Job.objects.filter(kind=KIND).exists()
    assert not Order.objects.exists()


def job_page(job: Job) -> str:
    return reverse("backoffice:job", args=[job.public_id])


def test_a_dry_run_is_a_job_with_a_bar_that_may_be_left(
    manager: Client, client_of: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_pages, "queue_job", lambda _job: True)
    check = as_guessed(manager, uploaded(manager)).url
    job = Job.objects.get(kind=DRY_RUN)
    page = manager.get(check).content.decode()
    assert f"job-progress-{job.pk}" in page
    assert "Bring them in" not in page
    # Nothing comes in before its end, also from a form that stood there.
    assert "Bring them in" not in manager.post(check, {"into": "history"}).content.decode()
    assert not Job.objects.filter(kind=KIND).exists()
    run_dry_run(job.pk)
    job.refresh_from_db()
    # Six orders, one of them voided.
    assert (job.state, job.done, job.total) == ("succeeded", 6, 6)
    assert "ann" not in str(job.result).lower()
    assert "Bring them in" in manager.get(check).content.decode()
    # The list of jobs leads back to it, and others to what they may see of it.
    here = url("import_of_dry_run", job.public_id)
    assert manager.get(here).url == check
    other = client_of("marketing_manager")
    assert other.get(here).url == job_page(job)
    assert here in manager.get(job_page(job)).content.decode()
    assert here not in other.get(job_page(job)).content.decode()
    jobs = manager.get(reverse("backoffice:job_list")).content.decode()
    assert "can come in: 5. With errors: 1." in jobs


def test_other_columns_stop_a_dry_run_and_begin_another(
    manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_pages, "queue_job", lambda _job: True)
    address = uploaded(manager)
    as_guessed(manager, address)
    as_guessed(manager, address)
    first, second = Job.objects.filter(kind=DRY_RUN).order_by("pk")
    assert (first.state, second.state) == ("cancelled", "queued")
    assert run_dry_run(first.pk) is None


def test_a_dry_run_that_failed_says_why(manager: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_pages, "queue_job", lambda _job: True)
    address = uploaded(manager)
    check = as_guessed(manager, address).url
    job = Job.objects.get(kind=DRY_RUN)
    Job.objects.update(state="failed", error="The disk is full.")
    page = manager.get(check).content.decode()
    assert "The file could not be tried" in page
    assert "The disk is full." in page
    # The file is kept as long as somebody may have it go on.
    os.utime(Path(job.params["export"]).parent, (0, 0))
    discard_old_files(timezone.now())
    assert Path(job.params["export"]).is_file()


@pytest.mark.parametrize(("state", "label"), [("queued", "Stop"), ("failed", "Give it up")])
def test_who_brought_the_file_reads_the_log_and_stops_the_dry_run_or_gives_it_up(
    manager: Client, monkeypatch: pytest.MonkeyPatch, state: str, label: str
) -> None:
    monkeypatch.setattr(job_pages, "queue_job", lambda _job: True)
    check = as_guessed(manager, uploaded(manager)).url
    job = Job.objects.get(kind=DRY_RUN)
    Job.objects.update(state=state)
    stop = reverse("backoffice:job_cancel", args=[job.public_id])
    for page in (check, job_page(job)):
        html = manager.get(page).content.decode()
        assert stop in html
        assert label in html
    assert job_page(job) in manager.get(check).content.decode()
    assert manager.post(stop).status_code == 302
    page = manager.get(check).content.decode()
    assert "The dry run was stopped" in page
    assert job_page(job) in page
    assert stop not in page
    # Nobody needs the file any more.
    os.utime(Path(job.params["export"]).parent, (0, 0))
    discard_old_files(timezone.now())
    assert not Path(job.params["export"]).exists()


def test_a_dry_run_that_was_killed_begins_anew_and_says_so(
    manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_pages, "queue_job", lambda _job: True)
    as_guessed(manager, uploaded(manager))
    jobs, killed = Job.objects.filter(kind=DRY_RUN), timezone.now() - timedelta(hours=1)
    jobs.update(state="running", started_at=killed, heartbeat_at=killed, done=50, total=60)
    job = claim_job(jobs.get().pk)
    assert job is not None
    assert [line.text for line in job.log_lines.all()] == ["Begun."]
    assert job.started_at is not None
    jobs.update(done=40, heartbeat_at=job.started_at + timedelta(seconds=4))
    told = JobProgress.of(jobs.get())
    assert (told.rate, told.time_left) == ("10 a second", "2 seconds left")


def test_an_upload_that_was_tried_before_an_upgrade_is_tried_anew(
    manager: Client, var_dir: Path
) -> None:
    address = uploaded(manager)
    note = next((var_dir / "imports").glob(f"*/{NOTE}"))
    said = {**orjson.loads(note.read_bytes()), "report": {"orders": 3}}
    del said["tried"]
    note.write_bytes(orjson.dumps(said))
    assert manager.get(f"{address}check/").url == address
    assert manager.get(address).status_code == 200


def test_as_history_it_is_kept_and_nobody_earns(manager: Client) -> None:
    check = as_guessed(manager, uploaded(manager)).url
    done = manager.post(check, {"into": "history"})
    job = Job.objects.get(kind=KIND)
    assert done.url == url("import_page", job.public_id)
    assert (job.state, job.result["created"], job.result["refused"]) == ("succeeded", 5, 0)
    assert "Make a program" in manager.get(done.url).content.decode()
    order = Order.objects.get(external_id="#1")
    assert (order.total, order.shipping_total) == (Decimal("24.90"), Decimal("4.90"))
    ann = Customer.objects.get(email="ann@example.com")
    assert (ann.external_id, ann.given_name, ann.family_name) == ("ann@example.com", "Ann", "Lee")
    assert not Membership.objects.exists()
    # What was started is its import's page from now on, also in another tab.
    assert manager.get(check).url == done.url


def test_another_look_leaves_the_files_of_a_started_import_as_they_are(manager: Client) -> None:
    check = as_guessed(manager, uploaded(manager)).url
    key = check.rstrip("/").split("/")[-2]
    asked = find_upload(key, owner=User.objects.get().pk)
    assert asked is not None
    manager.post(check, {"into": "history"})
    job = Job.objects.get(kind=KIND)
    files = [Path(job.params[name]) for name in ("orders", "lines")]
    before = [path.read_text() for path in files]
    # A tab whose look had begun before.
    asked.choices.columns["total"] = asked.choices.columns["shipping"]
    late = start_dry_run(upload=asked, choices=asked.choices, actor=SYSTEM)
    assert run_dry_run(late.pk)
    assert [path.read_text() for path in files] == before


def test_into_a_live_program_it_earns_and_twice_counts_once(
    manager: Client, beans: Program
) -> None:
    for again in (False, True):
        check = as_guessed(manager, uploaded(manager)).url
        report = manager.get(check).context["report"]
        assert report["here"] == (4 if again else 0)
        manager.post(check, {"into": "beans"})
        assert spendable("ann@example.com", timezone.now()) == 20
        assert spendable("ben@example.com", timezone.now()) == 0
    assert Order.objects.count() == 4


def test_a_dry_run_says_that_no_live_program_counts_in_the_files_currency(
    manager: Client, beans: Program
) -> None:
    said = "No live program counts in"
    pages = []
    for content in (EXPORT, EXPORT.replace("USD", "CAD")):
        pages.append(manager.get(as_guessed(manager, uploaded(manager, content)).url))
    fitting, foreign = (page.content.decode() for page in pages)
    assert said not in fitting
    assert f"{said} CAD" in foreign
    # The page says it of the programs as they are now.
    Program.objects.update(currency="CAD")
    assert said not in manager.get(pages[1].request["PATH_INFO"]).content.decode()


def test_what_no_program_counts_is_left_out_of_it_unless_it_has_a_rate(
    manager: Client, beans: Program
) -> None:
    foreign, said = EXPORT.replace("USD", "CAD"), "No live program counts in CAD"

    def brought_in() -> tuple[bool, set[str], int]:
        """Whether it was warned of, which orders are here then, and how many rows were errors."""
        check = as_guessed(manager, uploaded(manager, foreign)).url
        warned = said in manager.get(check).content.decode()
        manager.post(check, {"into": "beans"})
        result = Job.objects.filter(kind=KIND).latest("pk").result
        return warned, {*Order.objects.values_list("external_id", flat=True)}, result["refused"]

    Program.objects.update(foreign_orders="convert")
    # A rate of another time is none for these.
    put_rates(
        [RateInput("CAD", "USD", date(2025, 3, 1), Decimal("0.5"), "Bank")],
        actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    assert brought_in() == (True, {"#5", "#6"}, 2)
    put_rates(
        [RateInput("CAD", "USD", date(2026, 3, 1), Decimal("0.5"), "Bank")],
        actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    assert brought_in() == (False, {"#1", "#2", "#5", "#6"}, 0)
    assert spendable("ann@example.com", timezone.now()) == 10
    Program.objects.update(foreign_orders="refuse")
    check = as_guessed(manager, uploaded(manager, foreign)).url
    assert said in manager.get(check).content.decode()


def test_kept_as_history_first_they_become_members_and_earn_later(
    manager: Client, beans: Program
) -> None:
    manager.post(as_guessed(manager, uploaded(manager)).url, {"into": "history"})
    assert not Membership.objects.exists()
    for outcome in ("updated", "unchanged"):
        manager.post(as_guessed(manager, uploaded(manager)).url, {"into": "beans"})
        result = Job.objects.filter(kind=KIND).latest("pk").result
        # The orders of the two; those of guests and the return are as they were.
        assert (result["created"], result["refused"]) == (0, 0)
        assert result["unchanged"] == (3 if outcome == "updated" else 5)
        members = Membership.objects.values_list("customer__email", flat=True)
        assert {*members} == {"ann@example.com", "ben@example.com"}
        assert spendable("ann@example.com", timezone.now()) == 20
        assert spendable("ben@example.com", timezone.now()) == 0
    assert Order.objects.count() == 4


NUMBERED = (
    "Order,Customer ID,Email,Date,Total,Currency\n"
    "N1,71,Ann@Example.com,2026-03-01,20.00,USD\n"
    "N2,72,ben@example.com,2026-03-02,30.00,USD\n"
    "N3,73,cleo@example.com,2026-03-03,40.00,USD\n"
    "N4,74,dan@example.com,2026-03-04,50.00,USD\n"
    "N5,,eve@example.com,2026-03-05,60.00,USD\n"
)


def test_who_is_here_without_a_number_is_known_by_the_address(
    manager: Client, beans: Program
) -> None:
    ann = CustomerFactory(external_id=None, email="ann@example.com", given_name="Annie")
    # An address stands in for a number where a file had none.
    ben = CustomerFactory(external_id="ben@example.com", email="ben@example.com")
    cleo = CustomerFactory(external_id="till-3", email="cleo@example.com")
    other = CustomerFactory(external_id="74", email="other@example.com")
    taken = CustomerFactory(external_id="till-4", email="dan@example.com")
    eve = CustomerFactory(external_id=None, email="eve@example.com")
    for again in (False, True):
        check = as_guessed(manager, uploaded(manager, NUMBERED)).url
        manager.post(check, {"into": "beans"})
        result = Job.objects.filter(kind=KIND).latest("pk").result
        assert (result["created"], result["refused"]) == (0 if again else 5, 0)
    buyers = dict(Order.objects.values_list("external_id", "customer"))
    # A number that is known says who it is; the address says it of everybody else.
    assert buyers == {"N1": ann.pk, "N2": ben.pk, "N3": cleo.pk, "N4": other.pk, "N5": eve.pk}
    numbers = {}
    for person in (ann, ben, cleo, other, taken, eve):
        person.refresh_from_db()
        numbers[person.email.partition("@")[0]] = person.external_id
    assert numbers == {
        "ann": "71", "ben": "72", "cleo": "till-3", "other": "74", "dan": "till-4", "eve": None,
    }  # fmt: skip
    assert ann.given_name == "Annie"
    assert AuditEntry.objects.filter(action="customer.updated").count() == 2


def test_the_lines_share_what_the_total_says(manager: Client, beans: Program) -> None:
    manager.post(as_guessed(manager, uploaded(manager)).url, {"into": "beans"})
    lines = Order.objects.get(external_id="#1").lines.order_by("line_no")
    # 20 for goods of 15 and 7: ten percent off.
    assert [str(line.total.normalize()) for line in lines] == ["13.64", "6.36"]


def test_a_wrong_column_says_what_to_do(manager: Client) -> None:
    address = uploaded(manager)
    assert as_guessed(manager, address, column_order_id="").status_code == 422
    names = manager.get(address).context["header"]
    wrong = as_guessed(manager, address, column_placed_at=str(names.index("Billing Name")))
    page = manager.get(wrong.url).content.decode()
    assert "No order could be read" in page
    assert "Choose other columns" in page
    none = {f"column_{name}": "" for name in WANTED if name in {"total", "unit_price"}}
    answer = as_guessed(manager, address, **none)
    assert "Choose a column with what was paid" in answer.content.decode()
    assert answer.context["form"].errors["column_total"]


@pytest.mark.parametrize("content", ["PK\x03\x04", "one column\nonly\n", "a,b\n"])
def test_what_is_no_export_is_refused_at_once(manager: Client, content: str) -> None:
    file = SimpleUploadedFile("orders.csv", content.encode())
    answer = manager.post(url("import_upload"), {"file": file})
    assert answer.status_code == 422


def test_too_many_rows_are_refused_before_anybody_looks_at_columns(
    manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 6)
    answer = manager.post(
        url("import_upload"), {"file": SimpleUploadedFile("o.csv", EXPORT.encode())}
    )
    assert answer.status_code == 422
    assert "At most 6 rows at once." in answer.content.decode()


def test_an_address_that_is_none_is_named(manager: Client) -> None:
    address = uploaded(manager, EXPORT.replace("ben@example.com", "ben at example"))
    place = str(HEAD.split(",").index("Email"))
    page = manager.get(as_guessed(manager, address, column_email=place).url)
    assert page.context["report"]["unread_emails"] == {"ben at example": 1}
    assert "1 (ben at example)" in page.content.decode()


def test_an_upload_is_for_nobody_else(manager: Client, client_of: Callable[[str], Client]) -> None:
    address = uploaded(manager)
    other = client_of("marketing_manager")
    for client, there in ((other, address), (manager, url("import_columns", "0" * 32))):
        assert client.get(there).url == url("import_upload")
    assert client_of("support_agent").get(address).status_code == 403


def test_amounts_that_nobody_pays_are_a_row_left_out(manager: Client) -> None:
    """Such as bar codes in the column of amounts."""
    head = "=Number,Email,Created at,Lineitem quantity,Lineitem price,Lineitem sku\n"
    row = "A{0},ann@example.com,2026-03-01,{1},{1},COF\n"
    content = head + row.format(1, "999999999999999") + row.format(2, "2")
    content += row.format(3, "4006381333931")
    address = uploaded(manager, content)
    answer = as_guessed(manager, address, column_order_id="0")
    assert answer.status_code == 302
    report = manager.get(answer.url).context["report"]
    assert (report["orders"], report["refused"]) == (1, 2)


def test_a_columns_name_is_no_formula_either(manager: Client) -> None:
    address = uploaded(manager, EXPORT.replace("Total", "=1+1", 1))
    place = str(HEAD.split(",").index("Total"))
    as_guessed(manager, address, column_total=place)
    errors = manager.get(url("import_check_errors", address.rstrip("/").split("/")[-1]))
    row = errors.getvalue().decode().splitlines()[1]
    assert row == "6,'=1+1,free,Write a number such as 12.50."
