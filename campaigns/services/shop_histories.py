"""Bringing in what happened in a shop before it was connected, page by page from its API.

A page is asked for outside any transaction, and taken in together with where the next one is: a
kill loses a page at most, and what was taken in is known again.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DataError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.connectors.pages import (
    STAGES,
    Access,
    BusyError,
    Page,
    ShopPages,
    fetch_count,
    fetch_page,
    pages_of,
)
from campaigns.connectors.reading import text
from campaigns.connectors.records import Part, Records
from campaigns.models import Connection
from campaigns.selectors.connections import reading_of
from campaigns.services.connections import api_access
from campaigns.services.inbound import Taken, take_parts
from campaigns.services.shop_records import record_all
from loyalty.models import Transfer
from members.errors import ConflictError, DomainError
from members.formatting import format_number
from members.models import Job, JobError
from members.services.audit import Actor
from members.services.job_logs import Level, log_line
from members.services.jobs import (
    JobProgress,
    claim_job,
    record_job_errors,
    running,
    save_checkpoint,
    start_or_resume_job,
)
from members.services.transactions import run_atomically

KIND = "shop_history"
# Seconds before each further try where the shop does not say.
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
# So often in a row a shop may say that it wants to be asked later.
MOST_WAITS = 50
LOOKED_EVERY = 1.0
Asked = TypeVar("Asked")


def start_history(*, connection: Connection, since: dt.date | None, actor: Actor) -> Job:
    """A waiting job, to be queued; the unfinished one if the same was begun before."""
    if connection.kind not in Connection.SHOPS or api_access(connection) is None:
        raise ConflictError(_("Say first where the shop’s API is, and what opens it."))
    said = since.isoformat() if since else ""
    return start_or_resume_job(
        kind=KIND, label=_("History of %s") % connection,
        fingerprint=f"{connection.pk}:{said}",
        params={"connection": connection.pk, "since": f"{said}T00:00:00Z" if said else ""},
        actor=actor,
    )  # fmt: skip


def run_history(job_id: int) -> Job | None:
    """Work on a waiting job until the last page is in. None: another run has it."""
    job = claim_job(job_id)
    if job is None:
        return None
    with running(job) as progress:
        connection, access = _begin(job)
        shop, since = pages_of(connection), job.params["since"]
        if not job.checkpoint:
            counted = _counted(shop, access, since, job, progress)
            job.checkpoint = {
                "stage": 0, "path": shop.first(STAGES[0], since), "totals": counted
            }  # fmt: skip
        while job.checkpoint["stage"] < len(STAGES):
            stage, path = STAGES[job.checkpoint["stage"]], job.checkpoint["path"]
            page = _patiently(lambda: fetch_page(shop, access, path, stage), job, progress)  # noqa: B023
            run_atomically(lambda: _take_page(job, connection, shop, page))  # noqa: B023
            progress.look()
    return Job.objects.get(pk=job_id)


def history_words(job: Job) -> str:
    """What became of it, for people."""
    words = {
        "created": _("%s new"), "updated": _("%s changed"), "known": _("%s known already"),
        "refused": _("%s refused"),
    }  # fmt: skip
    said = [words[name] % format_number(job.result[name]) for name in words
            if job.result.get(name)]  # fmt: skip
    return ", ".join(said) or _("Nothing to bring in")


def _begin(job: Job) -> tuple[Connection, Access]:
    found = Connection.objects.select_related("program").filter(pk=job.params["connection"]).first()
    keys = api_access(found) if found else None
    if found is None or keys is None:
        raise DomainError(_("The connection, or what opens its API, is gone."))
    return found, Access(found.shop_url, *keys)


def _counted(
    shop: ShopPages, access: Access, since: str, job: Job, progress: JobProgress
) -> list[int]:
    """How many there are of each, as far as the shop says before it is asked for them."""
    counts = []
    for stage in STAGES:
        counts.append(
            _patiently(lambda: fetch_count(shop, access, stage, since), job, progress) or 0  # noqa: B023
        )
    return counts


def _take_page(job: Job, connection: Connection, shop: ShopPages, page: Page) -> None:
    """In one transaction: the page, and where the next one is."""
    at, done = job.checkpoint["stage"], job.done
    taken = _taken(connection, shop, STAGES[at], page)
    record_job_errors(job, _job_errors(taken, STAGES[at], page, done))
    totals = list(job.checkpoint["totals"])
    if page.total is not None:
        totals[at] = page.total
    following = job.checkpoint | {"path": page.following, "totals": totals}
    if not page.following:
        further = STAGES[at + 1] if at + 1 < len(STAGES) else ""
        following |= {
            "stage": at + 1, "path": shop.first(further, job.params["since"]) if further else ""
        }  # fmt: skip
    done += len(page.items)
    save_checkpoint(
        job, following, done=done, total=max(sum(totals), done), result=_summed(job, taken)
    )


def _taken(connection: Connection, shop: ShopPages, stage: str, page: Page) -> Taken:
    now = timezone.now()
    about = reading_of(connection, now)
    parts = []
    for item in page.items:
        place = text(item, "id") or "?"
        try:
            parts.append(Part(place, shop.read(stage, item, about)))
        except DomainError as error:
            parts.append(Part(place, error=error))
    good = [part.records for part in parts if part.records is not None]
    try:
        # Orders are much faster together; one that is refused is found by taking them one by one.
        with transaction.atomic():
            results = record_all(
                connection, _together(good), now=now, transfer_source=Transfer.Source.IMPORT
            )
    except (DomainError, DataError):
        return take_parts(connection, parts, now=now, transfer_source=Transfer.Source.IMPORT)
    wrong = take_parts(connection, [part for part in parts if part.error], now=now)
    return Taken(results=results, errors=wrong.errors)


def _together(found: list[Records]) -> Records:
    return Records(
        orders=tuple(order for item in found for order in item.orders),
        refunds=tuple(refund for item in found for refund in item.refunds),
        customers=tuple(facts for item in found for facts in item.customers),
        verified=frozenset(number for item in found for number in item.verified),
    )


def _summed(job: Job, taken: Taken) -> dict[str, Any]:
    counts = Counter(
        item["outcome"] if item["outcome"] in ("created", "updated") else "known"
        for item in taken.results
    )
    counts["refused"] += len({item["field"].partition(" ")[0] for item in taken.errors})
    return dict(Counter(job.result) + counts)


def _job_errors(taken: Taken, stage: str, page: Page, done: int) -> list[JobError]:
    places = {text(item, "id"): done + place for place, item in enumerate(page.items, start=1)}
    rows = []
    for item in taken.errors:
        value, _space, column = item["field"].partition(" ")
        rows.append(
            JobError(
                file=stage, row=places.get(value, done), column=column[:64], value=value[:200],
                reason=item["message"][:300],
            )
        )  # fmt: skip
    return rows


def _patiently(ask: Callable[[], Asked], job: Job, progress: JobProgress) -> Asked:
    """Ask until the shop answers: after as long as it says, else after longer and longer."""
    failures = 0
    for _wait in range(MOST_WAITS):
        try:
            return ask()
        except BusyError as error:
            if error.seconds is None:
                failures += 1
            if failures > len(PAUSES):
                raise DomainError(
                    _("The shop does not answer (%s). Go on once it does.") % error
                ) from error
            pause = PAUSES[failures - 1] if error.seconds is None else error.seconds
            words = _("The shop asks to wait (%(why)s): %(seconds)s seconds.")
            log_line(
                job, words % {"why": error, "seconds": format_number(pause)}, level=Level.WARNING
            )
            _wait_for(pause, progress)
    raise DomainError(_("The shop asks to wait again and again. Go on later."))


def _wait_for(seconds: float, progress: JobProgress) -> None:
    """Without keeping anybody waiting who wants the job to stop."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        time.sleep(min(left, LOOKED_EVERY))
        progress.look()
