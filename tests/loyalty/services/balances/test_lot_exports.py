"""Balances by lots go out as a file, which another program takes as it is."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.models import Program, Wallet
from loyalty.services import lot_exports
from loyalty.services.balance_imports import (
    run_balance_import,
    start_balance_check,
)
from loyalty.services.lot_exports import FIELDS, fetch_export, run_lot_export, start_lot_export
from members.errors import ConflictError
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from members.services.jobs import retry_job
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import make_program, order, record
from tests.loyalty.services.balances.moving import (
    COINS,
    NOW,
    POINTS,
    booked,
    export,
    lots,
    row,
)
from tests.sharing import rolled_back

pytestmark = pytest.mark.django_db


class TestRoundTrip:
    def test_what_is_exported_comes_into_an_empty_program_as_it_was(
        self, old: Program, new: Program, tmp_path: Path
    ) -> None:
        at = NOW - dt.timedelta(days=30)
        record(order("A1", "40", at=at, buyer="C-1"), order("A2", "25.5", at=at, buyer="C-2"))
        found = lots(old)
        assert found
        for form in ("csv", "ndjson"):
            path = export(old, form)
            job = start_balance_check(program=new, path=path, name=path.name, actor=SYSTEM)
            tried = run_balance_import(job.pk)
            assert tried is not None
            assert tried.errors.count() == 0
            if form == "csv":
                booked(tried)
        # The same lots from the other file are here already.
        assert tried.result["unchanged"] == len(found)
        assert lots(new) == found

    @pytest.fixture
    def both(self) -> tuple[Program, Program]:
        here, there = (
            make_program(code=code, wallet_types=[POINTS, COINS], earning_rules=[])
            for code in ("from", "to")
        )
        return here, there

    @settings(
        max_examples=15, deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )  # fmt: skip
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["C-1", "C-2", "=1+1"]),
                st.sampled_from(["points", "coins"]),
                st.integers(1, 10**9),
                st.integers(0, 3_000),
                st.integers(-100, 400),
                st.one_of(st.none(), st.integers(401, 3_000)),
            ),
            min_size=1, max_size=8,
        )
    )  # fmt: skip
    def test_any_lots_come_back_as_they_were(
        self, both: tuple[Program, Program], tmp_path: Path,
        drawn: list[tuple[str, str, int, int, int, int | None]],
    ) -> None:  # fmt: skip
        number = sum(1 for _made in tmp_path.iterdir())
        here, there = both
        with rolled_back():
            days = dt.timedelta
            rows = [
                row(
                    f"L{place}", str(units), customer_id=who, wallet_type=kind,
                    earned_at=(NOW - days(earned)).isoformat(),
                    matures_at=(NOW + days(max(matures, -earned))).isoformat(),
                    **({"expiry": "never"} if ends is None
                       else {"expires_at": (NOW + days(ends)).isoformat()}),
                )
                for place, (who, kind, units, earned, matures, ends) in enumerate(drawn)
            ]  # fmt: skip
            path = tmp_path / f"{number}.ndjson"
            path.write_text("".join(json.dumps(item) + "\n" for item in rows))
            self.into(here, path)
            self.into(there, export(here))
            assert lots(there) == lots(here)
            assert len(lots(there)) == len(drawn)
            assert_ledger_coherent()

    def into(self, program: Program, path: Path) -> None:
        job = start_balance_check(program=program, path=path, name=path.name, actor=SYSTEM)
        tried = run_balance_import(job.pk)
        assert tried is not None
        assert tried.errors.count() == 0, list(tried.errors.all())
        booked(tried)

    @pytest.mark.parametrize(
        "expiry",
        [{"kind": "inactivity", "length": 6}, {"kind": "months", "length": 12, "warned_days": 30}],
    )
    def test_units_that_wait_for_inactivity_or_a_warning_still_do(
        self, expiry: dict[str, Any]
    ) -> None:
        kind = {**POINTS, "expiry": expiry}
        here = make_program(code="here", wallet_types=[kind])
        there = make_program(code="there", wallet_types=[kind], earning_rules=[])
        record(order("A1", "40", at=NOW - dt.timedelta(days=9), buyer="C-1"))
        self.into(there, export(here))
        assert lots(there) == lots(here)
        ends = Wallet.objects.order_by("pk").values_list("active_until", flat=True)
        assert len(set(ends)) == 1


class TestExport:
    def test_a_file_says_all_of_a_lot_and_nobody_s_name(self, old: Program) -> None:
        Customer.objects.create(
            external_id="C-1", given_name="Ann", email="ann@example.com"
        )  # fmt: skip
        record(order("A1", "40", at=NOW, buyer="C-1"))
        path = export(old)
        text = path.read_text()
        assert "Ann" not in text
        assert "@" not in text
        first = next(csv.DictReader(text.splitlines()))
        assert tuple(first) == FIELDS
        assert (first["customer_id"], first["units"], first["origin"]) == ("C-1", "40", "accrual")
        assert first["source_reference"] == "shop/A1"
        assert path.stat().st_mode & 0o077 == 0

    def test_one_kind_of_units_can_be_chosen(self, old: Program) -> None:
        record(order("A1", "40", at=NOW, buyer="C-1"))
        assert len(export(old, wallet_type="coins").read_text().splitlines()) == 1
        assert len(export(old, wallet_type="points").read_text().splitlines()) == 2

    def test_it_goes_on_where_it_was_killed(
        self, old: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lot_exports, "AT_ONCE", 2)
        record(*(order(f"A{place}", "40", at=NOW, buyer=f"C-{place}") for place in range(5)))
        job = start_lot_export(program=old, actor=SYSTEM, now=timezone.now())
        write, seen = lot_exports._write, []

        def dies(path: Path, size: int, text: str) -> int:
            found = write(path, size, text)
            seen.append(size)
            if len(seen) == 3:
                raise KeyboardInterrupt
            return found

        monkeypatch.setattr(lot_exports, "_write", dies)
        with pytest.raises(KeyboardInterrupt):
            run_lot_export(job.pk)
        done = run_lot_export(retry_job(job=job, actor=SYSTEM).pk)
        assert done is not None
        text = Path(done.params["lots"]).read_text()
        assert len({line["reference"] for line in csv.DictReader(text.splitlines())}) == 5
        assert (done.result["lots"], len(text.splitlines())) == (5, 6)

    def test_what_happens_while_it_is_written_is_not_in_it(
        self, old: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record(order("A1", "40", at=NOW, buyer="C-1"))
        job = start_lot_export(program=old, actor=SYSTEM, now=timezone.now())
        record(order("A2", "7", at=timezone.now(), buyer="C-2"))
        done = run_lot_export(job.pk)
        assert done is not None
        assert done.result["lots"] == 1

    def test_the_file_is_there_once_it_is_written_and_fetching_it_is_noted(
        self, old: Program
    ) -> None:
        job = start_lot_export(program=old, actor=SYSTEM, now=timezone.now())
        with pytest.raises(ConflictError):
            fetch_export(job=job, actor=SYSTEM)
        done = run_lot_export(job.pk)
        assert done is not None
        fetch_export(job=done, actor=SYSTEM).unlink()
        assert AuditEntry.objects.filter(action="balances.fetched").count() == 1
        with pytest.raises(ConflictError):
            fetch_export(job=done, actor=SYSTEM)
