"""Short ways to a batch, checked, posted, or killed on the way."""

import io

from loyalty.models import (
    BulkAdjustment,
)
from loyalty.services.bulk_adjustments import (
    Plan,
    create_bulk,
    post_bulk,
)
from loyalty.services.bulk_sources import from_file, from_list
from members.services.job_runs import run_job
from tests.loyalty.factories import NOW


def file_of(text, *, with_units=True):
    return from_file(io.BytesIO(text.encode()), "units.csv", with_units=with_units)


def adjustment(program, actor, text, **changes) -> BulkAdjustment:
    """A file of adjustments, checked by a worker."""
    given = {"kind": "adjustment", "wallet_type": program.wallet_types.get(), "reason": "goodwill"}
    return checked(create_bulk(
        plan=Plan(**given | changes), source=file_of(text), actor=actor, now=NOW
    ))  # fmt: skip


def grant(program, actor, names, **changes) -> BulkAdjustment:
    given = {"kind": "grant", "wallet_type": program.wallet_types.get(), "reason": "surprise",
             "units_each": 100, "message": "Thank you!"}  # fmt: skip
    source = from_list("\n".join(names), "Friends")
    return checked(create_bulk(plan=Plan(**given | changes), source=source, actor=actor, now=NOW))


def worked(batch) -> BulkAdjustment:
    """Once a worker has done what waits for it."""
    run_job(batch.job_id)
    batch.refresh_from_db()
    return batch


def checked(batch) -> BulkAdjustment:
    batch = worked(batch)
    assert batch.job.state == "succeeded"
    return batch


def posted(batch, actor) -> BulkAdjustment:
    return worked(post_bulk(batch=batch, actor=actor, now=NOW))


def rows_of(units) -> str:
    lines = [f"c{number},{amount}" for number, amount in enumerate(units, start=1)]
    return "\n".join(["customer_id,units", *lines])


def problems(batch) -> list[tuple[int, str, str]]:
    found = batch.rows.filter(state="wrong").order_by("number")
    return [
        (row.number, column, reason) for row in found for column, _value, reason in row.problems
    ]


class Killed(Exception):
    """Stands for a worker that dies at this point."""


def killed_after(monkeypatch, module, name, chunks):
    """The worker dies once so many chunks are committed, before it says so to anybody."""
    original, seen = getattr(module, name), []

    def chunk(*args, **how):
        if len(seen) == chunks:
            monkeypatch.setattr(module, name, original)
            raise Killed
        seen.append(True)
        return original(*args, **how)

    monkeypatch.setattr(module, name, chunk)
