"""Pools of codes that came from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from loyalty.models import Program
from members.errors import ConflictError, FieldError
from members.services.audit import Actor, record_audit
from rewards.codes import plain
from rewards.models import VoucherPool

PIECE = 10_000
LONGEST = 40
MOST_TOLD = 20
CODE = re.compile(r"^[A-Z0-9]{4,40}$")


@dataclass(slots=True)
class Imported:
    """What became of a file of codes. `wrong`: line numbers and what is wrong with them, the first
    ones."""

    added: int = 0
    known: int = 0
    refused: int = 0
    wrong: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, number: int, words: str) -> None:
        self.refused += 1
        if len(self.wrong) < MOST_TOLD:
            self.wrong.append((number, words))


@transaction.atomic
def create_voucher_pool(*, program: Program, code: str, name: str, actor: Actor) -> VoucherPool:
    """Raises ConflictError where the code is taken."""
    pool, made = VoucherPool.objects.get_or_create(
        program=program, code=code, defaults={"name": name}
    )
    if not made:
        message = _("There is a pool with this short name already.")
        raise ConflictError(message, errors=[FieldError("code", message, "taken")])
    record_audit(
        actor=actor, action="voucher_pool.created", target=pool, after={"code": code, "name": name}
    )
    return pool


@transaction.atomic
def rename_voucher_pool(*, pool: VoucherPool, name: str, actor: Actor) -> VoucherPool:
    """What staff call it."""
    before, pool.name = pool.name, name
    if before != name:
        pool.save(update_fields=["name"])
        record_audit(
            actor=actor, action="voucher_pool.renamed", target=pool,
            before={"name": before}, after={"name": name},
        )  # fmt: skip
    return pool


@transaction.atomic
def import_vouchers(*, pool: VoucherPool, lines: Iterable[str], actor: Actor) -> Imported:
    """Add codes, one on each line; more columns after a comma are left alone, and so is a heading.
    All or nothing; those that are known, in whichever pool, are not added again."""
    found, rows = Imported(), codes_in(lines)
    while piece := list(islice(rows, PIECE)):
        add_piece(pool, piece, found)
    audit_filled(pool, found, actor)
    return found


def add_piece(pool: VoucherPool, piece: Iterable[tuple[int, str]], found: Imported) -> None:
    """Some lines of a file, by one statement."""
    good = []
    for number, written in piece:
        code = plain(written)
        if CODE.match(code):
            good.append((code, written))
        else:
            found.refuse(number, _("Between 4 and 40 letters and digits."))
    added = add_codes(pool, good)
    found.added += added
    found.known += len(good) - added


def audit_filled(pool: VoucherPool, found: Imported, actor: Actor) -> None:
    record_audit(
        actor=actor, action="voucher_pool.filled", target=pool,
        after={"added": found.added, "known": found.known, "refused": found.refused},
    )  # fmt: skip


def codes_in(lines: Iterable[str], first: int = 1) -> Iterator[tuple[int, str]]:
    """What is written on each line that has something on it, with its number."""
    for number, line in enumerate(lines, start=first):
        written = line.replace("\x00", "").split(",")[0].strip().strip('"').lstrip("\ufeff")
        if written and not (number == 1 and plain(written) in ("CODE", "CODES", "VOUCHER")):
            yield number, written[:48]


def add_codes(pool: VoucherPool, good: list[tuple[str, str]]) -> int:
    """Codes, plain and as they are written; how many of them nobody knew."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO rewards_voucher (public_id, code, written, pool_id, program_id, status,
                                         terms, created_at)
            SELECT gen_random_uuid(), code, written, %s, %s, 'waiting', '{}', now()
              FROM unnest(%s::text[], %s::text[]) AS x(code, written)
                ON CONFLICT (code) DO NOTHING
            """,
            [pool.pk, pool.program_id, [code for code, _w in good], [w for _c, w in good]],
        )
        added = int(cursor.rowcount)
    if added:
        VoucherPool.objects.filter(pk=pool.pk).update(codes=F("codes") + added)
    return added
