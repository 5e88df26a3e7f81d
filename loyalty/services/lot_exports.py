"""All balances of a program as a file: what members, pools and gift cards hold lot by lot, from
when and until when it can be spent; what is owed; who is in which pool.

Written wallet by wallet as of one instant, so that it is one picture however long it takes, in
constant memory; a run that was killed goes on where it stopped. The file is what `balance_imports`
takes.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from django.utils.translation import gettext as _

from loyalty.instants import NEVER
from loyalty.ledger.past import LotThen, held_lots_then, holdings_then
from loyalty.models import Lot, Program, Transfer, Wallet, WalletType
from loyalty.plain_numbers import units_text
from loyalty.services.balance_rows import COLUMNS, HELD
from loyalty.services.exported_holders import describe_holders, people_of_pools
from loyalty.services.import_files import discard_old_files, new_folder
from members.errors import ConflictError, DomainError, FieldError
from members.file_cells import harmless
from members.formatting import format_number
from members.models import Job
from members.services.audit import Actor, record_audit
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import start_or_resume_job

KIND = "lot_export"
FORMATS = ("csv", "ndjson")
AT_ONCE = 500
# No address, and no code that spends.
FIELDS = tuple(name for name in COLUMNS if name not in ("email", "code"))
_NOTHING = dict.fromkeys(FIELDS, "")


def start_lot_export(
    *, program: Program, wallet_type: str = "", form: str = "csv", actor: Actor, now: dt.datetime
) -> Job:
    """A waiting job that writes the lots as of now: of one kind of units, or of all."""
    kinds = _kinds(program, wallet_type)
    if form not in FORMATS:
        words = _("One of: %(known)s.") % {"known": ", ".join(FORMATS)}
        raise DomainError(words, errors=[FieldError("format", words)])
    discard_old_files(now)
    path = new_folder() / f"balances-{program.code}-{now:%Y-%m-%d}.{form}"
    job = start_or_resume_job(
        kind=KIND, label=_("Balances of %s") % program.name, fingerprint=path.parent.name,
        actor=actor,
        params={
            "program": program.pk, "wallet_types": [kind.pk for kind in kinds], "format": form,
            "at": now.isoformat(), "lots": str(path),
        },
        total=Wallet.objects.filter(wallet_type__in=kinds).count(),
    )  # fmt: skip
    record_audit(
        actor=actor, action="balances.exported", target=job, about=program,
        after={"wallet_types": [kind.code for kind in kinds], "format": form},
    )  # fmt: skip
    return job


def run_lot_export(job_id: int) -> Job | None:
    """Write what is left of the file; None when another run has it."""
    return run_in_chunks(job_id, _piece)


def lot_export_words(job: Job) -> str:
    return _("%s balances written") % format_number(job.result.get("lots", 0))


def fetch_export(*, job: Job, actor: Actor) -> Path:
    """The file that was written; that it was fetched is in the audit log. Raises ConflictError
    before its end, and once it is gone."""
    path = Path(job.params["lots"])
    if job.state != Job.State.SUCCEEDED:
        raise ConflictError(_("The file is not written yet."), code="not_ready")
    if not path.is_file():
        raise ConflictError(_("The file is not kept any more. Export again."), code="files_gone")
    program = Program.objects.get(pk=job.params["program"])
    record_audit(actor=actor, action="balances.fetched", target=job, about=program)
    return path


def _kinds(program: Program, code: str) -> list[WalletType]:
    kinds = list(program.wallet_types.order_by("pk"))
    if not code:
        return kinds
    found = [kind for kind in kinds if kind.code == code]
    if not found:
        words = _("One of: %(known)s.") % {"known": ", ".join(kind.code for kind in kinds)}
        raise DomainError(words, errors=[FieldError("wallet_type", words, "not_found")])
    return found


def _piece(job: Job) -> Step | None:
    last, size = job.checkpoint.get("wallet", 0), job.checkpoint.get("size", 0)
    path = Path(job.params["lots"])
    if not job.checkpoint:
        size = _write(path, 0, _lines([FIELDS]) if job.params["format"] == "csv" else "")
        return Step({"wallet": 0, "size": size}, 0, result={"lots": 0, "totals": {}})
    wallets = list(
        Wallet.objects.filter(wallet_type__in=job.params["wallet_types"], pk__gt=last)
        .select_related("wallet_type__program", "account").order_by("pk")[:AT_ONCE]
    )  # fmt: skip
    if not wallets:
        return None
    if not path.is_file():
        raise DomainError(_("The file is gone. Export again."), code="files_gone")
    at = dt.datetime.fromisoformat(job.params["at"])
    rows = list(_rows(wallets, at, job.params["wallet_types"]))
    if job.params["format"] == "csv":
        text = _lines([harmless(row[name]) for name in FIELDS] for row in rows)
    else:
        text = "".join(orjson.dumps(row).decode() + "\n" for row in rows)
    totals: Counter[str] = Counter(job.result["totals"])
    for row in rows:
        if row["wallet_type"]:
            totals[row["wallet_type"]] += 1
    return Step(
        {"wallet": wallets[-1].pk, "size": _write(path, size, text)}, job.done + len(wallets),
        result={"lots": job.result["lots"] + len(rows), "totals": dict(totals)},
    )  # fmt: skip


def _write(path: Path, size: int, text: str) -> int:
    """Go on after so many bytes: what a run that was killed wrote beyond them is written again."""
    path.touch(mode=0o600, exist_ok=True)
    with path.open("r+b") as file:
        file.truncate(size)
        file.seek(size)
        file.write(text.encode())
        return file.tell()


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _rows(
    wallets: Sequence[Wallet], at: dt.datetime, kinds: Sequence[int]
) -> Iterator[dict[str, str]]:
    """Who is in the pools of these wallets, what is owed, and what is left; those lots that come
    first first."""
    by_key = {wallet.pk: wallet for wallet in wallets}
    held = sorted(held_lots_then(by_key, at), key=lambda lot: (lot.wallet_id, lot.lot_id))
    now = Lot.objects.only("expires_at", "planned_expires_at", "renewable").in_bulk(
        [lot.lot_id for lot in held]
    )
    origins = Transfer.objects.select_related("order").in_bulk({lot.origin_id for lot in held})
    holders = describe_holders([wallet.account for wallet in wallets])
    for row in [*people_of_pools(wallets, at, kinds), *_debts(by_key, holders, at)]:
        yield _NOTHING | row
    for lot in held:
        wallet, origin = by_key[lot.wallet_id], origins[lot.origin_id]
        yield _NOTHING | {
            "reference": f"{wallet.wallet_type.program.code}-{lot.lot_id}",
            **holders[wallet.account_id],
            "wallet_type": wallet.wallet_type.code,
            "units": units_text(lot.remaining, wallet.wallet_type.scale),
            "earned_at": _instant(lot.earned_at),
            "matures_at": HELD if lot.spendable_at >= NEVER else _instant(lot.spendable_at),
            **_end(lot, now[lot.lot_id]),
            "origin": origin.explanation.get("origin") or origin.kind,
            "reason": origin.reason,
            "source_reference": _source(origin),
        }


def _debts(
    wallets: Mapping[int, Wallet], holders: Mapping[int, Mapping[str, str]], at: dt.datetime
) -> Iterator[dict[str, str]]:
    """Units below zero. Written before the lots, which they do not take."""
    for key, then in sorted(holdings_then(wallets, at).items()):
        if then.owed > 0:
            wallet = wallets[key]
            yield {
                "reference": f"{wallet.wallet_type.program.code}-debt-{key}",
                **holders[wallet.account_id],
                "wallet_type": wallet.wallet_type.code,
                "units": units_text(-then.owed, wallet.wallet_type.scale),
            }


def _end(lot: LotThen, now: Lot) -> dict[str, str]:
    if now.expires_at is not None:
        return {"expires_at": _instant(now.expires_at), "expiry": "fixed"}
    if lot.renewable:
        ends = _instant(lot.expires_at) if lot.expires_at else ""
        return {"expires_at": ends, "expiry": "inactivity"}
    if now.planned_expires_at is not None:
        return {"expires_at": _instant(now.planned_expires_at), "expiry": "warned"}
    return {"expires_at": "", "expiry": "never"}


def _source(origin: Transfer) -> str:
    """What the units came from: the order, where there was one."""
    told: Any = origin.explanation.get("source_reference")
    if told:
        return str(told)
    return f"{origin.order.source}/{origin.order.external_id}" if origin.order else ""


def _instant(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()
