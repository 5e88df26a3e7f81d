"""The work of a backtest: ranges of customers one by one, in two processes, then their sums.

A part is kept as soon as it is added up, so a run that was stopped or killed goes on with the parts
that are missing; one that was worked on twice is there once.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from loyalty.backtest_off import TakenOff
from loyalty.backtest_rules import Wordings
from loyalty.backtest_sums import Sums
from loyalty.models import Backtest, BacktestPart
from loyalty.rules.events import Budgets, Unlimited
from loyalty.selectors.replayed_days import everybody_in_ranges
from loyalty.selectors.replayed_orders import customer_ranges
from loyalty.services.backtest_budgets import budgets_of, wanted_by_day, wanted_by_order
from loyalty.services.backtest_setups import Setup
from members.models import Job
from members.services.jobs import JobProgress, claim_job, running, save_checkpoint

LOOKED_EVERY = 0.1
Stage = BacktestPart.Stage
# Customers (first, last) and how many orders they have.
Range = tuple[int, int, int]


def run_backtest(job_id: int) -> Job | None:
    """Work on a waiting backtest until it is done; None when another run has it."""
    job = claim_job(job_id)
    if job is None:
        return None
    with running(job) as progress:
        backtest = Backtest.objects.select_related("program").get(job=job)
        if backtest.result is None:
            _work(job, backtest, progress)
        whole = backtest.result["whole"] if backtest.result else {}
        job.result = {"orders": whole.get("orders", 0), "members": whole.get("members", 0)}
        job.done = job.total
    return Job.objects.get(pk=job_id)


def help_backtest(job_id: int, *, parent: int) -> None:
    """A second process's part of the work; it ends with the process `parent` that asked for it."""
    backtest = Backtest.objects.select_related("program").get(job=job_id)
    setup, ranges = Setup.of(backtest), _ranges(backtest.job)
    stage = _stages(setup)[-1]
    if (
        stage == Stage.REPLAY
        and setup.has_budgets
        and not _is_done(backtest, Stage.BUDGETS, ranges)
    ):
        stage = Stage.BUDGETS
    budgets = _budgets(setup, stage)
    for number in reversed(_missing(backtest, stage, ranges)):
        if os.getppid() != parent or _is_there(backtest, stage, number):
            return
        _do_part(setup, stage, number, ranges[number], budgets)


def _work(job: Job, backtest: Backtest, progress: JobProgress) -> None:
    setup = Setup.of(backtest)
    stages = _stages(setup)
    if "ranges" not in job.checkpoint:
        stretch = setup.stretch
        ranges = list(
            everybody_in_ranges(stretch)
            if stretch.everybody
            else customer_ranges(stretch.since, stretch.until)
        )
        total = len(stages) * sum(count for _first, _last, count in ranges)
        save_checkpoint(job, {"ranges": ranges}, done=0, total=total)
    ranges = _ranges(job)
    progress.begin_at(_orders_done(backtest))
    for stage in stages:
        _do_stage(setup, stage, ranges, progress)
    _finish(setup)


def _do_stage(setup: Setup, stage: str, ranges: Sequence[Range], progress: JobProgress) -> None:
    """The helper comes from the other end: whoever is faster does more, until they meet."""
    backtest, budgets = setup.backtest, _budgets(setup, stage)
    missing = _missing(backtest, stage, ranges)
    # Within a transaction nobody else would see what is there.
    several = len(missing) > 2 and not connection.in_atomic_block
    with _helper(progress.job) if several else nullcontext() as helper:
        for number in missing:
            if helper is not None and _is_there(backtest, stage, number):
                break
            _do_part(setup, stage, number, ranges[number], budgets)
            progress.update(_orders_done(backtest))
        while helper is not None and helper.poll() is None:
            time.sleep(LOOKED_EVERY)
            progress.update(_orders_done(backtest))
    # Of a helper that ended before its time.
    for number in _missing(backtest, stage, ranges):
        _do_part(setup, stage, number, ranges[number], budgets)
        progress.update(_orders_done(backtest))


@contextmanager
def _helper(job: Job) -> Iterator[subprocess.Popen[bytes]]:
    """A second process that works on the same stage; gone when the block ends, however it does."""
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    helper = subprocess.Popen(
        [sys.executable, manage, "backtest_helper", str(job.pk), str(os.getpid())],
        stdin=subprocess.DEVNULL,
    )
    try:
        yield helper
    finally:
        if helper.poll() is None:
            helper.terminate()
        helper.wait()


def _do_part(
    setup: Setup, stage: str, number: int, found: Range, budgets: Mapping[str, Budgets]
) -> None:
    first, last, orders = found
    sums: dict[str, Any]
    with _without_collector():
        if stage == Stage.BUDGETS:
            sums = wanted_by_order(setup, first, last)
        else:
            off = TakenOff()
            sums = setup.add_up(first, last, budgets, off).as_json() | {"off": off.as_json()}
    part = BacktestPart(
        backtest=setup.backtest, stage=stage, number=number, orders=orders, sums=sums
    )
    BacktestPart.objects.bulk_create([part], ignore_conflicts=True)


@contextmanager
def _without_collector() -> Iterator[None]:
    """A replay makes very many objects and no circles of them: looking for circles again and again
    costs much and finds nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _finish(setup: Setup) -> None:
    """The answer instead of its parts, all at once."""
    backtest, sums, off = setup.backtest, Sums(), TakenOff()
    parts = backtest.parts.filter(stage=Stage.REPLAY).order_by("number")
    for kept in parts.values_list("sums", flat=True).iterator(chunk_size=20):
        sums.merge(Sums.from_json(kept))
        # One that was found by an earlier version has none.
        off.merge(kept.get("off", {}))
    units = [
        {
            "code": unit.code, "singular": unit.singular, "plural": unit.plural,
            "plural_language": unit.plural_language, "plural_forms": unit.plural_forms,
            "scale": unit.scale, "unit_value": f"{unit.unit_value:f}",
        }
        for unit in setup.units.values()
    ]  # fmt: skip
    with transaction.atomic():
        backtest.result = sums.as_json() | {
            "units": units,
            "in_money": setup.in_money,
            "has_budgets": setup.has_budgets,
            "wanted": wanted_by_day(setup, _wanted(backtest)),
            "discounts": off.results(Wordings.from_json(backtest.draft).beside.discounts),
            "scopes": sorted(setup.stretch.scopes),
            "rule_units": {
                version.rule_code: setup.units[version.wallet_type_id].code
                for rules in setup.sides.values()
                for version in rules.everything
            },
            "rule_names": {
                version.rule_code: version.rule_name
                for rules in setup.sides.values()
                for version in rules.everything
            },
        }
        backtest.result_version = Backtest.VERSION
        backtest.finished_at = timezone.now()
        backtest.save(update_fields=["result", "result_version", "finished_at"])
        backtest.parts.all().delete()


def _stages(setup: Setup) -> list[str]:
    return [Stage.BUDGETS, Stage.REPLAY] if setup.has_budgets else [Stage.REPLAY]


def _budgets(setup: Setup, stage: str) -> dict[str, Budgets]:
    if stage == Stage.REPLAY and setup.has_budgets:
        return budgets_of(setup, _wanted(setup.backtest))
    return {"live": Unlimited(), "draft": Unlimited()}


def _wanted(backtest: Backtest) -> Iterator[dict[str, Any]]:
    """What the first round has found, part by part."""
    parts = backtest.parts.filter(stage=Stage.BUDGETS)
    return parts.values_list("sums", flat=True).iterator(chunk_size=20)


def _ranges(job: Job | None) -> list[Range]:
    if job is None:
        return []
    return [(first, last, count) for first, last, count in job.checkpoint["ranges"]]


def _missing(backtest: Backtest, stage: str, ranges: Sequence[Range]) -> list[int]:
    done = set(backtest.parts.filter(stage=stage).values_list("number", flat=True))
    return [number for number in range(len(ranges)) if number not in done]


def _is_there(backtest: Backtest, stage: str, number: int) -> bool:
    return backtest.parts.filter(stage=stage, number=number).exists()


def _is_done(backtest: Backtest, stage: str, ranges: Sequence[Range]) -> bool:
    return not _missing(backtest, stage, ranges)


def _orders_done(backtest: Backtest) -> int:
    return int(backtest.parts.aggregate(sum=Sum("orders"))["sum"] or 0)
