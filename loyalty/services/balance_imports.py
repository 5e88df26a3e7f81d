"""Opening balances from a file, lot by lot: what members, pools and gift cards had in another
system, or in another installation, with the days on which it matures and expires; what is owed; who
is in which pool.

Always a dry run first: it does all of the work and takes it back, and says how many units of each
kind would come in. Booking it is a job of its own. Each row is one movement under its reference
(`opening_movements`), so that a file that comes again moves nothing twice.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.errors import LedgerError
from loyalty.ledger.posting import Movement
from loyalty.models import ImportBatch, Membership, Program, WalletType
from loyalty.pool_roles import OWNER
from loyalty.services.balance_holders import find_holders, find_members, find_people
from loyalty.services.balance_pools import PoolsOfFile
from loyalty.services.balance_rows import (
    CARD,
    COLUMNS,
    FILE,
    LAYOUT,
    MEMBER,
    POOL,
    WHO,
    BalanceRow,
    read_balance,
)
from loyalty.services.bearers import Holder, bearers
from loyalty.services.bulk_posting import Outcome, post_by_halves
from loyalty.services.import_bodies import told_at
from loyalty.services.import_files import digest_files, start_file_job
from loyalty.services.import_jobs import (
    actor_of,
    all_or_nothing,
    is_dry,
    record_row_errors,
    said_of,
)
from loyalty.services.imports import import_label
from loyalty.services.opening_movements import (
    Opening,
    keys_of,
    other_content,
    own_lot,
    own_rows,
)
from loyalty.services.row_errors import RowError
from loyalty.services.row_staging import RowStaging
from loyalty.services.staged_rows import needs_staging, run_staged, stage_rows
from loyalty.services.undo_jobs import refuse_while_undone
from members.errors import ConflictError, DomainError, FieldError
from members.formatting import format_number, format_units
from members.models import Job
from members.services.audit import Actor, record_audit
from members.services.job_runs import Step

KIND = "balance_import"
UNDO = "balance_import_undo"
PIECE = 500
COUNTED = ("created", "unchanged", "refused")
# What a key needs besides for rows of these.
SCOPES = {POOL: "pools:write", CARD: "gift_cards:write"}


@dataclass(slots=True)
class _Piece:
    """What became of some rows: counts, units by wallet type, movements, gift cards, who came into
    a pool, and what was refused."""

    counts: Counter[str] = field(default_factory=Counter)
    totals: Counter[str] = field(default_factory=Counter)
    transfers: list[int] = field(default_factory=list)
    cards: list[int] = field(default_factory=list)
    joined: list[int] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def refuse(self, number: int, body: str, error: DomainError) -> None:
        self.counts["refused"] += 1
        for first in (error.errors or [FieldError("", error.message, error.code)])[:5]:
            value = told_at(body, first.field) if first.field else ""
            # What spends money is in no list of errors, whatever its field is called.
            masked = first.field not in COLUMNS or first.field == "code"
            value = f"••••{value[-2:]}" if masked and value else value[:200]
            reason = str(first.message)[:300]
            self.errors.append(
                RowError(FILE, number, first.field[:64], value, reason, first.code)
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
    return start_file_job(
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
    booking = start_file_job(
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
    refuse_while_undone(UNDO, job)
    with all_or_nothing(dry=is_dry(job)):
        piece = _take(job, rows, timezone.now())
    record_row_errors(job, piece.errors)
    if not is_dry(job) and (piece.transfers or piece.joined):
        ImportBatch.objects.create(
            job=job, transfers=piece.transfers, gift_cards=piece.cards, pool_members=piece.joined
        )
    counts = {name: job.result.get(name, 0) + piece.counts[name] for name in COUNTED}
    totals = Counter(job.result.get("totals", {}))
    totals.update(piece.totals)  # a sum would leave out what is owed
    return Step(
        checkpoint={**job.checkpoint, "row": rows[-1][0]}, done=job.done + len(rows),
        result={**counts, "totals": dict(totals)},
    )  # fmt: skip


def _take(job: Job, rows: Sequence[tuple[int, str]], now: dt.datetime) -> _Piece:
    """Book these rows, as far as they are right."""
    program = Program.objects.get(pk=job.params["program"])
    types = {kind.code: kind for kind in program.wallet_types.select_related("program")}
    piece, bodies, good = _Piece(), dict(rows), []
    actor = actor_of(job)
    for number, body in rows:
        try:
            row = read_balance(number, body, program, types, now)
            _refuse_without_scope(row, actor)
            good.append(row)
        except DomainError as error:
            piece.refuse(number, body, error)
    opening = Opening(job, now)
    due = _due(job, program, good, opening, piece, bodies)
    taken = _Taking(job, program, [row for row in good if row.is_person or row.number in due], now)
    for row in good:
        if row.is_person:
            taken.join(row, piece, bodies[row.number])
    entries = taken.entries(due, opening, piece, bodies)
    # What is owed first: then it is owed, whatever comes in beside it.
    for owed in (True, False):
        now_due = [item for item in entries if (item[0].units < 0) is owed]
        movements = [entry for _row, entry in now_due]
        outcomes = post_by_halves(movements, now) if movements else {}
        for row, entry in now_due:
            taken.conclude(row, outcomes[entry["key"]], piece, bodies[row.number])
    piece.cards = taken.cards.conclude(taken.booked)
    piece.joined = taken.pools.joined
    return piece


def _refuse_without_scope(row: BalanceRow, actor: Actor) -> None:
    """What a key makes by a file it may make one by one, too. Raises DomainError."""
    scope = SCOPES.get(row.holder)
    if scope and actor.api_key is not None and scope not in actor.api_key.scopes:
        words = _("The key needs the scope %s for this.") % scope
        raise DomainError(words, errors=[FieldError("holder", words, "insufficient_scope")])


def _due(
    job: Job, program: Program, rows: Sequence[BalanceRow], opening: Opening, piece: _Piece,
    bodies: Mapping[int, str],
) -> dict[int, str]:  # fmt: skip
    """By row the key of the movement that it takes. Those that were booked already are counted,
    those that cannot be are refused, before anybody is made for them."""
    lots = [row for row in rows if not row.is_person]
    keys, own = keys_of(job, lots), own_rows(program, lots)
    due = {}
    for row in lots:
        key, posted = keys[row.number]
        try:
            if posted is not None and row.is_what_came(posted):
                piece.counts["unchanged"] += 1
                continue
            if posted is not None:
                raise other_content()
            if row.number in own:
                raise own_lot()
            if row.units > 0:
                opening.end(row)
        except DomainError as error:
            piece.refuse(row.number, bodies[row.number], error)
        else:
            due[row.number] = key
    return due


class _Taking:
    """Whose the rows of a piece are, and what was booked for them."""

    def __init__(
        self, job: Job, program: Program, rows: Sequence[BalanceRow], now: dt.datetime
    ) -> None:
        self.job, self.program, self.rows, self.actor = job, program, rows, actor_of(job)
        self.booked: defaultdict[int, list[int]] = defaultdict(list)
        self.members = self._members([row for row in rows if row.holder == MEMBER or row.is_person])
        self.pools = PoolsOfFile(job, program, self.actor, now, self._owners)
        self.pools.prepare(rows)
        buyers = find_people(
            [row for row in rows if row.holder == CARD and any(row.cells.get(n) for n in WHO)],
            self.actor,
        )
        self.cards = bearers().open(program, job.params["source"], buyers, now)
        self.holders: dict[int, Holder | DomainError] = {}

    def join(self, row: BalanceRow, piece: _Piece, body: str) -> None:
        try:
            made = self.pools.join(row, self.members[row.number])
        except DomainError as error:
            piece.refuse(row.number, body, error)
        else:
            piece.counts["created" if made else "unchanged"] += 1

    def entries(
        self, due: Mapping[int, str], opening: Opening, piece: _Piece, bodies: Mapping[int, str]
    ) -> list[tuple[BalanceRow, Movement]]:
        rows = [row for row in self.rows if row.number in due]
        self.holders = find_holders(rows, self.members, self.pools, self.cards)
        found = []
        for row in rows:
            holder = self.holders[row.number]
            if isinstance(holder, DomainError):
                piece.refuse(row.number, bodies[row.number], holder)
            else:
                found.append((row, opening.entry(row, holder, due[row.number])))
        return found

    def conclude(self, row: BalanceRow, outcome: Outcome, piece: _Piece, body: str) -> None:
        if isinstance(outcome, LedgerError):
            piece.refuse(row.number, body, outcome)
            return
        holder = self.holders[row.number]
        assert isinstance(holder, Holder)
        self.booked[holder.account_id].append(outcome)
        piece.counts["created"] += 1
        piece.totals[row.kind.code] += row.units
        piece.transfers.append(outcome)

    def _members(self, rows: Sequence[BalanceRow]) -> dict[int, Membership | DomainError]:
        return find_members(
            rows, program=self.program, detail=self.job.params["name"], actor=self.actor
        )

    def _owners(self, names: Sequence[str]) -> list[tuple[BalanceRow, Membership | DomainError]]:
        """Whoever owns the pools with these names, wherever in the file that is said."""
        said = RowStaging(self.job.pk).together(names, OWNER)
        rows = []
        for number, body in said:
            try:
                row = read_balance(number, body, self.program, {}, timezone.now())
            except DomainError:
                continue
            if row.is_person and row.cells["role"] == OWNER:
                rows.append(row)
        found = self._members(rows)
        return [(row, found[row.number]) for row in rows]
