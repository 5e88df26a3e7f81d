"""Large files of codes, read piece by piece by a worker: a million take a minute or so.

A piece commits together with how far the file is, in bytes, so a run that was killed goes on there
and nothing before it is read again.
"""

from __future__ import annotations

import hashlib
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from loyalty.services.import_files import start_file_job
from members.errors import DomainError
from members.formatting import format_number
from members.models import Job, JobError, User
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import record_job_errors
from rewards.models import VoucherPool
from rewards.services.voucher_pools import Imported, add_piece, audit_filled, codes_in

KIND = "voucher_import"
# As `loyalty.services.import_files` knows the files that jobs still need.
FILE = "codes"
PIECE = 10_000
COUNTED = ("added", "known", "refused")


def start_voucher_import(*, pool: VoucherPool, path: Path, name: str, actor: Actor) -> Job:
    """A waiting job for this file; the unfinished one if the same was begun before."""
    digest, lines = hashlib.sha256(str(pool.pk).encode()), 0
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
            lines += chunk.count(b"\n")
    return start_file_job(
        kind=KIND,
        label=_("%(file)s into %(pool)s") % {"file": name, "pool": pool.name},
        fingerprint=digest.hexdigest(),
        params={
            "pool": pool.pk, FILE: str(path), "by": actor.user.pk if actor.user else None,
        },
        actor=actor,
        total=max(lines, 1),
    )  # fmt: skip


def run_voucher_import(job_id: int) -> Job | None:
    """Add what is left of the file; None when another run has it."""
    return run_in_chunks(job_id, _import_piece)


def import_words(job: Job) -> str:
    words = {"added": _("%s added"), "known": _("%s known already"), "refused": _("%s refused")}
    said = [words[name] % format_number(job.result[name]) for name in COUNTED
            if job.result.get(name)]  # fmt: skip
    return ", ".join(said) or _("No codes in it")


def _import_piece(job: Job) -> Step | None:
    path, line = Path(job.params[FILE]), int(job.checkpoint.get("line", 0))
    if not path.is_file():
        raise DomainError(_("The file is gone. Upload it again."), code="files_gone")
    pool = VoucherPool.objects.get(pk=job.params["pool"])
    with path.open("rb") as stream:
        stream.seek(int(job.checkpoint.get("at", 0)))
        lines = [
            text.decode(errors="replace") for text in islice(iter(stream.readline, b""), PIECE)
        ]
        at = stream.tell()
    if not lines:
        _close(job, pool)
        return None
    found = Imported()
    add_piece(pool, codes_in(lines, line + 1), found)
    record_job_errors(
        job, [JobError(file=FILE, row=number, reason=words) for number, words in found.wrong]
    )
    counted = {name: job.result.get(name, 0) + getattr(found, name) for name in COUNTED}
    done = line + len(lines)
    return Step({"at": at, "line": done}, done=done, total=max(job.total, done), result=counted)


def _close(job: Job, pool: VoucherPool) -> None:
    user = User.objects.filter(pk=job.params["by"]).first()
    counted = Imported(**{name: job.result.get(name, 0) for name in COUNTED})
    audit_filled(pool, counted, Actor.of_user(user) if user else SYSTEM)
