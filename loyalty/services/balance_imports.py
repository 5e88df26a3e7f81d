"""Opening balances from a file, lot by lot: what members had in another system, or in another
installation, with the days on which it matures and expires.

Always a dry run first: it does all of the work and takes it back, and says how many units of each
kind would come in. Booking it is a job of its own. Each row is one movement under its reference, so
that a file that comes again moves nothing twice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.errors import LedgerError
from loyalty.ledger.posting import Movement, WalletRef, movement
from loyalty.models import ImportBatch, Lot, LotPolicy, Program, Transfer, WalletType
from loyalty.rules.lots import LotTerms, expires_at, lot_times
from loyalty.selectors.adjustment_reasons import OPENING, OPENING_LABEL
from loyalty.selectors.rulebooks import lot_terms
from loyalty.services.adjustments import terms_of, undo_key
from loyalty.services.balance_holders import Holder, find_holders
from loyalty.services.balance_rows import FILE, LAYOUT, BalanceRow, read_balance
from loyalty.services.bulk_posting import post_by_halves
from loyalty.services.import_bodies import told_at
from loyalty.services.import_files import digest_files
from loyalty.services.import_jobs import (
    actor_of,
    all_or_nothing,
    is_dry,
    record_row_errors,
    said_of,
)
from loyalty.services.imports import import_label
from loyalty.services.row_errors import RowError
from loyalty.services.row_staging import RowStaging
from loyalty.services.staged_rows import needs_staging, run_staged, stage_rows
from members.errors import ConflictError, DomainError, FieldError
from members.formatting import format_end, format_number, format_units
from members.models import Customer, Job
from members.services.audit import Actor, record_audit
from members.services.job_runs import Step
from members.services.jobs import start_or_resume_job

KIND = "balance_import"
UNDO = "balance_import_undo"
PIECE = 500
COUNTED = ("created", "unchanged", "refused")
# So often one reference may be undone and come again.
MOST_TIMES = 9


@dataclass(slots=True)
class _Piece:
    """What became of some rows: counts, units by wallet type, movements, and what was refused."""

    counts: Counter[str] = field(default_factory=Counter)
    totals: Counter[str] = field(default_factory=Counter)
    transfers: list[int] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def refuse(self, number: int, body: str, error: DomainError) -> None:
        self.counts["refused"] += 1
        for first in (error.errors or [FieldError("", error.message, error.code)])[:5]:
            value = told_at(body, first.field) if first.field else ""
            self.errors.append(
                RowError(
                    FILE,
                    number,
                    first.field[:64],
                    value[:200],
                    str(first.message)[:300],
                    first.code,
                )
            )  # fmt: skip


def start_balance_check(
    *, program: Program, path: Path, name: str, actor: Actor, source: str = "shop",
    mapping: Mapping[str, str] | None = None,
) -> Job:  # fmt: skip
    """A waiting dry run of this file; the unfinished one if the same was begun before. `source`:
    the system whose references these are."""
    _refuse_not_live(program)
    said = f"{program.pk}|{source}|{sorted((mapping or {}).items())}|dry run"
    params = {
        "program": program.pk, "source": source, FILE: str(path), "name": name[:64],
        "mapping": dict(mapping or {}), **said_of(actor, dry_run=True),
    }  # fmt: skip
    return start_or_resume_job(
        kind=KIND, label=import_label(name, program, dry_run=True),
        fingerprint=digest_files(said, path), params=params, actor=actor,
    )  # fmt: skip


def book_balances(*, job: Job, actor: Actor) -> Job:
    """A waiting job that books what a dry run has shown. Raises ConflictError before its end."""
    if not is_dry(job) or job.state != Job.State.SUCCEEDED:
        raise ConflictError(_("Wait until the dry run has ended."), code="not_checked")
    if not job.result.get("created"):
        raise ConflictError(_("There is nothing to book."), code="nothing_to_book")
    program, path = Program.objects.get(pk=job.params["program"]), Path(job.params[FILE])
    _refuse_not_live(program)
    if not path.is_file():
        raise DomainError(_("The file is gone. Upload it again."), code="files_gone")
    params = {name: value for name, value in job.params.items() if name != "dry_run"}
    params = {**params, "api_key": None, **said_of(actor, dry_run=False)}
    booking = start_or_resume_job(
        kind=KIND, label=import_label(params["name"], program, dry_run=False),
        fingerprint=digest_files(f"{program.pk}|{params['source']}|{params['mapping']}", path),
        params=params, actor=actor,
    )  # fmt: skip
    record_audit(
        actor=actor, action="balances.imported", target=booking, about=program,
        after=dict(job.result.get("totals", {})),
    )  # fmt: skip
    return booking


def run_balance_import(job_id: int) -> Job | None:
    """Work on the rows that are left; None when another run has the job."""
    return run_staged(job_id, _work)


def balance_words(job: Job) -> str:
    """What became of the rows, for people."""
    words = {
        "created": _("%s balances can be booked") if is_dry(job) else _("%s balances booked"),
        "unchanged": _("%s were here already"),
        "refused": _("%s refused"),
    }
    counted = [
        words[name] % format_number(job.result[name]) for name in words if job.result.get(name)
    ]
    sums = [format_units(units, kind) for kind, units in totals_of(job)]
    return ", ".join([*counted, *sums]) or _("Nothing to import")


def totals_of(job: Job) -> list[tuple[WalletType, int]]:
    """The units of each kind that a file brings, or would bring."""
    return totals_of_all([job])[job.pk]


def totals_of_all(jobs: Sequence[Job]) -> dict[int, list[tuple[WalletType, int]]]:
    """The same of many, by one query."""
    programs = {job.params["program"] for job in jobs if job.result.get("totals")}
    kinds = list(WalletType.objects.filter(program__in=programs).order_by("pk"))
    found: dict[int, list[tuple[WalletType, int]]] = {}
    for job in jobs:
        totals, program = job.result.get("totals", {}), job.params["program"]
        found[job.pk] = [
            (kind, totals[kind.code])
            for kind in kinds
            if kind.program_id == program and kind.code in totals
        ]
    return found


def open_balance_undo(job: Job) -> Job | None:
    """What undoes this import, as long as it waits, runs, or has failed and may go on."""
    states = (Job.State.QUEUED, Job.State.RUNNING, Job.State.FAILED)
    return Job.objects.filter(kind=UNDO, fingerprint=str(job.pk), state__in=states).first()


def _refuse_not_live(program: Program) -> None:
    if program.status != Program.Status.LIVE:
        raise DomainError(
            _("%s is not live. Take it live first.") % program.name, code="program_not_live"
        )


def _work(job: Job) -> Step | None:
    staging = RowStaging(job.pk)
    if needs_staging(job, staging):
        return stage_rows(job, staging, Path(job.params[FILE]), LAYOUT)
    rows = staging.batch(job.checkpoint["row"], PIECE) if job.checkpoint["staged"] else []
    if not rows:
        return None
    if open_balance_undo(job) is not None:
        raise DomainError(
            _("This import is being undone. Wait until that has ended."), code="being_undone"
        )
    with all_or_nothing(dry=is_dry(job)):
        piece = _take(job, rows, timezone.now())
    record_row_errors(job, piece.errors)
    if piece.transfers and not is_dry(job):
        ImportBatch.objects.create(job=job, transfers=piece.transfers)
    counts = {name: job.result.get(name, 0) + piece.counts[name] for name in COUNTED}
    totals = Counter(job.result.get("totals", {})) + piece.totals
    return Step(
        checkpoint={**job.checkpoint, "row": rows[-1][0]}, done=job.done + len(rows),
        result={**counts, "totals": dict(totals)},
    )  # fmt: skip


def _take(job: Job, rows: Sequence[tuple[int, str]], now: dt.datetime) -> _Piece:
    """Book these rows, as far as they are right."""
    program = Program.objects.get(pk=job.params["program"])
    types = {kind.code: kind for kind in program.wallet_types.select_related("program")}
    piece, bodies = _Piece(), dict(rows)
    good = []
    for number, body in rows:
        try:
            good.append(read_balance(number, body, program, types, now))
        except DomainError as error:
            piece.refuse(number, body, error)
    holders = find_holders(good, program=program, detail=job.params["name"], actor=actor_of(job))
    opening = _Opening(job, now)
    keys, own = _keys(job, good), _own(program, good)
    entries: dict[str, tuple[BalanceRow, Movement]] = {}
    for row in good:
        key, posted = keys[row.number]
        try:
            entry = _movement(row, holders[row.number], key, posted, opening, own)
        except DomainError as error:
            piece.refuse(row.number, bodies[row.number], error)
            continue
        if entry is None:
            piece.counts["unchanged"] += 1
        else:
            entries[key] = (row, entry)
    outcomes = post_by_halves([entry for _row, entry in entries.values()], now) if entries else {}
    for key, (row, _entry) in entries.items():
        outcome = outcomes[key]
        if isinstance(outcome, LedgerError):
            piece.refuse(row.number, bodies[row.number], outcome)
            continue
        piece.counts["created"] += 1
        piece.totals[row.wallet_type.code] += row.units
        piece.transfers.append(outcome)
    return piece


def _movement(
    row: BalanceRow, holder: Holder | DomainError, key: str, posted: str | None,
    opening: _Opening, own: Collection[int],
) -> Movement | None:  # fmt: skip
    """The movement that it takes; None where it was booked already. Raises DomainError."""
    if isinstance(holder, DomainError):
        raise holder
    if posted == row.digest():
        return None
    if posted is not None:
        raise _other_content()
    if row.number in own:
        raise _own_lot()
    return opening.entry(row, holder, key)


def _keys(job: Job, rows: Sequence[BalanceRow]) -> dict[int, tuple[str, str | None]]:
    """By row the key of its movement, and what was booked under it already. What was undone may
    come again, under a key of its own."""
    bases = {row.number: _base(job, row) for row in rows}
    wanted = [_nth(base, time) for base in bases.values() for time in range(MOST_TIMES)]
    found = {
        key: (pk, bytes(digest).hex())
        for key, pk, digest in Transfer.objects.filter(key__in=wanted).values_list(
            "key", "pk", "request_hash"
        )
    }
    undone = set(
        Transfer.objects.filter(
            key__in=[undo_key(pk) for pk, _digest in found.values()]
        ).values_list("key", flat=True)
    )  # fmt: skip
    keys: dict[int, tuple[str, str | None]] = {}
    for number, base in bases.items():
        for time in range(MOST_TIMES):
            pk, digest = found.get(_nth(base, time), (0, None))
            keys[number] = (_nth(base, time), digest)
            if not pk or undo_key(pk) not in undone:
                break
    return keys


def _base(job: Job, row: BalanceRow) -> str:
    named = f"{job.params['source']}|{row.reference}".encode()
    return f"opening:{job.params['program']}:{hashlib.sha256(named).hexdigest()[:40]}"


def _nth(base: str, time: int) -> str:
    return f"{base}:{time}" if time else base


def _own(program: Program, rows: Sequence[BalanceRow]) -> set[int]:
    """Rows that an export of this very program has written: what they hold is here. One of a
    program of the same name elsewhere is of people whom nobody here is."""
    prefix = f"{program.code}-"
    lots = {
        row.number: int(row.reference.removeprefix(prefix))
        for row in rows
        if row.cells.get("customer")
        and re.fullmatch(re.escape(prefix) + "[0-9]{1,18}", row.reference)
    }
    here = Lot.objects.filter(pk__in=lots.values(), wallet__wallet_type__program=program)
    ours = set(here.values_list("pk", flat=True))
    people = {row.number: uuid.UUID(row.cells["customer"]) for row in rows if row.number in lots}
    known = Customer.objects.filter(public_id__in=people.values())
    ids = set(known.values_list("public_id", flat=True))
    return {number for number, lot in lots.items() if lot in ours and people[number] in ids}


def _own_lot() -> DomainError:
    words = _("This is a lot of this program itself: its units are here already.")
    return DomainError(words, errors=[FieldError("reference", words, "own_lot")])


def _other_content() -> DomainError:
    words = _("This reference was imported with something else. Undo that import, or give the row a"
              " reference of its own.")  # fmt: skip
    return DomainError(words, errors=[FieldError("reference", words, "reused")])


def _expired(at: dt.datetime, zone: dt.tzinfo) -> DomainError:
    words = _("By the program's terms these units expired on %s. Leave them out, or say when they"
              " expire.") % format_end(at, zone)  # fmt: skip
    return DomainError(words, errors=[FieldError("expires_at", words, "expired")])


class _Opening:
    """The movements of one piece: what they have in common is looked up once."""

    def __init__(self, job: Job, now: dt.datetime) -> None:
        self.job, self.now = job, now
        self.actor = actor_of(job)
        self._terms: dict[int, tuple[int, int, LotTerms]] = {}

    def entry(self, row: BalanceRow, holder: Holder, key: str) -> Movement:
        """Units that were earned then, booked today."""
        kind = row.wallet_type
        adjusted, policy, terms = self._terms_of(kind)
        zone = kind.program.zone
        told = {name: row.cells[name] for name in ("origin", "source_reference")
                if row.cells.get(name)}  # fmt: skip
        entry = movement(
            direction="in",
            kind=Transfer.Kind.ADJUSTMENT.value,
            ref=WalletRef(holder.wallet_id, holder.account_id, kind.pk, zone),
            counter_account_id=adjusted,
            amount=row.units,
            occurred_at=row.earned_at,
            key=key,
            source=Transfer.Source.IMPORT.value,
            reason=OPENING,
            note=row.cells.get("reason", ""),
            explanation={"reason": OPENING_LABEL, "told": True, "opening": row.reference, **told},
            actor=self.actor.user.pk if self.actor.user else None,
            day=self.now.astimezone(zone).date().isoformat(),
            pol=policy,
            sp=row.matures_at,
            **self._end(row, terms),
        )
        # The row as it was written: whoever was merged since is still the same.
        return {**entry, "hash": row.digest()}

    def _end(self, row: BalanceRow, terms: LotTerms) -> dict[str, Any]:
        zone = row.wallet_type.program.zone
        if row.expiry == "never":
            return {"ex": None}
        if row.expiry == "inactivity" and terms.renewable:
            until = row.expires_at or expires_at(terms, self.now, zone)
            return {"ex": None, "ren": True, "until": until, "act": False}
        if row.expiry == "warned" and terms.warned_days is not None:
            return {"ex": None, "plan": row.expires_at}
        if row.expires_at is not None:
            return {"ex": row.expires_at}
        times = lot_times(terms, row.earned_at, row.matures_at, zone)
        if not times.renewable:
            if times.expires_at is not None and times.expires_at <= self.now:
                raise _expired(times.expires_at, zone)
            return {"ex": times.expires_at, "plan": times.planned_expires_at}
        until = expires_at(terms, self.now, zone)
        return {"ex": None, "ren": True, "until": until, "act": False}

    def _terms_of(self, kind: WalletType) -> tuple[int, int, LotTerms]:
        if kind.pk not in self._terms:
            policy = LotPolicy.objects.filter(wallet_type=kind, rule=None).latest("pk")
            adjusted = terms_of(kind, self.now).adjusted
            self._terms[kind.pk] = (adjusted, policy.pk, lot_terms(policy))
        return self._terms[kind.pk]
