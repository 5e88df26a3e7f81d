"""Long work whose worker or database dies in the middle ends as if nothing had happened."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from loyalty.services.import_rows import LINE_COLUMNS, ORDER_COLUMNS
from tests.kill.books import assert_exactly
from tests.kill.installation import Installation
from tests.kill.work import (
    another_in_charge,
    kill_in_the_middle,
    recover_little,
    wait_until_done,
)

pytestmark = [pytest.mark.kill, pytest.mark.long, pytest.mark.timeout(300)]
# Several batches for each of an import's threads.
ORDERS = 4_000
BUYERS = 500
LINES = 3


def write_files(folder: Path, source: str, count: int = ORDERS) -> dict[str, str]:
    """Two files for an import: the arguments that name them."""
    paths = {name: folder / f"{name}.csv" for name in ("orders", "lines")}
    with paths["orders"].open("w") as first, paths["lines"].open("w") as second:
        orders, lines = csv.writer(first), csv.writer(second)
        orders.writerow(ORDER_COLUMNS)
        lines.writerow(LINE_COLUMNS)
        for number in range(count):
            name, units = f"{source}-{number}", units_of(number)
            buyer, at = f"{source}-C{number % BUYERS}", f"2026-01-{1 + number % 28:02}T10:00:00"
            orders.writerow([name, buyer, at, "USD", f"{units}.00", "sale", ""])
            for line in range(LINES):
                total = f"{units - LINES + 1 if line == 0 else 1}.00"
                lines.writerow([name, line + 1, f"SKU-{line}", "", 1, total, "0", total])
    return {name: str(path) for name, path in paths.items()}


def expected(source: str) -> dict[str, int]:
    return {f"{source}-{number}": units_of(number) for number in range(ORDERS)}


def units_of(number: int) -> int:
    return LINES + number % 89


@pytest.mark.parametrize("part", ["worker", "postgres"])
def test_an_import_records_every_order_once(
    installation: Installation, part: str, tmp_path: Path
) -> None:
    recover_little(installation, part)
    source = f"import-{part}"
    job = installation.do("import_orders", source=source, **write_files(tmp_path, source))
    kill_in_the_middle(installation, job, part)
    result = wait_until_done(installation, job)["result"]
    assert_exactly(installation, source, expected(source))
    assert result == {"created": ORDERS, "updated": 0, "unchanged": 0, "refused": 0}


@pytest.mark.parametrize("part", ["worker", "postgres"])
def test_a_file_that_came_over_the_api_records_every_order_once(
    installation: Installation, part: str
) -> None:
    recover_little(installation, part)
    source = f"upload-{part}"
    lines = [
        json.dumps(
            {
                "external_id": f"{source}-{number}", "currency": "USD",
                "placed_at": f"2026-01-{1 + number % 28:02}T10:00:00Z",
                "total": f"{units_of(number)}.00",
                "customer": {"external_id": f"{source}-C{number % BUYERS}"},
            }
        )
        for number in range(ORDERS)
    ]  # fmt: skip
    sent = Request(
        f"http://127.0.0.1:{installation.address.port}/api/v1/imports?kind=orders"
        f"&program=club&source={source}",
        data=gzip.compress("\n".join(lines).encode()),
        headers={
            "Authorization": f"Bearer {installation.secret}", "Idempotency-Key": source,
            "Content-Type": "application/x-ndjson", "Content-Encoding": "gzip",
        },
    )  # fmt: skip
    with urlopen(sent, timeout=30) as answer:
        made = json.load(answer)
    job = installation.do("job_called", public_id=made["id"])
    kill_in_the_middle(installation, job, part)
    result = wait_until_done(installation, job)["result"]
    assert_exactly(installation, source, expected(source))
    assert result == {"created": ORDERS, "updated": 0, "unchanged": 0, "refused": 0}
    with urlopen(sent, timeout=30) as answer:
        assert (json.load(answer)["id"], answer.headers["Idempotent-Replayed"]) == (
            made["id"], "true",
        )  # fmt: skip


def test_an_import_that_two_workers_have_records_every_order_once(
    installation: Installation, tmp_path: Path
) -> None:
    job = installation.do("import_orders", source="twice", **write_files(tmp_path, "twice"))
    with another_in_charge(installation, job):
        result = wait_until_done(installation, job)["result"]
    assert_exactly(installation, "twice", expected("twice"))
    assert result == {"created": ORDERS, "updated": 0, "unchanged": 0, "refused": 0}


TRIED = 12_000


def test_a_dry_run_begins_anew_and_counts_every_order_once(
    installation: Installation, tmp_path: Path
) -> None:
    path = tmp_path / "export.csv"
    with path.open("w") as file:
        orders = csv.writer(file)
        orders.writerow(["Order number", "Email", "Total", "Currency", "Created at", "Status"])
        for number in range(TRIED):
            buyer, at = f"{number % BUYERS}@example.com", f"2026-01-{1 + number % 28:02}T10:00:00Z"
            total = "free" if number % (TRIED // 10) == 0 else units_of(number)
            orders.writerow([f"tried-{number}", buyer, total, "USD", at, "paid"])
    job = installation.do("try_orders", path=str(path))
    kill_in_the_middle(installation, job, "worker")
    found = wait_until_done(installation, job)
    counts = {name: found["result"][name] for name in ("orders", "returns", "refused")}
    assert counts == {"orders": TRIED - 10, "returns": 0, "refused": 10}
    assert (found["done"], found["total"]) == (TRIED, TRIED)
    written = Path(installation.query("SELECT params FROM members_job WHERE id = %s", job)[0][0]
                   ["export"]).parent / f"orders-{found['result']['files']}.csv"  # fmt: skip
    with written.open() as file:
        assert len({row[0] for row in csv.reader(file)}) == TRIED - 10 + 1
    brought = "SELECT count(*) FROM loyalty_order WHERE external_id LIKE 'tried-%%'"
    assert installation.query(brought) == [(0,)]


UNDONE = 500


def test_an_import_is_undone_once(installation: Installation, tmp_path: Path) -> None:
    job = installation.do("undo_import", source="undo", **write_files(tmp_path, "undo", UNDONE))
    kill_in_the_middle(installation, job, "worker")
    result = wait_until_done(installation, job)["result"]
    assert result == {"canceled": UNDONE, "void": 0, "kept": 0}
    orders = """
        SELECT count(*), count(u.order_id) FROM loyalty_order o
          LEFT JOIN loyalty_undoneorder u ON u.order_id = o.id
         WHERE o.source = 'undo' AND o.status = 'cancelled'
    """
    assert installation.query(orders) == [(UNDONE, UNDONE)]
    # What each order gave is there once, and what takes it back as well.
    moved = """
        SELECT t.kind, count(*), count(DISTINCT t.order_id), sum(t.amount)::bigint
          FROM loyalty_transfer t JOIN loyalty_order o ON o.id = t.order_id
         WHERE o.source = 'undo' GROUP BY t.kind ORDER BY t.kind
    """
    units = sum(units_of(number) for number in range(UNDONE))
    assert installation.query(moved) == [
        ("accrual", UNDONE, UNDONE, units), ("clawback", UNDONE, UNDONE, units),
    ]  # fmt: skip
    assert installation.do("verify") == []


ENROLLED = 200


def test_an_enrollment_is_undone_once(installation: Installation, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    numbers = range(ENROLLED)
    path.write_text("external_id\n" + "".join(f"enrolled-{number}\n" for number in numbers))
    job = installation.do("undo_enrollment", path=str(path))
    kill_in_the_middle(installation, job, "worker")
    result = wait_until_done(installation, job)["result"]
    assert result == {"left": ENROLLED, "gone": 0, "kept": 0}
    # Each left once, and is still known.
    left = """
        SELECT count(*), count(DISTINCT m.id), count(a.id) FROM members_customer c
          JOIN loyalty_membership m ON m.customer_id = c.id AND m.status = 'left'
          LEFT JOIN loyalty_absence a ON a.membership_id = m.id AND a.ended_at IS NULL
         WHERE c.external_id LIKE 'enrolled-%%'
    """
    assert installation.query(left) == [(ENROLLED, ENROLLED, ENROLLED)]
    said = "SELECT count(*) FROM members_auditentry WHERE action = 'membership.left'"
    assert installation.query(said) == [(ENROLLED,)]


LOTS, ROWS = 4_000, 3_000


def test_what_expired_is_written_down_once(installation: Installation) -> None:
    recover_little(installation, "postgres")
    job = installation.do("expire", lots=LOTS)
    kill_in_the_middle(installation, job, "postgres")
    assert wait_until_done(installation, job)["result"] == {"lots": LOTS}
    written = "SELECT count(*), sum(amount)::bigint FROM loyalty_transfer WHERE kind = 'expiry'"
    assert installation.query(written) == [(LOTS, 7 * LOTS)]
    assert installation.do("verify") == []


def test_a_bulk_adjustment_moves_every_row_once(installation: Installation) -> None:
    job = installation.do("adjust_many", rows=ROWS)
    kill_in_the_middle(installation, job, "worker")
    wait_until_done(installation, job)
    moved = """
        SELECT count(*), count(DISTINCT t.wallet_id), sum(t.amount)::bigint
          FROM loyalty_transfer t JOIN loyalty_wallettype w ON w.id = t.wallet_type_id
          JOIN loyalty_program p ON p.id = w.program_id WHERE p.code = 'bulk'
    """
    units = sum(1 + number % 9 for number in range(ROWS))
    assert installation.query(moved) == [(ROWS, ROWS, units)]
    assert installation.do("verify") == []


DRAWN = {"members": 200, "winners": 140, "units": 7, "budget": 7 * 70}


def test_a_surprise_is_drawn_once_and_given_once_to_each_within_its_budget(
    installation: Installation,
) -> None:
    job = installation.do("surprise", **DRAWN)
    kill_in_the_middle(installation, job, "worker")
    given = wait_until_done(installation, job)["result"]["given"]
    assert given == DRAWN["winners"]
    tickets = """
        SELECT count(*), count(*) FILTER (WHERE chosen), count(settled_at), count(activity_id),
               count(*) FILTER (WHERE ungiven <> '') FROM campaigns_surpriseticket
    """
    paid = DRAWN["budget"] // DRAWN["units"]
    assert installation.query(tickets) == [
        (DRAWN["members"], DRAWN["winners"], DRAWN["winners"], DRAWN["winners"],
         DRAWN["winners"] - paid)
    ]  # fmt: skip
    moved = """
        SELECT count(*), count(DISTINCT t.wallet_id), sum(t.amount)::bigint
          FROM loyalty_transfer t JOIN loyalty_wallettype w ON w.id = t.wallet_type_id
          JOIN loyalty_program p ON p.id = w.program_id WHERE p.code = 'surprised'
    """
    assert installation.query(moved) == [(paid, paid, DRAWN["budget"])]
    assert installation.do("wrong_draws") == [""]
    assert installation.do("verify") == []


TOLD = 1_000


@pytest.mark.parametrize("part", ["worker", "postgres"])
def test_a_broadcast_is_told_to_each_once(installation: Installation, part: str) -> None:
    """And whoever is kept aside is told nothing."""
    recover_little(installation, part)
    job = installation.do("broadcast", members=TOLD, code=f"news-{part}")
    kill_in_the_middle(installation, job, part)
    result = wait_until_done(installation, job)["result"]
    told = """
        SELECT count(*) FILTER (WHERE NOT r.held_out),
               count(*) FILTER (WHERE r.held_out AND m.id IS NOT NULL),
               count(*) FILTER (WHERE NOT r.held_out AND m.id IS NULL), count(m.id),
               count(DISTINCT m.id), count(r.settled_at) FILTER (WHERE NOT r.held_out)
          FROM campaigns_broadcast b
          JOIN loyalty_program p ON p.id = b.program_id
          JOIN campaigns_broadcastrecipient r ON r.broadcast_id = b.id
          LEFT JOIN campaigns_message m
            ON m.occasion = 'broadcast-' || b.id AND m.customer_id = r.customer_id
         WHERE p.code = %s
    """
    [(audience, *found)] = installation.query(told, f"news-{part}")
    assert found == [0, 0, audience, audience, audience]
    assert result["told"] == audience
    kept_aside = "SELECT count(*) FROM campaigns_broadcastrecipient r WHERE r.held_out"
    assert installation.query(kept_aside) != [(0,)]
    state = """
        SELECT b.status FROM campaigns_broadcast b JOIN loyalty_program p ON p.id = b.program_id
         WHERE p.code = %s
    """
    assert installation.query(state, f"news-{part}") == [("sent",)]
