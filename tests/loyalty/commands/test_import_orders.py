"""Importing an order history from two files."""

import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from loyalty.models import Membership, Order, OrderRate, Refund, Transfer
from loyalty.services import import_records, imports
from members.errors import DomainError
from members.models import Customer, Job, JobError
from members.services.audit import SYSTEM
from members.services.job_runs import resume_stale_jobs
from members.services.jobs import retry_job
from tests.loyalty.factories import held, make_program, moves
from tests.processes import start_process, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

SALE = "A1,C1,2024-01-05T10:00:00,USD,30.00,sale,"
SALE_LINES = ["A1,1,tea,food,2,10,0,20.00", "A1,2,mug,home,1,10,0,10.00"]
RETURN = "A2,C1,2024-01-06T10:00:00,USD,-10.00,return,A1"
RETURN_LINES = ["A2,1,mug,home,-1,10,0,-10.00"]


@pytest.fixture
def club(db):
    return make_program(time_zone="America/New_York")


def tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if "_import_" in name}


def counts(out: str) -> dict[str, int]:
    """The last line's "Done: 2 created, 1 refused, …" without what is zero."""
    parts = out.strip().rpartition(": ")[2].split(", ")
    found = {name: int(number) for number, name in (part.split() for part in parts)}
    return {name: number for name, number in found.items() if number}


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"packed": True},
        {"encoding": "utf-8-sig"},
        {"newline": "\r\n"},
        {"encoding": "utf-8-sig", "newline": "\r\n", "packed": True},
    ],
    ids=["plain", "gzipped", "with a byte order mark", "from Windows", "all of it"],
)
def test_files_come_in_however_they_are_written(club, run, write, how):
    out, err = run(
        "import_orders", "club", *write([SALE, RETURN], SALE_LINES + RETURN_LINES, **how)
    )
    assert counts(out) == {"created": 2}
    assert not err
    assert moves("C1") == [("accrual", 30), ("clawback", -10)]
    order = Order.objects.get()
    assert order.placed_at.isoformat() == "2024-01-05T15:00:00+00:00"
    assert (Membership.objects.get().source, Customer.objects.get().external_id) == ("import", "C1")
    assert not tables()


def test_a_repeated_import_finds_all_unchanged(club, run, write):
    paths = write([SALE, RETURN], SALE_LINES + RETURN_LINES)
    run("import_orders", "club", *paths)
    out, _err = run("import_orders", "club", *paths)
    assert counts(out) == {"unchanged": 2}
    assert held("C1").balance == 20


def test_a_corrected_file_updates_what_changed(club, run, write):
    run("import_orders", "club", *write([SALE], SALE_LINES))
    out, _err = run(
        "import_orders", "club", *write([SALE.replace("30.00", "20.00")], SALE_LINES[:1])
    )
    assert counts(out) == {"updated": 1}
    assert held("C1").balance == 20


def test_columns_may_come_in_any_order_and_case_and_others_are_left_out(club, run, tmp_path):
    orders, lines = tmp_path / "o.csv", tmp_path / "l.csv"
    orders.write_text(
        'Total,"CURRENCY",weather,placed_at,customer_id,order_id\n7.50,USD,sun,2024-01-05,C1,A1\n'
    )
    lines.write_text("line_total,quantity,line_no,order_id\n7.50,1,1,A1\n")
    out, err = run("import_orders", "club", orders, lines)
    assert (counts(out), err) == ({"created": 1}, "")
    assert held("C1").balance == 7


def test_orders_without_lines_guests_zeros_and_odd_texts_come_in(club, run, write):
    rows = [
        "Ä-1 ,C1,2024-01-05T10:00:00,USD,9.99,sale,",
        "A2,,2024-01-05T10:00:00,USD,5,sale,",
        "A3,C1,2024-01-05T10:00:00,USD,0,sale,",
        '"A,4",C1,2024-01-05T10:00:00,USD,-3,sale,',
        "A5,C1,2024-01-05T10:00:00+02:00,USD,40000,sale,",
        "A6,C2,2024-01-05T10:00:00,USD,-5,return,",
    ]
    lines = [
        '"A,4",1,"kaffe ""mørk"" 咖啡",Καφές,-1,3,0,-3', "A3,0,x,,0,0,0,0", "A3,7,x,,0,0,0,0",
        "A5,1,x,,80000,0.5,0,40000.0000",
    ]  # fmt: skip
    out, err = run("import_orders", "club", *write(rows, lines))
    assert (counts(out), err) == ({"created": 6}, "")
    assert held("C1").balance == 9 + 40000
    stored = Order.objects.get(external_id="A,4").lines.get()
    assert (stored.sku, stored.category) == ('kaffe "mørk" 咖啡', "Καφές")
    assert Order.objects.get(external_id="Ä-1")


def test_a_return_before_its_sale_in_the_file_is_still_its_return(club, run, write):
    early = RETURN.replace("2024-01-06", "2024-01-01")
    run("import_orders", "club", *write([early, SALE], RETURN_LINES + SALE_LINES))
    assert held("C1").balance == 20
    assert not Refund.objects.filter(order=None).exists()


WRONG = {
    "W1,C1,yesterday,USD,1,sale,": ("placed_at", "yesterday"),
    "W2,C1,2024-13-01,USD,1,sale,": ("placed_at", "2024-13-01"),
    "W3,C1,2024-01-05,dollars,1,sale,": ("currency", "dollars"),
    "W4,C1,2024-01-05,EUR,1,sale,": ("currency", "EUR"),
    'W5,C1,2024-01-05,USD,"1,50",sale,': ("total", "1,50"),
    "W6,C1,2024-01-05,USD,1e3,sale,": ("total", "1e3"),
    "W7,C1,2024-01-05,USD,,sale,": ("total", ""),
    "W8,C1,2024-01-05,USD,1,swap,": ("kind", "swap"),
    "W9,C1,2024-01-05,USD,5,return,": ("total", "5"),
    ",C1,2024-01-05,USD,1,sale,": ("order_id", ""),
    f"{'X' * 129},C1,2024-01-05,USD,1,sale,": ("order_id", "X" * 129),
    "W12,C1,2024-01-05,USD,99,sale,": ("total", "99"),
    "A1,C1,2024-01-05,USD,1,sale,": ("order_id", "A1"),
    "W14,C1,2024-01-05,USD": ("", "W14,C1,2024-01-05,USD"),
    "W15,C1,2024-01-05,USD,1,sale,,,": ("", "W15,C1,2024-01-05,USD,1,sale,,,"),
}
WRONG_LINES = {
    "W12,1,x,,1,1,0,98": None,
    "L1,one,x,,1,1,0,1": ("line_no", "one"),
    "L2,1,x,,many,1,0,1": ("quantity", "many"),
    "L3,1,x,,1,1,0,": ("line_total", ""),
    f"L4,1,{'s' * 129},,1,1,0,1": ("sku", "s" * 129),
    "L5,1,x,,9999999999999,1,0,1": ("quantity", "9999999999999"),
    "L6,-1,x,,1,1,0,1": ("line_no", "-1"),
    "nobody,1,x,,1,1,0,1": ("order_id", "nobody"),
}


def test_wrong_rows_are_named_by_file_row_column_and_value_and_the_rest_comes_in(club, run, write):
    sales = [f"L{n},C1,2024-01-05,USD,1,sale," for n in range(1, 7)]
    last = "Z1,C1,2024-01-07T10:00:00,USD,5,sale,"
    paths = write([SALE, *WRONG, *sales, last], [*SALE_LINES, *WRONG_LINES])
    out, err = run("import_orders", "club", *paths)
    expected = {("orders", row, *what) for row, what in enumerate(WRONG.values(), start=3)}
    expected |= {
        ("lines", row, *what) for row, what in enumerate(WRONG_LINES.values(), start=4) if what
    }
    found = set(JobError.objects.values_list("file", "row", "column", "value"))
    assert found == expected
    assert all(JobError.objects.values_list("reason", flat=True))
    assert sorted(Order.objects.values_list("external_id", flat=True)) == ["A1", "Z1"]
    assert counts(out) == {"created": 2, "refused": len(WRONG) + len(sales)}
    assert "orders row 3, placed_at 'yesterday': " in err
    assert "… and 2 more" in err
    assert held("C1").balance == 35


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda text: text.replace(b"caf", b"caf\xe9"), "UTF-8"),
        (lambda text: text.replace(b"caf", b"caf\x00"), ""),
        (lambda text: text.replace(b"caf", b'"caf'), ""),
    ],
    ids=["another encoding", "a NUL", "a quote left open"],
)
def test_a_row_that_is_no_text_is_named_and_the_rows_before_it_come_in(
    club, run, write, spoil, reason
):
    bad = "caf,C1,2024-01-06T10:00:00,USD,5,sale,"
    orders, lines = write([SALE, bad], SALE_LINES)
    orders.write_bytes(spoil(orders.read_bytes()))
    out, _err = run("import_orders", "club", orders, lines)
    assert counts(out) == {"created": 1, "refused": 1}
    (error,) = JobError.objects.all()
    assert (error.file, error.row) == ("orders", 3)
    assert reason in error.reason
    assert Order.objects.get().external_id == "A1"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "order_id, customer_id, placed_at, currency, total"),
        (b"order_id,customer_id,placed_at,total\nA1,C1,2024-01-05,5\n", "currency"),
        (b"order_id,customer_id,placed_at,currency,total,total\n", "twice"),
        ("order_id,customer_id\n".encode("utf-16"), "order_id"),
        (b"\x1f\x8bnot really packed", "gzip"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "order_id"),
    ],
    ids=["empty", "a column missing", "a column twice", "UTF-16", "broken gzip", "a picture"],
)
def test_a_file_that_is_none_of_ours_is_refused_with_the_reason(club, run, write, content, said):
    orders, lines = write([SALE], SALE_LINES)
    orders.write_bytes(content)
    with pytest.raises(CommandError, match=said):
        run("import_orders", "club", orders, lines)
    assert not Order.objects.exists()


def test_a_gzip_that_was_cut_off_is_refused(club, run, write):
    orders, lines = write([SALE] * 50, SALE_LINES, packed=True)
    orders.write_bytes(orders.read_bytes()[:-12])
    with pytest.raises(CommandError, match="gzip"):
        run("import_orders", "club", orders, lines)


def test_only_a_live_program_and_files_that_are_there_are_taken(db, run, write):
    make_program(status="draft")
    orders, lines = write([SALE], SALE_LINES)
    with pytest.raises(CommandError, match="not live"):
        run("import_orders", "club", orders, lines)
    with pytest.raises(CommandError, match="no program 'klub'"):
        run("import_orders", "klub", orders, lines)
    with pytest.raises(CommandError, match="no file"):
        run("import_orders", "club", orders, lines.parent / "nothing.csv")


def test_files_with_headers_only_import_nothing(club, run, write):
    out, err = run("import_orders", "club", *write([], []))
    assert (counts(out), err) == ({}, "")


def test_a_return_of_somebody_elses_order_is_named_and_left_out(club, run, write):
    foreign = RETURN.replace("C1", "C2")
    out, _err = run("import_orders", "club", *write([SALE, foreign], SALE_LINES + RETURN_LINES))
    assert held("C1").balance == 30
    assert (
        counts(out) == {"created": 2} if Refund.objects.exists() else {"created": 1, "refused": 1}
    )


def test_an_import_in_parts_is_one_import(club, run, write, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 3)
    rows = [f"B{n},C{n % 5},2024-01-05T10:00:00,USD,{n},sale," for n in range(40)]
    out, _err = run("import_orders", "club", *write(rows))
    assert counts(out) == {"created": 40}
    assert Transfer.objects.count() == 39
    assert Job.objects.get().state == "succeeded"


def import_in_batches(size, orders, lines):
    def work():
        imports.BATCH = size
        call_command("import_orders", "club", str(orders), str(lines))

    return work


def test_an_import_killed_in_the_middle_goes_on_and_counts_nothing_twice(club, run, write):
    rows = [f"B{n},C{n % 75},2024-01-05T10:00:00,USD,10,sale," for n in range(1_500)]
    orders, lines = write(rows)
    process = start_process(import_in_batches(5, orders, lines))
    try:
        wait_for(lambda: Order.objects.count() >= 100, process)
    finally:
        process.kill()
    before = Order.objects.count()
    assert 100 <= before < 1_500, process.words()
    out, _err = run("import_orders", "club", orders, lines)
    assert (Order.objects.count(), Transfer.objects.count()) == (1_500, 1_500)
    assert Job.objects.get().state == "succeeded"
    assert counts(out) == {"created": 1_500}
    assert held("C1").balance == 200
    assert not tables()


def test_an_import_goes_on_in_a_worker_when_its_own_process_was_killed(club, run, write):
    rows = [f"B{n},C{n % 50},2024-01-05T10:00:00,USD,10,sale," for n in range(1_500)]
    orders, lines = write([*rows, "B0,C1,2024-01-05,USD,1,sale,"])
    process = start_process(import_in_batches(5, orders, lines))
    try:
        wait_for(lambda: Order.objects.count() >= 100, process)
    finally:
        process.kill()
    before = Order.objects.count()
    assert resume_stale_jobs(now=timezone.now()) == 1
    job = Job.objects.get()
    assert 100 <= before < 1_500
    assert (job.state, Order.objects.count()) == ("succeeded", 1_500)
    assert job.result == {"created": 1_500, "updated": 0, "unchanged": 0, "refused": 1}
    assert imports.import_words(job) == "1,500 imported, 1 refused"
    assert not tables()


def test_an_import_whose_files_were_cleared_away_says_so(club, run, write):
    orders, lines = write([SALE], SALE_LINES)
    job = imports.start_import(program=club, orders_path=orders, lines_path=lines, actor=SYSTEM)
    orders.unlink()
    with pytest.raises(DomainError, match="are gone"):
        imports.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == (
        "failed", "The files of this import are gone. Upload them again.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("left", "change"),
    [
        # What PostgreSQL does with unlogged tables when it comes back.
        (("orders", "lines"), "TRUNCATE {}"),
        (("orders",), "ALTER TABLE {} DROP COLUMN body"),
    ],
    ids=["after a crash of the database", "after an upgrade"],
)
def test_the_files_are_staged_again(club, run, write, monkeypatch, left, change):
    monkeypatch.setattr(imports, "BATCH", 3)
    rows = [f"B{n},C{n % 5},2024-01-05T10:00:00,USD,{n},sale," for n in range(40)]
    orders, lines = write([*rows, "B0,C1,2024-01-05,USD,1,sale,"])
    job = imports.start_import(program=club, orders_path=orders, lines_path=lines, actor=SYSTEM)
    record, calls = import_records.record_orders, [5]

    def crash(*args, **kwargs):
        calls[0] -= 1
        if calls[0] == 0:
            raise RuntimeError("no database")
        return record(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(import_records, "record_orders", crash)
        with pytest.raises(RuntimeError):
            imports.run_import(job.pk)
    before = Order.objects.count()
    with connection.cursor() as cursor:
        for name in left:
            cursor.execute(change.format(f"loyalty_import_{job.pk}_{name}"))
    retry_job(job=job, actor=SYSTEM)
    finished = imports.run_import(job.pk)
    assert 0 < before < 40
    assert Order.objects.count() == 40
    assert finished.result == {"created": 40, "updated": 0, "unchanged": 0, "refused": 1}


def test_rows_refused_while_staging_are_named_whenever_the_import_is_killed(
    club, run, write, monkeypatch
):
    paths = write([SALE, "A2,C1,2024-01-05,USD"], SALE_LINES)
    record = imports.record_row_errors

    def killed(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(imports, "record_row_errors", killed)
    with pytest.raises(KeyboardInterrupt):
        run("import_orders", "club", *paths)
    monkeypatch.setattr(imports, "record_row_errors", record)
    out, _err = run("import_orders", "club", *paths)
    assert counts(out) == {"created": 1, "refused": 1}
    assert JobError.objects.get().row == 3


def test_a_batch_that_a_run_back_from_the_dead_has_done_counts_once_and_stops_nobody(
    club, run, write, monkeypatch
):
    monkeypatch.setattr(imports, "BATCH", 5)
    rows = [f"B{n},C{n % 5},2024-01-05T10:00:00,USD,10,sale," for n in range(40)]
    record, quicker = imports._batch, threading.Event()

    def other_run(*arguments):
        with transaction.atomic():
            record(*arguments)
        connection.close()

    def batch(*arguments):
        if not quicker.is_set():
            quicker.set()
            other = threading.Thread(target=other_run, args=arguments)
            other.start()
            other.join()
        record(*arguments)

    monkeypatch.setattr(imports, "_batch", batch)
    out, _err = run("import_orders", "club", *write(rows))
    assert counts(out) == {"created": 40}
    assert Order.objects.count() == 40
    assert Job.objects.get().state == "succeeded"


def test_a_row_of_a_day_to_come_is_refused_and_named(club, run, write):
    ahead = SALE.replace("A1,", "A3,").replace("2024", "2124")
    back = RETURN.replace("2024", "2124")
    run("import_orders", "club", *write([SALE, ahead, back], SALE_LINES + RETURN_LINES))
    assert [(row.row, row.column, row.value) for row in JobError.objects.order_by("row")] == [
        (3, "placed_at", "2124-01-05T10:00:00"), (4, "placed_at", "2124-01-06T10:00:00"),
    ]  # fmt: skip
    assert "check the clock" in JobError.objects.first().reason
    assert moves("C1") == [("accrual", 30)]


def test_a_rate_comes_along_with_an_order_in_another_currency(club, run, tmp_path):
    paths = tmp_path / "orders.csv", tmp_path / "lines.csv"
    rows = [
        "order_id,customer_id,placed_at,currency,total,exchange_rate,exchange_currency",
        # What the program counts in, named or not; an order in it needs none.
        "A1,C1,2024-01-05,EUR,100.00,1.10,",
        "A2,C1,2024-01-06,EUR,10.00,1.25,USD",
        "A3,C1,2024-01-06,USD,1.00,1,USD",
        "A4,C1,2024-01-06,EUR,10.00,much,",
        "A5,C1,2024-01-06,EUR,10.00,0,",
        "A6,C1,2024-01-06,EUR,10.00,1.1,dollars",
        "A7,C1,2024-01-06,EUR,10.00,160,JPY",
    ]
    paths[0].write_text("\n".join(rows))
    paths[1].write_text("order_id,line_no,sku,category,quantity,unit_price,discount,line_total\n")
    run("import_orders", "club", *paths)
    assert sorted(moves("C1")) == [("accrual", 1), ("accrual", 12), ("accrual", 110)]
    found = JobError.objects.order_by("row").values_list("row", "column", "value")
    assert list(found) == [
        (5, "exchange_rate", "much"), (6, "exchange_rate", "0"),
        (7, "exchange_currency", "dollars"), (8, "currency", "EUR"),
    ]  # fmt: skip
    assert {str(rate) for rate in OrderRate.objects.all()} == {"1.1 USD", "1.25 USD"}
